// What the operator does at the machine's console: the first people there are, and the way back in when nobody is left.
import type { Catalog, TenantRow, UserRow } from '@auricle/catalog'
import {
  type MailboxId,
  newGrantId,
  newTeamId,
  newUserId,
  type Role,
  type TeamId,
  type TenantId,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'
import type { EventAppender } from '../log/durable-event.ts'
import type { TenantSecretsCache } from '../tenant-secrets.ts'
import { operatorEvent } from '../token.ts'
import { invitationRow, type NewInvitation, resetAlert } from './people.ts'
import { type GrantView, grantViewOf } from './recertification.ts'

export interface ConsoleParts {
  readonly catalog: Pick<
    Catalog,
    | 'invitePerson'
    | 'resetFactors'
    | 'disablePerson'
    | 'enablePerson'
    | 'grantRole'
    | 'revokeRole'
    | 'createTeam'
    | 'setTeamMember'
    | 'removeTeamMember'
    | 'addTeamMailbox'
    | 'removeTeamMailbox'
  >
}

interface InvitingParts extends ConsoleParts {
  readonly secrets: TenantSecretsCache
  readonly newInvitation: NewInvitation
}

type Whom = Pick<UserRow, 'id' | 'tenantId' | 'login'>

export interface OpenInvitation {
  readonly id: UserRow['id']
  readonly login: string
  readonly token: string
  readonly expiresAt: Date
}

/** Somebody new, with no way in but the invitation. Throws `taken` (CatalogError) where the tenant has that login. */
export async function inviteAtConsole(
  parts: InvitingParts,
  { tenant, login, name }: { readonly tenant: TenantRow; readonly login: string; readonly name: string },
  options: CallOptions,
): Promise<OpenInvitation> {
  const now = new Date()
  const id = newUserId()
  const tenantId = tenant.id
  const user = {
    id,
    tenantId,
    login,
    name,
    kind: 'person',
    roles: [],
    createdAt: now,
    disabledAt: null,
  } as const
  const { text, hash } = parts.newInvitation()
  const invitation = invitationRow({ tenantId, userId: id, by: null, at: now, hash })
  const { columns } = await parts.secrets.get(tenantId, options)
  const event = await operatorEvent(tenantId, 'user.invited', { type: 'user', id })
  await parts.catalog.invitePerson({ user, invitation, requests: [] }, columns, [event], options)
  return { id, login, token: text, expiresAt: invitation.expiresAt }
}

/** Takes every factor and open session of somebody away, for a new invitation. */
export async function inviteAgainAtConsole(
  parts: Pick<InvitingParts, 'catalog' | 'newInvitation'>,
  { id, tenantId, login }: Whom,
  options: CallOptions,
): Promise<OpenInvitation> {
  const { text, hash } = parts.newInvitation()
  const invitation = invitationRow({ tenantId, userId: id, by: null, at: new Date(), hash })
  const cause = { actor: { type: 'system', name: 'operator' }, request: null } as const
  const raised = await resetAlert(invitation, cause, null)
  const event = await operatorEvent(tenantId, 'user.factors_reset', { type: 'user', id })
  if (!(await parts.catalog.resetFactors(invitation, raised, event, options)))
    throw new VaultError('conflict', 'Only somebody who signs in and is not disabled can be invited again')
  return { id, login, token: text, expiresAt: invitation.expiresAt }
}

/** False where they are disabled already. Throws `conflict` for the last who can administer the tenant. */
export async function disableAtConsole(
  parts: ConsoleParts,
  { id, tenantId }: Whom,
  options: CallOptions,
): Promise<boolean> {
  const event = await operatorEvent(tenantId, 'user.disabled', { type: 'user', id })
  const ending = { tenantId, userId: id, by: null, at: new Date() }
  const outcome = await parts.catalog.disablePerson(ending, event, options)
  if (outcome === 'last_administrator') throw lastAdministrator()
  return outcome === 'disabled'
}

/** False where they are not disabled. */
export async function enableAtConsole(
  parts: ConsoleParts,
  { id, tenantId }: Whom,
  options: CallOptions,
): Promise<boolean> {
  const event = await operatorEvent(tenantId, 'user.enabled', { type: 'user', id })
  return parts.catalog.enablePerson({ tenantId, userId: id }, event, options)
}

export async function grantAtConsole(
  parts: ConsoleParts,
  { id, tenantId }: Whom,
  { role, until }: { readonly role: Role; readonly until: Date | null },
  options: CallOptions,
): Promise<void> {
  const at = new Date()
  const event = await operatorEvent(tenantId, 'role.granted', { type: 'user', id }, [role])
  await parts.catalog.grantRole({ id: newGrantId(), tenantId, userId: id, role, at, until }, event, options)
}

/** False where they do not have it. Throws `conflict` for the last who can administer the tenant. */
export async function revokeAtConsole(
  parts: ConsoleParts,
  { id, tenantId }: Whom,
  role: Role,
  options: CallOptions,
): Promise<boolean> {
  const event = await operatorEvent(tenantId, 'role.revoked', { type: 'user', id }, [role])
  const ending = { tenantId, userId: id, role, by: null, at: new Date() }
  const outcome = await parts.catalog.revokeRole(ending, event, options)
  if (outcome === 'last_administrator') throw lastAdministrator()
  return outcome === 'revoked'
}

/** Throws `taken` (CatalogError) where the tenant has a team of that name. */
export async function createTeamAtConsole(
  parts: ConsoleParts,
  { tenantId, name }: { readonly tenantId: TenantId; readonly name: string },
  options: CallOptions,
): Promise<TeamId> {
  const id = newTeamId()
  const event = await operatorEvent(tenantId, 'team.created', { type: 'team', id })
  await parts.catalog.createTeam({ id, tenantId, name, createdAt: new Date() }, event, options)
  return id
}

/** `supervises`: null takes them out. False where they were not in it. */
export async function setMemberAtConsole(
  parts: ConsoleParts,
  { id: userId, tenantId }: Whom,
  { teamId, supervises }: { readonly teamId: TeamId; readonly supervises: boolean | null },
  options: CallOptions,
): Promise<boolean> {
  const words = supervises === null ? 'member_out' : supervises ? 'supervisor_in' : 'member_in'
  const event = await operatorEvent(tenantId, 'team.changed', { type: 'team', id: teamId }, [words])
  if (supervises === null) return parts.catalog.removeTeamMember({ tenantId, teamId, userId }, event, options)
  await parts.catalog.setTeamMember({ tenantId, teamId, userId, supervises }, event, options)
  return true
}

/** False where it was not theirs and is to be taken away. */
export async function shareAtConsole(
  parts: ConsoleParts,
  shared: { readonly tenantId: TenantId; readonly teamId: TeamId; readonly mailboxId: MailboxId },
  isShared: boolean,
  options: CallOptions,
): Promise<boolean> {
  const words = isShared ? 'mailbox_in' : 'mailbox_out'
  const object = { type: 'team', id: shared.teamId }
  const event = await operatorEvent(shared.tenantId, 'team.changed', object, [words])
  if (!isShared) return parts.catalog.removeTeamMailbox(shared, event, options)
  await parts.catalog.addTeamMailbox(shared, event, options)
  return true
}

const lastAdministrator = () =>
  new VaultError('conflict', 'They are the last who can administer the tenant: make somebody else one first')

/** The report that `recertification` gives to people; reading it is an event here too. */
export async function recertifyAtConsole(
  parts: { readonly catalog: Pick<Catalog, 'listGrants'>; readonly log: EventAppender },
  tenantId: TenantId,
  endedSince: Date | null,
  options: CallOptions,
): Promise<readonly GrantView[]> {
  const event = await operatorEvent(tenantId, 'recertification.read', { type: 'tenant', id: tenantId })
  await parts.log.append(event, options)
  const grants = await parts.catalog.listGrants(tenantId, { now: new Date(), endedSince }, options)
  return grants.map(grantViewOf)
}
