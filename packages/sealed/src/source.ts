// Reading exact ranges of a source, and a source made of bytes in memory.
import type { ByteRange } from '@auricle/contract'
import { notAuthentic } from './error.ts'
import type { CallOptions, SealedSource } from './port.ts'

/** The bytes of the range in one buffer. Throws `not_authentic` if the source gives another amount. */
export async function readExactly(
  source: SealedSource,
  range: ByteRange,
  { signal }: CallOptions,
): Promise<Buffer> {
  const wantedBytes = range.end - range.start
  const pieces: Uint8Array[] = []
  let bytes = 0
  if (wantedBytes > 0) {
    for await (const piece of source.read(range, { signal })) {
      signal?.throwIfAborted()
      bytes += piece.length
      if (bytes > wantedBytes) throw notAuthentic('the source gave more bytes than it was asked for')
      pieces.push(piece)
    }
  }
  if (bytes < wantedBytes) throw notAuthentic('the source ended early')
  const [only] = pieces
  if (pieces.length !== 1 || only === undefined) return Buffer.concat(pieces)
  return Buffer.from(only.buffer, only.byteOffset, only.length)
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
