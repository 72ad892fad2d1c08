// Emergency access: a person opens it with a reason, it ends by itself or earlier, and somebody else must judge it.
import { type AuditEvent, decodeLeaf } from '@auricle/audit'
import type { BreakGlassRow, Catalog, OpeningBreakGlass } from '@auricle/catalog'
import {
  type BreakGlassDetail,
  type BreakGlassId,
  type BreakGlassPage,
  type BreakGlassQuery,
  type BreakGlassReview,
  type BreakGlassView,
  EmergencyUse,
  type EmergencyUseQuery,
  newBreakGlassId,
  type TenantId,
  type TokenId,
  type UserId,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { appendOrRefuse } from '../access-event.ts'
import { auditRecord } from '../audit-record.ts'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'
import { newAlert, type OnAlert, originPart } from './alert.ts'

export type BreakGlassParts = AuthorizeParts & {
  readonly catalog: Pick<
    Catalog,
    | 'openBreakGlass'
    | 'listBreakGlass'
    | 'findBreakGlass'
    | 'endBreakGlass'
    | 'reviewBreakGlass'
    | 'listEmergencyEvents'
  >
  readonly onAlert: OnAlert
}

/** Clocks of machines differ: what lies this close to emergency access is shown with it. */
const clockMarginMs = 60_000

const objectOf = (id: BreakGlassId) => ({ type: 'break_glass', id, version: null }) as const

/** Row, event and alert in one transaction. Throws `conflict`, naming it, where the person's is open already. */
export async function startBreakGlass(
  parts: BreakGlassParts,
  facts: RequestFacts,
  reason: string,
  options: CallOptions,
): Promise<BreakGlassView> {
  const { actor, request } = facts
  const { now, secrets, record } = await authorize(
    parts,
    facts,
    { action: 'break_glass.start', log: 'break_glass.started', object: null },
    options,
  )
  const row = newRow(secrets, { ...actor, reason, now })
  const cause = { actor, request }
  const secret = { part: originPart(facts), key: secrets.privateParts }
  const raised = await newAlert(row.tenantId, 'break_glass_started', objectOf(row.id), cause, secret, now)
  const opening = { row, event: await record(objectOf(row.id)), raised }
  const opened = await parts.catalog.openBreakGlass(opening, secrets.columns, options)
  if (opened.status === 'open') {
    const until = opened.until.toISOString()
    throw new VaultError('conflict', `Emergency access ${opened.id} is open already, until ${until}`)
  }
  parts.onAlert(raised.alert)
  return find(parts, row.tenantId, row.id, secrets, options).then(found => viewOf(found, now))
}

/** As the tenant's limits have it. */
export function newRow(
  { tenant }: TenantSecrets,
  facts: {
    readonly userId: UserId
    readonly tokenId: TokenId
    readonly reason: string
    readonly now: Date
  },
): OpeningBreakGlass['row'] {
  const { userId, tokenId, reason, now } = facts
  return {
    ...{ id: newBreakGlassId(), tenantId: tenant.id, userId, tokenId, reason, startedAt: now },
    until: new Date(now.getTime() + tenant.access.breakGlassMs),
    reviewDueAt: new Date(now.getTime() + tenant.access.reviewMs),
  }
}

/** Everybody's for those who oversee, one's own for all others; newest first. */
export async function listBreakGlass(
  parts: BreakGlassParts,
  facts: RequestFacts,
  { state, cursor, limit }: BreakGlassQuery,
  options: CallOptions,
): Promise<BreakGlassPage> {
  const { actor } = facts
  const { tenantId, userId } = actor
  const now = parts.now?.() ?? new Date()
  const secrets = await parts.secrets.get(tenantId, options)
  const circumstances = { now, purpose: facts.purposeOfUse }
  const decideOn = (resource: Parameters<typeof parts.decide>[2]) =>
    parts.decide(actor, 'break_glass.read', resource, circumstances)
  const all = decideOn({ type: 'tenant', tenantId })
  const decision = all.allowed ? all : decideOn({ type: 'break_glass', tenantId, userId })
  await appendOrRefuse({ ...parts, secrets }, facts, 'break_glass.listed', null, decision, options)
  const filter = {
    userId: all.allowed ? null : userId,
    state,
    beforeId: cursor ?? null,
    limit: limit + 1,
    now,
  }
  const rows = await parts.catalog.listBreakGlass(tenantId, filter, secrets.columns, options)
  const page = rows.slice(0, limit)
  return {
    breakGlass: page.map(row => viewOf(row, now)),
    nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
  }
}

/** With its reason; for those who oversee also what was asked for under it. */
export async function showBreakGlass(
  parts: BreakGlassParts,
  facts: RequestFacts,
  id: BreakGlassId,
  query: EmergencyUseQuery,
  options: CallOptions,
): Promise<BreakGlassDetail> {
  const { actor } = facts
  const { tenantId } = actor
  const now = parts.now?.() ?? new Date()
  const secrets = await parts.secrets.get(tenantId, options)
  const row = await find(parts, tenantId, id, secrets, options)
  const resource = { type: 'break_glass', tenantId, userId: row.userId } as const
  const circumstances = { now, purpose: facts.purposeOfUse }
  const decision = parts.decide(actor, 'break_glass.read', resource, circumstances)
  await appendOrRefuse({ ...parts, secrets }, facts, 'break_glass.listed', objectOf(id), decision, options)
  const isOwn = row.userId === actor.userId
  return {
    ...viewOf(row, now),
    reason: row.reason,
    uses: isOwn ? null : await usesOf(parts, row, query, options),
  }
}

async function usesOf(
  { catalog }: Pick<BreakGlassParts, 'catalog'>,
  { tenantId, userId, startedAt, until, endedAt }: BreakGlassRow,
  { cursor, limit }: EmergencyUseQuery,
  options: CallOptions,
): Promise<NonNullable<BreakGlassDetail['uses']>> {
  const span = {
    after: new Date(startedAt.getTime() - clockMarginMs),
    before: new Date((endedAt ?? until).getTime() + clockMarginMs),
  }
  const rows = await catalog.listEmergencyEvents(
    tenantId,
    { userId, ...span, afterId: cursor ?? null, limit: limit + 1 },
    options,
  )
  const page = rows.slice(0, limit)
  return {
    events: page.map(({ leaf }) => useOf(decodeLeaf(leaf), userId)).filter(use => use !== null),
    nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
  }
}

/** Null for an event that names emergency access and is no use of it: its start, or one of somebody else's doing. */
function useOf({ id, at, action, actor, object, reasons, outcome }: AuditEvent, userId: UserId) {
  if (actor.id !== userId || !reasons.includes('break_glass')) return null
  const recording = object?.type === 'recording' ? object.id : null
  const use = { event: id, at, action, recording, allowed: outcome === 'allowed' }
  return EmergencyUse.safeParse(use).data ?? null
}

/** Ends one's own. Throws `conflict` where it is over. */
export async function endBreakGlass(
  parts: BreakGlassParts,
  facts: RequestFacts,
  id: BreakGlassId,
  options: CallOptions,
): Promise<void> {
  const { actor, request } = facts
  const { tenantId, userId } = actor
  const now = parts.now?.() ?? new Date()
  const secrets = await parts.secrets.get(tenantId, options)
  const row = await find(parts, tenantId, id, secrets, options)
  if (row.userId !== userId) {
    const refusal = { allowed: false, reasons: ['not_owner'] }
    await appendOrRefuse({ ...parts, secrets }, facts, 'break_glass.ended', objectOf(id), refusal, options)
  }
  const event = await auditRecord(
    {
      ...{ tenantId, actor, request, object: objectOf(id) },
      ...{ action: 'break_glass.ended', outcome: 'allowed', reasons: ['ended_early', 'own'] },
    },
    { part: originPart(facts), key: secrets.privateParts },
    now,
  )
  const ended = await parts.catalog.endBreakGlass({ tenantId, id, at: now }, event, options)
  if (!ended) throw new VaultError('conflict', 'This emergency access is over')
}

/** Judged once, by somebody else, after it is over. Throws `conflict` where it is open or was judged before. */
export async function reviewBreakGlass(
  parts: BreakGlassParts,
  facts: RequestFacts,
  id: BreakGlassId,
  { verdict, note }: BreakGlassReview,
  options: CallOptions,
): Promise<BreakGlassView> {
  const { actor } = facts
  const { tenantId } = actor
  const secrets = await parts.secrets.get(tenantId, options)
  const row = await find(parts, tenantId, id, secrets, options)
  const { now, record } = await authorize(
    parts,
    facts,
    {
      action: 'break_glass.review',
      resource: { type: 'break_glass', tenantId, userId: row.userId },
      log: 'break_glass.reviewed',
      object: objectOf(id),
    },
    options,
  )
  if (endOf(row, now) === null)
    throw new VaultError('conflict', 'It is still open: review it when it is over')
  const review = { by: actor.userId, at: now, verdict, note }
  const event = await record(objectOf(id), [verdict])
  const isFirst = await parts.catalog.reviewBreakGlass(
    { tenantId, id, ...review },
    secrets.columns,
    event,
    options,
  )
  if (!isFirst) throw new VaultError('conflict', 'It was reviewed before')
  return viewOf({ ...row, review }, now)
}

async function find(
  { catalog }: Pick<BreakGlassParts, 'catalog'>,
  tenantId: TenantId,
  id: BreakGlassId,
  { columns }: TenantSecrets,
  options: CallOptions,
) {
  const row = await catalog.findBreakGlass(tenantId, id, columns, options)
  if (row === null) throw new VaultError('not_found', 'There is no such emergency access')
  return row
}

/** When it ended, also where that is not on record yet; null while it is open. */
function endOf({ endedAt, until }: BreakGlassRow, now: Date): Date | null {
  return endedAt ?? (until <= now ? until : null)
}

function stateOf(row: BreakGlassRow, now: Date): BreakGlassView['state'] {
  if (row.review !== null) return 'reviewed'
  if (endOf(row, now) === null) return 'open'
  return row.reviewDueAt <= now ? 'overdue' : 'unreviewed'
}

function viewOf(row: BreakGlassRow, now: Date): BreakGlassView {
  const { id, userId, login, name, byEmergencyCode, startedAt, until, reviewDueAt, review } = row
  return {
    id,
    state: stateOf(row, now),
    user: { id: userId, login, name },
    byEmergencyCode,
    startedAt: startedAt.toISOString(),
    until: until.toISOString(),
    endedAt: endOf(row, now)?.toISOString() ?? null,
    reviewDueAt: reviewDueAt.toISOString(),
    review: review === null ? null : { ...review, at: review.at.toISOString() },
  }
}
