// The log: searched, shown, proved, followed; and the one part of an event that may go.
import { pipeline } from 'node:stream/promises'
import { AuditEvent, PrivatePart } from '@auricle/audit'
import { EventId, type Session, UserId, WriterId } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import type { ObjectStore } from '@auricle/objects'
import {
  CheckpointQuery,
  ConsistencyQuery,
  type DropParts,
  dropPrivatePart,
  type FeedParts,
  FeedQuery,
  followLog,
  InclusionQuery,
  LogQuery,
  listLogs,
  listReceiptKeys,
  PrivatePartDrop,
  type ProofParts,
  proveConsistency,
  proveInclusion,
  type SealedEvent as SealedEventView,
  type SearchParts,
  searchLog,
  showCheckpoint,
  showEvent,
  VaultError,
} from '@auricle/vault'
import type { Request } from 'express'
import { z } from 'zod'
import { chooseType, fhirOfEvent, fhirOfPage, fhirType, sendFhir } from '../fhir-answer.ts'
import { exchangeOf, factsOf } from '../request.ts'
import { done, type Handler, ok, type RouteOf } from '../route.ts'

const count = z.int().nonnegative()
const time = z.iso.datetime()
const finding = z.enum(['missing', 'altered', 'misfiled'])

export const SealedEvent = z.strictObject({
  seq: count,
  year: z.int(),
  id: EventId,
  /** Null where it is not there, or not as it was sealed. */
  event: AuditEvent.nullable(),
  /** When the database took it in. */
  receivedAt: time.nullable(),
  /** Only where something is wrong. */
  finding: finding.optional(),
})

export const AsOf = z.strictObject({
  origin: z.string(),
  year: z.int(),
  size: count,
  root: z.string(),
  sealedAt: time,
})

export const NamedPerson = z.strictObject({ id: UserId, login: z.string(), name: z.string() })

const LogPage = z.strictObject({
  events: z.array(SealedEvent),
  people: z.array(NamedPerson),
  asOf: AsOf.nullable(),
  nextCursor: z.string().nullable(),
})

const Checkpoint = z.strictObject({
  origin: z.string(),
  year: z.int(),
  size: count,
  root: z.string(),
  note: z.string(),
  sealedAt: time,
  publishedAt: time.nullable(),
})

const Log = z.strictObject({
  origin: z.string(),
  year: z.int(),
  size: count,
  openedAt: time,
  closedAt: time.nullable(),
  checkpoint: Checkpoint.nullable(),
  publishedSize: count,
})

const LogList = z.strictObject({ logs: z.array(Log), unsealedSince: time.nullable() })

const InclusionProof = z.strictObject({
  event: EventId,
  origin: z.string(),
  year: z.int(),
  index: count,
  size: count,
  leafHash: z.string(),
  root: z.string(),
  proof: z.array(z.string()),
  checkpoint: Checkpoint,
})

const ConsistencyProof = z.strictObject({
  origin: z.string(),
  year: z.int(),
  from: count,
  to: count,
  fromRoot: z.string(),
  toRoot: z.string(),
  proof: z.array(z.string()),
  fromCheckpoint: Checkpoint.nullable(),
  toCheckpoint: Checkpoint.nullable(),
})

const ShownEvent = z.strictObject({
  id: EventId,
  place: z.strictObject({ year: z.int(), seq: count }).nullable(),
  event: AuditEvent.nullable(),
  receivedAt: time.nullable(),
  finding: finding.nullable(),
  leaf: z.string().nullable(),
  privatePart: z
    .strictObject({
      state: z.enum(['none', 'open', 'dropped', 'altered']),
      part: PrivatePart.nullable(),
      committed: z.string().nullable(),
    })
    .nullable(),
  proof: InclusionProof.nullable(),
})

const ReceiptKeyQuery = z.strictObject({ writer: WriterId })
const ReceiptKey = z.strictObject({ note: z.string() })

/** Under the names the document gives them. */
export const schemas = {
  AsOf,
  AuditEvent,
  Checkpoint,
  ConsistencyProof,
  InclusionProof,
  Log,
  LogList,
  LogPage,
  NamedPerson,
  PrivatePartDrop,
  ReceiptKey,
  SealedEvent,
  ShownEvent,
} as const satisfies Record<string, z.ZodType>

const params = { id: { schema: EventId, description: "The event's id." } }

export const table = [
  {
    operationId: 'searchLog',
    method: 'get',
    path: '/v1/audit/events',
    needs: 'audit.read',
    summary: 'Search the log',
    description:
      'Events that are sealed into the log, newest first; all filters given must hold. Every page of a search is of the ' +
      'log as it was at the root in `asOf`. What is not as it was sealed is shown with a `finding`.',
    query: {
      schema: LogQuery,
      notes: {
        actor: "By whom: a user's or connector's id, or the name of a part of the vault.",
        recording: 'Of this recording.',
        patient: "About this patient: the PBX's reference, or the name that the log has for them.",
        action: 'Only of this kind.',
        outcome: 'Only those that were allowed, denied, or failed.',
        from: 'At this time or later.',
        to: 'Before this time.',
        cursor: '`nextCursor` of the page before.',
        limit: 'Most events on a page.',
      },
    },
    answers: [
      {
        status: 200,
        description:
          'One page; `nextCursor` is null on the last. Or a searchset Bundle of FHIR R4 AuditEvents.',
        body: { type: 'json', schema: 'LogPage', orBytes: fhirType },
      },
    ],
    problems: ['malformed', 'denied', 'notAcceptable'],
  },
  {
    operationId: 'showEvent',
    method: 'get',
    path: '/v1/audit/events/{id}',
    params,
    needs: 'audit.read',
    summary: 'Show an event',
    description:
      'Its leaf, its private part opened, and the proof that the log holds it; `proof` is null for the moment until it is sealed.',
    answers: [
      {
        status: 200,
        description:
          'The event. Or a searchset Bundle with it as FHIR R4 AuditEvents, its private part told.',
        body: { type: 'json', schema: 'ShownEvent', orBytes: fhirType },
      },
    ],
    problems: ['malformed', 'denied', 'notFound', 'notAcceptable'],
  },
  {
    operationId: 'dropPrivatePart',
    method: 'post',
    path: '/v1/audit/events/{id}/private-part',
    params,
    needs: 'audit.drop_private',
    summary: 'Drop the private part of an event',
    description:
      'For good, and the log says by whom and why. The event stays, and every proof over the log still holds.',
    body: 'PrivatePartDrop',
    answers: [done('It is gone.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'listLogs',
    method: 'get',
    path: '/v1/audit/logs',
    needs: 'audit.read',
    summary: 'List the logs',
    description:
      'One a year, oldest first: its size, its newest signed root, and how much of it lies in write-once storage. ' +
      '`unsealedSince` says since when an event waits for its place.',
    answers: [ok('LogList', 'The logs.')],
    problems: ['denied'],
  },
  {
    operationId: 'showCheckpoint',
    method: 'get',
    path: '/v1/audit/checkpoint',
    needs: 'audit.read',
    summary: 'Show a signed root',
    description: 'As a signed note (C2SP tlog-checkpoint), and what it says.',
    query: {
      schema: CheckpointQuery,
      notes: {
        year: 'Of the log of this year. Default: the newest log.',
        size: 'That of this size. Default: the newest.',
      },
    },
    answers: [ok('Checkpoint', 'The signed root.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'proveInclusion',
    method: 'get',
    path: '/v1/audit/proof/inclusion',
    needs: 'audit.read',
    summary: 'Prove that the log holds an event',
    description:
      'The hashes beside the way from its leaf to the root (RFC 6962 section 2.1.1), with the signed root.',
    query: {
      schema: InclusionQuery,
      notes: {
        event: "The event's id.",
        size: 'For the signed root of this size. Default: the newest.',
      },
    },
    answers: [ok('InclusionProof', 'The proof.')],
    problems: ['malformed', 'denied', 'notFound', 'conflict'],
  },
  {
    operationId: 'proveConsistency',
    method: 'get',
    path: '/v1/audit/proof/consistency',
    needs: 'audit.read',
    summary: 'Prove that a log only grew',
    description: 'That the log of `to` leaves begins with the one of `from` leaves (RFC 6962 section 2.1.2).',
    query: {
      schema: ConsistencyQuery,
      notes: {
        year: 'Of the log of this year.',
        from: 'Leaves of the smaller tree.',
        to: 'Leaves of the larger one. Default: those of the newest signed root.',
      },
    },
    answers: [ok('ConsistencyProof', 'The proof.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'followLog',
    method: 'get',
    path: '/v1/audit/feed',
    needs: 'audit.follow',
    summary: 'Follow the log',
    description:
      'Events in the order of the log, one a line, each as in a search. Go on with the year and place of the last line ' +
      'that was taken. An answer without lines means that there is nothing new.',
    query: {
      schema: FeedQuery,
      notes: {
        after:
          'Year and place of the last event that was taken, such as `2026-1042`. Default: from the first event.',
        wait: 'Seconds to wait where there is nothing new.',
        limit: 'Most events of the answer.',
      },
    },
    answers: [
      {
        status: 200,
        description: 'The events.',
        body: { type: 'bytes', contentType: 'application/x-ndjson' },
      },
    ],
    problems: ['malformed', 'denied', 'conflict'],
  },
  {
    operationId: 'showReceiptKey',
    method: 'get',
    path: '/v1/audit/receipt-keys',
    // Whoever is given receipts may check them; the keys are public.
    needs: 'self.read',
    summary: 'Show the key of receipts',
    description:
      'A note in which the key service signs for the key of one process: the receipts of its answers (`X-Auricle-Receipt`) ' +
      'are signed by it.',
    query: {
      schema: ReceiptKeyQuery,
      notes: { writer: "The process, as the name of the receipt's key ends." },
    },
    answers: [ok('ReceiptKey', 'The note.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface AuditRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly log: SearchParts & ProofParts & FeedParts & DropParts
  readonly logStore: Pick<ObjectStore, 'list' | 'read'>
  /** How the outside reaches the API, without a trailing slash. */
  readonly outsideUrl: () => string
}

const idOf = (request: Request) => EventId.parse(request.params['id'])

export function createAuditHandlers({ identity, log, logStore, outsideUrl }: AuditRouteParts) {
  return {
    async searchLog(request, response) {
      const query = LogQuery.parse(request.query)
      const type = chooseType(request, response)
      if (type === null) return
      const facts = factsOf(identity, request)
      const asked = { facts, baseUrl: outsideUrl() }
      const { patient, ...page } = await searchLog(log, facts, query, exchangeOf(request))
      if (type === fhirType)
        await sendFhir(response, fhirOfPage({ ...page, patient }, query, asked), exchangeOf(request))
      else response.json(page)
    },
    async showEvent(request, response) {
      const id = idOf(request)
      const type = chooseType(request, response)
      if (type === null) return
      const facts = factsOf(identity, request)
      const shown = await showEvent(log, facts, id, exchangeOf(request))
      if (type === fhirType) {
        const page = fhirOfEvent(shown, { facts, baseUrl: outsideUrl() })
        await sendFhir(response, page, exchangeOf(request))
      } else response.json(shown)
    },
    async dropPrivatePart(request, response) {
      const drop = PrivatePartDrop.parse(request.body)
      const facts = factsOf(identity, request)
      await dropPrivatePart(log, facts, idOf(request), drop, exchangeOf(request))
      response.status(204).end()
    },
    async listLogs(request, response) {
      response.json(await listLogs(log, factsOf(identity, request), exchangeOf(request)))
    },
    async showCheckpoint(request, response) {
      const query = CheckpointQuery.parse(request.query)
      response.json(await showCheckpoint(log, factsOf(identity, request), query, exchangeOf(request)))
    },
    async proveInclusion(request, response) {
      const query = InclusionQuery.parse(request.query)
      response.json(await proveInclusion(log, factsOf(identity, request), query, exchangeOf(request)))
    },
    async proveConsistency(request, response) {
      const query = ConsistencyQuery.parse(request.query)
      response.json(await proveConsistency(log, factsOf(identity, request), query, exchangeOf(request)))
    },
    async followLog(request, response) {
      const query = FeedQuery.parse(request.query)
      const { signal } = exchangeOf(request)
      const events = await followLog(log, factsOf(identity, request), query, { signal })
      const lines = linesOf(events)[Symbol.asyncIterator]()
      // Read before anything is answered: until then a failure has a status.
      const first = await lines.next()
      response.type('application/x-ndjson; charset=utf-8')
      if (first.done === true) {
        response.end()
        return
      }
      await pipeline(resume(first.value, lines), response, { signal })
    },
    async showReceiptKey(request, response) {
      const { writer } = ReceiptKeyQuery.parse(request.query)
      const { signal } = exchangeOf(request)
      for await (const note of listReceiptKeys(logStore, { writer, signal })) {
        response.json({ note })
        return
      }
      throw new VaultError('not_found', 'No key of such a process was signed for')
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}

async function* linesOf(events: AsyncIterable<SealedEventView>): AsyncGenerator<string> {
  for await (const event of events) yield `${JSON.stringify(event)}\n`
}

async function* resume(first: string, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  yield first
  yield* rest
}
