// Why a request's token was refused: stable words for the log and a counter, never for whoever sent it.
import { IdentityError } from './error.ts'
import type { TokenClaims } from './token.ts'

export type TokenRefusal =
  // How it was sent.
  | 'absent'
  | 'malformed_header'
  | 'two_headers'
  | 'two_cookies'
  | 'header_and_cookie'
  | 'cookie_name'
  | 'in_address'
  | 'in_body'
  | 'cross_origin'
  // What it says.
  | 'too_long'
  | 'not_three_parts'
  | 'not_base64url'
  | 'not_json'
  | 'not_canonical'
  | 'wrong_algorithm'
  | 'wrong_type'
  | 'wrong_key_id'
  | 'wrong_header'
  | 'wrong_claims'
  | 'unknown_key'
  | 'wrong_signature'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'not_a_session'
  | 'expired'
  | 'not_yet_valid'
  | 'not_ours'
  // What the catalog knows of it.
  | 'not_held'

/** What is known of whose a token is, where it is ours. */
export type KnownToken = Pick<TokenClaims, 'tenantId' | 'userId' | 'tokenId' | 'purpose'>

/** A token that does not hold, with the reason for the log; `claims` are there where its signature was good. */
export class RefusedToken extends IdentityError {
  readonly reason: TokenRefusal
  readonly claims: KnownToken | null
  constructor(reason: TokenRefusal, claims: KnownToken | null = null, options?: ErrorOptions) {
    super('bad_token', 'The token does not hold', options)
    this.reason = reason
    this.claims = claims
  }
}
