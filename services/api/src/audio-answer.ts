// Sends audio over HTTP: whole or one byte range (RFC 9110 sections 13.1.5 and 14), verified piece by piece.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ByteRange } from '@auricle/contract'
import { problems } from '@auricle/contract'
import type { Playback } from '@auricle/vault'
import type { Request, Response } from 'express'
import { sendProblem } from './problem.ts'

export interface AudioAnswer {
  readonly playback: Playback
  /** Name a browser saves it under; ids only. */
  readonly fileName: string
  readonly disposition: 'inline' | 'attachment'
  /** Told how many bytes an answer is about to send. */
  readonly onBytes: (bytes: number) => void
  readonly signal: AbortSignal
}

type Wanted =
  | { readonly type: 'whole' }
  | { readonly type: 'unsatisfiable' }
  | ({ readonly type: 'part' } & ByteRange)

/**
 * Nothing is sent before the first piece has been verified. Whatever fails after it cuts the connection: a client
 * must never take a broken answer for a whole one.
 */
export async function sendAudio(request: Request, response: Response, answer: AudioAnswer): Promise<void> {
  const { playback, signal } = answer
  const wanted = wantedRange(request, playback)
  setHeaders(response, answer)
  if (wanted.type === 'unsatisfiable') {
    response.set('Content-Range', `bytes */${playback.sizeBytes}`)
    return sendProblem(response, problems.rangeNotSatisfiable)
  }
  if (matches(request.get('If-None-Match'), playback.etag)) {
    response.status(304).end()
    return
  }
  const range = wanted.type === 'part' ? { start: wanted.start, end: wanted.end } : null
  const lengthBytes = range === null ? playback.sizeBytes : range.end - range.start
  response.status(range === null ? 200 : 206).set('Content-Length', String(lengthBytes))
  if (range !== null)
    response.set('Content-Range', `bytes ${range.start}-${range.end - 1}/${playback.sizeBytes}`)
  response.type(playback.contentType)
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  const pieces = playback.read(range, { signal })[Symbol.asyncIterator]()
  const first = await pieces.next()
  if (first.done === true) {
    response.end()
    return
  }
  answer.onBytes(lengthBytes)
  await pipeline(Readable.from(resume(first.value, pieces), { objectMode: false }), response, { signal })
}

async function* resume(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

/** RFC 9110 section 13.1.2; a weak comparison, which for strong tags is equality. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some(tag => ['*', etag].includes(tag.trim().replace(/^W\//, '')))
}

/** One satisfiable range is served; several, or what is no byte range at all, are ignored as RFC 9110 allows. */
function wantedRange(request: Request, playback: Playback): Wanted {
  const ifRange = request.get('If-Range')
  if (ifRange !== undefined && ifRange !== playback.etag) return { type: 'whole' }
  const ranges = request.range(playback.sizeBytes)
  if (ranges === -1) return { type: 'unsatisfiable' }
  const only = Array.isArray(ranges) && ranges.type === 'bytes' && ranges.length === 1 ? ranges[0] : undefined
  return only === undefined ? { type: 'whole' } : { type: 'part', start: only.start, end: only.end + 1 }
}

function setHeaders(response: Response, { playback, fileName, disposition }: AudioAnswer): void {
  response.set({
    'Accept-Ranges': 'bytes',
    ETag: playback.etag,
    'Cache-Control': 'private, no-store',
    'Content-Disposition': `${disposition}; filename="${fileName}"`,
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'X-Content-Type-Options': 'nosniff',
  })
}
