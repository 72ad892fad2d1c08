// Why a delivery is refused, or its audio cannot be fetched.

export type PbxErrorCode =
  | 'bad_signature'
  | 'stale_timestamp'
  | 'malformed'
  | 'empty_body'
  | 'too_large'
  | 'fetch_refused'
  | 'fetch_failed'

export class PbxError extends Error {
  override readonly name = 'PbxError'
  readonly code: PbxErrorCode
  /** Whether the same attempt may succeed later (a fetch that timed out, an answer of 503). */
  readonly transient: boolean
  constructor(code: PbxErrorCode, message: string, options?: ErrorOptions & { transient?: boolean }) {
    super(message, options)
    this.code = code
    this.transient = options?.transient ?? false
  }
}
