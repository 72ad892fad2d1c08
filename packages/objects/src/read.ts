// Reads a range of an open file by position, one piece ahead of the reader.
import type { ByteRange } from '@auricle/contract'
import { ObjectError } from './error.ts'
import { unavailable } from './failure.ts'
import type { OpenFile } from './file.ts'

/** The first piece is small so that the first byte comes soon; larger ones cost fewer calls a byte. */
const firstPieceBytes = 262_144
/** Two of these are in memory at most: one with the reader and one on its way. */
const pieceBytes = 1_048_576

/** Throws `bad_range` for anything but two whole numbers in order within `sizeBytes`. */
export function checkRange(range: ByteRange, sizeBytes: number): ByteRange {
  const { start, end } = range
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end) {
    if (end <= sizeBytes) return range
  }
  throw new ObjectError('bad_range', 'The range does not lie within the object')
}

/** Exactly the bytes of the range. Throws `damaged` when the file ends early. */
export async function* readRange(
  file: OpenFile,
  range: ByteRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let position = range.start
  let ahead = settled(readPiece(file, position, Math.min(range.end, position + firstPieceBytes)))
  try {
    while (position < range.end) {
      const piece = await ahead
      signal?.throwIfAborted()
      if (piece instanceof ObjectError) throw piece
      position += piece.length
      ahead = settled(readPiece(file, position, Math.min(range.end, position + pieceBytes)))
      yield piece
    }
  } finally {
    // The file is closed next, and must not be while a read is under way.
    await ahead
  }
}

async function readPiece(file: OpenFile, position: number, end: number): Promise<Uint8Array> {
  const piece = Buffer.allocUnsafeSlow(end - position)
  let filledBytes = 0
  while (filledBytes < piece.length) {
    const bytesRead = await file.readAt(
      piece,
      filledBytes,
      piece.length - filledBytes,
      position + filledBytes,
    )
    if (bytesRead === 0) throw new ObjectError('damaged', 'The object is shorter than it was')
    filledBytes += bytesRead
  }
  return piece
}

/** A failure as a value: nobody may be waiting for it while the reader is busy. */
function settled(piece: Promise<Uint8Array>): Promise<Uint8Array | ObjectError> {
  return piece.catch((error: unknown) => unavailable(error))
}
