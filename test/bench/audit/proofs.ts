// What an outsider has to do and to carry: how fast a bundle is verified, and how large proofs are.
import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Bytes,
  consistencyProof,
  createTree,
  emptyRoot,
  type HashReader,
  inclusionProof,
  leafHash,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from '@auricle/audit'
import { verifyBundle } from '@auricle/audit/verifier'
import { bytesOf, makeBundle } from '../../verifier/bundle-fixture.ts'
import type { Row } from '../report.ts'
import { median, samplesOf, takeTurns } from '../rounds.ts'

const eventsAtLeast = 50_000
const hashBytes = 32
const hashesAtMost = 30
const checkpointsOfBundle = 40
const pieceBytes = 2 ** 20
const msPerSecond = 1000
/** Places and older sizes that are tried of each tree. */
const samples = 64
const real = [1e3, 1e6] as const
const imagined = 1e9

export interface ProofCounts {
  readonly bundle: number
  readonly rounds: number
}

export async function runProofs(folder: string, counts: ProofCounts): Promise<readonly Row[]> {
  const rows = [await timeVerifier(folder, counts)]
  for (const size of real) rows.push(...(await proofsOf(size, realTree(size))))
  return [...rows, ...(await proofsOf(imagined, null))]
}

async function timeVerifier(folder: string, { bundle: events, rounds }: ProofCounts): Promise<Row> {
  const { path, policy, at, bytes } = await writeBundle(folder, events)
  const options = { policy, at, trustBundledPolicy: false, maxAgeHours: 24 }
  let shown = 0
  const run = async () => {
    const report = await verifyBundle(createReadStream(path, { highWaterMark: pieceBytes }), options)
    if (report.verdict !== 'ok' || report.events < events) {
      throw new Error(`The verifier says ${report.verdict} of ${report.events} events`)
    }
    shown = report.events
    return report.events
  }
  const measured = await takeTurns([{ name: 'verifier', run }], {
    ...{ rounds, warmUps: 1, budgetMs: Number.POSITIVE_INFINITY, clock: 'processor' },
  })
  return {
    name: 'events verified offline, a core',
    measured: msPerSecond / median(samplesOf(measured, 'verifier')),
    unit: '/s',
    target: { atLeast: eventsAtLeast },
    detail: `a bundle of ${shown.toLocaleString('en-US')} events, ${Math.round(bytes / 1e6)} MB; processor time of all threads`,
  }
}

/** Nothing of it stays in memory but where it is. */
async function writeBundle(folder: string, events: number) {
  const { lines, policy, at } = makeBundle({
    ...{ seed: 1, years: [2026], eventsEach: events, writers: 4 },
    checkpointEvery: Math.ceil(events / checkpointsOfBundle),
  })
  const path = join(folder, 'bundle.ndjson')
  const whole = bytesOf(lines)
  await writeFile(path, whole)
  return { path, policy, at, bytes: whole.length }
}

interface RealTree {
  readonly root: Bytes
  readonly read: HashReader
  /** The root that it had at a size. */
  readonly rootAt: (size: number) => Bytes
}

/** All hashes of a tree of so many leaves, each leaf its own number. */
function realTree(size: number): RealTree {
  const tree = createTree()
  const levels: Bytes[][] = [[]]
  for (let index = 0; index < size; index++) {
    const hash = leafHash(Buffer.from(String(index)))
    tree.append(hash)
    levels[0]?.push(hash)
  }
  for (let below = levels[0] ?? []; below.length > 1; ) {
    const level: Bytes[] = []
    for (let at = 0; at + 1 < below.length; at += 2) {
      const [left, right] = [below[at], below[at + 1]]
      if (left !== undefined && right !== undefined) level.push(nodeHash(left, right))
    }
    levels.push(level)
    below = level
  }
  const hashAt = (height: number, index: number): Bytes => {
    const hash = levels[height]?.[index]
    if (hash === undefined) throw new RangeError('the tree has no such hash')
    return hash
  }
  return {
    root: tree.root(),
    read: async (height, index) => hashAt(height, index),
    rootAt(older) {
      const smaller = createTree()
      for (let index = 0; index < older; index++) smaller.append(hashAt(0, index))
      return smaller.root()
    },
  }
}

/** Of a tree that is only imagined the hashes are counted; of a real one each proof is verified. */
async function proofsOf(size: number, tree: RealTree | null): Promise<readonly Row[]> {
  const read: HashReader = tree?.read ?? (async () => emptyRoot)
  const inclusions: number[] = []
  const consistencies: number[] = []
  for (let sample = 0; sample < samples; sample++) {
    const index = Math.floor((size - 1) * (sample / (samples - 1)))
    const proof = await inclusionProof(index, size, read)
    inclusions.push(proof.length)
    const claim = { index, size, proof, leafHash: leafHash(Buffer.from(String(index))) }
    if (tree !== null && !verifyInclusion({ ...claim, root: tree.root })) throw new Error('No proof')
    const from = index + 1
    const growth = await consistencyProof(from, size, read)
    consistencies.push(growth.length)
    // Its older roots are grown again from the leaves: of a few.
    if (tree === null || sample % 16 !== 1) continue
    const roots = { fromRoot: tree.rootAt(from), toRoot: tree.root }
    if (!verifyConsistency({ from, to: size, proof: growth, ...roots })) throw new Error('No proof')
  }
  const row = (what: string, hashes: readonly number[], target: Row['target']): Row => {
    const most = Math.max(...hashes)
    return {
      name: `proof of ${what}, ${size.toLocaleString('en-US')} events`,
      measured: most * hashBytes,
      unit: 'bytes',
      target,
      detail: `${most} hashes at most, of ${samples} places; ${tree === null ? 'counted' : 'verified'}`,
    }
  }
  const target = size === imagined ? { atMost: hashesAtMost * hashBytes } : null
  return [row('inclusion', inclusions, target), row('consistency', consistencies, null)]
}
