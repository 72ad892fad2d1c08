// Reads the range that a request of a running playback asks for while it is still being decided whether it may have it:
// the two waits, for the catalog and for the store, are then one. What was read is verified like any other read, stays
// here until it is taken, and is forgotten where the answer is no.
import type { ByteRange } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import type { SharedReading } from './shared-reading.ts'

/** A longer range takes its time anyhow, and this much memory is held for a request that may be refused. */
const aheadMostBytes = 512 * 1024

export interface ReadAhead {
  /** The bytes of the range, in one piece; null for any other range. */
  take(range: ByteRange | null): AsyncGenerator<Uint8Array> | null
}

/** Null where reading ahead is not worth it. It reads to the end by itself, so nobody has to close it. */
export function readAhead(
  reading: SharedReading,
  range: ByteRange | null,
  options: CallOptions,
): ReadAhead | null {
  if (range === null || range.end - range.start > aheadMostBytes) return null
  const bytes = gather(reading.read(range, options))
  // Whoever takes the range hears of a failure; nobody else cares.
  bytes.catch(() => undefined)
  return {
    take: wanted => (wanted?.start === range.start && wanted.end === range.end ? once(bytes) : null),
  }
}

async function gather(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of bytes) pieces.push(piece)
  const [only] = pieces
  return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces)
}

async function* once(bytes: Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield await bytes
}
