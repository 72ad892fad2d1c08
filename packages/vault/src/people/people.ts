// People: seen, invited, named, disabled and let in again, their factors taken away. Nobody does that to themselves.
import { newPrivatePart } from '@auricle/audit'
import type { Catalog, InvitationRow, NewRoleRequest, PersonRow } from '@auricle/catalog'
import { newInvitationId, newRoleRequestId, newUserId, type Role, type UserId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import type { EventFacts, PrivateFacts } from '../audit-record.ts'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { newAlert, type OnAlert } from '../break-glass/alert.ts'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import { authorizeReading, named, refuse } from './reading.ts'
import { type GrantView, grantViewOf } from './recertification.ts'

/** An invitation to join: its text is shown once, its hash is kept. */
export type NewInvitation = () => { readonly text: string; readonly hash: Uint8Array }

export interface PeopleParts extends AuthorizeParts {
  readonly catalog: Pick<
    Catalog,
    | 'listPeople'
    | 'findPerson'
    | 'listGrants'
    | 'invitePerson'
    | 'renamePerson'
    | 'disablePerson'
    | 'enablePerson'
    | 'resetFactors'
  >
  readonly newInvitation: NewInvitation
  readonly onAlert: OnAlert
}

/** How long an invitation can be accepted. */
const invitationMs = 7 * 24 * 60 * 60_000

export interface PersonView {
  readonly id: UserId
  readonly login: string
  readonly name: string
  readonly kind: PersonRow['kind']
  readonly roles: readonly string[]
  readonly createdAt: string
  readonly disabledAt: string | null
  readonly signedInAt: string | null
  readonly invitedUntil: string | null
  readonly factors: PersonRow['factors']
}

/** What opens the door, shown once. */
export interface InvitationView {
  readonly token: string
  readonly expiresAt: string
}

export async function listPeople(
  parts: PeopleParts,
  facts: RequestFacts,
  { cursor, limit }: { readonly cursor?: UserId | undefined; readonly limit: number },
  options: CallOptions,
): Promise<{ readonly people: readonly PersonView[]; readonly nextCursor: UserId | null }> {
  const { tenantId } = facts.actor
  await authorizeReading(parts, facts, { action: 'people.read', log: 'people.listed', object: null }, options)
  const page = { afterId: cursor ?? null, limit: limit + 1 }
  const found = await parts.catalog.listPeople(tenantId, page, options)
  const people = found.slice(0, limit)
  return {
    people: people.map(personViewOf),
    nextCursor: found.length > limit ? (people.at(-1)?.id ?? null) : null,
  }
}

/** With the roles they hold, and how they came by each. */
export async function showPerson(
  parts: PeopleParts,
  facts: RequestFacts,
  userId: UserId,
  options: CallOptions,
): Promise<PersonView & { readonly grants: readonly GrantView[] }> {
  const { tenantId } = facts.actor
  const row = await findPerson(parts, facts, userId, options)
  const asked = { action: 'people.read', log: 'people.listed', object: named('user', userId) } as const
  const { now } = await authorizeReading(parts, facts, asked, options)
  const grants = await parts.catalog.listGrants(tenantId, { now, endedSince: null, userId }, options)
  return { ...personViewOf(row), grants: grants.map(grantViewOf) }
}

export interface Invited {
  /** In lower case. */
  readonly login: string
  readonly name: string
  /** Asked for with the invitation, and decided by somebody else. */
  readonly roles: readonly { readonly role: Role; readonly until: Date | null }[]
  readonly reason: string
}

/** Throws `taken` (CatalogError) where the tenant has that login. */
export async function invitePerson(
  parts: PeopleParts,
  facts: RequestFacts,
  { login, name, roles, reason }: Invited,
  options: CallOptions,
): Promise<{ readonly person: PersonView; readonly invitation: InvitationView }> {
  const { tenantId, userId: by } = facts.actor
  const id = newUserId()
  const object = named('user', id)
  const asked = { action: 'people.manage', log: 'user.invited', object } as const
  const { now, secrets, record } = await authorize(parts, facts, asked, options)
  const askedRoles =
    roles.length === 0
      ? null
      : await authorize(parts, facts, { action: 'role.request', log: 'role.requested', object }, options)
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
  const requests = roles.map(({ role, until }): NewRoleRequest => {
    if (until !== null && until <= now)
      throw new VaultError('malformed', 'A role cannot end before it begins')
    const request = { id: newRoleRequestId(), tenantId, userId: id, role, requestedBy: by, requestedAt: now }
    return { ...request, reason, until }
  })
  const events = [await record()]
  for (const { id: requestId, role } of requests) {
    if (askedRoles !== null) events.push(await askedRoles.record(named('user', id, requestId), [role]))
  }
  const { text, hash } = parts.newInvitation()
  const invitation = invitationRow({ tenantId, userId: id, by, at: now, hash })
  await parts.catalog.invitePerson({ user, invitation, requests }, secrets.columns, events, options)
  const factors = { password: false, totp: false, passkeys: 0, recoveryCodes: 0 }
  const person = { ...user, signedInAt: null, invitedUntil: invitation.expiresAt, factors }
  return { person: personViewOf(person), invitation: invitationViewOf(invitation, text) }
}

export interface PersonChange {
  readonly name?: string | undefined
  readonly disabled?: boolean | undefined
}

/** What is so already stays so. */
export async function changePerson(
  parts: PeopleParts,
  facts: RequestFacts,
  userId: UserId,
  { name, disabled }: PersonChange,
  options: CallOptions,
): Promise<PersonView> {
  await findPerson(parts, facts, userId, options)
  if (disabled === true) await disable(parts, facts, userId, options)
  if (disabled === false) await enable(parts, facts, userId, options)
  if (name !== undefined) await rename(parts, facts, userId, name, options)
  return personViewOf(await findPerson(parts, facts, userId, options))
}

async function disable(parts: PeopleParts, facts: RequestFacts, userId: UserId, options: CallOptions) {
  const { tenantId, userId: by } = facts.actor
  const object = named('user', userId)
  const log = 'user.disabled'
  const { now, record } = await authorize(parts, facts, { action: 'people.manage', log, object }, options)
  if (userId === by) await refuse(parts, facts, { log, object, reason: 'own_account' }, options)
  const ending = { tenantId, userId, by, at: now }
  const outcome = await parts.catalog.disablePerson(ending, await record(), options)
  if (outcome !== 'last_administrator') return
  const conflict = 'They are the last who can administer the tenant'
  await refuse(parts, facts, { log, object, reason: outcome, conflict }, options)
}

async function enable(parts: PeopleParts, facts: RequestFacts, userId: UserId, options: CallOptions) {
  const asked = { action: 'people.manage', log: 'user.enabled', object: named('user', userId) } as const
  const { record } = await authorize(parts, facts, asked, options)
  await parts.catalog.enablePerson({ tenantId: facts.actor.tenantId, userId }, await record(), options)
}

async function rename(
  parts: PeopleParts,
  facts: RequestFacts,
  userId: UserId,
  name: string,
  options: CallOptions,
) {
  const asked = { action: 'people.manage', log: 'user.renamed', object: named('user', userId) } as const
  const { record } = await authorize(parts, facts, asked, options)
  await parts.catalog.renamePerson({ tenantId: facts.actor.tenantId, userId, name }, await record(), options)
}

/** For somebody who lost what they sign in with, or never joined in time. */
export async function resetFactors(
  parts: PeopleParts,
  facts: RequestFacts,
  userId: UserId,
  options: CallOptions,
): Promise<InvitationView> {
  const { tenantId, userId: by } = facts.actor
  await findPerson(parts, facts, userId, options)
  const object = named('user', userId)
  const log = 'user.factors_reset'
  const { now, secrets, record } = await authorize(
    parts,
    facts,
    { action: 'people.manage', log, object },
    options,
  )
  if (userId === by) await refuse(parts, facts, { log, object, reason: 'own_account' }, options)
  const { text, hash } = parts.newInvitation()
  const invitation = invitationRow({ tenantId, userId, by, at: now, hash })
  const { actor, ip, userAgent, request } = facts
  const secret = { part: newPrivatePart({ ip, userAgent }), key: secrets.privateParts }
  const raised = await resetAlert(invitation, { actor, request }, secret)
  const event = await record(named('user', userId, invitation.id))
  if (!(await parts.catalog.resetFactors(invitation, raised, event, options)))
    throw new VaultError('conflict', 'Only somebody who signs in and is not disabled has factors to reset')
  parts.onAlert(raised.alert)
  return invitationViewOf(invitation, text)
}

/** Whoever holds the invitation can be that person: the alert names it, and the event of the reset says whose it is. */
export const resetAlert = (
  { tenantId, id, createdAt }: InvitationRow,
  cause: Pick<EventFacts, 'actor' | 'request'>,
  secret: PrivateFacts | null,
) => newAlert(tenantId, 'factors_reset', { type: 'invitation', id }, cause, secret, createdAt)

async function findPerson(
  { catalog }: PeopleParts,
  { actor }: RequestFacts,
  userId: UserId,
  options: CallOptions,
): Promise<PersonRow> {
  const row = await catalog.findPerson(actor.tenantId, userId, options)
  if (row === null) throw new VaultError('not_found', 'There is nobody of that id')
  return row
}

export function invitationRow({
  hash,
  by,
  at,
  ...whose
}: Pick<InvitationRow, 'tenantId' | 'userId'> & {
  readonly hash: Uint8Array
  readonly by: UserId | null
  readonly at: Date
}): InvitationRow {
  const expiresAt = new Date(at.getTime() + invitationMs)
  return { ...whose, id: newInvitationId(), secretHash: hash, createdBy: by, createdAt: at, expiresAt }
}

function personViewOf(row: PersonRow): PersonView {
  const { id, login, name, kind, roles, factors } = row
  return {
    ...{ id, login, name, kind, roles, factors },
    createdAt: row.createdAt.toISOString(),
    disabledAt: row.disabledAt?.toISOString() ?? null,
    signedInAt: row.signedInAt?.toISOString() ?? null,
    invitedUntil: row.invitedUntil?.toISOString() ?? null,
  }
}

const invitationViewOf = ({ expiresAt }: InvitationRow, token: string): InvitationView => ({
  token,
  expiresAt: expiresAt.toISOString(),
})
