// Gathers a source into chunks for an upload: whole quanta of the service but the last, pieces by reference.
import { createGatherer } from '../gather.ts'

/** What every request of a resumable upload but the last has to be a multiple of. */
export const quantumBytes = 262_144

export interface Chunk {
  readonly pieces: readonly Uint8Array[]
  readonly bytes: number
  /** Nothing follows. Known at once: one piece is looked at ahead. */
  readonly isLast: boolean
}

/** At least one chunk, which may be empty. Holds one chunk, and the piece that filled it. */
export async function* inChunks(
  source: AsyncIterable<Uint8Array>,
  chunkBytes: number,
): AsyncGenerator<Chunk, void, undefined> {
  const gatherer = createGatherer()
  let pieces: Uint8Array[] = []
  let bytes = 0
  const take = (): void => {
    for (const piece of gatherer.take()) pieces.push(piece)
  }
  for await (const piece of source) {
    if (piece.length === 0) continue
    bytes += piece.length
    const isFull = gatherer.add(piece)
    if (isFull || bytes > chunkBytes) take()
    while (bytes > chunkBytes) {
      const { first, rest } = split(pieces, chunkBytes)
      yield { pieces: first, bytes: chunkBytes, isLast: false }
      pieces = rest
      bytes -= chunkBytes
    }
  }
  take()
  yield { pieces, bytes, isLast: true }
}

/** The first bytes and the others, copying nothing. */
export function split(
  pieces: readonly Uint8Array[],
  atBytes: number,
): { readonly first: Uint8Array[]; readonly rest: Uint8Array[] } {
  const first: Uint8Array[] = []
  const rest: Uint8Array[] = []
  let missing = atBytes
  for (const piece of pieces) {
    if (missing > 0) first.push(piece.subarray(0, missing))
    if (piece.length > missing) rest.push(piece.subarray(missing))
    missing = Math.max(0, missing - piece.length)
  }
  return { first, rest }
}
