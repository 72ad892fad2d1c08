// What each operation does: one call into the vault, and its answer.
import type { Catalog } from '@auricle/catalog'
import { RecordingId, RecordingPatch, RecordingQuery, type Session } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  type Bearer,
  listRecordings,
  markRecording,
  type Player,
  type PlayRequest,
  type RequestFacts,
  showRecording,
} from '@auricle/vault'
import type { Request, Response } from 'express'
import { rangeOf, sendAudio } from './audio-answer.ts'
import { exchangeOf, originOf } from './request.ts'
import { AudioQuery, type OperationId } from './routes-table.ts'

export type Handler = (request: Request, response: Response) => Promise<void>

/** One for every operation of the table: without it the service does not compile. */
export type Handlers = Readonly<Record<OperationId, Handler>>

export interface HandlerParts {
  readonly identity: HttpIdentity<Session>
  readonly catalog: Pick<Catalog, 'listMailboxes'>
  readonly browse: Parameters<typeof listRecordings>[0]
  readonly player: Player
  readonly endSession: (facts: RequestFacts, options: { readonly signal: AbortSignal }) => Promise<void>
  readonly audioBytes: (bytes: number) => void
  /** The OpenAPI document. */
  readonly document: object
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

export function createHandlers(parts: HandlerParts): Handlers {
  const { identity, browse } = parts

  const factsOf = (request: Request): RequestFacts => ({
    ...originOf(request),
    actor: identity.actorOf(request),
  })
  const idOf = (request: Request) => RecordingId.parse(request.params['id'])
  const signalOf = (request: Request) => ({ signal: exchangeOf(request).signal })

  const audio: Handler = async (request, response) => {
    const { role, download } = AudioQuery.parse(request.query)
    const { tenantId, userId, tokenId } = identity.claimsOf(request)
    const bearer: Bearer = { tenantId, userId, tokenId }
    const recordingId = idOf(request)
    const purpose = download ? 'export' : 'play'
    const { signal } = exchangeOf(request)
    const playback = await parts.player.open(
      { ...originOf(request), bearer, recordingId, role, purpose, range: partOf(request) },
      { signal },
    )
    const extension = extensions[playback.contentType] ?? 'bin'
    await sendAudio(request, response, {
      playback,
      fileName: `${recordingId}.${extension}`,
      disposition: download ? 'attachment' : 'inline',
      onBytes: parts.audioBytes,
      signal,
    })
  }

  return {
    async signIn(request, response) {
      response.status(201).set('Cache-Control', 'no-store').json(identity.resultOf(request))
    },
    async signOut(request, response) {
      await parts.endSession(factsOf(request), signalOf(request))
      response.status(204).end()
    },
    async getMe(request, response) {
      const { tenantId, userId, roles, mailboxIds } = identity.actorOf(request)
      response.json({ tenant: tenantId, user: userId, roles, mailboxes: mailboxIds })
    },
    async listMailboxes(request, response) {
      const { tenantId, mailboxIds } = identity.actorOf(request)
      const mailboxes = await parts.catalog.listMailboxes(tenantId, signalOf(request))
      const own = mailboxes.filter(({ id }) => mailboxIds.includes(id))
      response.json({ mailboxes: own.map(({ id, address, name }) => ({ id, address, name })) })
    },
    async listRecordings(request, response) {
      const query = RecordingQuery.parse(request.query)
      response.json(await listRecordings(browse, factsOf(request), query, signalOf(request)))
    },
    async showRecording(request, response) {
      response.json(await showRecording(browse, factsOf(request), idOf(request), signalOf(request)))
    },
    async markRecording(request, response) {
      const { heard } = RecordingPatch.parse(request.body)
      response.json(await markRecording(browse, factsOf(request), idOf(request), heard, signalOf(request)))
    },
    playRecording: audio,
    async showPeaks(request, response) {
      const { tenantId, userId, tokenId } = identity.claimsOf(request)
      const bearer: Bearer = { tenantId, userId, tokenId }
      const asked = {
        ...originOf(request),
        bearer,
        recordingId: idOf(request),
        role: 'peaks',
        purpose: 'show',
      } as const
      const playback = await parts.player.open(asked, signalOf(request))
      await sendAudio(request, response, {
        playback,
        fileName: `${asked.recordingId}.json`,
        disposition: 'inline',
        onBytes: () => undefined,
        signal: exchangeOf(request).signal,
      })
    },
    async showOpenApi(_request, response) {
      response.json(parts.document)
    },
  } satisfies Handlers
}
