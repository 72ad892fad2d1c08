// Why something cannot stand in the audit log, is not from it, or does not prove what it should.

/**
 * `not_canonical`: a value that canonical JSON cannot express. `bad_event`: an event that does not follow its
 * schema. `too_large`: more bytes than a leaf or a private part may have. `bad_leaf`, `bad_private`: bytes that
 * this package cannot have written.
 *
 * `bad_tree`: sizes, indexes or hashes that no tree has, or a tile that is not what its place asks for. `bad_note`,
 * `bad_key`, `bad_checkpoint`, `bad_proof`, `bad_policy`, `bad_request`, `bad_anchor`, `bad_receipt`, `bad_certificate`:
 * text that does not follow its format. `bad_signature`: a key that is known did not make the signature in its name.
 * `unsigned`: no key that is known has signed, or too few have.
 */
export type AuditErrorCode =
  | 'not_canonical'
  | 'bad_event'
  | 'too_large'
  | 'bad_leaf'
  | 'bad_private'
  | 'bad_tree'
  | 'bad_note'
  | 'bad_key'
  | 'bad_checkpoint'
  | 'bad_proof'
  | 'bad_policy'
  | 'bad_request'
  | 'bad_anchor'
  | 'bad_receipt'
  | 'bad_certificate'
  | 'bad_signature'
  | 'unsigned'

/** Messages never repeat the refused value, which may identify somebody. */
export class AuditError extends Error {
  override readonly name = 'AuditError'
  readonly code: AuditErrorCode
  constructor(code: AuditErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
