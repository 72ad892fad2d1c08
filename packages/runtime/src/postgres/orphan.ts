// A PostgreSQL left running by a process of ours that was killed: it is stopped before the next one starts.
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { PostgresError } from './error.ts'
import { postmasterFile, readPostmasterFile } from './postmaster-file.ts'
import { isAlive, isPostmasterOf } from './process-identity.ts'

const pollMs = 20
/** How long each way of stopping is given: fast (roll back and checkpoint), immediate, by force. */
const stopSteps = [
  { signal: 'SIGINT', waitMs: 30_000 },
  { signal: 'SIGQUIT', waitMs: 10_000 },
  { signal: 'SIGKILL', waitMs: 10_000 },
] as const

/**
 * Stops the orphan of a data folder, if there is one; returns whether there was. The caller holds the folder's claim, so
 * whoever still serves it has lost its starter. A number that another program has now is no orphan: then the stale file
 * is removed, since PostgreSQL itself would take that program for a server.
 */
export async function stopOrphan(
  dataFolder: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  const found = await readPostmasterFile(dataFolder)
  if (found === null || !isAlive(found.pid)) return false
  if (!(await isPostmasterOf(found.pid, dataFolder))) {
    await rm(postmasterFile(dataFolder), { force: true })
    return false
  }
  for (const step of stopSteps) {
    signalProcess(found.pid, step.signal)
    if (await waitForEnd(found.pid, dataFolder, step.waitMs, signal)) return true
  }
  throw new PostgresError(
    'in_use',
    `An earlier PostgreSQL (process ${found.pid}) serves ${dataFolder} and does not stop.`,
  )
}

function signalProcess(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    // It ended by itself meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

async function waitForEnd(
  pid: number,
  dataFolder: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (await isPostmasterOf(pid, dataFolder)) {
    if (performance.now() > deadline) return false
    await sleep(pollMs, undefined, signal === undefined ? {} : { signal })
  }
  return true
}
