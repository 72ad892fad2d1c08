// Kills processes with SIGKILL as the plan says, once so much of the work is done.
import { setTimeout as delay } from 'node:timers/promises'
import type { Stack } from '../harness/stack.ts'
import { say } from '../harness/verdict.ts'
import type { PlannedKill, Victim } from './plan.ts'

const pollMs = 50
/** A service that was killed is up again for at least this long before it is killed again. */
const settleMs = 400

/** Share of the work that is done, by whom it concerns. */
export type Progress = (victim: Victim) => number

/** Every process has a killer of its own, so that two may fall at once. Resolves when all kills are done. */
export async function killAsPlanned(
  stack: Stack,
  kills: readonly PlannedKill[],
  progress: Progress,
  { signal }: { readonly signal: AbortSignal },
): Promise<Readonly<Record<Victim, number>>> {
  const counts: Record<Victim, number> = { ingest: 0, worker: 0, postgres: 0 }
  const killOne = async (victim: Victim) => {
    for (const { at, pauseMs } of kills.filter(kill => kill.victim === victim)) {
      while (progress(victim) < at && !signal.aborted) await delay(pollMs)
      if (signal.aborted) return
      await delay(pauseMs)
      if (victim === 'postgres') await killPostgres(stack)
      else {
        await stack.services[victim].ready()
        await delay(settleMs)
        await stack.services[victim].kill()
      }
      counts[victim]++
      say(`  killed ${victim} at ${(progress(victim) * 100).toFixed(0)} %`)
    }
  }
  await Promise.all((Object.keys(counts) as Victim[]).map(killOne))
  return counts
}

async function killPostgres({ postgres }: Stack): Promise<void> {
  while (postgres.pid === null) await delay(pollMs)
  const { pid } = postgres
  process.kill(pid, 'SIGKILL')
  while (postgres.pid === pid) await delay(pollMs)
}
