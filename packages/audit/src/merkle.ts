// The tree over the leaves (RFC 6962 section 2.1): how it grows, and whether a proof about it holds.
//
// Sizes and indexes are safe integers and are halved by arithmetic: the bit operators of JavaScript would cut them to 32
// bits.
import { type Bytes, concat, equalBytes, sha256, sha256Bytes } from './bytes.ts'
import { AuditError } from './error.ts'

/** Sets an interior node apart from a leaf (RFC 6962 section 2.1). */
const nodeMark = Uint8Array.of(1)

/** Of the tree without leaves: SHA-256 of nothing. */
export const emptyRoot: Bytes = sha256(new Uint8Array(0))

/** SHA-256(0x01 || left || right). */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Bytes => sha256(concat(nodeMark, left, right))

/** A tree as far as growing needs it: one hash for each perfect subtree of its size, the largest first. */
export interface Frontier {
  readonly size: number
  readonly hashes: readonly Bytes[]
}

export interface Tree {
  readonly size: number
  /** Throws `AuditError('bad_tree')` for what is no hash. */
  append(leafHash: Uint8Array): void
  root(): Bytes
  /** What it is now; growing does not change it. */
  frontier(): Frontier
}

/** A tree that goes on from `from`, or an empty one. Throws `AuditError('bad_tree')` where `from` is none. */
export function createTree(from: Frontier = { size: 0, hashes: [] }): Tree {
  checkFrontier(from)
  const hashes = [...from.hashes]
  let size = from.size
  return {
    get size() {
      return size
    },
    append(leafHash) {
      if (leafHash.length !== sha256Bytes || size === Number.MAX_SAFE_INTEGER) refuse('cannot take this leaf')
      let hash = concat(leafHash)
      // A trailing 1 of the size is a subtree that the new leaf completes to one twice as large.
      for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
        const left = hashes.pop()
        if (left !== undefined) hash = nodeHash(left, hash)
      }
      hashes.push(hash)
      size += 1
    },
    root: () => foldRight(hashes),
    frontier: () => ({ size, hashes: [...hashes] }),
  }
}

/** Its hashes one after the other; the size, which says how many they are, is kept beside them. */
export function encodeFrontier(frontier: Frontier): Bytes {
  checkFrontier(frontier)
  return concat(...frontier.hashes)
}

/** Throws `AuditError('bad_tree')` where the bytes are not those of a tree of `size` leaves. */
export function decodeFrontier(size: number, bytes: Uint8Array): Frontier {
  if (bytes.length % sha256Bytes !== 0) refuse('is not made of hashes')
  const hashes = Array.from({ length: bytes.length / sha256Bytes }, (_, index) =>
    concat(bytes.subarray(index * sha256Bytes, (index + 1) * sha256Bytes)),
  )
  const frontier = { size, hashes }
  checkFrontier(frontier)
  return frontier
}

export interface InclusionClaim {
  readonly index: number
  readonly size: number
  readonly leafHash: Uint8Array
  readonly proof: readonly Uint8Array[]
  readonly root: Uint8Array
}

/** Whether the proof shows that the leaf is the one at `index` under `root` (RFC 9162 section 2.1.3.2). */
export function verifyInclusion({ index, size, leafHash, proof, root }: InclusionClaim): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || ![leafHash, root, ...proof].every(isHash))
    return false
  let node = index
  let last = size - 1
  let hash = concat(leafHash)
  for (const sibling of proof) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash)
      while (node % 2 === 0 && node !== 0) {
        node = half(node)
        last = half(last)
      }
    } else {
      hash = nodeHash(hash, sibling)
    }
    node = half(node)
    last = half(last)
  }
  return last === 0 && equalBytes(hash, root)
}

export interface ConsistencyClaim {
  readonly from: number
  readonly to: number
  readonly fromRoot: Uint8Array
  readonly toRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/**
 * Whether the proof shows that the tree of `to` leaves only adds to the one of `from` leaves (RFC 9162 section 2.1.4.2).
 * Every tree adds to the empty one: from 0 the proof and the root have to be the empty ones, as C2SP tlog-witness asks.
 */
export function verifyConsistency({ from, to, fromRoot, toRoot, proof }: ConsistencyClaim): boolean {
  if (!isSize(from) || !isSize(to) || from > to || ![fromRoot, toRoot, ...proof].every(isHash)) return false
  if (from === to) return proof.length === 0 && equalBytes(fromRoot, toRoot) && isRootOf(fromRoot, from)
  if (from === 0) return proof.length === 0 && isRootOf(fromRoot, 0)
  const [first, ...rest] = isPowerOfTwo(from) ? [fromRoot, ...proof] : proof
  if (first === undefined) return false

  let node = from - 1
  let last = to - 1
  while (node % 2 === 1) {
    node = half(node)
    last = half(last)
  }
  let before = concat(first)
  let after = before
  for (const sibling of rest) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      before = nodeHash(sibling, before)
      after = nodeHash(sibling, after)
      while (node % 2 === 0 && node !== 0) {
        node = half(node)
        last = half(last)
      }
    } else {
      after = nodeHash(after, sibling)
    }
    node = half(node)
    last = half(last)
  }
  return last === 0 && equalBytes(before, fromRoot) && equalBytes(after, toRoot)
}

/** The root over perfect subtrees, the largest first: the two smallest are joined first. */
export function foldRight(hashes: readonly Bytes[]): Bytes {
  return (
    hashes.reduceRight<Bytes | null>(
      (right, left) => (right === null ? left : nodeHash(left, right)),
      null,
    ) ?? emptyRoot
  )
}

const half = (n: number): number => Math.floor(n / 2)
const isSize = (n: number): boolean => Number.isSafeInteger(n) && n >= 0
const isHash = (bytes: Uint8Array): boolean => bytes.length === sha256Bytes
const isRootOf = (root: Uint8Array, size: number): boolean => size > 0 || equalBytes(root, emptyRoot)

function isPowerOfTwo(n: number): boolean {
  let rest = n
  while (rest % 2 === 0) rest /= 2
  return rest === 1
}

function checkFrontier({ size, hashes }: Frontier): void {
  if (!isSize(size)) refuse('has no such size')
  let subtrees = 0
  for (let rest = size; rest > 0; rest = half(rest)) subtrees += rest % 2
  if (hashes.length !== subtrees || !hashes.every(isHash)) refuse('has other subtrees than its size asks for')
}

function refuse(why: string): never {
  throw new AuditError('bad_tree', `a tree ${why}`)
}
