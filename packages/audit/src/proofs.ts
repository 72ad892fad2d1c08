// Proofs about a tree whose hashes lie somewhere (RFC 6962 sections 2.1.1 and 2.1.2), and its root at any size it had.
import type { Bytes } from './bytes.ts'
import { AuditError } from './error.ts'
import { emptyRoot, nodeHash } from './merkle.ts'

/** The hash of the `index`-th perfect subtree of 2^`height` leaves. Aborting is its maker's matter. */
export type HashReader = (height: number, index: number) => Promise<Bytes>

/** Leaves that stand together under one hash. `start` is a multiple of every power of two up to `count`. */
interface Span {
  readonly start: number
  readonly count: number
}

/**
 * The hashes beside the way from the leaf to the root, the leaf's sibling first. Rejects with `AuditError('bad_tree')` where
 * the tree has no such leaf, else as `read` does.
 */
export async function inclusionProof(
  index: number,
  size: number,
  read: HashReader,
): Promise<readonly Bytes[]> {
  check(index, size)
  if (index === size) refuse()
  const siblings: Span[] = []
  for (let start = 0, count = size; count > 1; ) {
    const left = splitPoint(count)
    if (index < start + left) {
      siblings.push({ start: start + left, count: count - left })
      count = left
    } else {
      siblings.push({ start, count: left })
      start += left
      count -= left
    }
  }
  return hashesOf(siblings.reverse(), read)
}

/**
 * What shows that the tree of `to` leaves only adds to that of `from`; empty from 0 and between equal sizes. Rejects
 * with `AuditError('bad_tree')` where `from` is larger, else as `read` does.
 */
export async function consistencyProof(
  from: number,
  to: number,
  read: HashReader,
): Promise<readonly Bytes[]> {
  check(from, to)
  if (from === 0 || from === to) return []
  const spans: Span[] = []
  let start = 0
  let count = to
  while (from < start + count) {
    const left = splitPoint(count)
    if (from <= start + left) {
      spans.push({ start: start + left, count: count - left })
      count = left
    } else {
      spans.push({ start, count: left })
      start += left
      count -= left
    }
  }
  // The verifier knows the root of `from`, which is this subtree where it begins at 0.
  if (start > 0) spans.push({ start, count })
  return hashesOf(spans.reverse(), read)
}

/** The root that the tree had at `size`. Rejects as `read` does. */
export async function rootAt(size: number, read: HashReader): Promise<Bytes> {
  check(size, size)
  return size === 0 ? emptyRoot : spanHash({ start: 0, count: size }, read)
}

const hashesOf = (spans: readonly Span[], read: HashReader): Promise<readonly Bytes[]> =>
  Promise.all(spans.map(span => spanHash(span, read)))

async function spanHash({ start, count }: Span, read: HashReader): Promise<Bytes> {
  const left = splitPoint(count)
  if (left * 2 === count || count === 1) return read(Math.log2(count), start / count)
  const [leftHash, rightHash] = await Promise.all([
    spanHash({ start, count: left }, read),
    spanHash({ start: start + left, count: count - left }, read),
  ])
  return nodeHash(leftHash, rightHash)
}

/** How many of `count` leaves stand left of the root: the largest power of two that is smaller. */
function splitPoint(count: number): number {
  let left = 1
  while (left * 2 < count) left *= 2
  return left
}

function check(lesser: number, greater: number): void {
  if (!Number.isSafeInteger(lesser) || !Number.isSafeInteger(greater) || lesser < 0 || lesser > greater)
    refuse()
}

function refuse(): never {
  throw new AuditError('bad_tree', 'there is no such leaf or size in the tree')
}
