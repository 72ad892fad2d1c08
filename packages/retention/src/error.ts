// Why a retention rule cannot be applied.

/** `bad_date`: no date, or one beyond the year 9999. `bad_days`: a minimum out of its bounds. */
export type RetentionErrorCode = 'bad_days' | 'bad_date'

export class RetentionError extends Error {
  override readonly name = 'RetentionError'
  readonly code: RetentionErrorCode
  constructor(code: RetentionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
