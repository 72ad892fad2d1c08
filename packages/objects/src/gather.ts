// Gathers pieces of a stream into batches for one system call each: large pieces by reference, small ones copied.
const smallPieceBytes = 4096
const scratchBytes = 65_536
const batchBytes = 1_048_576
/** POSIX promises 16 and Linux takes 1,024 (IOV_MAX); beyond a few hundred nothing is gained. */
const maxBatchPieces = 256

export interface Gatherer {
  /** Takes a piece; true when there is enough for a write. The bytes must stay as they are until written. */
  add(piece: Uint8Array): boolean
  /** What was gathered, in order; the gatherer is empty afterwards. */
  take(): Uint8Array[]
}

/** Holds at most one batch (1 MiB) and the piece that filled it. */
export function createGatherer(): Gatherer {
  let pieces: Uint8Array[] = []
  let bytes = 0
  let scratch: Uint8Array | null = null
  let scratchStart = 0
  let scratchEnd = 0

  function closeScratch(): void {
    if (scratch !== null && scratchEnd > scratchStart) pieces.push(scratch.subarray(scratchStart, scratchEnd))
    scratchStart = scratchEnd
  }

  function copySmall(piece: Uint8Array): void {
    if (scratch === null || scratchEnd + piece.length > scratchBytes) {
      closeScratch()
      scratch = Buffer.allocUnsafeSlow(scratchBytes)
      scratchStart = 0
      scratchEnd = 0
    }
    scratch.set(piece, scratchEnd)
    scratchEnd += piece.length
  }

  return {
    add(piece) {
      if (piece.length < smallPieceBytes) copySmall(piece)
      else {
        closeScratch()
        pieces.push(piece)
      }
      bytes += piece.length
      return bytes >= batchBytes || pieces.length >= maxBatchPieces
    },
    take() {
      closeScratch()
      const taken = pieces
      pieces = []
      bytes = 0
      return taken
    },
  }
}
