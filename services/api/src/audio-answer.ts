// Sends audio over HTTP: whole or one byte range (RFC 9110 sections 13.1.5 and 14), verified piece by piece.
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { problems } from '@auricle/contract'
import type { Playback, Sending } from '@auricle/vault'
import type { Request, Response } from 'express'
import { wantedRange } from './byte-range.ts'
import { sendProblem } from './problem.ts'
import { exchangeOf } from './request.ts'

export interface AudioAnswer {
  readonly playback: Playback
  /** Name a browser saves it under; ids only. */
  readonly fileName: string
  readonly disposition: 'inline' | 'attachment'
  /** Told how many bytes an answer is about to send. */
  readonly onBytes: (bytes: number) => void
  readonly signal: AbortSignal
}

/**
 * Nothing is sent before the first piece has been verified. Whatever fails after it cuts the connection: a client
 * must never take a broken answer for a whole one.
 */
export async function sendAudio(request: Request, response: Response, answer: AudioAnswer): Promise<void> {
  const { playback } = answer
  const { sizeBytes, etag, contentType } = playback
  // In the order of RFC 9110 section 13.2.2.
  if (matches(request.get('If-None-Match'), etag)) {
    response.status(304).set(headersOf(answer)).end()
    return
  }
  const wanted = rangeOf(request, playback)
  if (wanted.type === 'unsatisfiable') {
    response.set('Content-Range', `bytes */${sizeBytes}`)
    return sendProblem(response, { ...problems.rangeNotSatisfiable, instance: exchangeOf(request).id })
  }
  const range = wanted.type === 'part' ? { start: wanted.start, end: wanted.end } : null
  const lengthBytes = range === null ? sizeBytes : range.end - range.start
  const stream = followUntilSent(playback, response, answer.signal)
  const signal = AbortSignal.any([answer.signal, stream.signal])
  const pieces = request.method === 'HEAD' ? null : playback.read(range, { signal })[Symbol.asyncIterator]()
  const first = await pieces?.next()

  response.status(range === null ? 200 : 206).set(headersOf(answer))
  if (range !== null) response.set('Content-Range', `bytes ${range.start}-${range.end - 1}/${sizeBytes}`)
  response.set('Content-Length', String(lengthBytes)).type(contentType)
  if (pieces === null || first === undefined || first.done === true) {
    response.end()
    return
  }
  answer.onBytes(lengthBytes)
  const start = range?.start ?? 0
  if (first.value.length === lengthBytes) {
    // All of a small range: head and body leave in one write, and nobody waits for the file to be closed.
    stream.sent({ start, end: start + lengthBytes })
    response.end(first.value)
    await pieces.return?.()
    return
  }
  try {
    await sendPieces(response, resume(first.value, pieces), stream, start, signal)
  } catch (error) {
    response.destroy()
    stream.signal.throwIfAborted()
    throw error
  }
}

/** Each piece is told before it goes to the socket: what a client has was told, and a little that waits here may be too. */
async function sendPieces(
  response: Response,
  pieces: AsyncIterable<Uint8Array>,
  stream: Sending,
  start: number,
  signal: AbortSignal,
): Promise<void> {
  const sent = finished(response, { signal })
  // It is waited for at the end, and hears of a broken connection from the beginning.
  sent.catch(() => undefined)
  let at = start
  for await (const piece of pieces) {
    signal.throwIfAborted()
    stream.sent({ start: at, end: at + piece.length })
    at += piece.length
    if (!response.write(piece)) await once(response, 'drain', { signal })
    // There is room for the next one: those before have gone out.
    stream.advance()
  }
  response.end()
  await sent
}

/** Also after the last byte was read: what waits here for a slow client must not leave after the cut. */
function followUntilSent(playback: Playback, response: Response, gone: AbortSignal): Sending {
  const stream = playback.follow()
  const end = () => stream[Symbol.dispose]()
  stream.signal.addEventListener('abort', () => response.destroy(), { once: true })
  response.once('finish', end)
  gone.addEventListener('abort', end, { once: true })
  if (gone.aborted) end()
  return stream
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

/** What of an object the request asks for, by its headers alone. */
export function rangeOf(
  request: Request,
  object: Pick<Playback, 'sizeBytes' | 'etag'>,
): ReturnType<typeof wantedRange> {
  return wantedRange(askedRange(request, object.etag), object.sizeBytes)
}

/** RFC 9110 sections 13.1.5 and 14.2: a range is for GET alone, and only while the tag is still the one named. */
function askedRange(request: Request, etag: string): string | undefined {
  const ifRange = request.get('If-Range')
  const isAsked = request.method === 'GET' && (ifRange === undefined || ifRange === etag)
  return isAsked ? request.get('Range') : undefined
}

function headersOf({ playback, fileName, disposition }: AudioAnswer): Record<string, string> {
  return {
    'Accept-Ranges': 'bytes',
    ETag: playback.etag,
    'Cache-Control': 'private, no-store',
    'Content-Disposition': `${disposition}; filename="${fileName}"`,
  }
}
