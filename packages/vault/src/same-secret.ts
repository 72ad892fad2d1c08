// Whether an opaque token is the one that its row was made with.
import { timingSafeEqual } from 'node:crypto'

/**
 * `held` is the hash of the row, `shown` that of what was sent; null for a token that is signed, which is none of a row
 * with a hash, nor the other way round. The time it takes does not tell where two hashes differ.
 */
export function isSameSecret(held: Uint8Array | null, shown: Uint8Array | null): boolean {
  if (held === null || shown === null) return held === shown
  return held.length === shown.length && timingSafeEqual(held, shown)
}
