// The arithmetic of a token bucket, and buckets of this process alone for as long as the shared ones are away.
import type { Rate, Taken } from './limits.ts'

/** Clocks count in floating point here and there; a hair's breadth is no reason to refuse. */
export const slackMs = 0.001
const keysMost = 10_000

/**
 * A bucket is one number: when it will be full again. It is `everyMs` later for each token taken, and a token is there
 * while at least one `everyMs` of the bucket's depth lies before it. A clock that was set back costs one burst at most.
 */
export function takeFrom(fullAt: number | null, { burst, everyMs }: Rate, now: number) {
  const at = Math.min(Math.max(fullAt ?? now, now), now + burst * everyMs)
  const waitMs = at - now - (burst - 1) * everyMs
  const taken: Taken =
    waitMs <= slackMs ? { allowed: true } : { allowed: false, retryAfterMs: Math.ceil(waitMs) }
  return { taken, fullAt: taken.allowed ? at + everyMs : at }
}

export interface LocalBuckets {
  take(key: string, rate: Rate): Taken
}

/** The least recently used ones are forgotten, which lets a burst through: that many keys at once are an attack anyway. */
export function createLocalBuckets(now: () => number): LocalBuckets {
  const buckets = new Map<string, number>()
  return {
    take(key, rate) {
      const { taken, fullAt } = takeFrom(buckets.get(key) ?? null, rate, now())
      // Last in the order of insertion is the one used last.
      buckets.delete(key)
      buckets.set(key, fullAt)
      const [oldest] = buckets.keys()
      if (buckets.size > keysMost && oldest !== undefined) buckets.delete(oldest)
      return taken
    },
  }
}
