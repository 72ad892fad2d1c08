// Notices when work that should go on stands still. It does not count time spent waiting for somebody else.

export interface Watchdog extends Disposable {
  /** Something moved. */
  touch(): void
  /** Waits for somebody outside, whose slowness is not ours to judge. */
  whileWaiting<Value>(work: Promise<Value>): Promise<Value>
  pause(): void
  resume(): void
}

const checksPerLimit = 8

/** Calls `onIdle` once when nothing has moved for `limitMs`. */
export function startWatchdog(limitMs: number, onIdle: () => void): Watchdog {
  let movedAtMs = performance.now()
  let waiting = 0
  const timer = setInterval(() => {
    if (waiting > 0 || performance.now() - movedAtMs < limitMs) return
    clearInterval(timer)
    onIdle()
  }, limitMs / checksPerLimit)
  const touch = () => {
    movedAtMs = performance.now()
  }
  const pause = () => {
    waiting += 1
  }
  const resume = () => {
    waiting -= 1
    touch()
  }
  return {
    touch,
    pause,
    resume,
    async whileWaiting(work) {
      pause()
      try {
        return await work
      } finally {
        resume()
      }
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
