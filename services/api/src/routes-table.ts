// Every route of the API as data: the router serves exactly these, and the OpenAPI document describes exactly these.
//
// A route says what right it needs, or that it is public; one that says nothing does not compile.
import {
  ObjectRole,
  Peaks,
  Problem,
  type ProblemName,
  RecordingPage,
  RecordingPatch,
  RecordingQuery,
  RecordingView,
  Session,
  SignIn,
} from '@auricle/contract'
import type { Action } from '@auricle/identity'
import { z } from 'zod'
import { Health, MailboxList, Me } from './answers.ts'

/** Everything that crosses the wire as JSON, under the names the document gives it. */
export const schemas = {
  Health,
  MailboxList,
  Me,
  Peaks,
  Problem,
  RecordingPage,
  RecordingPatch,
  RecordingView,
  Session,
  SignIn,
  /** The OpenAPI document itself. */
  Document: z.looseObject({ openapi: z.string() }),
} as const satisfies Record<string, z.ZodType>
export type SchemaName = keyof typeof schemas

export const AudioQuery = z.strictObject({
  role: ObjectRole.exclude(['peaks']).default('playback'),
  /** `true` asks for a file to keep, which is decided and logged as an export. */
  download: z.stringbool().default(false),
})

export interface Answer {
  readonly status: number
  readonly description: string
  /** JSON of a schema, bytes of some content type, or nothing. */
  readonly body:
    | { readonly type: 'json'; readonly schema: SchemaName }
    | { readonly type: 'bytes'; readonly contentType: string }
    | null
  /** Response headers by name, with what each says. */
  readonly headers?: Readonly<Record<string, string>>
}

interface RouteOf<Id extends string> {
  readonly operationId: Id
  /** A `get` is served for HEAD too, with the same headers and no body. */
  readonly method: 'get' | 'post' | 'patch' | 'delete'
  /** As OpenAPI writes it; `{id}` is a recording's id. */
  readonly path: string
  /**
   * An action that is decided, and logged, for the person who asks; `signed-in` for what concerns only themselves;
   * `public` for everybody.
   */
  readonly needs: Action | 'signed-in' | 'public'
  readonly summary: string
  readonly description: string
  readonly query?: { readonly schema: z.ZodObject; readonly notes: Readonly<Record<string, string>> }
  readonly body?: SchemaName
  /** Request headers that matter beyond the token, with what each does. */
  readonly requestHeaders?: Readonly<Record<string, string>>
  readonly answers: readonly Answer[]
  /** Refusals of this route; those that any route can give are added (see `commonProblems`). */
  readonly problems: readonly ProblemName[]
}

const json = (schema: SchemaName) => ({ type: 'json', schema }) as const
const ok = (schema: SchemaName, description: string): Answer => ({
  status: 200,
  description,
  body: json(schema),
})

const audioHeaders = {
  'Accept-Ranges': '`bytes`.',
  ETag: 'Strong tag of these bytes.',
  'Content-Length': 'Bytes of this answer.',
  'Content-Disposition': '`inline`, or `attachment` with a file name for a download.',
}

const table = [
  {
    operationId: 'signIn',
    method: 'post',
    path: '/v1/sessions',
    needs: 'public',
    summary: 'Sign in',
    description: 'Password and one-time code for a bearer token that holds for twelve hours.',
    body: 'SignIn',
    answers: [{ status: 201, description: 'Signed in.', body: json('Session') }],
    problems: ['malformed', 'badCredentials', 'tooLarge', 'tooManyAttempts'],
  },
  {
    operationId: 'signOut',
    method: 'delete',
    path: '/v1/sessions/current',
    needs: 'signed-in',
    summary: 'Sign out',
    description: 'Ends the token that this request carries, at once and everywhere.',
    answers: [{ status: 204, description: 'The token no longer holds.', body: null }],
    problems: [],
  },
  {
    operationId: 'getMe',
    method: 'get',
    path: '/v1/me',
    needs: 'signed-in',
    summary: 'Who am I',
    description: 'The person of the token, their roles and the mailboxes they own.',
    answers: [ok('Me', 'The person.')],
    problems: [],
  },
  {
    operationId: 'listMailboxes',
    method: 'get',
    path: '/v1/mailboxes',
    needs: 'signed-in',
    summary: 'My mailboxes',
    description: 'The mailboxes that the person owns, with their addresses and names.',
    answers: [ok('MailboxList', 'The mailboxes.')],
    problems: [],
  },
  {
    operationId: 'listRecordings',
    method: 'get',
    path: '/v1/recordings',
    needs: 'recording.list',
    summary: 'List recordings',
    description:
      'Recordings of the mailboxes the person owns, newest start first. All filters given must hold.',
    query: {
      schema: RecordingQuery,
      notes: {
        mailbox: 'Only recordings for this mailbox.',
        kind: 'Only voicemails, or only call recordings.',
        after: 'Started at this time or later.',
        before: 'Started before this time.',
        number: 'Either party has exactly this number; only its digits count.',
        heard: 'Only those that were heard, or only those that were not.',
        cursor: '`nextCursor` of the page before.',
        limit: 'Most recordings on a page.',
      },
    },
    answers: [ok('RecordingPage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied'],
  },
  {
    operationId: 'showRecording',
    method: 'get',
    path: '/v1/recordings/{id}',
    needs: 'recording.show',
    summary: 'Show a recording',
    description: 'Its facts, parties and retention.',
    answers: [ok('RecordingView', 'The recording.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'markRecording',
    method: 'patch',
    path: '/v1/recordings/{id}',
    needs: 'recording.mark',
    summary: 'Mark as heard or unheard',
    description: 'Who heard it first, and when, stays on record while it is marked as heard.',
    body: 'RecordingPatch',
    answers: [ok('RecordingView', 'The recording as it is now.')],
    problems: ['malformed', 'denied', 'notFound', 'tooLarge'],
  },
  {
    operationId: 'playRecording',
    method: 'get',
    path: '/v1/recordings/{id}/audio',
    needs: 'recording.play',
    summary: 'Hear a recording',
    description:
      'The audio, whole or one range of its bytes. The access is in the audit log before the first byte is sent, ' +
      'and every byte was verified. A connection cut off in the middle means that the rest could not be; several ' +
      'ranges at once are answered with the whole.',
    query: {
      schema: AudioQuery,
      notes: {
        role: '`playback` is what browsers play, or the original where there is no rendition; `original` is as delivered.',
        download: '`true` for a file to keep; logged as an export.',
      },
    },
    requestHeaders: {
      Range: 'One range of bytes, such as `bytes=0-65535`, `bytes=65536-` or `bytes=-1024`.',
      'If-Range': 'Serve the range only if the tag is still this one, the whole otherwise.',
      'If-None-Match': 'Answer 304 if the tag is this one.',
    },
    answers: [
      {
        status: 200,
        description: 'All of the audio.',
        body: { type: 'bytes', contentType: 'audio/*' },
        headers: audioHeaders,
      },
      {
        status: 206,
        description: 'The range.',
        body: { type: 'bytes', contentType: 'audio/*' },
        headers: { ...audioHeaders, 'Content-Range': '`bytes first-last/whole`, both inclusive.' },
      },
      { status: 304, description: 'The audio has the tag that was named.', body: null },
    ],
    problems: ['malformed', 'denied', 'notFound', 'rangeNotSatisfiable'],
  },
  {
    operationId: 'showPeaks',
    method: 'get',
    path: '/v1/recordings/{id}/peaks',
    // A picture of the sound: it takes the right to hear it.
    needs: 'recording.play',
    summary: 'Waveform of a recording',
    description:
      'Lowest and highest sample of each stretch of time, for drawing. Not there for undecodable audio.',
    answers: [ok('Peaks', 'The waveform.')],
    problems: ['malformed', 'denied', 'notFound', 'rangeNotSatisfiable'],
  },
  {
    operationId: 'showOpenApi',
    method: 'get',
    path: '/v1/openapi.json',
    needs: 'public',
    summary: 'This document',
    description: 'The description of this API in OpenAPI 3.1.',
    answers: [ok('Document', 'The document.')],
    problems: [],
  },
] as const satisfies readonly RouteOf<string>[]

export type OperationId = (typeof table)[number]['operationId']
export type Route = RouteOf<OperationId>

/** What the router serves. */
export const routes: readonly Route[] = table

/** What every service answers to machines, by its health handler and not by the router. */
export const machineRoutes: readonly RouteOf<'getLiveness' | 'getReadiness' | 'getMetrics'>[] = [
  {
    operationId: 'getLiveness',
    method: 'get',
    path: '/healthz',
    needs: 'public',
    summary: 'Is the process alive',
    description: 'Says nothing of what it depends on.',
    answers: [ok('Health', 'It lives.')],
    problems: [],
  },
  {
    operationId: 'getReadiness',
    method: 'get',
    path: '/readyz',
    needs: 'public',
    summary: 'Can the service work',
    description: 'Names what is missing.',
    answers: [
      ok('Health', 'It can.'),
      { status: 503, description: 'It cannot; `missing` says why.', body: json('Health') },
    ],
    problems: [],
  },
  {
    operationId: 'getMetrics',
    method: 'get',
    path: '/metrics',
    needs: 'public',
    summary: 'Metrics',
    description: 'Counters and times in the text format of Prometheus; no ids and no names.',
    answers: [
      { status: 200, description: 'The metrics.', body: { type: 'bytes', contentType: 'text/plain' } },
    ],
    problems: [],
  },
]

/** Problems that any route of the router may answer with, beyond its own. */
export function commonProblems(route: Pick<Route, 'needs'>): readonly ProblemName[] {
  const always = ['internal', 'unavailable'] as const
  return route.needs === 'public' ? always : ['unauthenticated', ...always]
}
