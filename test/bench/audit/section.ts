// The audit log under load: appending to it, waiting for it, sealing and publishing it, proving it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStack } from '../../harness/stack.ts'
import type { Row } from '../report.ts'
import type { Place } from '../system/product.ts'
import { type AppendCounts, runAppends } from './appends.ts'
import { type FirstByteCounts, runFirstByte } from './first-byte.ts'
import { type KeepingCounts, runKeeping } from './keeping.ts'
import { type ProofCounts, runProofs } from './proofs.ts'

export const method =
  'Embedded PostgreSQL, fsync on. Appends go through the event log (numbers, canonical bytes, shared commits) with and ' +
  'without receipts; beside it, in turn, the same rows by a prepared insert and a commit for each, bytes made ' +
  'beforehand, over as many connections as there are writers. At a fixed load an append counts from when it was due. ' +
  'The disk is measured in between by synced blocks of 8 kB. First bytes are those of the first range of a playback, ' +
  'from the API and from the same API whose events reach no database. The keeper of the log is a process of its own; ' +
  'published means that the object of the first checkpoint of the log over all logs is there that stands for the event. ' +
  'The verifier counts processor time.'

interface Counts {
  readonly appends: AppendCounts
  readonly firstByte: FirstByteCounts
  readonly keeping: KeepingCounts
  readonly proofs: ProofCounts
}

const full: Counts = {
  appends: { ofWriter: 250, sustained: 60_000, offered: 20_000, rounds: 5, syncsMs: 2_000, alone: 20_000 },
  firstByte: { playbacks: 400, rounds: 5 },
  keeping: { backlog: 200_000, steadySeconds: 60 },
  proofs: { bundle: 200_000, rounds: 5 },
}
const quick: Counts = {
  appends: { ofWriter: 40, sustained: 6_000, offered: 2_000, rounds: 3, syncsMs: 500, alone: 5_000 },
  firstByte: { playbacks: 60, rounds: 3 },
  keeping: { backlog: 20_000, steadySeconds: 15 },
  proofs: { bundle: 20_000, rounds: 3 },
}

export async function runAudit({ isQuick }: { readonly isQuick: boolean }): Promise<readonly Row[]> {
  const counts = isQuick ? quick : full
  return [
    ...(await onPlace(place => runAppends(place, counts.appends))),
    ...(await onPlace(place => runFirstByte(place, counts.firstByte))),
    ...(await inFolder(folder => runProofs(folder, counts.proofs))),
    ...(await onPlace(place => runKeeping(place, counts.keeping))),
  ]
}

type Rows = Promise<readonly Row[]>

/** A database of its own for each part, so that none works on what another left. */
async function onPlace(work: (place: Place) => Rows): Rows {
  await using place = await openStack({ name: 'bench', logLevel: 'info', workerConcurrency: 1 })
  return await work(place)
}

async function inFolder(work: (folder: string) => Rows): Rows {
  const folder = await mkdtemp(join(tmpdir(), 'auricle-bench-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
