// Why a retention rule cannot be applied.

export type RetentionErrorCode = 'bad_days' | 'bad_date'

export class RetentionError extends Error {
  override readonly name = 'RetentionError'
  readonly code: RetentionErrorCode
  constructor(code: RetentionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
