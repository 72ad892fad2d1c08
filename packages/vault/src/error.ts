// Failures of the use cases that a caller can tell apart; services map them to problems by table.
import type { Decision } from '@auricle/identity'

export type VaultErrorCode =
  | 'bad_credentials'
  | 'conflict'
  | 'content_mismatch'
  | 'denied'
  | 'empty_body'
  | 'locked'
  | 'log_unavailable'
  | 'log_unsealed'
  | 'malformed'
  | 'message_conflict'
  | 'not_audio'
  | 'not_found'
  | 'purpose_required'
  | 'source_conflict'
  | 'step_up_required'
  | 'damaged'
  | 'unauthenticated'

export class VaultError extends Error {
  override readonly name = 'VaultError'
  readonly code: VaultErrorCode
  /** When the same may be tried again; null where no time changes it. */
  readonly retryAt: Date | null
  constructor(
    code: VaultErrorCode,
    message: string,
    { retryAt = null, ...options }: ErrorOptions & { readonly retryAt?: Date | null } = {},
  ) {
    super(message, options)
    this.code = code
    this.retryAt = retryAt
  }
}

/** The failure that a decision against somebody is to them; some they can do something about. */
export function refusalOf({ reasons }: Decision): VaultError {
  if (reasons[0] === 'step_up_required')
    return new VaultError('step_up_required', 'Show your second factor again, then repeat this')
  if (reasons[0] === 'purpose_required')
    return new VaultError(
      'purpose_required',
      'State what it is for, one of the purposes that your role allows',
    )
  return new VaultError('denied', `Not allowed: ${reasons.join(', ')}`)
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
