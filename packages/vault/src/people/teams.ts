// Teams and mailboxes: who hears what by belonging to it. Taking somebody out counts from the next request.
import type { AuditEvent } from '@auricle/audit'
import type { Catalog, MailboxRow, TeamRow } from '@auricle/catalog'
import { type MailboxId, newMailboxId, newTeamId, type TeamId, type UserId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import { authorizeReading, named } from './reading.ts'

export interface TeamParts extends AuthorizeParts {
  readonly catalog: Pick<
    Catalog,
    | 'findPerson'
    | 'createTeam'
    | 'listTeams'
    | 'findTeam'
    | 'setTeamMember'
    | 'removeTeamMember'
    | 'addTeamMailbox'
    | 'removeTeamMailbox'
    | 'createMailbox'
    | 'findMailbox'
    | 'addMailboxOwner'
    | 'removeMailboxOwner'
  >
}

export interface TeamView {
  readonly id: TeamId
  readonly name: string
  readonly members: readonly {
    readonly user: UserId
    readonly supervises: boolean
    /** Whether groups of a provider put them there. */
    readonly byProvider: boolean
  }[]
  readonly mailboxes: readonly MailboxId[]
}

/** Throws `taken` (CatalogError) where the tenant has a team of that name. */
export async function createTeam(
  parts: TeamParts,
  facts: RequestFacts,
  { name }: { readonly name: string },
  options: CallOptions,
): Promise<TeamView> {
  const { tenantId } = facts.actor
  const id = newTeamId()
  const { now, record } = await mayManage(parts, facts, 'team.created', named('team', id), options)
  await parts.catalog.createTeam({ id, tenantId, name, createdAt: now }, await record(), options)
  return { id, name, members: [], mailboxes: [] }
}

export async function listTeams(
  parts: TeamParts,
  facts: RequestFacts,
  options: CallOptions,
): Promise<readonly TeamView[]> {
  await authorizeReading(parts, facts, { action: 'people.read', log: 'team.listed', object: null }, options)
  return (await parts.catalog.listTeams(facts.actor.tenantId, options)).map(teamViewOf)
}

export async function setTeamMember(
  parts: TeamParts,
  facts: RequestFacts,
  member: { readonly team: TeamId; readonly user: UserId; readonly supervises: boolean },
  options: CallOptions,
): Promise<void> {
  const { team: teamId, user: userId, supervises } = member
  const { tenantId } = facts.actor
  await mustHave(parts, facts, { team: teamId, user: userId }, options)
  const object = named('team', teamId, userId)
  const { record } = await mayManage(parts, facts, 'team.changed', object, options, [userId])
  const event = await record(object, [supervises ? 'supervisor_in' : 'member_in'])
  await parts.catalog.setTeamMember({ tenantId, teamId, userId, supervises }, event, options)
}

export async function removeTeamMember(
  parts: TeamParts,
  facts: RequestFacts,
  { team: teamId, user: userId }: { readonly team: TeamId; readonly user: UserId },
  options: CallOptions,
): Promise<void> {
  const { tenantId } = facts.actor
  await mustHave(parts, facts, { team: teamId, user: userId }, options)
  const { record } = await mayManage(parts, facts, 'team.changed', named('team', teamId, userId), options)
  const event = await record(named('team', teamId, userId), ['member_out'])
  if (!(await parts.catalog.removeTeamMember({ tenantId, teamId, userId }, event, options)))
    throw new VaultError('not_found', 'They are not in that team')
}

export async function addTeamMailbox(
  parts: TeamParts,
  facts: RequestFacts,
  { team: teamId, mailbox: mailboxId }: { readonly team: TeamId; readonly mailbox: MailboxId },
  options: CallOptions,
): Promise<void> {
  const { tenantId } = facts.actor
  await mustHave(parts, facts, { team: teamId, mailbox: mailboxId }, options)
  const team = await parts.catalog.findTeam(tenantId, teamId, options)
  const members = team?.members.map(({ userId }) => userId) ?? []
  const object = named('team', teamId, mailboxId)
  const { record } = await mayManage(parts, facts, 'team.changed', object, options, members)
  const event = await record(object, ['mailbox_in'])
  await parts.catalog.addTeamMailbox({ tenantId, teamId, mailboxId }, event, options)
}

export async function removeTeamMailbox(
  parts: TeamParts,
  facts: RequestFacts,
  { team: teamId, mailbox: mailboxId }: { readonly team: TeamId; readonly mailbox: MailboxId },
  options: CallOptions,
): Promise<void> {
  const { tenantId } = facts.actor
  await mustHave(parts, facts, { team: teamId, mailbox: mailboxId }, options)
  const { record } = await mayManage(parts, facts, 'team.changed', named('team', teamId, mailboxId), options)
  const event = await record(named('team', teamId, mailboxId), ['mailbox_out'])
  if (!(await parts.catalog.removeTeamMailbox({ tenantId, teamId, mailboxId }, event, options)))
    throw new VaultError('not_found', 'That team does not have that mailbox')
}

/** Throws `taken` (CatalogError) where the tenant has that address. */
export async function addMailbox(
  parts: TeamParts,
  facts: RequestFacts,
  { address, name }: Pick<MailboxRow, 'address' | 'name'>,
  options: CallOptions,
): Promise<Pick<MailboxRow, 'id' | 'address' | 'name'>> {
  const { tenantId } = facts.actor
  const id = newMailboxId()
  const { record } = await mayManage(parts, facts, 'mailbox.created', named('mailbox', id), options)
  await parts.catalog.createMailbox({ id, tenantId, address, name }, await record(), options)
  return { id, address, name }
}

export async function addMailboxOwner(
  parts: TeamParts,
  facts: RequestFacts,
  { mailbox, user }: { readonly mailbox: MailboxId; readonly user: UserId },
  options: CallOptions,
): Promise<void> {
  await mustHave(parts, facts, { mailbox, user }, options)
  const object = named('mailbox', mailbox, user)
  const { record } = await mayManage(parts, facts, 'mailbox.assigned', object, options, [user])
  await parts.catalog.addMailboxOwner(facts.actor.tenantId, mailbox, user, await record(), options)
}

export async function removeMailboxOwner(
  parts: TeamParts,
  facts: RequestFacts,
  { mailbox, user }: { readonly mailbox: MailboxId; readonly user: UserId },
  options: CallOptions,
): Promise<void> {
  const { tenantId } = facts.actor
  await mustHave(parts, facts, { mailbox, user }, options)
  const object = named('mailbox', mailbox, user)
  const { record } = await mayManage(parts, facts, 'mailbox.released', object, options)
  if (!(await parts.catalog.removeMailboxOwner(tenantId, mailbox, user, await record(), options)))
    throw new VaultError('not_found', 'They do not own that mailbox')
}

const mayManage = (
  parts: TeamParts,
  facts: RequestFacts,
  log: AuditEvent['action'],
  object: AuditEvent['object'],
  options: CallOptions,
  receiverIds: readonly UserId[] = [],
) => {
  const resource = { type: 'membership', tenantId: facts.actor.tenantId, receiverIds } as const
  return authorize(parts, facts, { action: 'mailbox.manage', resource, log, object }, options)
}

async function mustHave(
  { catalog }: TeamParts,
  { actor: { tenantId } }: RequestFacts,
  ids: { readonly team?: TeamId; readonly mailbox?: MailboxId; readonly user?: UserId },
  options: CallOptions,
): Promise<void> {
  const { team, mailbox, user } = ids
  const found = [
    team === undefined || (await catalog.findTeam(tenantId, team, options)),
    mailbox === undefined || (await catalog.findMailbox(tenantId, mailbox, options)),
    user === undefined || (await catalog.findPerson(tenantId, user, options)),
  ]
  if (found.includes(null)) throw new VaultError('not_found', 'There is no such team, mailbox or person')
}

function teamViewOf({ id, name, members, mailboxIds }: TeamRow): TeamView {
  return {
    id,
    name,
    members: members.map(({ userId, supervises, providerId }) => ({
      user: userId,
      supervises,
      byProvider: providerId !== null,
    })),
    mailboxes: mailboxIds,
  }
}
