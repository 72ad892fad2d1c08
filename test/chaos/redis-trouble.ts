// Empties Redis and kills it as the plan says. It keeps nothing on disk, so either way whatever it held is gone.
import { setTimeout as delay } from 'node:timers/promises'
import { say } from '../harness/verdict.ts'
import type { OwnRedis } from '../redis.ts'
import type { PlannedRedisTrouble } from './plan.ts'

const pollMs = 50
const awayMs = 500

export interface RedisTroubles {
  readonly flush: number
  readonly kill: number
  /** Keys that were there at the moment of each flush, all together. */
  readonly keysLost: number
}

/** Resolves when all of it is done. */
export async function troubleRedis(
  redis: OwnRedis,
  planned: readonly PlannedRedisTrouble[],
  progress: () => number,
  { signal }: { readonly signal: AbortSignal },
): Promise<RedisTroubles> {
  const client = redis.client()
  const counts = { flush: 0, kill: 0, keysLost: 0 }
  for (const { type, at, pauseMs } of planned) {
    while (progress() < at && !signal.aborted) await delay(pollMs)
    if (signal.aborted) break
    await delay(pauseMs)
    if (type === 'flush') {
      counts.keysLost += await client.dbsize()
      await client.flushall()
    } else {
      await redis.kill()
      await delay(awayMs)
      await redis.restart()
    }
    counts[type]++
    say(`  ${type === 'flush' ? 'emptied' : 'killed'} redis at ${(progress() * 100).toFixed(0)} %`)
  }
  client.disconnect()
  return counts
}
