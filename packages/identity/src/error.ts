// Why somebody is not who they say, or a credential cannot be made.

/**
 * `bad_credentials`: sign-in failed, whichever part was wrong. `unauthenticated`: no token, or none that holds.
 * `bad_token`: a token that is not ours, not for here or not now; the detail is only in `cause`.
 * `cross_origin`: a request by cookie that another site may have caused.
 * `malformed`: a sign-in request that is not one. `weak_password`: a new password that may not be used.
 * `bad_hash`, `bad_secret`, `bad_key`: a stored password hash, TOTP secret or token key that cannot be read.
 * `busy`: too many passwords are being checked already.
 */
export type IdentityErrorCode =
  | 'bad_credentials'
  | 'unauthenticated'
  | 'bad_token'
  | 'cross_origin'
  | 'malformed'
  | 'weak_password'
  | 'bad_hash'
  | 'bad_secret'
  | 'bad_key'
  | 'busy'

/** Messages never repeat a credential. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError'
  readonly code: IdentityErrorCode
  /** Whether the same call may succeed later. */
  readonly transient: boolean
  constructor(code: IdentityErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.transient = code === 'busy'
  }
}
