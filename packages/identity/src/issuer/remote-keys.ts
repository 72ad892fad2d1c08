// The public keys of somebody else, fetched from the one address that is known for them, and again when they rotate.
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose'
import { IdentityError } from '../error.ts'
import { type ProviderFetch, unavailable } from './provider-fetch.ts'

/** Least time between two fetches for the sake of keys nobody knows, which anybody can name. */
const cooldownMs = 5000
/** How long keys are used without looking whether they were withdrawn. */
const cacheMaxAgeMs = 600_000

export interface RemoteKeys {
  /** Throws a jose error where no key fits the token, `IdentityError('provider_unavailable')` where it cannot tell. */
  readonly find: JWTVerifyGetKey
  /** Fetches the keys now. Throws `IdentityError('provider_unavailable')`. */
  reload(): Promise<void>
}

export function createRemoteKeys(url: string, fetch: ProviderFetch): RemoteKeys {
  const keys = createRemoteJWKSet(new URL(url), {
    [customFetch]: fetch,
    cooldownDuration: cooldownMs,
    cacheMaxAge: cacheMaxAgeMs,
  })
  return {
    // Only the protected header chooses: `kid` among the keys that are there, and nothing that names others.
    find: (header, token) => keys(header, token).catch(fail),
    reload: () => keys.reload().catch(fail),
  }
}

/** Everything but a token that fits no key is a set of keys that cannot be had. */
function fail(error: unknown): never {
  const isOfToken =
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  if (isOfToken || (error instanceof IdentityError && error.code === 'provider_unavailable')) throw error
  throw unavailable(error)
}
