// Why something cannot stand in the audit log, or is not from it.

/**
 * `not_canonical`: a value that canonical JSON cannot express. `bad_event`: an event that does not follow its
 * schema. `too_large`: more bytes than a leaf or a private part may have. `bad_leaf`, `bad_private`: bytes that
 * this package cannot have written.
 */
export type AuditErrorCode = 'not_canonical' | 'bad_event' | 'too_large' | 'bad_leaf' | 'bad_private'

/** Messages never repeat the refused value, which may identify somebody. */
export class AuditError extends Error {
  override readonly name = 'AuditError'
  readonly code: AuditErrorCode
  constructor(code: AuditErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
