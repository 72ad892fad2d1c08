// `auricle hold`: legal holds for the person at the keyboard, through the same use cases as the API.
import {
  HeldQuery,
  type HeldRecording,
  type HoldChange,
  type HoldDetail,
  HoldId,
  HoldQuery,
  HoldRelease,
  HoldScope,
  type HoldView,
  NewHold,
  RecordingId,
} from '@auricle/contract'
import { can } from '@auricle/identity'
import {
  acknowledgeNotice,
  extendHold,
  type HoldParts,
  listHeld,
  listHolds,
  listOwnNotices,
  placeHold,
  previewHold,
  type RequestFacts,
  releaseCover,
  releaseHold,
  showHold,
} from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatBytes, formatCount, formatTime } from '../format.ts'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { parseOptions, plainly } from '../plainly.ts'
import { visible } from '../table.ts'
import { custodianIds, type ScopeOptions, scopeOf, textOf } from './hold-scope.ts'

const partsOf = (operator: Operator): HoldParts => ({ ...operator, decide: can })

const rules: Readonly<Record<string, string>> = {
  matter: '--matter has 1 to 256 characters',
  notice: 'A notice has 1 to 6000 characters',
  reason: '--reason has 1 to 1000 characters',
  cursor: '--cursor is what the page before named',
  limit: '--limit is a whole number from 1 to 200',
  '': 'Say what to hold: a clause by its options, --clauses, --recording, --recordings, or --everything',
}

export interface HoldOptions extends ScopeOptions {
  readonly matter?: string
  /** A file with what the custodians are told. */
  readonly notice?: string
  readonly custodian?: readonly string[]
}

export async function place(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  { matter, notice, custodian = [], ...scope }: HoldOptions,
): Promise<void> {
  const hold = parseOptions(
    NewHold,
    {
      matter,
      notice: notice === undefined ? null : await textOf(notice),
      custodians: await custodianIds(operator, person, custodian),
      ...(await scopeOf(operator, person, scope)),
    },
    rules,
  )
  const change = await plainly(placeHold(partsOf(operator), person, hold, operator))
  output.value(change, changeLines(`Hold ${change.hold.id} is in force.`, change).join('\n'))
}

export async function extend(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  id: string,
  { custodian = [], ...options }: HoldOptions,
): Promise<void> {
  const custodians = await custodianIds(operator, person, custodian)
  const scope = await scopeOf(operator, person, options)
  if (custodians.length === 0) parseOptions(HoldScope, scope, rules)
  const extension = { ...scope, custodians }
  const change = await plainly(extendHold(partsOf(operator), person, parseId(id), extension, operator))
  output.value(change, changeLines(`Hold ${change.hold.id} is extended.`, change).join('\n'))
}

function changeLines(first: string, { hold, covered, ...late }: HoldChange): string[] {
  const told =
    hold.custodians === 0 ? [] : [`${formatCount(hold.custodians, 'custodian')} told to keep what they have.`]
  return [
    first,
    `${formatCount(covered, 'recording')} came under it; it covers ${formatCount(hold.recordings, 'recording')}.`,
    ...told,
    ...lateLines(late),
  ]
}

function lateLines({
  destroying,
  destroyed,
  destroyedCount,
}: Pick<HoldChange, 'destroying' | 'destroyed' | 'destroyedCount'>): string[] {
  const begun = 'The destruction of these had begun; what is left of them is kept:'
  const gone = `${formatCount(destroyedCount, 'recording')} that it asks for had been destroyed before, such as:`
  return [
    ...(destroying.length === 0 ? [] : [begun, ...destroying.map(id => `  ${id}`)]),
    ...(destroyedCount === 0 ? [] : [gone, ...destroyed.map(id => `  ${id}`)]),
  ]
}

export async function preview(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  options: ScopeOptions,
): Promise<void> {
  const scope = parseOptions(HoldScope, await scopeOf(operator, person, options), rules)
  const found = await plainly(previewHold(partsOf(operator), person, scope, operator))
  const lines = [
    `It would cover ${formatCount(found.recordings, 'recording')} now, ${formatBytes(found.bytes)}.`,
    `${formatCount(found.heldAlready, 'recording')} of them are held already. Nothing is held by this.`,
    ...lateLines(found),
  ]
  output.value(found, lines.join('\n'))
}

export async function list(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  filter: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const query = parseOptions(HoldQuery, filter, rules)
  const page = await plainly(listHolds(partsOf(operator), person, query, operator))
  if (output.json) return output.value(page, '')
  output.rows(page.holds, holdColumns, 'There are no holds')
  if (page.nextCursor !== null) output.say(`\nMore: add --cursor ${page.nextCursor}`)
}

const moment = (text: string | null) => (text === null ? '-' : formatTime(new Date(text)))
const number = (value: number) => value.toLocaleString('en')

const holdColumns = [
  { title: 'hold', cell: (row: HoldView) => row.id },
  { title: 'matter', cell: (row: HoldView) => row.matter },
  { title: 'state', cell: (row: HoldView) => row.state },
  { title: 'placed', cell: (row: HoldView) => moment(row.placedAt) },
  { title: 'recordings', align: 'right' as const, cell: (row: HoldView) => number(row.recordings) },
  { title: 'clauses', align: 'right' as const, cell: (row: HoldView) => number(row.clauses) },
  {
    title: 'notices read',
    align: 'right' as const,
    cell: (row: HoldView) => `${row.acknowledged} of ${row.custodians}`,
  },
]

export async function show(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  id: string,
): Promise<void> {
  const hold = await plainly(showHold(partsOf(operator), person, parseId(id), operator))
  if (output.json) return output.value(hold, '')
  const ids = [...new Set(hold.trail.flatMap(({ by }) => by ?? []))]
  const names = await operator.catalog.listNames(person.actor.tenantId, ids, operator)
  output.rows([hold], holdColumns, '')
  if (hold.release !== null) output.say(`\nReleased: ${visible(hold.release.reason)}`)
  output.say('')
  output.rows(hold.scope, scopeColumns, 'It has no clauses: its recordings were named by hand')
  output.say('')
  output.rows(hold.people, custodianColumns, 'Nobody was told')
  output.say('')
  const who = (by: string | null) => (by === null ? 'console' : (names.get(by) ?? by))
  output.rows(
    hold.trail,
    [
      { title: 'at', cell: ({ at }) => moment(at) },
      { title: 'what', cell: ({ what }) => what.replace('_', ' ') },
      { title: 'count', align: 'right', cell: ({ count }) => number(count) },
      { title: 'by', cell: ({ by }) => who(by) },
    ],
    '',
  )
  if (hold.notice !== null) output.say(`\nNotice:\n${hold.notice.split('\n').map(visible).join('\n')}`)
}

type ScopeRow = HoldDetail['scope'][number]
const scopeColumns = [
  { title: 'clause', align: 'right' as const, cell: (row: ScopeRow) => String(row.number) },
  {
    title: 'covers',
    cell: ({ clause: { everything, ...said } }: ScopeRow) =>
      everything === true
        ? 'everything'
        : Object.entries(said)
            .map(([name, value]) => `${name} ${value}`)
            .join(', '),
  },
  { title: 'added', cell: (row: ScopeRow) => moment(row.addedAt) },
]

type CustodianRow = HoldDetail['people'][number]
const custodianColumns = [
  { title: 'custodian', cell: (row: CustodianRow) => row.name },
  { title: 'told', cell: (row: CustodianRow) => moment(row.addedAt) },
  { title: 'read', cell: (row: CustodianRow) => moment(row.acknowledgedAt) },
]

export async function recordings(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  id: string,
  filter: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const query = parseOptions(HeldQuery, filter, rules)
  const page = await plainly(listHeld(partsOf(operator), person, parseId(id), query, operator))
  if (output.json) return output.value(page, '')
  output.rows(page.recordings, heldColumns, 'It covers nothing')
  if (page.nextCursor !== null) output.say(`\nMore: add --cursor ${page.nextCursor}`)
}

const heldColumns = [
  { title: 'recording', cell: (row: HeldRecording) => row.id },
  { title: 'covered', cell: (row: HeldRecording) => moment(row.coveredAt) },
  { title: 'how', cell: (row: HeldRecording) => (row.coveredBy === null ? 'clause' : 'by hand') },
  { title: 'released', cell: (row: HeldRecording) => moment(row.releasedAt) },
  { title: 'state', cell: (row: HeldRecording) => row.state },
]

export async function release(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  asked: { readonly id: string; readonly reason: string; readonly recording?: string },
): Promise<void> {
  const id = parseId(asked.id)
  const words = parseOptions(HoldRelease, { reason: asked.reason }, rules)
  const parts = partsOf(operator)
  if (asked.recording === undefined) {
    const hold = await plainly(releaseHold(parts, person, id, words, operator))
    const kept = `It covered ${formatCount(hold.recordings, 'recording')}; what nothing else holds is kept by the rules alone.`
    return output.value(hold, `Hold ${id} is released.\n${kept}`)
  }
  const recording = RecordingId.safeParse(asked.recording)
  if (!recording.success) throw new UsageError("--recording is a recording's id; `auricle ls` shows them")
  const cover = { id, recordingId: recording.data }
  await plainly(releaseCover(parts, person, cover, words, operator))
  output.value(
    { hold: id, recording: recording.data },
    `Hold ${id} does not cover ${recording.data} any more`,
  )
}

/** Documents to be read, for the person they are about. */
export async function notices(operator: Operator, output: Output, person: RequestFacts): Promise<void> {
  const list = await plainly(listOwnNotices(partsOf(operator), person, operator))
  if (output.json) return output.value(list, '')
  if (list.notices.length === 0) return output.say('You were told of no legal hold')
  output.document(list.notices.map(({ text }) => text).join('\n\n'))
}

export async function acknowledge(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  text: string,
): Promise<void> {
  const id = parseId(text)
  const notice = await plainly(acknowledgeNotice(partsOf(operator), person, id, operator))
  output.value(notice, `You have said that you read the notice of hold ${id}`)
}

function parseId(text: string): HoldId {
  const id = HoldId.safeParse(text)
  if (!id.success) throw new UsageError(`"${text}" is not a hold's id; \`auricle hold list\` shows them`)
  return id.data
}
