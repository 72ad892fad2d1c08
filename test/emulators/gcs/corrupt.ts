// What faults make of bytes and checksums: one bit of one byte is another.
import type { Answer } from './call.ts'

/** The middle byte of the first piece that has any. The pieces themselves stay as they are. */
export async function* corruptBytes(
  pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
): AsyncGenerator<Buffer> {
  let isDone = false
  for await (const piece of pieces) {
    yield isDone || piece.length === 0 ? piece : flipMiddle(piece)
    isDone ||= piece.length > 0
  }
}

export function flipMiddle(bytes: Buffer): Buffer {
  const flipped = Buffer.from(bytes)
  const middle = flipped.length >> 1
  flipped[middle] = (flipped[middle] ?? 0) ^ 1
  return flipped
}

/** The same answer with another CRC32C in its header or its resource. */
export function corruptChecksum(answer: Answer): Answer {
  const { headers = {}, body } = answer
  const hash = headers['x-goog-hash']
  const value = body?.type === 'json' ? (body.value as Readonly<Record<string, unknown>>) : {}
  return {
    ...answer,
    headers:
      hash === undefined
        ? headers
        : { ...headers, 'x-goog-hash': hash.replace(/(?<=crc32c=)[\w+/=]+/, other) },
    ...(typeof value['crc32c'] === 'string'
      ? { body: { type: 'json', value: { ...value, crc32c: other(value['crc32c']) } } }
      : {}),
  }
}

const other = (checksum: string): string => flipMiddle(Buffer.from(checksum, 'base64')).toString('base64')
