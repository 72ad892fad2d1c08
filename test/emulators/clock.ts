// The time that an emulated service goes by: the real one, or a test's, and as far ahead as it was put.

export interface Clock {
  now(): number
  /** Time passes at once, for this service alone. */
  advance(ms: number): void
}

export function createClock(now: () => number = Date.now): Clock {
  let aheadMs = 0
  return {
    now: () => now() + aheadMs,
    advance(ms) {
      aheadMs += ms
    },
  }
}
