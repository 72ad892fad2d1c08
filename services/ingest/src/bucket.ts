// A token bucket a key: lets a burst through, then a steady trickle.

export interface Bucket {
  /** Whether one more is let through now. */
  take(key: string): boolean
}

const keysMost = 10_000

export function createBucket(burst: number, everyMs: number, now: () => number = Date.now): Bucket {
  const buckets = new Map<string, { tokens: number; at: number }>()
  return {
    take(key) {
      const at = now()
      const { tokens, at: before } = buckets.get(key) ?? { tokens: burst, at }
      const filled = Math.min(burst, tokens + (at - before) / everyMs)
      // Last in the order of insertion is the one used last.
      buckets.delete(key)
      buckets.set(key, { tokens: filled >= 1 ? filled - 1 : filled, at })
      const [oldest] = buckets.keys()
      if (buckets.size > keysMost && oldest !== undefined) buckets.delete(oldest)
      return filled >= 1
    },
  }
}
