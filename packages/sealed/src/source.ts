// Reading small exact ranges of a source, and a source made of bytes in memory.
import type { ByteRange } from '@auricle/contract'
import { notAuthentic } from './error.ts'
import type { CallOptions, SealedSource } from './port.ts'

/** The bytes of the range in a buffer of their own. Throws `not_authentic` if the source gives another amount. */
export async function readExactly(
  source: SealedSource,
  range: ByteRange,
  { signal }: CallOptions,
): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(range.end - range.start)
  if (bytes.length === 0) return bytes
  let at = 0
  for await (const piece of source.read(range, { signal })) {
    signal?.throwIfAborted()
    if (at + piece.length > bytes.length)
      throw notAuthentic('the source gave more bytes than it was asked for')
    bytes.set(piece, at)
    at += piece.length
  }
  if (at < bytes.length) throw notAuthentic('the source ended early')
  return bytes
}

/** Sealed bytes held in memory as a source. The bytes are not copied and must not change. */
export function bytesSource(bytes: Uint8Array): SealedSource {
  return {
    sizeBytes: bytes.length,
    async *read(range, { signal } = {}) {
      signal?.throwIfAborted()
      yield bytes.subarray(range.start, range.end)
    },
  }
}
