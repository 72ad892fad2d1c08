// The retention report as somebody asks for it: as of now or any instant before, in the log before it is shown.
import { ReportSection, type RetentionReport, type RetentionReportQuery } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'
import { beginReading, type ReadingParts } from '../log-reading/reading.ts'
import type { RequestFacts } from '../request-facts.ts'
import { type MakeReportParts, makeReport } from './make-report.ts'

export interface RetentionReportParts extends ReadingParts {
  readonly catalog: ReadingParts['catalog'] & MakeReportParts['catalog']
}

/** Lines of a report that is given as a whole. */
const linesMost = 50_000

export function retentionReport(
  parts: RetentionReportParts,
  facts: RequestFacts,
  query: RetentionReportQuery,
  options: CallOptions,
): Promise<RetentionReport> {
  return reportOf(parts, facts, query, query.limit, options)
}

/** All recordings of one section, for a spreadsheet. Throws `malformed` without one, and where there are too many. */
export async function wholeRetentionReport(
  parts: RetentionReportParts,
  facts: RequestFacts,
  query: RetentionReportQuery,
  options: CallOptions,
): Promise<RetentionReport & { readonly section: ReportSection }> {
  const { section, cursor } = query
  if (section === undefined || cursor !== undefined)
    throw new VaultError('malformed', 'A CSV is of one section, and all of it: say which, and no cursor')
  const report = await reportOf(parts, facts, query, linesMost, options)
  if (report.overdue?.nextCursor != null || report.destroyed?.nextCursor != null)
    throw new VaultError('malformed', `It has more than ${linesMost} lines: ask for pages of it as JSON`)
  return { ...report, section }
}

async function reportOf(
  parts: RetentionReportParts,
  facts: RequestFacts,
  query: RetentionReportQuery,
  most: number,
  options: CallOptions,
): Promise<RetentionReport> {
  const { section, cursor = null } = query
  const wanted = { action: 'retention.read', log: 'report.retention', object: null, query } as const
  const reading = await beginReading(parts, facts, wanted, options)
  const { now, tenantId, secrets } = reading
  const asOf = query.asOf === undefined ? now : new Date(query.asOf)
  if (asOf > now) throw new VaultError('malformed', 'asOf is not in the future')
  if (cursor !== null && section !== 'overdue' && section !== 'destroyed')
    throw new VaultError('malformed', 'A cursor is of the section overdue or destroyed')
  const report = await makeReport(
    parts,
    {
      ...{ tenantId, columns: secrets.columns, asOf, madeAt: now, cursor },
      ...{ sections: section === undefined ? ReportSection.options : [section], linesMost: most },
    },
    options,
  )
  const lines = (report.overdue?.recordings.length ?? 0) + (report.destroyed?.recordings.length ?? 0)
  await reading.note({ detail: { kind: 'found', count: lines }, reasons: [section ?? 'all_sections'] })
  return report
}
