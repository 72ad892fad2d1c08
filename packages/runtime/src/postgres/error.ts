// Failures of the embedded PostgreSQL that a caller can tell apart.

export type PostgresErrorCode =
  /** This machine lacks the binaries, or no user here may run them. */
  | 'unsupported'
  /** Another process runs PostgreSQL on the same folder. */
  | 'in_use'
  /** A folder or file is not as it must be. */
  | 'unusable'
  /** PostgreSQL or initdb ended instead of starting. */
  | 'start_failed'

export class PostgresError extends Error {
  override readonly name = 'PostgresError'
  readonly code: PostgresErrorCode
  constructor(code: PostgresErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Whether a failed file operation says that there is nothing at that path. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

/** Whether a failed file operation says that something is at that path already. */
export function isPresent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EEXIST' || error.code === 'ENOTEMPTY')
}
