// Logs of more leaves than 32 bits can count: what neither verifier may do with bit operators or floating point.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { it } from 'node:test'
import { encodeLeaf } from '@auricle/audit'
import { bytesOf, logName } from './bundle-fixture.ts'
import { leafHash } from './merkle.ts'
import { type Random, randomFrom } from './random.ts'
import { ed25519Key, logSigner, signedNote } from './signing-keys.ts'
import { tellStory } from './story.ts'
import { byNode, byPython, type Case } from './two-verifiers.ts'

const biggest = 2 ** 53 - 1
const node = (left: Uint8Array, right: Uint8Array): Buffer =>
  createHash('sha256').update(Uint8Array.of(1)).update(left).update(right).digest()
const base64 = (list: readonly Buffer[]) => list.map(hash => hash.toString('base64'))

/** A tree most of which is made up: where nothing is known of a range, its hash is drawn. */
class SparseTree {
  readonly random: Random
  readonly known = new Map<string, Buffer>()
  constructor(random: Random) {
    this.random = random
  }

  set(start: number, size: number, hash: Buffer): void {
    this.known.set(`${start} ${size}`, hash)
  }

  /** The hash of `size` leaves from `start`, of which those in `open` are known one by one. */
  hash(start: number, size: number, open: readonly [number, number]): Buffer {
    const key = `${start} ${size}`
    const there = this.known.get(key)
    if (there !== undefined) return there
    const isOpen = size > 1 && start < open[1] && open[0] < start + size
    const half = splitOf(size)
    const hash = isOpen
      ? node(this.hash(start, half, open), this.hash(start + half, size - half, open))
      : this.random.bytes(32)
    this.set(start, size, hash)
    return hash
  }

  inclusion(index: number, start: number, size: number, open: readonly [number, number]): Buffer[] {
    if (size === 1) return []
    const half = splitOf(size)
    return index < start + half
      ? [...this.inclusion(index, start, half, open), this.hash(start + half, size - half, open)]
      : [...this.inclusion(index, start + half, size - half, open), this.hash(start, half, open)]
  }
}

function splitOf(size: number): number {
  let half = 1
  while (half * 2 < size) half *= 2
  return half
}

/** The perfect subtrees of the first `size` leaves, largest first. */
function frontier(tree: SparseTree, size: number): Buffer[] {
  const hashes: Buffer[] = []
  for (let start = 0; start < size; ) {
    let part = 1
    while (part * 2 <= size - start) part *= 2
    hashes.push(tree.hash(start, part, [0, 0]))
    start += part
  }
  return hashes
}

function makeCase(first: number, seed: number): Case {
  const random = randomFrom(seed)
  const story = tellStory(random, { years: [2026], eventsEach: 8 })
  const events = story.years[0]?.events ?? []
  const leaves = events.map(({ event }) => Buffer.from(encodeLeaf(event)))
  const size = first + leaves.length
  const origin = `${logName}/t/${story.tenant}/2026`
  const tree = new SparseTree(random)
  const prefix = frontier(tree, first)
  for (const [index, leaf] of leaves.entries()) tree.set(first + index, 1, leafHash(leaf))
  const root = tree.hash(0, size, [first, size]).toString('base64')
  const logKey = logSigner(origin, ed25519Key(random))

  const newest = events.at(-1)?.event.at ?? ''
  const anchorLeaf = Buffer.from(`auricle-anchor/1\n${newest}\n${origin}\n${size}\n${root}\n`)
  const anchorSize = biggest - random.int(3)
  const index = anchorSize - 1 - random.int(5)
  const anchor = new SparseTree(random)
  anchor.set(index, 1, leafHash(anchorLeaf))
  const open = [index, index + 1] as const
  const anchorRoot = anchor.hash(0, anchorSize, open).toString('base64')
  const anchorKey = logSigner(`${logName}/anchor`, ed25519Key(random))

  const from = new Date(Date.parse(events[0]?.event.at ?? '') + 600_000).toISOString()
  const lines = [
    {
      type: 'header',
      format: 'auricle-evidence/1',
      tenant: story.tenant,
      madeAt: newest,
      selection: { from },
    },
    { type: 'policy', text: 'quorum none\n' },
    { type: 'log', origin, year: 2026, first, prefix: base64(prefix) },
    ...leaves.map((leaf, at) => ({ type: 'leaf', seq: first + at, leaf: leaf.toString('base64') })),
    { type: 'checkpoint', note: signedNote(`${origin}\n${size}\n${root}\n`, [logKey]) },
    {
      type: 'anchored',
      origin,
      size,
      index,
      leaf: anchorLeaf.toString('base64'),
      proof: base64(anchor.inclusion(index, 0, anchorSize, open)),
      anchorSize,
    },
    {
      type: 'anchorCheckpoint',
      note: signedNote(`${logName}/anchor\n${anchorSize}\n${anchorRoot}\n`, [anchorKey]),
    },
  ]
  const all = [...lines, { type: 'end', lines: lines.length }].map(line => JSON.stringify(line))
  return {
    bytes: bytesOf(all),
    policy: `log ${logKey.text}\nlog ${anchorKey.text}\nquorum none\n`,
    at: new Date(newest),
  }
}

it('logs and anchors of any size that a number can have are checked alike', async () => {
  const sizes = [
    1,
    2,
    3,
    255,
    2 ** 31 - 3,
    2 ** 31,
    2 ** 32 - 2,
    2 ** 32 + 5,
    2 ** 40 + 12345,
    2 ** 52 - 4,
    2 ** 53 - 20,
  ]
  const cases = sizes.map(makeCase)
  const outcomes = byPython(cases)
  for (const [index, one] of cases.entries()) {
    const outcome = await byNode(one)
    assert.deepEqual(outcome.report?.findings, [], `first ${sizes[index]}`)
    assert.equal(outcome.report?.verdict, 'ok')
    assert.deepEqual(outcomes[index], outcome)
  }
})
