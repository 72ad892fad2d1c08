// Reports on a schedule as a compliance officer sets them up, and what came of each.
import type { Catalog, ReportRunRow, ReportScheduleRow } from '@auricle/catalog'
import {
  type NewReportSchedule,
  newReportScheduleId,
  type ReportRunId,
  type ReportRunPage,
  type ReportRunQuery,
  type ReportRunView,
  type ReportScheduleId,
  type ReportSchedulePage,
  type ReportScheduleQuery,
  type ReportScheduleView,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { authorizeReading, named } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'

export interface ReportScheduleParts extends AuthorizeParts {
  readonly catalog: Pick<
    Catalog,
    'addReportSchedule' | 'endReportSchedule' | 'listReportSchedules' | 'listReportRuns' | 'findReportRun'
  >
  /** What the deployment has to deliver with. */
  readonly reportsGo: { readonly toStore: boolean; readonly byMail: boolean }
}

/** Throws `conflict` where the deployment cannot deliver as it is asked to. */
export async function createReportSchedule(
  parts: ReportScheduleParts,
  facts: RequestFacts,
  wanted: NewReportSchedule,
  options: CallOptions,
): Promise<ReportScheduleView> {
  const { tenantId, userId } = facts.actor
  const id = newReportScheduleId()
  const object = named('report_schedule', id)
  const asked = { action: 'report.schedule', log: 'report.scheduled', object } as const
  const { now, record } = await authorize(parts, facts, asked, options)
  if (wanted.toStore && !parts.reportsGo.toStore)
    throw new VaultError('conflict', 'There is no store for reports: AURICLE_REPORT_STORE names one')
  if (wanted.mailTo.length > 0 && !parts.reportsGo.byMail)
    throw new VaultError('conflict', 'There is no mail server: AURICLE_SMTP_URL names one')
  const schedule = { ...wanted, tenantId, id, createdAt: now, createdBy: userId }
  const ways = [...(wanted.toStore ? ['to_store'] : []), ...(wanted.mailTo.length > 0 ? ['by_mail'] : [])]
  const event = await record(object, [wanted.every, ...ways])
  return viewOf(await parts.catalog.addReportSchedule(schedule, event, options))
}

/** What was made by it stays. */
export async function endReportSchedule(
  parts: ReportScheduleParts,
  facts: RequestFacts,
  id: ReportScheduleId,
  options: CallOptions,
): Promise<void> {
  const { tenantId, userId } = facts.actor
  const object = named('report_schedule', id)
  const asked = { action: 'report.schedule', log: 'report.unscheduled', object } as const
  const { now, record } = await authorize(parts, facts, asked, options)
  const end = { tenantId, id, at: now, by: userId }
  if (!(await parts.catalog.endReportSchedule(end, await record(object), options)))
    throw new VaultError('not_found', 'There is no such schedule that has not ended')
}

/** Newest first. */
export async function listReportSchedules(
  parts: ReportScheduleParts,
  facts: RequestFacts,
  { all = false, cursor, limit }: ReportScheduleQuery,
  options: CallOptions,
): Promise<ReportSchedulePage> {
  await authorizeReading(parts, facts, reading(null), options)
  const page = { withEnded: all, beforeId: cursor ?? null, limit: limit + 1 }
  const rows = await parts.catalog.listReportSchedules(facts.actor.tenantId, page, options)
  const shown = rows.slice(0, limit)
  return {
    schedules: shown.map(viewOf),
    nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
  }
}

/** Newest first. */
export async function listReportRuns(
  parts: ReportScheduleParts,
  facts: RequestFacts,
  { schedule, cursor, limit }: ReportRunQuery,
  options: CallOptions,
): Promise<ReportRunPage> {
  const object = schedule === undefined ? null : named('report_schedule', schedule)
  await authorizeReading(parts, facts, reading(object), options)
  const page = { scheduleId: schedule ?? null, beforeId: cursor ?? null, limit: limit + 1 }
  const rows = await parts.catalog.listReportRuns(facts.actor.tenantId, page, options)
  const shown = rows.slice(0, limit)
  return { runs: shown.map(runOf), nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null }
}

export async function showReportRun(
  parts: ReportScheduleParts,
  facts: RequestFacts,
  id: ReportRunId,
  options: CallOptions,
): Promise<ReportRunView> {
  await authorizeReading(parts, facts, reading(named('report_run', id)), options)
  const run = await parts.catalog.findReportRun(facts.actor.tenantId, id, options)
  if (run === null) throw new VaultError('not_found', 'There is no such run')
  return runOf(run)
}

const reading = (object: ReturnType<typeof named> | null) =>
  ({ action: 'retention.read', log: 'report.listed', object }) as const

const viewOf = (row: ReportScheduleRow): ReportScheduleView => ({
  ...{ id: row.id, name: row.name, sections: [...row.sections], formats: [...row.formats] },
  ...{ every: row.every, mailTo: [...row.mailTo], toStore: row.toStore },
  nextRunAt: row.endedAt === null ? row.nextRunAt.toISOString() : null,
  ...{ createdAt: row.createdAt.toISOString(), createdBy: row.createdBy },
  endedAt: row.endedAt?.toISOString() ?? null,
})

const runOf = (row: ReportRunRow): ReportRunView => ({
  ...{ id: row.id, schedule: row.scheduleId, asOf: row.asOf.toISOString() },
  state: row.outcome ?? 'running',
  ...{ startedAt: row.startedAt.toISOString(), endedAt: row.endedAt?.toISOString() ?? null },
  ...{ attempts: row.attempts, error: row.error, stored: [...row.stored] },
})
