// Reviews of activity as a compliance officer meets them: listed, read, signed; and the hours by which they judge.
import type { AuditEvent } from '@auricle/audit'
import type { Catalog, FindingRow, ReviewRow } from '@auricle/catalog'
import {
  type ActivityFindingView,
  type ActivityReviewDetail,
  type ActivityReviewPage,
  type ActivityReviewQuery,
  type ActivityReviewSignature,
  type ActivityReviewView,
  type ReviewId,
  type TenantId,
  WorkingHours,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { authorizeReading, named } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'

export interface ReviewParts extends AuthorizeParts {
  readonly catalog: Pick<
    Catalog,
    | 'appendEvents'
    | 'listReviews'
    | 'findReview'
    | 'signReview'
    | 'listNames'
    | 'findWorkingHours'
    | 'changeWorkingHours'
  >
}

type FoundReview = ReviewRow & { readonly note: string | null; readonly findings: readonly FindingRow[] }

const objectOf = (id: ReviewId): AuditEvent['object'] => named('review', id)

/** Newest first. */
export async function listReviews(
  parts: ReviewParts,
  facts: RequestFacts,
  { open, cursor, limit }: ActivityReviewQuery,
  options: CallOptions,
): Promise<ActivityReviewPage> {
  const asked = { action: 'review.read', log: 'review.listed', object: null } as const
  const { now } = await authorizeReading(parts, facts, asked, options)
  const filter = { isOpen: open, beforeId: cursor ?? null, limit: limit + 1 }
  const rows = await parts.catalog.listReviews(facts.actor.tenantId, filter, options)
  const page = rows.slice(0, limit)
  return {
    reviews: page.map(row => viewOf(row, now)),
    nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
  }
}

export async function showReview(
  parts: ReviewParts,
  facts: RequestFacts,
  id: ReviewId,
  options: CallOptions,
): Promise<ActivityReviewDetail> {
  const { tenantId } = facts.actor
  const asked = { action: 'review.read', log: 'review.listed', object: objectOf(id) } as const
  const { now, secrets } = await authorizeReading(parts, facts, asked, options)
  const found = await parts.catalog.findReview(tenantId, id, secrets.columns, options)
  if (found === null) throw new VaultError('not_found', 'There is no such review')
  return detailOf(parts, tenantId, found, now, options)
}

/**
 * Once, with a verdict on every finding. Whoever signs may be among those it is about, since a practice may have one
 * officer; then the event says `own_access`, and so does the answer. Throws `conflict`.
 */
export async function signReview(
  parts: ReviewParts,
  facts: RequestFacts,
  id: ReviewId,
  { note, verdicts }: ActivityReviewSignature,
  options: CallOptions,
): Promise<ActivityReviewDetail> {
  const { tenantId, userId } = facts.actor
  const object = objectOf(id)
  const asked = { action: 'review.sign', log: 'review.signed', object } as const
  const { now, secrets, record } = await authorize(parts, facts, asked, options)
  const found = await parts.catalog.findReview(tenantId, id, secrets.columns, options)
  if (found === null) throw new VaultError('not_found', 'There is no such review')
  const judged = new Map(verdicts.map(({ number, verdict }) => [number, verdict]))
  const isComplete =
    judged.size === verdicts.length &&
    judged.size === found.findings.length &&
    found.findings.every(({ number }) => judged.has(number))
  if (!isComplete) {
    const count = found.findings.length
    throw new VaultError('conflict', `Each of the ${count} findings takes one verdict, before it is signed`)
  }
  const isOwn = found.findings.some(({ actorId }) => actorId === userId)
  const followed = verdicts.some(({ verdict }) => verdict === 'follow_up')
  const reasons = [...(isOwn ? ['own_access'] : []), ...(followed ? ['follow_up'] : [])]
  const signature = { tenantId, id, by: userId, at: now, note, verdicts }
  const event = await record(object, reasons)
  const isFirst = await parts.catalog.signReview(signature, secrets.columns, event, options)
  if (!isFirst) throw new VaultError('conflict', 'The review was signed before')
  const findings = found.findings.map(finding => {
    return { ...finding, verdict: judged.get(finding.number) ?? null }
  })
  const signed = { ...found, note, findings, signature: { by: userId, at: now } }
  return detailOf(parts, tenantId, signed, now, options)
}

export async function showWorkingHours(
  parts: ReviewParts,
  facts: RequestFacts,
  options: CallOptions,
): Promise<WorkingHours> {
  const { tenantId } = facts.actor
  const asked = { action: 'tenant.read', log: 'tenant.shown', object: named('tenant', tenantId) } as const
  await authorizeReading(parts, facts, asked, options)
  return WorkingHours.parse(await parts.catalog.findWorkingHours(tenantId, options))
}

/** Counts for the reviews of weeks that end from then on. */
export async function changeWorkingHours(
  parts: ReviewParts,
  facts: RequestFacts,
  hours: WorkingHours,
  options: CallOptions,
): Promise<WorkingHours> {
  const { tenantId } = facts.actor
  const object = named('tenant', tenantId)
  const asked = { action: 'tenant.manage', log: 'tenant.changed', object } as const
  const { record } = await authorize(parts, facts, asked, options)
  const event = await record(object, ['working_hours'])
  if (!(await parts.catalog.changeWorkingHours(tenantId, hours, event, options)))
    throw new VaultError('not_found', 'No such tenant')
  return hours
}

async function detailOf(
  { catalog }: ReviewParts,
  tenantId: TenantId,
  review: FoundReview,
  now: Date,
  options: CallOptions,
): Promise<ActivityReviewDetail> {
  const actors = review.findings.flatMap(({ actorId }) => actorId ?? [])
  const names = await catalog.listNames(tenantId, [...new Set(actors)], options)
  const findings = review.findings.map(finding => findingOf(finding, names))
  return { ...viewOf(review, now), note: review.note, findings }
}

function viewOf(row: ReviewRow, now: Date): ActivityReviewView {
  const { id, from, to, openedAt, dueAt, findingCount, signature } = row
  return {
    id,
    state: signature !== null ? 'signed' : dueAt <= now ? 'overdue' : 'open',
    from: from.toISOString(),
    to: to.toISOString(),
    openedAt: openedAt.toISOString(),
    dueAt: dueAt.toISOString(),
    findingCount,
    signature: signature === null ? null : { by: signature.by, at: signature.at.toISOString() },
  }
}

function findingOf(
  { number, kind, actorId, eventIds, eventCount, usual, verdict }: FindingRow,
  names: ReadonlyMap<string, string>,
): ActivityFindingView {
  return {
    number,
    kind,
    actor: actorId === null ? null : { id: actorId, name: names.get(actorId) ?? null },
    events: [...eventIds],
    eventCount,
    usual,
    verdict,
  }
}
