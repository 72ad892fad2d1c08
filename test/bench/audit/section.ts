// The audit log under load: appending to it, waiting for it, sealing it, proving it.
import { openStack } from '../../harness/stack.ts'
import type { Row } from '../report.ts'
import { type AppendCounts, runAppends } from './appends.ts'

export const method = 'Appends to the audit log.'

interface Counts {
  readonly appends: AppendCounts
}

const full: Counts = {
  appends: { ofWriter: 250, sustained: 60_000, offered: 20_000, rounds: 5, syncsMs: 2_000, alone: 20_000 },
}
const quick: Counts = {
  appends: { ofWriter: 40, sustained: 6_000, offered: 2_000, rounds: 3, syncsMs: 500, alone: 5_000 },
}

export async function runAudit({ isQuick }: { readonly isQuick: boolean }): Promise<readonly Row[]> {
  const counts = isQuick ? quick : full
  return [...(await runOn(place => runAppends(place, counts.appends)))]
}

type Work = (place: Awaited<ReturnType<typeof openStack>>) => Promise<readonly Row[]>

/** A database of its own for each part, so that none works on what another left. */
async function runOn(work: Work): Promise<readonly Row[]> {
  await using place = await openStack({ name: 'bench', logLevel: 'info', workerConcurrency: 1 })
  return await work(place)
}
