// Rate limits and the memory of what was seen lately, for all processes together. Both may be forgotten at any moment.
import { LimitsError } from './error.ts'

/** A bucket holds `burst` tokens, 1 or more, and gets one back every `everyMs`, more than 0. */
export interface Rate {
  readonly burst: number
  readonly everyMs: number
}

export type Taken = { readonly allowed: true } | { readonly allowed: false; readonly retryAfterMs: number }

export interface CallOptions {
  /** Abort means: stop waiting; the token may be taken nonetheless. */
  readonly signal?: AbortSignal | undefined
}

export interface Limits extends AsyncDisposable {
  /**
   * Takes a token from the bucket of `key`. While the store is away a bucket in this process answers in its place, since
   * a limit protects work and must not stop it. Keys are hashed: what they say is stored nowhere.
   */
  take(key: string, rate: Rate, options?: CallOptions): Promise<Taken>
  /**
   * What was noted under `key`, null where nothing is or it has been forgotten. Throws `LimitsError('unavailable')`:
   * "never seen" and "nobody knows" are different answers, and only the caller can say what the second one means.
   */
  seen(key: string, options?: CallOptions): Promise<string | null>
  /**
   * Notes `value`, free of anything about a patient, for `ttlMs`. The first note of a key stands until it ends. Call it
   * after the commit that it speaks of, or a crash in between makes the next attempt look like a repetition.
   */
  remember(key: string, value: string, ttlMs: number, options?: CallOptions): Promise<void>
}

/** Takes a token or throws `LimitsError('exceeded')` with the time until there is one. */
export async function enforce(
  limits: Pick<Limits, 'take'>,
  key: string,
  rate: Rate,
  options: CallOptions,
): Promise<void> {
  const taken = await limits.take(key, rate, options)
  if (taken.allowed) return
  const { retryAfterMs } = taken
  throw new LimitsError('exceeded', 'Too many attempts: wait a little', { retryAfterMs })
}
