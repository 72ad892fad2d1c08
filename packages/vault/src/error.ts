// Failures of the use cases that a caller can tell apart; services map them to problems by table.

export type VaultErrorCode =
  | 'bad_credentials'
  | 'content_mismatch'
  | 'denied'
  | 'empty_body'
  | 'locked'
  | 'message_conflict'
  | 'not_audio'
  | 'not_found'
  | 'source_conflict'
  | 'damaged'
  | 'unauthenticated'

export class VaultError extends Error {
  override readonly name = 'VaultError'
  readonly code: VaultErrorCode
  constructor(code: VaultErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The stable word of any of our typed errors, `aborted` for an abort, `internal` for all else. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'internal'
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'aborted'
  if ('code' in error && typeof error.code === 'string' && error.name.endsWith('Error')) return error.code
  return 'internal'
}

/** Whether `error` is the typed error `name` with `code`, whatever package it came from. */
export function isError(error: unknown, name: string, code: string): boolean {
  return error instanceof Error && error.name === name && 'code' in error && error.code === code
}
