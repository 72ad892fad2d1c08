// Cover: "hear my mailbox until Monday". It ends by itself, cannot be passed on, and ends with the giver's own right.
import type { Catalog, DelegationRow } from '@auricle/catalog'
import { type DelegationId, type MailboxId, newDelegationId, type UserId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import { authorizeReading, named } from './reading.ts'

export interface CoverParts extends AuthorizeParts {
  readonly catalog: Pick<
    Catalog,
    'findPerson' | 'findMailbox' | 'createDelegation' | 'listDelegations' | 'findDelegation' | 'endDelegation'
  >
}

/** The longest cover, and how far ahead it can begin. */
const coverMs = 90 * 24 * 60 * 60_000

export interface DelegationView {
  readonly id: DelegationId
  readonly mailbox: MailboxId
  readonly from: UserId
  readonly to: UserId
  readonly createdBy: UserId
  readonly startsAt: string
  readonly until: string
  readonly endedAt: string | null
}

export interface Cover {
  readonly mailbox: MailboxId
  readonly to: UserId
  /** Who is covered for; null for the one who asks, or the mailbox's only owner. */
  readonly from: UserId | null
  /** Null: now. */
  readonly startsAt: Date | null
  readonly until: Date
}

export async function createDelegation(
  parts: CoverParts,
  facts: RequestFacts,
  { mailbox: mailboxId, to, from, startsAt, until }: Cover,
  options: CallOptions,
): Promise<DelegationView> {
  const { tenantId, userId: by } = facts.actor
  const mailbox = await parts.catalog.findMailbox(tenantId, mailboxId, options)
  const receiver = await parts.catalog.findPerson(tenantId, to, options)
  if (mailbox === null || receiver === null)
    throw new VaultError('not_found', 'There is no such mailbox or person')
  const id = newDelegationId()
  const owns = mailbox.ownerIds.includes(by)
  // An owner gains nothing by covering for themselves, which is told them as the slip it is.
  const resource = { type: 'mailbox', tenantId, mailboxId, ...(owns ? {} : { receiverId: to }) } as const
  const object = named('mailbox', mailboxId, to)
  const asked = { action: 'delegation.create', resource, log: 'delegation.created', object } as const
  const { now, record } = await authorize(parts, facts, asked, options)
  // An owner covers for themselves only; whoever administers says for whom, where there is a choice.
  const isAdministrator = facts.actor.roles.includes('administrator')
  if (from !== null && from !== by && !isAdministrator)
    throw new VaultError('malformed', 'You can have only your own mailboxes covered')
  const giver = from ?? (owns ? by : mailbox.ownerIds.length === 1 ? mailbox.ownerIds[0] : undefined)
  if (giver === undefined) throw new VaultError('malformed', 'Say for whom: that mailbox has not one owner')
  if (giver === to) throw new VaultError('malformed', 'Nobody covers for themselves')
  const begins = startsAt ?? now
  checkTimes(begins, until, now)
  const row = { id, tenantId, mailboxId, fromUserId: giver, toUserId: to, createdBy: by, createdAt: now }
  const delegation = { ...row, startsAt: begins, until }
  if (!(await parts.catalog.createDelegation(delegation, await record(), options)))
    throw new VaultError('conflict', 'They do not own that mailbox, or one of the two is disabled')
  return delegationViewOf({ ...delegation, endedAt: null, endedBy: null })
}

function checkTimes(startsAt: Date, until: Date, now: Date): void {
  // What is a moment ago on the asker's clock may be now on ours.
  const earliest = now.getTime() - 5 * 60_000
  if (startsAt.getTime() < earliest || startsAt.getTime() > now.getTime() + coverMs)
    throw new VaultError('malformed', 'Cover begins now or within 90 days')
  if (until <= startsAt || until <= now || until.getTime() - startsAt.getTime() > coverMs)
    throw new VaultError('malformed', 'Cover ends after it begins, and within 90 days of that')
}

/** What one gave and received; all of the tenant's for those who may see people. */
export async function listDelegations(
  parts: CoverParts,
  facts: RequestFacts,
  query: {
    readonly all: boolean
    readonly cursor?: DelegationId | undefined
    readonly limit: number
  },
  options: CallOptions,
): Promise<{ readonly delegations: readonly DelegationView[]; readonly nextCursor: DelegationId | null }> {
  const { all, cursor: beforeId = null, limit } = query
  const { tenantId, userId } = facts.actor
  const asked = { action: 'people.read', log: 'delegation.listed', object: null } as const
  if (all) await authorizeReading(parts, facts, asked, options)
  const filter = { userId: all ? null : userId, beforeId, limit: limit + 1 }
  const found = await parts.catalog.listDelegations(tenantId, filter, options)
  const delegations = found.slice(0, limit)
  return {
    delegations: delegations.map(delegationViewOf),
    nextCursor: found.length > limit ? (delegations.at(-1)?.id ?? null) : null,
  }
}

/** By an owner of the mailbox, or whoever administers. */
export async function endDelegation(
  parts: CoverParts,
  facts: RequestFacts,
  id: DelegationId,
  options: CallOptions,
): Promise<void> {
  const { tenantId, userId: by } = facts.actor
  const row = await parts.catalog.findDelegation(tenantId, id, options)
  if (row === null) throw new VaultError('not_found', 'There is no such delegation')
  const { mailboxId, toUserId } = row
  const resource = { type: 'mailbox', tenantId, mailboxId } as const
  const object = named('mailbox', mailboxId, toUserId)
  const asked = { action: 'delegation.end', resource, log: 'delegation.ended', object } as const
  const { now, record } = await authorize(parts, facts, asked, options)
  if (!(await parts.catalog.endDelegation({ tenantId, id, by, at: now }, await record(), options)))
    throw new VaultError('conflict', 'It has ended already')
}

function delegationViewOf(row: DelegationRow): DelegationView {
  return {
    ...{
      id: row.id,
      mailbox: row.mailboxId,
      from: row.fromUserId,
      to: row.toUserId,
      createdBy: row.createdBy,
    },
    startsAt: row.startsAt.toISOString(),
    until: row.until.toISOString(),
    endedAt: row.endedAt?.toISOString() ?? null,
  }
}
