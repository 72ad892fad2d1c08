// Why somebody is not who they say, or a credential cannot be made.

/**
 * `bad_credentials`: sign-in failed, whichever part was wrong. `unauthenticated`: no token, or none that holds.
 * `bad_token`: a token that is not ours, not for here or not now; the detail is only in `cause`.
 * `cross_origin`: a request by cookie that another site may have caused.
 * `malformed`: a sign-in request that is not one. `weak_password`: a new password that may not be used.
 * `bad_hash`, `bad_secret`, `bad_key`: a stored password hash, TOTP secret or token key that cannot be read.
 * `busy`: too many passwords are being checked already.
 * `second_factor_missing`: the provider signed them in, and not by the factors that are demanded.
 * `provider_unavailable`: the provider, or its keys, cannot be asked; says nothing about the person or the token.
 * `bad_provider_answer`: an answer that is not the provider's, not for this attempt, or not what it must be.
 * `not_admitted`: the provider knows them and does not let them in here.
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
  | 'second_factor_missing'
  | 'provider_unavailable'
  | 'bad_provider_answer'
  | 'not_admitted'

/** Messages never repeat a credential. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError'
  readonly code: IdentityErrorCode
  /** Whether the same call may succeed later. */
  readonly transient: boolean
  constructor(code: IdentityErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.transient = code === 'busy' || code === 'provider_unavailable'
  }
}
