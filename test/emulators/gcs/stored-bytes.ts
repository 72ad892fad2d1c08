// The bytes of an object as the pieces in which they arrived: kept without copies, summed up while they come.
import { createHash, type Hash } from 'node:crypto'
import { crc32c } from '@node-rs/crc32'

/** They do not change any more: copies of an object share them. */
export interface StoredBytes {
  readonly size: number
  readonly crc32c: string
  readonly md5: string | null
  /** `end` is exclusive. */
  slice(start: number, end: number): Iterable<Buffer>
}

export interface BytesBeingStored {
  readonly size: number
  append(piece: Buffer): void
  finish(): StoredBytes
}

const crcBytes = 4

/** `md5`: costs more than all else, so only where somebody will compare it. */
export function storeBytes({ md5 = false }: { readonly md5?: boolean } = {}): BytesBeingStored {
  const pieces: Buffer[] = []
  /** Where each piece begins. */
  const starts: number[] = []
  const hash: Hash | null = md5 ? createHash('md5') : null
  let size = 0
  let sum = 0
  return {
    get size() {
      return size
    },
    append(piece) {
      if (piece.length === 0) return
      pieces.push(piece)
      starts.push(size)
      size += piece.length
      sum = crc32c(piece, sum)
      hash?.update(piece)
    },
    finish: () => ({
      size,
      crc32c: encodeCrc32c(sum),
      md5: hash?.digest('base64') ?? null,
      slice: (start, end) => sliceOf(pieces, starts, start, end),
    }),
  }
}

function encodeCrc32c(sum: number): string {
  const bytes = Buffer.alloc(crcBytes)
  bytes.writeUInt32BE(sum)
  return bytes.toString('base64')
}

function* sliceOf(
  pieces: readonly Buffer[],
  starts: readonly number[],
  start: number,
  end: number,
): Iterable<Buffer> {
  for (let index = pieceAt(starts, start); index < pieces.length; index++) {
    const piece = pieces[index]
    const at = starts[index]
    if (piece === undefined || at === undefined || at >= end) return
    yield piece.subarray(Math.max(0, start - at), Math.min(piece.length, end - at))
  }
}

/** The last piece that begins at or before `position`. */
function pieceAt(starts: readonly number[], position: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((starts[middle] ?? 0) <= position) low = middle
    else high = middle - 1
  }
  return low
}
