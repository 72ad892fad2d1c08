// `auricle retention event`, `birth-date` and `record-set`: what rules of keeping count from, at the keyboard.
import {
  BirthDateRecord,
  NewRecordSetDecision,
  NewRetentionEvent,
  type RecordSetDecisionView,
  type RecordSetMailboxView,
  RecordSetQuery,
  RetentionEventId,
  RetentionEventQuery,
  type RetentionEventView,
} from '@auricle/contract'
import { can } from '@auricle/identity'
import {
  type BirthDateParts,
  decideRecordSet,
  listRecordSet,
  listRetentionEvents,
  type RecordSetParts,
  type RequestFacts,
  type RetentionEventParts,
  recordBirthDate,
  recordRetentionEvent,
  withdrawRetentionEvent,
} from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatCount, formatTime } from '../format.ts'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { parseOptions, plainly } from '../plainly.ts'
import { type Column, visible } from '../table.ts'
import type { Given } from './retention-rules.ts'

const partsOf = (operator: Operator): RetentionEventParts & BirthDateParts & RecordSetParts => ({
  ...operator,
  decide: can,
})

const subjectRules = {
  patient: '--patient has 1 to 256 characters',
  recording: '--recording is the id of a recording',
  '': 'Say whose: --patient or --recording',
}

export async function recordEvent(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  kind: string,
  given: Given,
): Promise<void> {
  const asked = parseOptions(
    NewRetentionEvent,
    { ...given, kind },
    {
      ...subjectRules,
      kind: `What happened is one of ${NewRetentionEvent.shape.kind.options.join(', ')}`,
      at: '--at is a time in RFC 3339 UTC, such as 2026-11-20T00:00:00Z',
    },
  )
  const view = await plainly(recordRetentionEvent(partsOf(operator), person, asked, operator))
  output.value(
    view,
    `Recorded as ${view.id}: ${view.kind.replaceAll('_', ' ')}, ${formatTime(new Date(view.at))}`,
  )
}

export async function listEvents(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  given: Given,
): Promise<void> {
  const query = parseOptions(RetentionEventQuery, given, subjectRules)
  const { events } = await plainly(listRetentionEvents(partsOf(operator), person, query, operator))
  output.rows(events, eventColumns, 'Nothing is recorded that a rule could count from')
}

const eventColumns: readonly Column<RetentionEventView>[] = [
  { title: 'what', cell: ({ kind }) => kind.replaceAll('_', ' ') },
  { title: 'at', cell: ({ at }) => formatTime(new Date(at)) },
  { title: 'of', cell: ({ patient, recording }) => patient ?? recording ?? '-' },
  { title: 'recorded', cell: ({ recordedAt }) => formatTime(new Date(recordedAt)) },
  {
    title: 'withdrawn',
    cell: ({ withdrawnAt }) => (withdrawnAt === null ? '-' : formatTime(new Date(withdrawnAt))),
  },
  { title: 'event', cell: ({ id }) => id },
]

export async function withdrawEvent(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  text: string,
): Promise<void> {
  const id = RetentionEventId.safeParse(text)
  if (!id.success)
    throw new UsageError(`"${text}" is not an event's id; \`auricle retention event list\` shows them`)
  const view = await plainly(withdrawRetentionEvent(partsOf(operator), person, id.data, operator))
  output.value(view, `${view.id} counts no more; recordings are decided as if it had not been`)
}

/** `date` null takes it back. */
export async function recordBirth(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  patient: string | undefined,
  date: string | null,
): Promise<void> {
  const asked = parseOptions(
    BirthDateRecord,
    { patient, birthDate: date === null ? null : date.trim() },
    { ...subjectRules, birthDate: 'A birth date is written 2012-02-29' },
  )
  const view = await plainly(recordBirthDate(partsOf(operator), person, asked, operator))
  const done = asked.birthDate === null ? 'taken back' : 'recorded'
  const recordings = formatCount(view.recordings, 'recording')
  output.value(view, `The birth date of ${view.patient} is ${done}; ${recordings} will be decided anew`)
}

export async function showRecordSet(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  given: Given,
): Promise<void> {
  const query = parseOptions(RecordSetQuery, given, {
    limit: '--limit is a whole number from 1 to 200',
    cursor: '--cursor is what the page before named',
  })
  const page = await plainly(listRecordSet(partsOf(operator), person, query, operator))
  if (output.json) return output.value(page, '')
  if (given['cursor'] === undefined) output.rows(page.mailboxes, mailboxColumns, 'There are no mailboxes')
  const undecided = page.mailboxes.reduce((sum, mailbox) => sum + mailbox.undecided, 0)
  if (undecided > 0)
    output.say(
      `\n${formatCount(undecided, 'recording')} undecided: none of them is destroyed until somebody decides.`,
    )
  if (page.decisions.length > 0) {
    output.say('')
    output.rows(page.decisions, decisionColumns, '')
  }
  if (page.nextCursor !== null) output.say(`\nMore: add --cursor ${page.nextCursor}`)
}

const mailboxColumns: readonly Column<RecordSetMailboxView>[] = [
  { title: 'mailbox', cell: ({ mailbox }) => mailbox?.address ?? '(none)' },
  { title: 'name', cell: ({ mailbox }) => mailbox?.name ?? '-' },
  { title: 'record set', cell: ({ decision }) => decision },
  { title: 'recordings', align: 'right', cell: ({ recordings }) => String(recordings) },
  { title: 'undecided', align: 'right', cell: ({ undecided }) => String(undecided) },
  { title: 'why', cell: ({ latest }) => latest?.rationale ?? '-' },
]

const decisionColumns: readonly Column<RecordSetDecisionView>[] = [
  { title: 'recording', cell: ({ recording }) => recording ?? '-' },
  { title: 'record set', cell: ({ decision }) => decision },
  { title: 'decided', cell: ({ decidedAt }) => formatTime(new Date(decidedAt)) },
  { title: 'why', cell: ({ rationale }) => rationale },
]

export async function decideSet(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  decision: string,
  { mailbox: address, ...given }: Given,
): Promise<void> {
  const mailbox = address === undefined ? undefined : await mailboxId(operator, person, address)
  const asked = parseOptions(
    NewRecordSetDecision,
    { ...given, mailbox, decision },
    {
      decision: 'A decision is in, out or undecided',
      recording: subjectRules.recording,
      rationale: '--rationale has 1 to 1000 characters',
      '': 'Say of what: --mailbox or --recording',
    },
  )
  const view = await plainly(decideRecordSet(partsOf(operator), person, asked, operator))
  const of = address === undefined ? `Recording ${view.recording}` : `Mailbox ${visible(address)}`
  const words = { in: 'is part of', out: 'is no part of', undecided: 'is not decided to be part of' } as const
  output.value(view, `${of} ${words[view.decision]} the designated record set`)
}

async function mailboxId(operator: Operator, { actor }: RequestFacts, address: string): Promise<string> {
  const found = await operator.catalog.findMailboxByAddress(actor.tenantId, address, operator)
  if (found === null)
    throw new UsageError(`There is no mailbox "${address}"; \`auricle mailbox list\` shows them`)
  return found.id
}
