// Merkle trees as RFC 6962 defines them, by recursion: slow, and easy to compare with the text of the RFC.
import { createHash } from 'node:crypto'

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export const leafHash = (leaf: Uint8Array): Buffer => sha256(Uint8Array.of(0), leaf)
const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => sha256(Uint8Array.of(1), left, right)

/** Section 2.1: the hash of a list of leaf hashes. */
export function rootOf(hashes: readonly Buffer[]): Buffer {
  const [only, ...others] = hashes
  if (only === undefined) return sha256()
  if (others.length === 0) return only
  const k = splitOf(hashes.length)
  return nodeHash(rootOf(hashes.slice(0, k)), rootOf(hashes.slice(k)))
}

/** Section 2.1.1: siblings from the leaf up. */
export function inclusionProof(index: number, hashes: readonly Buffer[]): Buffer[] {
  if (hashes.length <= 1) return []
  const k = splitOf(hashes.length)
  const [left, right] = [hashes.slice(0, k), hashes.slice(k)]
  return index < k
    ? [...inclusionProof(index, left), rootOf(right)]
    : [...inclusionProof(index - k, right), rootOf(left)]
}

/** Section 2.1.2. */
export function consistencyProof(from: number, hashes: readonly Buffer[], isKnown = true): Buffer[] {
  if (from === hashes.length) return isKnown ? [] : [rootOf(hashes)]
  const k = splitOf(hashes.length)
  const [left, right] = [hashes.slice(0, k), hashes.slice(k)]
  return from <= k
    ? [...consistencyProof(from, left, isKnown), rootOf(right)]
    : [...consistencyProof(from - k, right, false), rootOf(left)]
}

/** Roots of the perfect subtrees of the first `size` leaves, largest first. */
export function frontierOf(hashes: readonly Buffer[]): Buffer[] {
  if (hashes.length === 0) return []
  const largest = 2 ** Math.floor(Math.log2(hashes.length))
  return [rootOf(hashes.slice(0, largest)), ...frontierOf(hashes.slice(largest))]
}

/** The largest power of two smaller than `size`. */
const splitOf = (size: number): number => 2 ** Math.ceil(Math.log2(size) - 1)
