// The retention report on paper: a page of figures first, then each section with its chart and its tables.
import type { ReportAmount, ReportStates, RetentionReport } from '@auricle/contract'
import { ReportState } from '@auricle/contract'
import { columns, rows as lyingBars } from './charts.ts'
import { type Content, type Definition, renderPdf, type TableLayout } from './render-pdf.ts'
import {
  ageWords,
  breakable,
  count,
  day,
  hours,
  minute,
  money,
  plain,
  reasonWords,
  size,
  stateWords,
} from './words.ts'

/** US Letter, lying, less its margins. */
const pageWidth = 792
const margin = 40
const width = pageWidth - 2 * margin
const chartHeight = 150
/** Of rules and mailboxes: bars of the largest. */
const barsMost = 12

export function retentionReportPdf(report: RetentionReport): Promise<Uint8Array> {
  return renderPdf(definitionOf(report))
}

function definitionOf(report: RetentionReport): Definition {
  const name = plain(report.tenant.name)
  const asOf = minute(report.asOf)
  return {
    pageSize: 'LETTER',
    pageOrientation: 'landscape',
    pageMargins: [margin, 54, margin, 44],
    version: '1.7',
    language: 'en-US',
    displayTitle: true,
    info: {
      title: `Retention report of ${name} as of ${asOf}`,
      subject: 'Retention, legal holds and disposition',
      creator: 'Auricle',
      producer: 'Auricle',
      creationDate: new Date(report.madeAt),
    },
    header: {
      margin: [margin, 24, margin, 0],
      columns: [
        { text: name, bold: true, fontSize: 9 },
        { text: `Retention report as of ${asOf}`, alignment: 'right', fontSize: 9, color: '#444444' },
      ],
    },
    footer: (page, pages) => ({
      margin: [margin, 14, margin, 0],
      columns: [
        {
          text: `Made ${minute(report.madeAt)}. Months are of ${report.zone}.`,
          fontSize: 7.5,
          color: '#444444',
        },
        { text: `Page ${page} of ${pages}`, alignment: 'right', fontSize: 7.5, color: '#444444' },
      ],
    }),
    defaultStyle: { font: 'Roboto', fontSize: 8.5, lineHeight: 1.1, color: '#1a1a1a' },
    content: [titleOf(report, name), ...sectionsOf(report)],
  }
}

function titleOf(report: RetentionReport, name: string): Content {
  return [
    { text: 'Retention report', fontSize: 20, bold: true },
    { text: `${name}, as of ${minute(report.asOf)}`, fontSize: 11, margin: [0, 2, 0, 10] },
  ]
}

function sectionsOf(report: RetentionReport): Content[] {
  const { status, due, overdue, holds, destroyed, reconciliation, storage } = report
  const made = [
    status === null ? [] : statusOf(status),
    due === null ? [] : dueOf(due),
    overdue === null ? [] : overdueOf(overdue),
    holds === null ? [] : holdsOf(holds),
    destroyed === null ? [] : destroyedOf(destroyed),
    reconciliation === null ? [] : reconciliationOf(reconciliation),
    storage === null ? [] : storageOf(storage),
  ].filter(section => section.length > 0)
  return made.map(
    (section, index): Content => (index === 0 ? section : { stack: section, pageBreak: 'before' }),
  )
}

// --- parts ---

const heading = (text: string, remark: string): Content => ({
  stack: [
    { text, fontSize: 14, bold: true },
    { text: remark, color: '#444444', margin: [0, 1, 0, 6] },
  ],
})
const titleStyle = { fontSize: 10.5, bold: true } as const
/** A chart under its words, on one page. */
const together = (text: string, content: Content): Content => ({
  unbreakable: true,
  stack: [{ text, ...titleStyle, margin: [0, 10, 0, 3] }, content],
})
const nothing = (text: string): Content => ({ text, italics: true, margin: [0, 4, 0, 4] })

/** Above and below the head, and at the foot. */
const ruled: TableLayout = {
  hLineWidth: (line, node) => {
    const heads = node.table.headerRows
    if (line < heads - 1) return 0
    return line <= heads || line === node.table.body.length ? 0.8 : 0.3
  },
  hLineColor: (line, node) => (line <= node.table.headerRows ? '#1a1a1a' : '#bbbbbb'),
  vLineWidth: () => 0,
  paddingLeft: () => 3,
  paddingRight: () => 3,
  paddingTop: () => 2.5,
  paddingBottom: () => 2,
}

interface Column<Line> {
  readonly title: string
  /** Default: as wide as its text. */
  readonly width?: number | '*'
  readonly isNumber?: boolean
  readonly cell: (line: Line) => string
}

/** Its head stands on every page that it goes over, and no line is torn in two. */
function table<Line>(
  lines: readonly Line[],
  of: readonly Column<Line>[],
  title: string | null = null,
): Content {
  const cell = (text: string, { isNumber }: Column<Line>, isHead: boolean) => ({
    text: breakable(text),
    alignment: isNumber ? ('right' as const) : ('left' as const),
    bold: isHead,
    noWrap: isNumber ?? false,
  })
  const titled =
    title === null
      ? []
      : [of.map((_, index) => (index === 0 ? { text: title, ...titleStyle, colSpan: of.length } : ''))]
  return {
    layout: ruled,
    margin: [0, title === null ? 0 : 4, 0, 6],
    table: {
      headerRows: titled.length + 1,
      keepWithHeaderRows: 1,
      dontBreakRows: true,
      widths: of.map(column => column.width ?? 'auto'),
      body: [
        ...titled,
        of.map(column => cell(column.title, column, true)),
        ...lines.map(line => of.map(column => cell(column.cell(line), column, false))),
      ],
    },
  }
}

/** Numbers of few columns, apart as far as the page has room. */
const spread = <Line>(columns: readonly Column<Line>[]): readonly Column<Line>[] =>
  columns.map(column => ({ ...column, width: '*' }))

const amountColumns: readonly Column<ReportAmount>[] = [
  { title: 'Recordings', isNumber: true, cell: ({ recordings }) => count(recordings) },
  { title: 'Hours', isNumber: true, cell: ({ soundMs }) => hours(soundMs) },
  { title: 'Size', isNumber: true, cell: ({ bytes }) => size(bytes) },
]

const chart = (svg: string): Content => ({ svg, margin: [0, 2, 0, 8] })

// --- sections ---

type Status = NonNullable<RetentionReport['status']>
type StatusLine = ReportAmount & { readonly states: ReportStates }

const stateColumns: readonly Column<StatusLine>[] = ReportState.options.map(state => ({
  title: stateWords[state],
  isNumber: true,
  cell: ({ states }) => count(states[state]),
}))

const statusColumns = <Line extends StatusLine>(
  title: string,
  cell: (line: Line) => string,
): readonly Column<Line>[] => [{ title, width: '*', cell }, ...amountColumns, ...stateColumns]

function statusOf({ total, rules, kinds, mailboxes, ages }: Status): Content[] {
  const ruleName = ({ rule }: Status['rules'][number]) =>
    rule === null ? 'No rule governs' : `${rule.name}, version ${rule.version}`
  const boxName = ({ mailbox }: Status['mailboxes'][number]) => mailbox?.name ?? 'In no mailbox'
  return [
    heading(
      'Status',
      'What is kept, and why it is still here. On hold goes before all; what is due has nothing left that keeps it.',
    ),
    table(
      [total],
      statusColumns<StatusLine>('', () => 'All recordings'),
    ),
    together('By rule', stateBars(rules, ruleName)),
    table(rules, statusColumns('Rule', ruleName)),
    together(
      'By age, since it was received',
      stateBars(ages, ({ age }) => ageWords[age]),
    ),
    table(
      ages,
      statusColumns('Age', ({ age }) => ageWords[age]),
    ),
    table(
      kinds,
      statusColumns('Kind', ({ kind }) => (kind === 'voicemail' ? 'Voicemail' : 'Call recording')),
      'By kind',
    ),
    table(mailboxes, statusColumns('Mailbox', boxName), 'By mailbox'),
  ]
}

function stateBars<Line extends StatusLine>(lines: readonly Line[], nameOf: (line: Line) => string): Content {
  const largest = lines.toSorted((a, b) => b.recordings - a.recordings).slice(0, barsMost)
  const shown = lines.filter(line => largest.includes(line))
  if (shown.length === 0) return nothing('There are none.')
  const series = ReportState.options.map(state => ({
    name: stateWords[state],
    values: shown.map(({ states }) => states[state]),
  }))
  return chart(lyingBars({ labels: shown.map(line => plain(nameOf(line))), series, format: count }, width))
}

function dueOf({ months }: NonNullable<RetentionReport['due']>): Content[] {
  const series = [
    { name: 'On hold', values: months.map(({ held }) => held.recordings) },
    { name: 'After a review', values: months.map(({ review }) => review.recordings) },
    { name: 'Automatic', values: months.map(({ automatic }) => automatic.recordings) },
  ]
  type Month = (typeof months)[number]
  const part = (title: string, of: (line: Month) => ReportAmount): readonly Column<Month>[] => [
    { title, isNumber: true, cell: line => count(of(line).recordings) },
    { title: 'Hours', isNumber: true, cell: line => hours(of(line).soundMs) },
    { title: 'Size', isNumber: true, cell: line => size(of(line).bytes) },
  ]
  return [
    heading(
      'Due in the next 12 months',
      'By the decisions of the day of the report. The first month is what is left of it.',
    ),
    chart(
      columns(
        { labels: months.map(({ month }) => month), series, format: count },
        { width, height: chartHeight },
      ),
    ),
    table(
      months,
      spread([
        { title: 'Month', cell: ({ month }) => month },
        ...part('Automatic', ({ automatic }) => automatic),
        ...part('After a review', ({ review }) => review),
        ...part('On hold', ({ held }) => held),
      ]),
    ),
  ]
}

function overdueOf({
  total,
  reasons,
  recordings,
  nextCursor,
}: NonNullable<RetentionReport['overdue']>): Content[] {
  const head = heading(
    'Overdue',
    'What should have been destroyed by now and was not, and what stands against it.',
  )
  if (total.recordings === 0) return [head, nothing('Nothing is overdue.')]
  return [
    head,
    table(reasons, [
      { title: 'Reason', width: '*', cell: ({ reason }) => reasonWords[reason] },
      ...amountColumns,
      { title: 'Longest since', cell: ({ since }) => day(since) },
    ]),
    table(
      recordings,
      [
        { title: 'Recording', width: 142, cell: ({ recording }) => recording },
        { title: 'Kept until', width: 52, cell: ({ keepUntil }) => day(keepUntil) },
        { title: 'Due', width: 52, cell: ({ dueAt }) => (dueAt === null ? 'Undecided' : day(dueAt)) },
        {
          title: 'Reason',
          width: '*',
          cell: ({ reason, error }) =>
            reason === 'error' && error !== null ? `${reasonWords[reason]}: ${error}` : reasonWords[reason],
        },
        { title: 'Holds', width: 142, cell: ({ holds }) => holds.join(' ') },
        { title: 'Disposition', width: 142, cell: ({ disposition }) => disposition ?? '' },
      ],
      'Recordings',
    ),
    ...more(recordings.length, total.recordings, nextCursor),
  ]
}

function holdsOf({ total, holds }: NonNullable<RetentionReport['holds']>): Content[] {
  const head = heading(
    'Legal holds',
    `${count(total.recordings)} recordings are on hold, ${size(total.bytes)}. One under several holds is counted with each.`,
  )
  if (holds.length === 0) return [head, nothing('No hold is active.')]
  return [
    head,
    table(holds, [
      { title: 'Matter', width: '*', cell: ({ matter }) => matter ?? 'Named in the vault alone' },
      { title: 'Hold', width: 142, cell: ({ hold }) => hold },
      { title: 'Placed', cell: ({ placedAt }) => day(placedAt) },
      ...amountColumns,
      { title: 'Custodians', isNumber: true, cell: ({ custodians }) => count(custodians) },
      { title: 'Acknowledged', isNumber: true, cell: ({ acknowledged }) => count(acknowledged) },
    ]),
  ]
}

function destroyedOf({
  total,
  certified,
  earlier,
  months,
  recordings,
  nextCursor,
}: NonNullable<RetentionReport['destroyed']>): Content[] {
  const head = heading(
    'Destroyed',
    `${count(total.recordings)} recordings were destroyed, ${count(certified)} of them with a certificate that is signed.`,
  )
  if (total.recordings === 0) return [head, nothing('Nothing was destroyed.')]
  const series = [{ name: 'Destroyed', values: months.map(line => line.recordings) }]
  return [
    head,
    chart(
      columns(
        { labels: months.map(({ month }) => month), series, format: count },
        { width, height: chartHeight },
      ),
    ),
    table(
      [{ month: 'Before', ...earlier }, ...months, { month: 'In all', ...total }],
      spread<ReportAmount & { readonly month: string }>([
        { title: 'Month', cell: ({ month }) => month },
        ...amountColumns,
      ]),
    ),
    table(
      recordings,
      [
        { title: 'Recording', width: 142, cell: ({ recording }) => recording },
        { title: 'Destroyed', width: 86, cell: ({ destroyedAt }) => minute(destroyedAt) },
        { title: 'Disposition', width: 142, cell: ({ disposition }) => disposition ?? '' },
        { title: 'Certificate', width: 142, cell: ({ certificate }) => certificate?.id ?? 'None' },
        {
          title: 'Signed',
          width: '*',
          cell: ({ certificate }) => (certificate?.issuedAt == null ? 'Not yet' : day(certificate.issuedAt)),
        },
        { title: 'Last copy', width: 56, cell: ({ certificate }) => day(certificate?.lastCopyAt ?? '') },
      ],
      'Recordings, newest first',
    ),
    ...more(recordings.length, total.recordings, nextCursor),
  ]
}

/** A document is for reading; all lines are in the CSV of the section. */
function more(shown: number, all: number, nextCursor: string | null): Content[] {
  if (nextCursor === null) return []
  return [nothing(`${count(shown)} of ${count(all)} are shown. The CSV of this section holds all of them.`)]
}

function reconciliationOf({ run }: NonNullable<RetentionReport['reconciliation']>): Content[] {
  if (run === null) return [heading('Stores and catalog', 'They have not been compared yet.')]
  return [
    heading(
      'Stores and catalog',
      `Compared from ${minute(run.startedAt)} to ${minute(run.endedAt)}: ${count(run.recordings)} recordings, ${count(run.objects)} objects (${run.id}).`,
    ),
    run.findings.length === 0
      ? nothing('Nothing differed.')
      : table(run.findings, [
          { title: 'Finding', width: '*', cell: ({ kind }) => kind.replaceAll('_', ' ') },
          { title: 'Store', cell: ({ store }) => store },
          { title: 'Found', isNumber: true, cell: ({ found }) => count(found) },
          { title: 'Mended', isNumber: true, cell: ({ mended }) => count(mended) },
        ]),
  ]
}

function storageOf({ price, months }: NonNullable<RetentionReport['storage']>): Content[] {
  const remark =
    price === null
      ? 'At the end of each month. No price is stated, so nothing is said of the cost.'
      : `At the end of each month. The cost is that of a month at this size, copies included, at ${price.currency} ${price.perGibibyteMonth} a GiB.`
  type Month = (typeof months)[number]
  const cost: readonly Column<Month>[] =
    price === null
      ? []
      : [{ title: `Cost, ${price.currency}`, isNumber: true, cell: line => money(line.cost ?? 0) }]
  const series = [
    { name: 'Store of the objects', values: months.map(({ bytes }) => bytes) },
    { name: 'Copies in the recovery store', values: months.map(({ copiedBytes }) => copiedBytes) },
  ]
  return [
    heading('Storage', remark),
    chart(
      columns(
        { labels: months.map(({ month }) => month), series, format: size },
        { width, height: chartHeight },
      ),
    ),
    table(
      months,
      spread([
        { title: 'Month', cell: ({ month }) => month },
        { title: 'Added', isNumber: true, cell: ({ addedBytes }) => size(addedBytes) },
        { title: 'Destroyed', isNumber: true, cell: ({ destroyedBytes }) => size(destroyedBytes) },
        { title: 'Size', isNumber: true, cell: ({ bytes }) => size(bytes) },
        { title: 'Copies', isNumber: true, cell: ({ copiedBytes }) => size(copiedBytes) },
        ...cost,
      ]),
    ),
  ]
}
