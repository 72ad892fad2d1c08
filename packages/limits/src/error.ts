// Failures of limits that a caller can tell apart.

export type LimitsErrorCode =
  /** The store cannot be reached, or did not answer in time. */
  | 'unavailable'
  /** Whoever asked has had their share; see `retryAfterMs`. */
  | 'exceeded'

export class LimitsError extends Error {
  override readonly name = 'LimitsError'
  readonly code: LimitsErrorCode
  /** Whether the same call may succeed later. */
  readonly transient = true
  /** When it is worth trying again; null where nobody knows. */
  readonly retryAfterMs: number | null
  constructor(
    code: LimitsErrorCode,
    message: string,
    options: ErrorOptions & { readonly retryAfterMs?: number } = {},
  ) {
    super(message, options)
    this.code = code
    this.retryAfterMs = options.retryAfterMs ?? null
  }
}
