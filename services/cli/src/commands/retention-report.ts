// `auricle report retention`: the retention report as tables, JSON, CSV or PDF, through the same use case as the API.
import {
  type ReportAmount,
  ReportFormat,
  ReportState,
  type ReportStates,
  type RetentionReport,
  RetentionReportQuery,
} from '@auricle/contract'
import { retentionReportPdf } from '@auricle/documents'
import { can } from '@auricle/identity'
import {
  type RequestFacts,
  type RetentionReportParts,
  reportCsv,
  retentionReport,
  wholeRetentionReport,
} from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatBytes, formatCount, formatTime } from '../format.ts'
import { writeNewFile } from '../new-file.ts'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { parseOptions, plainly } from '../plainly.ts'
import type { Column } from '../table.ts'

export interface RetentionReportOptions {
  readonly asOf?: string
  readonly section?: string
  readonly format?: string
  readonly out?: string
  readonly limit?: string
  readonly cursor?: string
}

const rules = {
  asOf: '--as-of is a time such as 2026-01-31T00:00:00Z',
  section: '--section is one of status, due, overdue, holds, destroyed, reconciliation, storage',
  limit: '--limit is a whole number from 1 to 1000',
}

/** As the file is called; null where that says nothing. */
function formatOf(file: string | undefined): ReportFormat | null {
  return ReportFormat.safeParse(file?.split('.').at(-1)?.toLowerCase()).data ?? null
}

export async function reportRetention(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  { out: file, format: asked, ...filter }: RetentionReportOptions,
): Promise<void> {
  const format = asked === undefined ? (output.json ? 'json' : formatOf(file)) : ReportFormat.parse(asked)
  if (format === 'pdf' && file === undefined)
    throw new UsageError('A PDF goes into a file: say which with --out')
  if (format === null && file !== undefined) {
    throw new UsageError('The file ends in .json, .csv or .pdf; or say --format')
  }
  const query = parseOptions(RetentionReportQuery, { ...filter }, rules)
  const parts: RetentionReportParts = { ...operator, decide: can }
  if (format === null) {
    print(output, await plainly(retentionReport(parts, person, query, operator)))
    return
  }
  const bytes = await plainly(made(parts, person, query, format, operator))
  if (file === undefined) {
    output.document(new TextDecoder().decode(bytes))
    return
  }
  const written = await writeNewFile(file, [bytes], operator)
  output.value({ file, bytes: written }, `Wrote ${formatBytes(written)} to ${file}`)
}

async function made(
  parts: RetentionReportParts,
  person: RequestFacts,
  query: RetentionReportQuery,
  format: ReportFormat,
  options: Operator,
): Promise<Uint8Array> {
  if (format === 'csv') {
    const report = await wholeRetentionReport(parts, person, query, options)
    return new TextEncoder().encode(reportCsv(report, report.section))
  }
  const report = await retentionReport(parts, person, query, options)
  if (format === 'pdf') return retentionReportPdf(report)
  return new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`)
}

// --- for people ---

const msPerHour = 3_600_000
const count = (value: number) => value.toLocaleString('en')
const date = (instant: string) => formatTime(new Date(instant))

const amountColumns: readonly Column<ReportAmount>[] = [
  { title: 'recordings', align: 'right', cell: ({ recordings }) => count(recordings) },
  { title: 'hours', align: 'right', cell: ({ soundMs }) => (soundMs / msPerHour).toFixed(1) },
  { title: 'size', align: 'right', cell: ({ bytes }) => formatBytes(bytes) },
]

const stateColumns: readonly Column<ReportAmount & { readonly states: ReportStates }>[] = [
  ...amountColumns,
  ...ReportState.options.map(
    state =>
      ({
        title: state,
        align: 'right',
        cell: ({ states }: { readonly states: ReportStates }) => count(states[state]),
      }) as const,
  ),
]

function print(output: Output, report: RetentionReport): void {
  output.say(`${report.tenant.name}, as of ${report.asOf}; months of ${report.zone}`)
  printStatus(output, report)
  printDue(output, report)
  printOverdue(output, report)
  printHolds(output, report)
  printDestroyed(output, report)
  printStores(output, report)
}

function printStatus(output: Output, { status }: RetentionReport): void {
  if (status === null) return
  const { total, rules: byRule, kinds, mailboxes, ages } = status
  const lines = [
    { ...total, name: 'all' },
    ...byRule.map(line => ({
      ...line,
      name: line.rule === null ? 'no rule' : `${line.rule.name}, version ${line.rule.version}`,
    })),
    ...kinds.map(line => ({ ...line, name: line.kind })),
    ...mailboxes.map(line => ({ ...line, name: line.mailbox?.name ?? 'no mailbox' })),
    ...ages.map(line => ({ ...line, name: line.age.replaceAll('_', ' ') })),
  ]
  output.say('\nStatus')
  output.rows(lines, [{ title: 'of', cell: ({ name }) => name }, ...stateColumns], '')
}

function printDue(output: Output, { due }: RetentionReport): void {
  if (due === null) return
  output.say('\nDue')
  output.rows(
    due.months,
    [
      { title: 'month', cell: ({ month }) => month },
      { title: 'automatic', align: 'right', cell: ({ automatic }) => count(automatic.recordings) },
      { title: 'review', align: 'right', cell: ({ review }) => count(review.recordings) },
      { title: 'on hold', align: 'right', cell: ({ held }) => count(held.recordings) },
    ],
    '',
  )
}

function printOverdue(output: Output, { overdue }: RetentionReport): void {
  if (overdue === null) return
  output.say(`\nOverdue: ${formatCount(overdue.total.recordings, 'recording')}`)
  if (overdue.total.recordings === 0) return
  output.rows(overdue.reasons, [{ title: 'reason', cell: ({ reason }) => reason }, ...amountColumns], '')
  output.say('')
  output.rows(
    overdue.recordings,
    [
      { title: 'recording', cell: ({ recording }) => recording },
      { title: 'due', cell: ({ dueAt }) => (dueAt === null ? '-' : date(dueAt)) },
      { title: 'reason', cell: ({ reason, error }) => (error === null ? reason : `${reason} (${error})`) },
      { title: 'holds', cell: ({ holds }) => holds.join(' ') },
      { title: 'disposition', cell: ({ disposition }) => disposition ?? '' },
    ],
    '',
  )
  if (overdue.nextCursor !== null) output.say(`More: --section overdue --cursor ${overdue.nextCursor}`)
}

function printHolds(output: Output, { holds }: RetentionReport): void {
  if (holds === null) return
  output.say(`\nOn hold: ${formatCount(holds.total.recordings, 'recording')}`)
  output.rows(
    holds.holds,
    [
      { title: 'hold', cell: ({ hold }) => hold },
      { title: 'matter', cell: ({ matter }) => matter ?? '' },
      { title: 'placed', cell: ({ placedAt }) => date(placedAt) },
      ...amountColumns,
      {
        title: 'acknowledged',
        align: 'right',
        cell: ({ acknowledged, custodians }) => `${acknowledged} of ${custodians}`,
      },
    ],
    'No hold is active',
  )
}

function printDestroyed(output: Output, { destroyed }: RetentionReport): void {
  if (destroyed === null) return
  output.say(`\nDestroyed: ${formatCount(destroyed.total.recordings, 'recording')}`)
  if (destroyed.total.recordings === 0) return
  output.rows(
    [{ month: 'before', ...destroyed.earlier }, ...destroyed.months],
    [{ title: 'month', cell: ({ month }) => month }, ...amountColumns],
    '',
  )
  output.say('')
  output.rows(
    destroyed.recordings,
    [
      { title: 'recording', cell: ({ recording }) => recording },
      { title: 'destroyed', cell: ({ destroyedAt }) => date(destroyedAt) },
      { title: 'certificate', cell: ({ certificate }) => certificate?.id ?? 'none' },
      {
        title: 'last copy',
        cell: ({ certificate }) => (certificate === null ? '' : date(certificate.lastCopyAt)),
      },
    ],
    '',
  )
  if (destroyed.nextCursor !== null) output.say(`More: --section destroyed --cursor ${destroyed.nextCursor}`)
}

function printStores(output: Output, { reconciliation, storage }: RetentionReport): void {
  if (reconciliation !== null) {
    const { run } = reconciliation
    output.say(`\nStores and catalog: ${run === null ? 'not compared yet' : `compared ${date(run.endedAt)}`}`)
    if (run !== null) {
      output.rows(
        run.findings,
        [
          { title: 'finding', cell: ({ kind }) => kind },
          { title: 'store', cell: ({ store }) => store },
          { title: 'found', align: 'right', cell: ({ found }) => count(found) },
          { title: 'mended', align: 'right', cell: ({ mended }) => count(mended) },
        ],
        'Nothing differed',
      )
    }
  }
  if (storage === null) return
  output.say('\nStorage')
  output.rows(
    storage.months,
    [
      { title: 'month', cell: ({ month }) => month },
      { title: 'added', align: 'right', cell: ({ addedBytes }) => formatBytes(addedBytes) },
      { title: 'destroyed', align: 'right', cell: ({ destroyedBytes }) => formatBytes(destroyedBytes) },
      { title: 'size', align: 'right', cell: ({ bytes }) => formatBytes(bytes) },
      { title: 'copies', align: 'right', cell: ({ copiedBytes }) => formatBytes(copiedBytes) },
      {
        title: 'cost',
        align: 'right',
        cell: ({ cost }) => (cost === null ? '-' : `${cost.toFixed(2)} ${storage.price?.currency ?? ''}`),
      },
    ],
    '',
  )
}
