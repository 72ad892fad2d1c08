// Roles: one asks, another decides, and what was given can be taken away at once.
import type { Catalog, RoleRequestFilter, RoleRequestRow } from '@auricle/catalog'
import { newGrantId, newRoleRequestId, type Role, type RoleRequestId, type UserId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { isError, VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import { authorizeReading, named, refuse } from './reading.ts'

export interface RoleParts extends AuthorizeParts {
  readonly catalog: Pick<
    Catalog,
    | 'findPerson'
    | 'requestRole'
    | 'listRoleRequests'
    | 'findRoleRequest'
    | 'decideRole'
    | 'withdrawRole'
    | 'revokeRole'
  >
}

/** After this long without a decision a request lapses: what was true when it was made may not be any more. */
const requestLapsesMs = 30 * 24 * 60 * 60_000

/**
 * For as long after an administrator reset somebody's factors, that person approves nothing, and nothing that they asked
 * for is approved. Whoever resets holds the invitation and could be both; whoever was locked out notices in that time.
 */
const settlesMs = 7 * 24 * 60 * 60_000

export interface RoleRequestView {
  readonly id: RoleRequestId
  readonly user: UserId
  readonly role: string
  readonly reason: string
  readonly until: string | null
  readonly requestedBy: UserId
  readonly requestedAt: string
  readonly state: NonNullable<RoleRequestFilter['state']>
  readonly decidedBy: UserId | null
  readonly decidedAt: string | null
}

const openSinceOf = (now: Date) => new Date(now.getTime() - requestLapsesMs)

export interface AskedRole {
  readonly user: UserId
  readonly role: Role
  readonly reason: string
  readonly until: Date | null
}

/** Also for a role they have, so that it holds longer or for good: the approval is the new attestation. */
export async function requestRole(
  parts: RoleParts,
  facts: RequestFacts,
  { user, role, reason, until }: AskedRole,
  options: CallOptions,
): Promise<RoleRequestView> {
  const { tenantId, userId: requestedBy } = facts.actor
  const person = await parts.catalog.findPerson(tenantId, user, options)
  if (person === null) throw new VaultError('not_found', 'There is nobody of that id')
  const id = newRoleRequestId()
  const object = named('user', user, id)
  const asked = { action: 'role.request', log: 'role.requested', object } as const
  const { now, secrets, record } = await authorize(parts, facts, asked, options)
  if (until !== null && until <= now) throw new VaultError('malformed', 'A role cannot end before it begins')
  if (person.disabledAt !== null) throw new VaultError('conflict', 'They are disabled')
  const request = { id, tenantId, userId: user, role, requestedBy, requestedAt: now, reason, until }
  try {
    const event = await record(object, [role])
    await parts.catalog.requestRole(request, openSinceOf(now), secrets.columns, event, options)
  } catch (error) {
    if (!isError(error, 'CatalogError', 'taken')) throw error
    throw new VaultError('conflict', 'The same is asked for already', { cause: error })
  }
  return requestViewOf({ ...request, decidedBy: null, decidedAt: null, outcome: null }, now)
}

export async function listRoleRequests(
  parts: RoleParts,
  facts: RequestFacts,
  query: {
    readonly state?: RoleRequestView['state'] | undefined
    readonly cursor?: RoleRequestId | undefined
    readonly limit: number
  },
  options: CallOptions,
): Promise<{ readonly requests: readonly RoleRequestView[]; readonly nextCursor: RoleRequestId | null }> {
  const { state = null, cursor: beforeId = null, limit } = query
  const asked = { action: 'people.read', log: 'role.listed', object: null } as const
  const { now, secrets } = await authorizeReading(parts, facts, asked, options)
  const filter = { state, beforeId, openSince: openSinceOf(now), limit: limit + 1 }
  const { tenantId } = facts.actor
  const found = await parts.catalog.listRoleRequests(tenantId, filter, secrets.columns, options)
  const requests = found.slice(0, limit)
  return {
    requests: requests.map(row => requestViewOf(row, now)),
    nextCursor: found.length > limit ? (requests.at(-1)?.id ?? null) : null,
  }
}

/** Of several decisions at once one counts; the others are told that it was made. */
export async function decideRoleRequest(
  parts: RoleParts,
  facts: RequestFacts,
  id: RoleRequestId,
  approve: boolean,
  options: CallOptions,
): Promise<RoleRequestView> {
  const { tenantId, userId: by } = facts.actor
  const request = await findRequest(parts, facts, id, options)
  const object = named('user', request.userId, id)
  const log = approve ? 'role.granted' : 'role.refused'
  const asked = { action: 'role.decide', resource: resourceOf(request), log, object } as const
  const { now, record } = await authorize(parts, facts, asked, options)
  const outcome = approve ? 'approved' : 'refused'
  const decision = {
    ...{ tenantId, requestId: id, by, at: now, openSince: openSinceOf(now), grantId: newGrantId() },
    outcome,
    settledSince: new Date(now.getTime() - settlesMs),
  } as const
  const event = await record(object, [request.role])
  if (!(await parts.catalog.decideRole(decision, event, options)))
    throw new VaultError(
      'conflict',
      'This is decided, lapsed or over, or one of the people in it is disabled or was given new factors this week',
    )
  return requestViewOf(await findRequest(parts, facts, id, options), now)
}

export async function withdrawRoleRequest(
  parts: RoleParts,
  facts: RequestFacts,
  id: RoleRequestId,
  options: CallOptions,
): Promise<void> {
  const { tenantId, userId: by } = facts.actor
  const request = await findRequest(parts, facts, id, options)
  const object = named('user', request.userId, id)
  const asked = {
    action: 'role.withdraw',
    resource: resourceOf(request),
    log: 'role.withdrawn',
    object,
  } as const
  const { now, record } = await authorize(parts, facts, asked, options)
  const event = await record(object, [request.role])
  if (!(await parts.catalog.withdrawRole({ tenantId, requestId: id, by, at: now }, event, options)))
    throw new VaultError('conflict', 'This is decided already')
}

/** At once, from every source; groups of a provider may give it again at the next sign-in. */
export async function revokeRole(
  parts: RoleParts,
  facts: RequestFacts,
  { user: userId, role }: Pick<AskedRole, 'user' | 'role'>,
  options: CallOptions,
): Promise<void> {
  const { tenantId, userId: by } = facts.actor
  if ((await parts.catalog.findPerson(tenantId, userId, options)) === null)
    throw new VaultError('not_found', 'There is nobody of that id')
  const object = named('user', userId)
  const log = 'role.revoked'
  const { now, record } = await authorize(parts, facts, { action: 'role.revoke', log, object }, options)
  const ending = { tenantId, userId, role, by, at: now }
  const outcome = await parts.catalog.revokeRole(ending, await record(object, [role]), options)
  if (outcome === 'none') throw new VaultError('not_found', 'They do not have that role')
  if (outcome !== 'last_administrator') return
  const conflict = 'They are the last who can administer the tenant'
  await refuse(parts, facts, { log, object, reason: outcome, conflict }, options)
}

async function findRequest(
  { catalog, secrets }: RoleParts,
  { actor: { tenantId } }: RequestFacts,
  id: RoleRequestId,
  options: CallOptions,
): Promise<RoleRequestRow> {
  const { columns } = await secrets.get(tenantId, options)
  const row = await catalog.findRoleRequest(tenantId, id, columns, options)
  if (row === null) throw new VaultError('not_found', 'There is no such request')
  return row
}

const resourceOf = ({ tenantId, userId, requestedBy }: RoleRequestRow) =>
  ({ type: 'role_request', tenantId, userId, requestedBy }) as const

function requestViewOf(row: RoleRequestRow, now: Date): RoleRequestView {
  const open = row.requestedAt > openSinceOf(now) ? 'open' : 'lapsed'
  return {
    ...{ id: row.id, user: row.userId, role: row.role, reason: row.reason },
    until: row.until?.toISOString() ?? null,
    requestedBy: row.requestedBy,
    requestedAt: row.requestedAt.toISOString(),
    state: row.outcome ?? open,
    decidedBy: row.decidedBy,
    decidedAt: row.decidedAt?.toISOString() ?? null,
  }
}
