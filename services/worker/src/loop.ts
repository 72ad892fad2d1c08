// Runs a piece of work over and over: one at a time, with a pause between, until disposed.
import { setTimeout as delay } from 'node:timers/promises'

export interface LoopOptions {
  /** Pause after one run before the next, in milliseconds. */
  readonly pauseMs: number
  /** A run that throws is reported here, and the loop goes on. */
  readonly onError: (error: unknown) => void
}

export interface Loop extends AsyncDisposable {
  /** Ends the current pause: there is something to do. */
  wake(): void
}

/** Disposing aborts the signal that `work` gets and waits for it to return. */
export function startLoop(
  work: (options: { signal: AbortSignal }) => Promise<unknown>,
  options: LoopOptions,
): Loop {
  const stop = new AbortController()
  let pause = new AbortController()
  const run = async () => {
    while (!stop.signal.aborted) {
      pause = new AbortController()
      try {
        await work({ signal: stop.signal })
      } catch (error) {
        if (!stop.signal.aborted) options.onError(error)
      }
      const ended = AbortSignal.any([stop.signal, pause.signal])
      // Rejects only because the pause was ended, which is what was wanted.
      await delay(options.pauseMs, undefined, { signal: ended }).catch(() => undefined)
    }
  }
  const running = run()
  return {
    wake: () => pause.abort(),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  }
}
