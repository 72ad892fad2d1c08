// Once a week is over: looks through its events, writes down what somebody should see, and asks for a signature.
//
// Commit point: review, findings and event in one transaction, which of several workers one makes. A week that nobody
// looked at, since no worker ran, is looked at later.
import { EventAction, isSameSurname, reviewActivity, workingHours } from '@auricle/audit'
import type { Catalog } from '@auricle/catalog'
import { newReviewId, RecordingId, type TenantId, WorkingHours } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import { newAlert, type OnAlert } from '../break-glass/alert.ts'
import type { TenantSecrets, TenantSecretsCache } from '../tenant-secrets.ts'

export interface ReviewSweepParts {
  readonly catalog: Pick<
    Catalog,
    | 'listTenants'
    | 'listLogs'
    | 'listActivity'
    | 'countHeard'
    | 'listReached'
    | 'listNames'
    | 'findWorkingHours'
    | 'lastReviewedWeek'
    | 'openReview'
    | 'listLateReviews'
    | 'raiseAlert'
  >
  readonly secrets: TenantSecretsCache
  readonly onAlert: OnAlert
  readonly now?: () => Date
}

const dayMs = 24 * 3_600_000
const weekMs = 7 * dayMs
/** A week's last events have been sealed by then, late ones too. */
const settlesMs = 3_600_000
/** Within this a review must be signed. */
const dueMs = weekMs
/** Weeks that say what is usual. */
const usualWeeks = 8
const pageMost = 1000
/** The first Monday of Unix time, 1970-01-05. */
const firstMondayMs = 4 * dayMs

const cause = { actor: { type: 'system', name: 'worker' }, request: null } as const

/** Returns how many reviews were opened, and how many alerts raised. */
export async function sweepReviews(
  parts: ReviewSweepParts,
  options: CallOptions,
): Promise<{ readonly opened: number; readonly overdue: number }> {
  const now = parts.now?.() ?? new Date()
  let opened = 0
  let overdue = 0
  for (const { id: tenantId } of await parts.catalog.listTenants(options)) {
    let from = await firstWeek(parts, tenantId, options)
    while (from !== null && from.getTime() + weekMs + settlesMs <= now.getTime()) {
      const week = { from, to: new Date(from.getTime() + weekMs) }
      if (await openReview(parts, tenantId, week, now, options)) opened += 1
      from = week.to
    }
    overdue += await raiseLate(parts, tenantId, now, options)
  }
  return { opened, overdue }
}

/**
 * The week behind the last that was looked at. At first the one in which the log was opened: what was written before it is
 * no backlog that anybody could review within a week. Null before there is a log.
 */
async function firstWeek(
  { catalog }: ReviewSweepParts,
  tenantId: TenantId,
  options: CallOptions,
): Promise<Date | null> {
  const last = await catalog.lastReviewedWeek(tenantId, options)
  if (last !== null) return last
  const [oldest] = await catalog.listLogs(tenantId, options)
  return oldest === undefined ? null : weekOf(oldest.openedAt)
}

/** The Monday, 00:00 UTC, at or before an instant. */
export function weekOf(at: Date): Date {
  const since = at.getTime() - firstMondayMs
  return new Date(firstMondayMs + Math.floor(since / weekMs) * weekMs)
}

async function openReview(
  parts: ReviewSweepParts,
  tenantId: TenantId,
  week: { readonly from: Date; readonly to: Date },
  now: Date,
  options: CallOptions,
): Promise<boolean> {
  const id = newReviewId()
  const findings = await findActivity(parts, tenantId, week, options)
  const dueAt = new Date(now.getTime() + dueMs)
  const event = await auditRecord(
    {
      ...{ ...cause, tenantId, action: 'review.opened', outcome: 'allowed' },
      object: { type: 'review', id, version: null },
    },
    null,
    now,
  )
  return parts.catalog.openReview({ tenantId, id, ...week, openedAt: now, dueAt, findings }, event, options)
}

/** One pass over the week, a page at a time. */
async function findActivity(
  parts: ReviewSweepParts,
  tenantId: TenantId,
  week: { readonly from: Date; readonly to: Date },
  options: CallOptions,
) {
  const { catalog } = parts
  const secrets = await parts.secrets.get(tenantId, options)
  const hours = WorkingHours.parse(await catalog.findWorkingHours(tenantId, options))
  const heard = await catalog.countHeard(tenantId, { before: week.from, weeks: usualWeeks }, options)
  const review = reviewActivity({
    isWithinHours: workingHours(hours),
    usual: actorId => median(heard.get(actorId) ?? []),
  })
  let after: Awaited<ReturnType<typeof catalog.listActivity>>[number] | null = null
  for (;;) {
    const page: Awaited<ReturnType<typeof catalog.listActivity>> = await catalog.listActivity(
      tenantId,
      { ...week, after, limit: pageMost },
      options,
    )
    const about = await describe(parts, tenantId, secrets, page, options)
    for (const event of page) {
      const action = EventAction.safeParse(event.action)
      // A newer version of the vault may have written it.
      if (action.success) review.add({ ...event, action: action.data }, about(event))
    }
    after = page.at(-1) ?? null
    if (after === null || page.length < pageMost) return review.findings()
  }
}

/** Whose recordings these are, as far as a reviewer must know it: names are compared here and go nowhere. */
async function describe(
  { catalog }: ReviewSweepParts,
  tenantId: TenantId,
  { columns }: TenantSecrets,
  page: readonly { readonly actorId: string; readonly objectId: string | null }[],
  options: CallOptions,
) {
  const ids = new Set(page.flatMap(({ objectId }) => RecordingId.safeParse(objectId).data ?? []))
  if (ids.size === 0) return () => undefined
  const recordings = await catalog.listReached(tenantId, [...ids], columns, options)
  const actors = [...new Set(page.map(({ actorId }) => actorId))]
  const names = await catalog.listNames(tenantId, actors, options)
  const known = new Map<string, (typeof recordings)[number]>(recordings.map(found => [found.id, found]))
  return ({ actorId, objectId }: { readonly actorId: string; readonly objectId: string | null }) => {
    const recording = objectId === null ? undefined : known.get(objectId)
    if (recording === undefined) return undefined
    const name = names.get(actorId)
    return {
      isRestricted: recording.labels.some(label => label === 'vip' || label === 'employee'),
      isSameName:
        name !== undefined && recording.fromName !== null && isSameSurname(name, recording.fromName),
    }
  }
}

async function raiseLate(
  { catalog, onAlert }: ReviewSweepParts,
  tenantId: TenantId,
  now: Date,
  options: CallOptions,
): Promise<number> {
  let raisedCount = 0
  for (const { id } of await catalog.listLateReviews(tenantId, now, options)) {
    const subject = { type: 'review', id }
    const raised = await newAlert(tenantId, 'activity_review_overdue', subject, cause, null, now)
    if (!(await catalog.raiseAlert(raised, options))) continue
    onAlert(raised.alert)
    raisedCount += 1
  }
  return raisedCount
}

function median(counts: readonly number[]): number {
  const sorted = counts.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
