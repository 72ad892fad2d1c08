// SHA-256 of a plaintext, segment by segment; of a small one in a single call, which costs less.
import { createHash, type Hash } from 'node:crypto'
import { digestOf } from './hmac.ts'

export class RunningSha256 {
  #hash: Hash | null = null
  #whole: Uint8Array | null = null

  /** `isLast`: nothing follows these pieces. */
  update(pieces: readonly Uint8Array[], isLast: boolean): void {
    const [first] = pieces
    if (isLast && this.#hash === null && first !== undefined && pieces.length === 1) {
      this.#whole = digestOf('sha256', first)
      return
    }
    this.#hash ??= createHash('sha256')
    for (const piece of pieces) this.#hash.update(piece)
  }

  /** Once, at the end. */
  digest(): Uint8Array {
    return this.#whole ?? (this.#hash ?? createHash('sha256')).digest()
  }
}
