// What a failed exchange with the provider means: it is away, it says no, or its answer cannot be trusted.
import { AuthorizationResponseError } from 'openid-client'
import { IdentityError, type IdentityErrorCode } from '../error.ts'

/** Of RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6 and its extension on unmet requirements. */
const refusals: ReadonlyMap<string, IdentityErrorCode> = new Map([
  ['access_denied', 'not_admitted'],
  ['account_selection_required', 'not_admitted'],
  ['consent_required', 'not_admitted'],
  ['interaction_required', 'not_admitted'],
  ['login_required', 'not_admitted'],
  ['server_error', 'provider_unavailable'],
  ['temporarily_unavailable', 'provider_unavailable'],
  ['unmet_authentication_requirements', 'second_factor_missing'],
])

const messages: Readonly<Partial<Record<IdentityErrorCode, string>>> = {
  not_admitted: 'The identity provider did not sign this person in',
  provider_unavailable: 'The identity provider cannot be asked just now',
  second_factor_missing: 'The identity provider could not ask for the factors that are demanded',
}

const causesMost = 5

export function failureOf(error: unknown): IdentityError {
  // openid-client wraps what our own fetch throws.
  let cause: unknown = error
  for (let depth = 0; depth < causesMost && cause instanceof Error; depth++) {
    if (cause instanceof IdentityError) return cause
    cause = cause.cause
  }
  const code = error instanceof AuthorizationResponseError ? refusals.get(error.error) : undefined
  return code === undefined
    ? badAnswer(error)
    : new IdentityError(code, messages[code] ?? '', { cause: error })
}

/** One message whatever was wrong; the detail is only in `cause`. */
export function badAnswer(cause: unknown): IdentityError {
  return new IdentityError('bad_provider_answer', 'The answer of the identity provider does not hold', {
    cause,
  })
}
