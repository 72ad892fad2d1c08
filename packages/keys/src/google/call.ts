// One call to Cloud KMS: deadlines, a bounded number of attempts with pauses, aborting, and answers that are checked.
import { setTimeout as sleep } from 'node:timers/promises'
import type { KeyManagementServiceClient } from '@google-cloud/kms'
import { KeyError } from '../error.ts'
import type { Connection } from './connection.ts'
import { isPassing, isUnauthenticated, isWrongChecksum, keyErrorOf, retryAfterMs } from './kms-error.ts'
import type { Settings } from './options.ts'

/** What every attempt hands to the client. `retry: null`: its own attempts, of minutes, are turned off. */
export interface AttemptOptions {
  readonly timeout: number
  readonly retry: null
  readonly signal: AbortSignal
}

export interface Call<Answer> {
  /** For messages: `wrap`. */
  readonly what: string
  ask(client: KeyManagementServiceClient, options: AttemptOptions): Promise<Answer>
  readonly signal?: AbortSignal | undefined
  /** What an error means here; null: what it always means. It is not tried again. */
  readonly explain?: ((error: unknown) => KeyError | null) | undefined
}

export interface Caller {
  /** Throws KeyErrors, and the reason of an aborted signal. */
  call<Answer>(call: Call<Answer>): Promise<Answer>
}

const firstPauseMs = 100
const longestPauseMs = 1000

export function createCaller(connection: Connection, settings: Settings): Caller {
  const { attemptTimeoutMs, callTimeoutMs, attemptsMost, random } = settings

  /** How long to wait before the next attempt; null when there is no time for one. */
  function pauseAfter(error: unknown, attempt: number, msLeft: number): number | null {
    if (attempt >= attemptsMost) return null
    const pause = Math.min(firstPauseMs * 2 ** (attempt - 1), longestPauseMs) * (0.5 + random() / 2)
    const wanted = Math.max(pause, retryAfterMs(error) ?? 0)
    return wanted < msLeft ? wanted : null
  }

  return {
    async call({ what, ask, signal: callersSignal, explain = () => null }) {
      callersSignal?.throwIfAborted()
      const deadline = performance.now() + callTimeoutMs
      using ending = endedBy(callersSignal, callTimeoutMs)
      const { signal } = ending
      let mismatches = 0
      let renewals = 0
      for (let attempt = 1; ; attempt++) {
        try {
          const client = await unlessAborted(connection.client(), signal)
          const timeout = Math.max(1, Math.min(attemptTimeoutMs, deadline - performance.now()))
          return await ask(client, { timeout, retry: null, signal })
        } catch (error) {
          callersSignal?.throwIfAborted()
          if (isWrongChecksum(error) && ++mismatches === 1) continue
          if (isUnauthenticated(error) && ++renewals === 1) {
            await unlessAborted(connection.renewCredentials(), signal).catch(() => undefined)
            callersSignal?.throwIfAborted()
            continue
          }
          const explained = explain(error)
          if (explained !== null) throw explained
          const isOwn = error instanceof KeyError && error.transient && !connection.isClosed
          const mayPass = isPassing(error) || isOwn
          const pauseMs = mayPass ? pauseAfter(error, attempt, deadline - performance.now()) : null
          if (pauseMs === null) throw keyErrorOf(error, what)
          await pause(pauseMs, callersSignal)
        }
      }
    },
  }
}

/** Aborted with the caller's signal, or when the time is up. */
function endedBy(callersSignal: AbortSignal | undefined, timeoutMs: number) {
  const controller = new AbortController()
  const end = () => controller.abort(callersSignal?.reason)
  const timer = setTimeout(end, timeoutMs)
  callersSignal?.addEventListener('abort', end, { once: true })
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer)
      callersSignal?.removeEventListener('abort', end)
    },
  }
}

/** For what takes no signal: its end is no longer waited for. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    signal.throwIfAborted()
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
