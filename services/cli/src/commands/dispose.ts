// `auricle dispose`: the end of recordings for the person at the keyboard, through the same use cases as the API; and one
// round of the worker's part in it.
import {
  type DispositionDetail,
  DispositionId,
  DispositionItemQuery,
  type DispositionItemView,
  DispositionQuery,
  DispositionReview,
  DispositionSelection,
  type DispositionView,
  MailboxId,
  RecordingId,
} from '@auricle/contract'
import { can } from '@auricle/identity'
import {
  cancelDisposition,
  type Destruction,
  type DispositionParts,
  destroyReady,
  listDispositionItems,
  listDispositions,
  previewDisposition,
  proposeDisposition,
  type RequestFacts,
  reviewDisposition,
  showDisposition,
  sweepDue,
} from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatBytes, formatCount, formatTime } from '../format.ts'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { parseOptions, plainly } from '../plainly.ts'
import { startProgress } from '../progress.ts'
import { visible } from '../table.ts'

const rules: Readonly<Record<string, string>> = {
  dueBefore: '--due-before is a time in UTC, such as 2026-11-22T00:00:00Z',
  rule: "--rule is a rule's id; `auricle retention rules` shows them",
  note: '--note has 1 to 1000 characters',
  cursor: '--cursor is what the page before named',
  limit: '--limit is a whole number from 1 to 200',
}

const partsOf = (operator: Operator): DispositionParts => ({ ...operator, decide: can })

type Filter = Readonly<Record<string, string | undefined>>

export async function list(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  filter: Filter,
): Promise<void> {
  const query = parseOptions(DispositionQuery, filter, rules)
  const page = await plainly(listDispositions(partsOf(operator), person, query, operator))
  if (output.json) return output.value(page, '')
  output.rows(page.dispositions, columns, 'There are no dispositions')
  if (page.nextCursor !== null) output.say(`\nMore: add --cursor ${page.nextCursor}`)
}

const moment = (text: string | null) => (text === null ? '-' : formatTime(new Date(text)))
const number = (value: number) => value.toLocaleString('en')
const countOf = (state: keyof DispositionView['counts'], title: string) =>
  ({ title, align: 'right', cell: (row: DispositionView) => number(row.counts[state]) }) as const

const columns = [
  { title: 'disposition', cell: (row: DispositionView) => row.id },
  { title: 'state', cell: (row: DispositionView) => row.state },
  { title: 'kind', cell: (row: DispositionView) => row.kind },
  { title: 'proposed', cell: (row: DispositionView) => moment(row.proposedAt) },
  { title: 'ready', cell: (row: DispositionView) => moment(row.readyAt) },
  countOf('listed', 'listed'),
  countOf('destroyed', 'destroyed'),
  countOf('kept', 'kept'),
  countOf('stopped', 'stopped'),
]

export async function show(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  text: string,
  filter: Filter,
): Promise<void> {
  const id = parseId(text)
  const query = parseOptions(DispositionItemQuery, filter, rules)
  const parts = partsOf(operator)
  const disposition = await plainly(showDisposition(parts, person, id, operator))
  const page = await plainly(listDispositionItems(parts, person, id, query, operator))
  if (output.json) return output.value({ ...disposition, ...page }, '')
  const people = [disposition.proposedBy, ...disposition.reviews.map(({ by }) => by)].flatMap(by => by ?? [])
  const names = await operator.catalog.listNames(person.actor.tenantId, [...new Set(people)], operator)
  output.rows([disposition], columns, '')
  const proposer = disposition.proposedBy
  output.say(`\nProposed by ${proposer === null ? 'the vault' : (names.get(proposer) ?? proposer)}`)
  output.rows(
    disposition.reviews,
    [
      { title: 'stage', cell: ({ stage }) => `${stage} of ${disposition.stages}` },
      { title: 'by', cell: ({ by }) => names.get(by) ?? by },
      { title: 'at', cell: ({ at }) => moment(at) },
      { title: 'verdict', cell: ({ verdict }) => verdict },
      { title: 'note', cell: ({ note }) => visible(note ?? '-') },
    ],
    disposition.stages === 0 ? 'Nobody has to look at it' : 'Nobody has looked at it',
  )
  output.say('')
  output.rows(page.items, itemColumns, 'No recordings')
  if (page.nextCursor !== null) output.say(`\nMore: add --cursor ${page.nextCursor}`)
}

const itemColumns = [
  { title: 'recording', cell: (row: DispositionItemView) => row.recording },
  { title: 'state', cell: (row: DispositionItemView) => (row.held ? `${row.state}, held` : row.state) },
  { title: 'why', cell: (row: DispositionItemView) => row.reason ?? '-' },
  { title: 'rule', cell: (row: DispositionItemView) => `${row.rule.id} v${row.rule.version}` },
  { title: 'kept until', cell: (row: DispositionItemView) => moment(row.keepUntil) },
  { title: 'due', cell: (row: DispositionItemView) => moment(row.dueAt) },
  { title: 'size', align: 'right' as const, cell: (row: DispositionItemView) => formatBytes(row.bytes) },
]

export interface ProposeOptions {
  readonly recording: readonly string[]
  readonly rule?: string
  readonly mailbox?: string
  readonly kind?: string
  readonly dueBefore?: string
  readonly preview: boolean
}

export async function propose(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  { recording, mailbox, preview, ...said }: ProposeOptions,
): Promise<void> {
  const given = {
    ...said,
    recordings: recording.length === 0 ? undefined : recordingIds(recording, '--recording'),
    mailbox: await mailboxId(operator, person, mailbox),
  }
  const selection = parseOptions(DispositionSelection, given, rules)
  const parts = partsOf(operator)
  if (!preview) {
    const proposed = await plainly(proposeDisposition(parts, person, selection, operator))
    return output.value(proposed, proposedLines(proposed))
  }
  const found = await plainly(previewDisposition(parts, person, selection, operator))
  const lines = [
    `${formatCount(found.count, 'recording')} could be proposed, ${formatBytes(found.bytes)}. Nothing is changed by this.`,
    ...(found.firstDueAt === null ? [] : [`The first is due since ${moment(found.firstDueAt)}.`]),
    ...(found.more ? ['More is due than one disposition takes.'] : []),
    ...found.leftOut.map(id => `Not due, held, or in another disposition: ${id}`),
  ]
  output.value(found, lines.join('\n'))
}

function proposedLines({ id, stages, counts }: DispositionDetail): string {
  const people = stages === 1 ? 'One other person has' : `${number(stages)} other people have`
  return `Disposition ${id} lists ${formatCount(counts.listed, 'recording')}.\n${people} to approve it.`
}

export async function review(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  id: string,
  options: { readonly verdict: string; readonly note?: string; readonly keep: readonly string[] },
): Promise<void> {
  const said = parseOptions(
    DispositionReview,
    { ...options, keep: recordingIds(options.keep, '--keep') },
    rules,
  )
  const reviewed = await plainly(reviewDisposition(partsOf(operator), person, parseId(id), said, operator))
  output.value(reviewed, reviewedLine(reviewed))
}

function reviewedLine({ id, state, stages, reviews, readyAt, counts }: DispositionDetail): string {
  if (state === 'rejected') return `Disposition ${id} is rejected: its recordings stay`
  if (state === 'proposed')
    return `Approved, ${reviews.length} of ${stages}: somebody else has to look at it too`
  return `Approved: ${formatCount(counts.listed, 'recording')} will be destroyed from ${moment(readyAt)} on`
}

export async function cancel(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  id: string,
): Promise<void> {
  const cancelled = await plainly(cancelDisposition(partsOf(operator), person, parseId(id), operator))
  output.value(cancelled, `Disposition ${cancelled.id} is cancelled: its recordings stay`)
}

/** What the worker does by itself, now. */
export async function run(operator: Operator, output: Output): Promise<void> {
  const { catalog, secrets, config, objects: primary, recovery, signal } = operator
  const failures: { recording: string; why: string }[] = []
  const proposed = await sweepDue(
    {
      ...{ catalog, secrets },
      onFailure: recording => failures.push({ recording, why: 'undecidable' }),
    },
    { signal },
  )
  using progress = startProgress('Destroying', 'recordings')
  let items = 0
  const onOutcome = (outcome: Destruction, { recordingId }: { readonly recordingId: string }) => {
    progress.update({ items: ++items })
    if (outcome.status === 'postponed') failures.push({ recording: recordingId, why: outcome.reason })
  }
  const stores = { primary, recovery }
  const counts = await destroyReady(
    { ...{ catalog, secrets, stores, onOutcome }, backupDays: config.backupDays },
    { signal },
  )
  progress[Symbol.dispose]()
  const lines = [
    `Proposed ${formatCount(proposed.recordings, 'recording')} in ${formatCount(proposed.dispositions, 'disposition')}.`,
    `Destroyed ${formatCount(counts.destroyed, 'recording')}, took ${number(counts.takenOut)} out, postponed ${number(counts.postponed)}.`,
    ...failures.map(({ recording, why }) => `${recording}: ${why}`),
  ]
  output.value({ proposed, ...counts, failures }, lines.join('\n'))
}

function recordingIds(texts: readonly string[], option: string): readonly RecordingId[] {
  return texts.map(text => {
    const id = RecordingId.safeParse(text)
    if (id.success) return id.data
    throw new UsageError(
      `${option} is a recording's id; \`auricle dispose show\` and \`auricle ls\` have them`,
    )
  })
}

function parseId(text: string): DispositionId {
  const id = DispositionId.safeParse(text)
  if (id.success) return id.data
  throw new UsageError(`"${text}" is not a disposition's id; \`auricle dispose list\` shows them`)
}

/** By address, as people know it; an id as it is. */
async function mailboxId(
  { catalog, signal }: Operator,
  { actor: { tenantId } }: RequestFacts,
  text: string | undefined,
): Promise<string | undefined> {
  if (text === undefined || MailboxId.safeParse(text).success) return text
  const mailbox = await catalog.findMailboxByAddress(tenantId, text, { signal })
  if (mailbox === null) throw new UsageError(`There is no mailbox with the address "${text}"`)
  return mailbox.id
}
