// Makes the reports that are due: stores their files, tells by mail that they are ready, and says so in the log.
//
// Stopped anywhere, the next round finds the run and goes on: a file that is there is not written again, a message that
// may have gone out goes again under the same id. Of several workers one takes a run; the others leave it alone until the
// time at which it would be tried again.
import type { Catalog, ReportRunRow, ReportScheduleRow } from '@auricle/catalog'
import { newReportRunId, type ReportScheduleId, type StoredReport, type TenantId } from '@auricle/contract'
import type { Mailer } from '@auricle/mail'
import type { ObjectStore } from '@auricle/objects'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import { errorCode, VaultError } from '../error.ts'
import { type ReportFileParts, reportFiles, storeFile } from './report-files.ts'

export interface RunReportsParts extends ReportFileParts {
  readonly catalog: ReportFileParts['catalog'] &
    Pick<
      Catalog,
      | 'listDueReports'
      | 'findReportSchedule'
      | 'openReportRun'
      | 'takeReportRun'
      | 'commitReportFailure'
      | 'endReportRun'
    >
  /** Null where the deployment has none. */
  readonly reportStore: Pick<ObjectStore, 'put' | 'read'> | null
  readonly mailer: Mailer | null
  /** Where people reach the API, without a trailing slash. */
  readonly apiUrl: string
  /** Told of each attempt that failed. */
  readonly onFailure: (run: Pick<ReportRunRow, 'id' | 'attempts'>, error: unknown) => void
  readonly now?: () => Date
}

const cause = { actor: { type: 'system', name: 'worker' }, request: null } as const
const dueAtOnce = 100
/** The first retry comes two minutes after the start, each later one after twice the time: the tenth after 17 hours. */
const minuteMs = 60_000
const attemptsMost = 10

/** Returns how many were delivered, and how many given up on. */
export async function runReports(
  parts: RunReportsParts,
  options: CallOptions,
): Promise<{ readonly sent: number; readonly failed: number }> {
  const now = parts.now ?? (() => new Date())
  const count = { sent: 0, failed: 0 }
  for (const { tenantId, id } of await parts.catalog.listDueReports(now(), dueAtOnce, options)) {
    options.signal?.throwIfAborted()
    const outcome = await runSchedule(parts, tenantId, id, now, options)
    if (outcome !== null) count[outcome] += 1
  }
  return count
}

async function runSchedule(
  parts: RunReportsParts,
  tenantId: TenantId,
  scheduleId: ReportScheduleId,
  now: () => Date,
  options: CallOptions,
): Promise<'sent' | 'failed' | null> {
  const { catalog } = parts
  const schedule = await catalog.findReportSchedule(tenantId, scheduleId, options)
  if (schedule === null || schedule.endedAt !== null) return null
  const startedAt = now()
  const asOf = schedule.nextRunAt
  const run = await catalog.openReportRun(
    { tenantId, id: newReportRunId(), scheduleId, asOf, startedAt },
    options,
  )
  if (run.attempts > 0 && startedAt.getTime() < nextAttemptMs(run)) return null
  if (!(await catalog.takeReportRun({ ...run, tenantId }, options))) return null
  let stored: readonly StoredReport[]
  try {
    stored = await deliver(parts, tenantId, schedule, run, now, options)
  } catch (error) {
    options.signal?.throwIfAborted()
    parts.onFailure({ ...run, attempts: run.attempts + 1 }, error)
    if (run.attempts + 1 < attemptsMost) {
      await catalog.commitReportFailure({ tenantId, id: run.id, errorCode: errorCode(error) }, options)
      return null
    }
    return end(
      parts,
      tenantId,
      run,
      { outcome: 'failed', errorCode: errorCode(error), stored: [] },
      now,
      options,
    )
  }
  return end(parts, tenantId, run, { outcome: 'sent', errorCode: null, stored }, now, options)
}

const nextAttemptMs = ({ startedAt, attempts }: ReportRunRow) =>
  startedAt.getTime() + 2 ** attempts * minuteMs

async function deliver(
  parts: RunReportsParts,
  tenantId: TenantId,
  { id, sections, formats, mailTo, toStore }: ReportScheduleRow,
  run: ReportRunRow,
  now: () => Date,
  options: CallOptions,
): Promise<readonly StoredReport[]> {
  const stored: StoredReport[] = []
  if (toStore) {
    const { reportStore } = parts
    if (reportStore === null) throw new VaultError('conflict', 'There is no store for reports any more')
    const asked = { tenantId, asOf: run.asOf, madeAt: now(), sections }
    for (const file of reportFiles(parts, id, formats, asked, options))
      stored.push(await storeFile(reportStore, file, options))
  }
  if (mailTo.length > 0) {
    if (parts.mailer === null) throw new VaultError('conflict', 'There is no mail server any more')
    await parts.mailer.send({ ...messageOf(run, parts.apiUrl), to: mailTo }, options)
  }
  return stored
}

/** Says nothing but that there is a report, of when, and where whoever may read it finds it. */
function messageOf({ id, asOf }: ReportRunRow, apiUrl: string) {
  const day = asOf.toISOString().slice(0, 10)
  const url = `${apiUrl}/v1/reports/retention?format=pdf&asOf=${asOf.toISOString()}`
  return {
    id,
    subject: `The retention report of ${day} is ready`,
    text: [
      `The retention report as of ${asOf.toISOString()} is ready. Whoever may read it finds it here:`,
      '',
      url,
      '',
      'This message was written by a program. It holds nothing of the report.',
      '',
    ].join('\n'),
  }
}

async function end(
  { catalog }: RunReportsParts,
  tenantId: TenantId,
  run: ReportRunRow,
  ended: {
    readonly outcome: 'sent' | 'failed'
    readonly errorCode: string | null
    readonly stored: readonly StoredReport[]
  },
  now: () => Date,
  options: CallOptions,
): Promise<'sent' | 'failed' | null> {
  const at = now()
  const event = await auditRecord(
    {
      ...{ ...cause, tenantId, action: 'report.sent' },
      outcome: ended.outcome === 'sent' ? 'allowed' : 'failed',
      object: { type: 'report_run', id: run.id, version: null },
      reasons: ended.errorCode === null ? [] : [ended.errorCode],
    },
    null,
    at,
  )
  const isFirst = await catalog.endReportRun({ tenantId, id: run.id, at, ...ended }, event, options)
  return isFirst ? ended.outcome : null
}
