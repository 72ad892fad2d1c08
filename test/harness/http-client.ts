// A plain HTTP client that can be told to break off in the middle of a body, as networks and PBXs do.
import { request } from 'node:http'
import { Readable } from 'node:stream'

export interface Sending {
  readonly method: 'POST' | 'PUT' | 'GET' | 'PATCH' | 'DELETE' | 'HEAD'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array> | null
  /** Destroys the connection once this many bytes of the body went out. */
  readonly cutAfterBytes?: number | null
  readonly timeoutMs: number
  /** Called when the head of the answer has arrived, before any of its body is read. */
  readonly onHead?: () => Promise<void>
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** Rejects where the connection broke or nothing came in time; resolves with whatever answer there was otherwise. */
export function send(sending: Sending): Promise<Answer> {
  const { method, url, headers, body, cutAfterBytes = null, timeoutMs, onHead } = sending
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const outgoing = request(url, { method, headers, agent: false })
  const timer = setTimeout(() => outgoing.destroy(new Error('no answer in time')), timeoutMs)
  const fail = (error: unknown) => {
    clearTimeout(timer)
    outgoing.destroy()
    reject(error)
  }
  outgoing.on('error', fail)
  let hasAnswer = false
  outgoing.on('close', () => {
    if (!hasAnswer) fail(new Error('the connection closed without an answer'))
  })
  outgoing.on('response', incoming => {
    hasAnswer = true
    const collect = async () => {
      await onHead?.()
      const pieces: Buffer[] = []
      for await (const piece of incoming) pieces.push(piece)
      if (!incoming.complete) throw new Error('the answer was cut off')
      clearTimeout(timer)
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(pieces) })
      outgoing.destroy()
    }
    collect().catch(fail)
  })
  if (body === null) outgoing.end()
  else
    Readable.from(cutAfterBytes === null ? body : cutOff(body, cutAfterBytes))
      .on('error', fail)
      .pipe(outgoing)
  return promise
}

export class CutOff extends Error {
  override readonly name = 'CutOff'
}

async function* cutOff(body: AsyncIterable<Uint8Array>, bytesMost: number): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const piece of body) {
    const part = piece.subarray(0, bytesMost - bytes)
    if (part.length > 0) yield part
    bytes += part.length
    if (bytes >= bytesMost) throw new CutOff('cut off on purpose')
  }
}

const pieceBytes = 64 * 1024

/** Bytes at hand, in pieces of the size that networks hand over. */
export async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    yield bytes.subarray(start, Math.min(start + pieceBytes, bytes.length))
  }
}
