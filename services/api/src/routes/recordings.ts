// Recordings: listed, shown, marked, heard.

import type { Session } from '@auricle/contract'
import {
  ObjectRole,
  Peaks,
  Purpose,
  RecordingId,
  RecordingPage,
  RecordingPatch,
  RecordingQuery,
  RecordingView,
} from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  type Bearer,
  labelRecording,
  listRecordings,
  markRecording,
  type Player,
  type PlayRequest,
  showRecording,
} from '@auricle/vault'
import type { Request } from 'express'
import { z } from 'zod'
import { rangeOf, sendAudio } from '../audio-answer.ts'
import { showBanner } from '../break-glass-banner.ts'
import { exchangeOf, factsOf, originOf } from '../request.ts'
import { type Handler, ok, type RouteOf } from '../route.ts'

const AudioQuery = z.strictObject({
  role: ObjectRole.exclude(['peaks']).default('playback'),
  /** `true` asks for a file to keep, which is decided and logged as an export. */
  download: z.stringbool().default(false),
  purpose: Purpose.optional(),
})

const PurposeQuery = z.strictObject({ purpose: Purpose.optional() })

const audioHeaders = {
  'Accept-Ranges': '`bytes`.',
  ETag: 'Strong tag of these bytes.',
  'Content-Length': 'Bytes of this answer.',
  'Content-Disposition': '`inline`, or `attachment` with a file name for a download.',
}

/** Under the names the document gives them. */
export const schemas = {
  Peaks,
  RecordingPage,
  RecordingPatch,
  RecordingView,
} as const satisfies Record<string, z.ZodType>

export const table = [
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
        label: 'Only those with this label.',
        heard: 'Only those that were heard, or only those that were not.',
        held: 'Only those that a legal hold covers, or only those that none covers.',
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
    summary: 'Mark as heard or unheard, or label',
    description:
      'Who heard it first, and when, stays on record while it is marked as heard. Labels keep it from whoever lacks ' +
      'the role of their name: putting one on takes the right to label it, taking one off that of a compliance officer.',
    body: 'RecordingPatch',
    answers: [ok('RecordingView', 'The recording as it is now.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'tooLarge'],
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
        purpose: 'What it is heard for, where the role that allows it needs to be told.',
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
    problems: ['malformed', 'stepUpRequired', 'purposeRequired', 'denied', 'notFound', 'rangeNotSatisfiable'],
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
    query: {
      schema: PurposeQuery,
      notes: { purpose: 'What it is shown for, where the role that allows it needs to be told.' },
    },
    answers: [ok('Peaks', 'The waveform.')],
    problems: ['malformed', 'stepUpRequired', 'purposeRequired', 'denied', 'notFound', 'rangeNotSatisfiable'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface RecordingRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly browse: Parameters<typeof listRecordings>[0]
  readonly player: Player
  readonly audioBytes: (bytes: number) => void
}

const extensions: Readonly<Record<string, string>> = {
  'audio/mpeg': 'mp3',
  'audio/wav': 'wav',
  'audio/ogg': 'ogg',
}

/** The part of an object that the request will read; null where it is the whole, or none. */
const partOf =
  (request: Request): NonNullable<PlayRequest['range']> =>
  object => {
    const wanted = rangeOf(request, object)
    return wanted.type === 'part' ? { start: wanted.start, end: wanted.end } : null
  }

const idOf = (request: Request) => RecordingId.parse(request.params['id'])

export function createRecordingHandlers({ identity, browse, player, audioBytes }: RecordingRouteParts) {
  const bearerOf = (request: Request): Bearer => {
    const { tenantId, userId, tokenId, secretHash } = identity.claimsOf(request)
    return { tenantId, userId, tokenId, secretHash }
  }
  return {
    async listRecordings(request, response) {
      const query = RecordingQuery.parse(request.query)
      response.json(await listRecordings(browse, factsOf(identity, request), query, exchangeOf(request)))
    },
    async showRecording(request, response) {
      const facts = factsOf(identity, request)
      response.json(await showRecording(browse, facts, idOf(request), exchangeOf(request)))
    },
    async markRecording(request, response) {
      const patch = RecordingPatch.parse(request.body)
      const facts = factsOf(identity, request)
      const changed =
        'heard' in patch
          ? markRecording(browse, facts, idOf(request), patch.heard, exchangeOf(request))
          : labelRecording(browse, facts, idOf(request), patch.labels, exchangeOf(request))
      response.json(await changed)
    },
    async playRecording(request, response) {
      const { role, download, purpose: purposeOfUse = null } = AudioQuery.parse(request.query)
      const recordingId = idOf(request)
      const { signal } = exchangeOf(request)
      const asked = {
        ...originOf(request),
        bearer: bearerOf(request),
        recordingId,
        role,
        purpose: download ? 'export' : 'play',
        purposeOfUse,
        onActor: actor => showBanner(response, actor),
        range: partOf(request),
      } as const satisfies PlayRequest
      const playback = await player.open(asked, { signal })
      const extension = extensions[playback.contentType] ?? 'bin'
      await sendAudio(request, response, {
        playback,
        fileName: `${recordingId}.${extension}`,
        disposition: download ? 'attachment' : 'inline',
        onBytes: audioBytes,
        signal,
      })
    },
    async showPeaks(request, response) {
      const { purpose: purposeOfUse = null } = PurposeQuery.parse(request.query)
      const { signal } = exchangeOf(request)
      const asked = {
        ...originOf(request),
        bearer: bearerOf(request),
        recordingId: idOf(request),
        role: 'peaks',
        purpose: 'show',
        purposeOfUse,
        onActor: actor => showBanner(response, actor),
      } as const satisfies PlayRequest
      const playback = await player.open(asked, { signal })
      await sendAudio(request, response, {
        playback,
        fileName: `${asked.recordingId}.json`,
        disposition: 'inline',
        onBytes: () => undefined,
        signal,
      })
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
