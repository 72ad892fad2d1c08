// Lets a few tasks run at once and a bounded number wait; refuses the rest, so that a flood cannot take all memory.
import { IdentityError } from './error.ts'

export interface GateOptions {
  readonly maxRunning: number
  readonly maxWaiting: number
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs a task when its turn comes, first come first served. Throws `IdentityError('busy')` where too many wait
 * already. Abort means: stop waiting; a task that has begun runs to its end.
 */
export type Gate = <Result>(task: () => Promise<Result>, options?: CallOptions) => Promise<Result>

export function createGate({ maxRunning, maxWaiting }: GateOptions): Gate {
  let running = 0
  const waiting = new Set<() => void>()

  const enter = async (signal: AbortSignal | undefined) => {
    signal?.throwIfAborted()
    if (running < maxRunning) {
      running += 1
      return
    }
    if (waiting.size >= maxWaiting)
      throw new IdentityError('busy', 'Too many sign-ins at once: try again shortly')
    // Whoever leaves hands the place over, so `running` does not change here.
    await turn(waiting, signal)
  }
  const leave = () => {
    const [next] = waiting
    if (next === undefined) running -= 1
    else next()
  }
  return async (task, options) => {
    await enter(options?.signal)
    try {
      return await task()
    } finally {
      leave()
    }
  }
}

function turn(waiting: Set<() => void>, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const begin = () => {
    waiting.delete(begin)
    signal?.removeEventListener('abort', stop)
    resolve()
  }
  const stop = () => {
    waiting.delete(begin)
    reject(signal?.reason)
  }
  waiting.add(begin)
  signal?.addEventListener('abort', stop, { once: true })
  return promise
}
