// How an answer gets onto the wire: as fast as the other side takes it, and cut where a fault says so.
import type { ServerResponse } from 'node:http'
import type { Answer } from './call.ts'

/** After how many bytes of the body the connection is cut; null: never. The last byte is never sent before a cut. */
export type CutAfter = number | null

export async function send(
  response: ServerResponse,
  answer: Answer,
  cutAfterBytes: CutAfter,
  pieces: AsyncIterable<Buffer> | Iterable<Buffer> | null,
): Promise<void> {
  const { status, headers = {}, body } = answer
  if (body === undefined) {
    response.writeHead(status, {
      ...headers,
      ...(status === 204 || status === 304 ? {} : { 'content-length': 0 }),
    })
    if (cutAfterBytes === null) response.end()
    else response.destroy()
    return
  }
  const text = body.type === 'json' ? Buffer.from(JSON.stringify(body.value)) : null
  const size = text?.length ?? (body.type === 'bytes' ? body.size : 0)
  const type = text === null ? {} : { 'content-type': 'application/json; charset=UTF-8' }
  response.writeHead(status, { ...type, ...headers, 'content-length': size })
  let left =
    cutAfterBytes === null ? Number.POSITIVE_INFINITY : Math.max(0, Math.min(cutAfterBytes, size - 1))
  if (left === 0) response.flushHeaders()
  for await (const piece of text === null ? (pieces ?? []) : [text]) {
    if (response.destroyed || left === 0) break
    const part = piece.subarray(0, left)
    left -= part.length
    if (!response.write(part)) await drained(response)
  }
  if (cutAfterBytes === null) response.end()
  else response.socket?.destroySoon()
}

async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return
  const { promise, resolve } = Promise.withResolvers<void>()
  response.once('drain', resolve)
  response.once('close', resolve)
  await promise
  response.off('drain', resolve)
  response.off('close', resolve)
}
