// Bytes that arrive in pieces of any size and are taken in exact amounts, held by reference.
// Only runs of very small pieces are copied together, so that a held-back segment is never thousands of objects,
// each of which might keep a large network buffer alive.

const piecesPerSegment = 64

export class PieceQueue {
  /** Bytes pushed and not yet taken. */
  bytes = 0
  readonly #smallBytes: number
  readonly #blockBytes: number
  #pieces: Uint8Array[] = []
  #lastWasSmall = false
  /** Where runs of small pieces are gathered: [#blockStart, #blockEnd) is not yet among the pieces. */
  #block: Buffer | null = null
  #blockStart = 0
  #blockEnd = 0

  /** `segmentBytes`: the amount that is usually taken. */
  constructor(segmentBytes: number) {
    this.#smallBytes = Math.floor(segmentBytes / piecesPerSegment)
    this.#blockBytes = this.#smallBytes * 2
  }

  /** The queue keeps a reference: the piece must not change until it was taken and used. */
  push(piece: Uint8Array): void {
    if (piece.length === 0) return
    this.bytes += piece.length
    const isSmall = piece.length < this.#smallBytes
    if (isSmall && this.#lastWasSmall) {
      this.#gather(piece)
    } else {
      this.#flush()
      this.#pieces.push(piece)
    }
    this.#lastWasSmall = isSmall
  }

  /** Takes exactly `count` bytes, which must be there. */
  take(count: number): Uint8Array[] {
    this.#flush()
    this.bytes -= count
    const pieces = this.#pieces
    let missing = count
    let whole = 0
    for (;;) {
      const piece = pieces[whole]
      if (missing === 0 || piece === undefined || piece.length > missing) break
      missing -= piece.length
      whole++
    }
    const taken = pieces.splice(0, whole)
    const next = pieces[0]
    if (missing > 0 && next !== undefined) {
      taken.push(next.subarray(0, missing))
      pieces[0] = next.subarray(missing)
    }
    return taken
  }

  #gather(piece: Uint8Array): void {
    if (this.#block === null || this.#blockEnd + piece.length > this.#block.length) {
      this.#flush()
      this.#block = Buffer.allocUnsafeSlow(this.#blockBytes)
      this.#blockStart = 0
      this.#blockEnd = 0
    }
    this.#block.set(piece, this.#blockEnd)
    this.#blockEnd += piece.length
  }

  #flush(): void {
    if (this.#block === null || this.#blockStart === this.#blockEnd) return
    this.#pieces.push(this.#block.subarray(this.#blockStart, this.#blockEnd))
    this.#blockStart = this.#blockEnd
  }
}
