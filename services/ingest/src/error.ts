// Failures of taking a body off the wire.

export type IngestErrorCode = 'idle_timeout' | 'too_large' | 'truncated'

export class IngestError extends Error {
  override readonly name = 'IngestError'
  readonly code: IngestErrorCode
  constructor(code: IngestErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
