// Limits over a store that may be away: bounded calls, a bucket of this process meanwhile, one report an outage.
import { createHash } from 'node:crypto'
import { createLocalBuckets } from './bucket.ts'
import { LimitsError } from './error.ts'
import type { CallOptions, Limits, Rate, Taken } from './limits.ts'

/** What a store does with keys that are hashed already. Every call is atomic. */
export interface LimitStore {
  take(key: Buffer, rate: Rate): Promise<Taken>
  seen(key: Buffer): Promise<string | null>
  remember(key: Buffer, value: string, ttlMs: number): Promise<void>
  close(): Promise<void>
}

export interface LimitsOptions {
  /** Default 1000. How long one question may take. */
  readonly timeoutMs?: number | undefined
  /** The store went away: once for each outage, with what it said last. */
  readonly onError: (error: LimitsError) => void
  /** The store answers again. */
  readonly onRecovered?: (() => void) | undefined
  /** For tests: Unix milliseconds in place of the store's own clock. */
  readonly now?: (() => number) | undefined
}

const defaultTimeoutMs = 1000
/** While the store is away it is asked no more often than this; everybody else is answered at once. */
const awayPauseMs = 1000

export function createSharedLimits(store: LimitStore, options: LimitsOptions): Limits {
  const { timeoutMs = defaultTimeoutMs, onError, onRecovered, now = Date.now } = options
  const buckets = createLocalBuckets(now)
  let askAgainAt: number | null = null
  let isClosed = false

  const ask = async <Answer>(call: () => Promise<Answer>, { signal }: CallOptions): Promise<Answer> => {
    signal?.throwIfAborted()
    if (askAgainAt !== null && performance.now() < askAgainAt) throw away()
    if (askAgainAt !== null) askAgainAt = performance.now() + awayPauseMs
    try {
      const answer = await within(call(), timeoutMs, signal)
      if (askAgainAt !== null) onRecovered?.()
      askAgainAt = null
      return answer
    } catch (cause) {
      if (signal?.aborted === true && cause === signal.reason) throw cause
      const error = away(cause)
      if (askAgainAt === null && !isClosed) onError(error)
      askAgainAt = performance.now() + awayPauseMs
      throw error
    }
  }

  return {
    async take(key, rate, callOptions = {}) {
      const hashed = hash('bucket', key)
      try {
        return await ask(() => store.take(hashed, rate), callOptions)
      } catch (error) {
        if (error instanceof LimitsError) return buckets.take(hashed.toString('base64'), rate)
        throw error
      }
    },
    seen: (key, callOptions = {}) => ask(() => store.seen(hash('note', key)), callOptions),
    remember: (key, value, ttlMs, callOptions = {}) =>
      ask(() => store.remember(hash('note', key), value, ttlMs), callOptions),
    async [Symbol.asyncDispose]() {
      isClosed = true
      await store.close()
    },
  }
}

function away(cause?: unknown): LimitsError {
  return new LimitsError('unavailable', 'The store of limits does not answer', { cause })
}

/** The kind goes in too, so that a bucket and a note of one name are never one key. */
function hash(kind: 'bucket' | 'note', key: string): Buffer {
  return createHash('sha256').update(`${kind}\0${key}`).digest()
}

async function within<Answer>(
  call: Promise<Answer>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const timeout = AbortSignal.timeout(timeoutMs)
  const ended = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
  using listening = new DisposableStack()
  const end = new Promise<never>((_resolve, reject) => {
    const stop = () => reject(ended.reason)
    ended.addEventListener('abort', stop)
    listening.defer(() => ended.removeEventListener('abort', stop))
  })
  return await Promise.race([call, end])
}
