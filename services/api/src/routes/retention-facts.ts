// What rules of keeping count from: events, birth dates, and whether recordings are part of the designated record set.
import {
  BirthDateRecord,
  BirthDateView,
  NewRecordSetDecision,
  NewRetentionEvent,
  RecordSetDecisionView,
  RecordSetPage,
  RecordSetQuery,
  RetentionEventId,
  RetentionEventList,
  RetentionEventQuery,
  RetentionEventView,
  type Session,
} from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  type BirthDateParts,
  decideRecordSet,
  listRecordSet,
  listRetentionEvents,
  type RecordSetParts,
  type RetentionEventParts,
  recordBirthDate,
  recordRetentionEvent,
  withdrawRetentionEvent,
} from '@auricle/vault'
import type { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, type Handler, ok, type RouteOf } from '../route.ts'

/** Under the names the document gives them. */
export const schemas = {
  BirthDateRecord,
  BirthDateView,
  NewRecordSetDecision,
  NewRetentionEvent,
  RecordSetDecisionView,
  RecordSetPage,
  RetentionEventList,
  RetentionEventView,
} as const satisfies Record<string, z.ZodType>

const patient = "The PBX's reference, or the name that the log has for them."

export const table = [
  {
    operationId: 'recordRetentionEvent',
    method: 'post',
    path: '/v1/retention-events',
    needs: 'retention.manage',
    summary: 'Record what a rule counts from',
    description:
      'That a treatment ended, a case was closed, a patient died: of a patient, for all of their recordings, or of one ' +
      'recording. Of several of one kind the newest counts.',
    body: 'NewRetentionEvent',
    answers: [created('RetentionEventView', 'The event.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'tooLarge'],
  },
  {
    operationId: 'listRetentionEvents',
    method: 'get',
    path: '/v1/retention-events',
    needs: 'retention.read',
    summary: 'List what rules count from',
    description: 'Of a patient, or of one recording: newest first, those that were withdrawn too.',
    query: { schema: RetentionEventQuery, notes: { patient, recording: "Or a recording's id." } },
    answers: [ok('RetentionEventList', 'The events.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'withdrawRetentionEvent',
    method: 'post',
    path: '/v1/retention-events/{id}/withdrawal',
    params: { id: { schema: RetentionEventId, description: "The event's id." } },
    needs: 'retention.manage',
    summary: 'Withdraw an event that was wrong',
    description: 'Recordings are decided anew, as if it had not been. It stays in the list.',
    answers: [created('RetentionEventView', 'The event as it is then.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict'],
  },
  {
    operationId: 'recordBirthDate',
    method: 'post',
    path: '/v1/birth-dates',
    needs: 'retention.manage',
    summary: "Record a patient's birth date",
    description:
      'For rules that keep longer what is of minors. It is kept encrypted, and no call shows it. Null takes it back.',
    body: 'BirthDateRecord',
    answers: [created('BirthDateView', 'Of whom, and how many recordings are decided anew by it.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'tooLarge'],
  },
  {
    operationId: 'listRecordSetDecisions',
    method: 'get',
    path: '/v1/record-set-decisions',
    needs: 'retention.read',
    summary: 'List what is part of the designated record set',
    description:
      'On the first page every mailbox, those with undecided recordings first; and what was decided of single ' +
      'recordings, newest first.',
    query: {
      schema: RecordSetQuery,
      notes: { cursor: '`nextCursor` of the page before.', limit: 'Most decisions on a page.' },
    },
    answers: [ok('RecordSetPage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied'],
  },
  {
    operationId: 'decideRecordSet',
    method: 'post',
    path: '/v1/record-set-decisions',
    needs: 'record_set.decide',
    summary: 'Decide what is part of the designated record set',
    description:
      'All recordings of a mailbox, or one of them, which goes before its mailbox (45 CFR 164.501). What is undecided is ' +
      'not destroyed.',
    body: 'NewRecordSetDecision',
    answers: [created('RecordSetDecisionView', 'The decision.')],
    problems: ['malformed', 'denied', 'notFound', 'tooLarge'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface RetentionFactRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly retentionFacts: RetentionEventParts & BirthDateParts & RecordSetParts
}

export function createRetentionFactHandlers({ identity, retentionFacts }: RetentionFactRouteParts) {
  return {
    async recordRetentionEvent(request, response) {
      const asked = NewRetentionEvent.parse(request.body)
      const facts = factsOf(identity, request)
      response.status(201).json(await recordRetentionEvent(retentionFacts, facts, asked, exchangeOf(request)))
    },
    async listRetentionEvents(request, response) {
      const query = RetentionEventQuery.parse(request.query)
      const facts = factsOf(identity, request)
      response.json(await listRetentionEvents(retentionFacts, facts, query, exchangeOf(request)))
    },
    async withdrawRetentionEvent(request, response) {
      const id = RetentionEventId.parse(request.params['id'])
      const facts = factsOf(identity, request)
      response.status(201).json(await withdrawRetentionEvent(retentionFacts, facts, id, exchangeOf(request)))
    },
    async recordBirthDate(request, response) {
      const asked = BirthDateRecord.parse(request.body)
      const facts = factsOf(identity, request)
      response.status(201).json(await recordBirthDate(retentionFacts, facts, asked, exchangeOf(request)))
    },
    async listRecordSetDecisions(request, response) {
      const query = RecordSetQuery.parse(request.query)
      const facts = factsOf(identity, request)
      response.json(await listRecordSet(retentionFacts, facts, query, exchangeOf(request)))
    },
    async decideRecordSet(request, response) {
      const asked = NewRecordSetDecision.parse(request.body)
      const facts = factsOf(identity, request)
      response.status(201).json(await decideRecordSet(retentionFacts, facts, asked, exchangeOf(request)))
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
