// A section of a retention report as CSV: of overdue and destroyed a line for each recording, of all others its groups.
import {
  type ReportAmount,
  type ReportSection,
  ReportState,
  type ReportStates,
  type RetentionReport,
} from '@auricle/contract'
import { type CsvColumns, formatCsv } from '../people/csv.ts'

const msPerHour = 3_600_000

/** Of a section that the report does not have: its headings alone. */
export function reportCsv(report: RetentionReport, section: ReportSection): string {
  switch (section) {
    case 'status':
      return formatCsv(statusColumns, statusLines(report))
    case 'due':
      return formatCsv(dueColumns, dueLines(report))
    case 'overdue':
      return formatCsv(overdueColumns, report.overdue?.recordings ?? [])
    case 'holds':
      return formatCsv(holdColumns, report.holds?.holds ?? [])
    case 'destroyed':
      return formatCsv(destroyedColumns, report.destroyed?.recordings ?? [])
    case 'reconciliation':
      return formatCsv(findingColumns, findingLines(report))
    case 'storage':
      return formatCsv(storageColumns(report), report.storage?.months ?? [])
    default:
      return section satisfies never
  }
}

const amountColumns: CsvColumns<ReportAmount> = {
  recordings: ({ recordings }) => String(recordings),
  bytes: ({ bytes }) => String(bytes),
  hours: ({ soundMs }) => (soundMs / msPerHour).toFixed(2),
}

// --- status ---

interface StatusLine extends ReportAmount {
  readonly by: string
  readonly id: string | null
  readonly version: number | null
  readonly name: string
  readonly states: ReportStates
}

const statusColumns: CsvColumns<StatusLine> = {
  by: ({ by }) => by,
  id: ({ id }) => id,
  version: ({ version }) => version?.toString() ?? null,
  name: ({ name }) => name,
  ...amountColumns,
  ...Object.fromEntries(
    ReportState.options.map(state => [state, ({ states }: StatusLine) => String(states[state])]),
  ),
}

function statusLines({ status }: RetentionReport): readonly StatusLine[] {
  if (status === null) return []
  const none = { id: null, version: null }
  return [
    { ...status.total, ...none, by: 'all', name: 'all' },
    ...status.rules.map(({ rule, ...line }) => ({
      ...line,
      ...(rule === null ? { ...none, name: 'none' } : rule),
      by: 'rule',
    })),
    ...status.kinds.map(({ kind, ...line }) => ({ ...line, ...none, by: 'kind', name: kind })),
    ...status.mailboxes.map(({ mailbox, ...line }) => ({
      ...line,
      ...(mailbox === null ? { ...none, name: 'none' } : { ...mailbox, version: null }),
      by: 'mailbox',
    })),
    ...status.ages.map(({ age, ...line }) => ({ ...line, ...none, by: 'age', name: age })),
  ]
}

// --- due ---

interface DueLine extends ReportAmount {
  readonly month: string
  readonly disposal: 'automatic' | 'review' | 'held'
}

const dueColumns: CsvColumns<DueLine> = {
  month: ({ month }) => month,
  disposal: ({ disposal }) => disposal,
  ...amountColumns,
}

const dueLines = ({ due }: RetentionReport): readonly DueLine[] =>
  (due?.months ?? []).flatMap(line =>
    (['automatic', 'review', 'held'] as const).map(disposal => ({
      ...line[disposal],
      month: line.month,
      disposal,
    })),
  )

// --- single recordings ---

const overdueColumns: CsvColumns<NonNullable<RetentionReport['overdue']>['recordings'][number]> = {
  recording: ({ recording }) => recording,
  mailbox: ({ mailbox }) => mailbox,
  rule: ({ rule }) => rule?.id ?? null,
  version: ({ rule }) => rule?.version.toString() ?? null,
  keep_until: ({ keepUntil }) => keepUntil,
  due_at: ({ dueAt }) => dueAt,
  reason: ({ reason }) => reason,
  error: ({ error }) => error,
  holds: ({ holds }) => holds.join(' '),
  disposition: ({ disposition }) => disposition,
}

const destroyedColumns: CsvColumns<NonNullable<RetentionReport['destroyed']>['recordings'][number]> = {
  recording: ({ recording }) => recording,
  destroyed_at: ({ destroyedAt }) => destroyedAt,
  rule: ({ rule }) => rule?.id ?? null,
  version: ({ rule }) => rule?.version.toString() ?? null,
  disposition: ({ disposition }) => disposition,
  certificate: ({ certificate }) => certificate?.id ?? null,
  signed_at: ({ certificate }) => certificate?.issuedAt ?? null,
  last_copy_at: ({ certificate }) => certificate?.lastCopyAt ?? null,
}

// --- holds, stores ---

const holdColumns: CsvColumns<NonNullable<RetentionReport['holds']>['holds'][number]> = {
  hold: ({ hold }) => hold,
  matter: ({ matter }) => matter,
  placed_at: ({ placedAt }) => placedAt,
  ...amountColumns,
  custodians: ({ custodians }) => String(custodians),
  acknowledged: ({ acknowledged }) => String(acknowledged),
}

type Run = NonNullable<NonNullable<RetentionReport['reconciliation']>['run']>
type FindingLine = Run['findings'][number] & Pick<Run, 'id' | 'endedAt'>

const findingColumns: CsvColumns<FindingLine> = {
  run: ({ id }) => id,
  ended_at: ({ endedAt }) => endedAt,
  kind: ({ kind }) => kind,
  store: ({ store }) => store,
  found: ({ found }) => String(found),
  mended: ({ mended }) => String(mended),
}

function findingLines({ reconciliation }: RetentionReport): readonly FindingLine[] {
  const run = reconciliation?.run ?? null
  return run === null ? [] : run.findings.map(finding => ({ ...finding, id: run.id, endedAt: run.endedAt }))
}

function storageColumns({
  storage,
}: RetentionReport): CsvColumns<NonNullable<RetentionReport['storage']>['months'][number]> {
  return {
    month: ({ month }) => month,
    added_bytes: ({ addedBytes }) => String(addedBytes),
    destroyed_bytes: ({ destroyedBytes }) => String(destroyedBytes),
    bytes: ({ bytes }) => String(bytes),
    copied_bytes: ({ copiedBytes }) => String(copiedBytes),
    cost: ({ cost }) => cost?.toFixed(2) ?? null,
    currency: () => storage?.price?.currency ?? null,
  }
}
