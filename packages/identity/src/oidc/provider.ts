// The relying party of one OpenID provider: sends people there, and takes back only the answer to that very question.
//
// Code flow with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 9700). Nothing is kept here but the provider's
// metadata and keys: whoever calls keeps an attempt, bound to the browser that began it, and takes it once.
import { randomBytes } from 'node:crypto'
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  ClientSecretBasic,
  Configuration,
  calculatePKCECodeChallenge,
  clockSkew,
  clockTolerance,
  customFetch,
} from 'openid-client'
import { IdentityError } from '../error.ts'
import { verifyForeignJwt } from '../issuer/foreign-jwt.ts'
import { createProviderFetch, type ProviderFetchOptions } from '../issuer/provider-fetch.ts'
import { createDiscover, type Discovered } from './discovery.ts'
import { badAnswer, failureOf } from './failure.ts'
import { identityOf, type OidcIdentity } from './identity.ts'
import { type LogoutNotice, verifyLogoutToken } from './logout-token.ts'
import { checkOidcSettings, type OidcSettings } from './settings.ts'

export type OidcPurpose = 'sign_in' | 'step_up'

/** To be kept, sealed, until the person comes back. */
export interface OidcAttempt {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  /** How long ago they may have proved who they are when they come back; null where that does not matter. */
  readonly maxAgeSeconds: number | null
}

interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * All throw `IdentityError('provider_unavailable')` where the provider cannot be asked, and `bad_provider_answer`
 * where what it says of itself cannot be used. Abort means: stop waiting; a code that was sent may be spent.
 */
export interface OidcClient {
  begin(
    start: { readonly purpose: OidcPurpose; readonly loginHint?: string | undefined },
    options?: CallOptions,
  ): Promise<{ readonly url: URL; readonly attempt: OidcAttempt }>
  /**
   * Spends the code and says who came. Of `callbackUrl` only the query is read. Throws `IdentityError`:
   * `bad_provider_answer`, `second_factor_missing`, and `not_admitted` where the provider says no.
   */
  finish(
    answer: { readonly callbackUrl: URL; readonly attempt: OidcAttempt; readonly now: Date },
    options?: CallOptions,
  ): Promise<OidcIdentity>
  /** Where to send the browser to end the session at the provider, too; null where it has no such address. */
  endSessionUrl(
    end: {
      readonly idTokenHint?: string | undefined
      readonly postLogoutRedirectUri: string
      readonly state: string
    },
    options?: CallOptions,
  ): Promise<URL | null>
  /** Back-channel logout. Throws `IdentityError('bad_token')`, too. */
  verifyLogoutToken(token: string, options: CallOptions & { readonly now: Date }): Promise<LogoutNotice>
}

export interface OidcClientOptions extends ProviderFetchOptions {
  readonly random?: (byteLength: number) => Uint8Array
}

/** 256 bits; as base64url the least that RFC 7636 section 4.1 allows for a verifier. */
const secretBytes = 32
/**
 * For a step-up the provider is told 0, which is "now". Between the proof and the answer may lie consent and a slow
 * network, so that is how much older it may be when it comes.
 */
const stepUpMaxAgeSeconds = 120
const clockToleranceSeconds = 30
const maxQueryCharacters = 8192
/** Room for as many groups as are accepted. */
const maxIdTokenCharacters = 256 * 1024
const maxLoginHintCharacters = 256

/** Throws `TypeError` for settings that cannot be. The provider is asked for nothing before it is needed. */
export function createOidcClient(settings: OidcSettings, options: OidcClientOptions = {}): OidcClient {
  const { random = randomBytes, allowInsecureLoopback = false } = options
  checkOidcSettings(settings, allowInsecureLoopback)
  const fetch = createProviderFetch(options)
  const discover = createDiscover(settings, { fetch, allowInsecureLoopback })
  const secret = () => Buffer.from(random(secretBytes)).toString('base64url')

  /** Made anew for each call, since openid-client 6 takes neither a signal nor the time by the call. */
  const configure = ({ metadata }: Discovered, now: Date | null, signal: AbortSignal | undefined) => {
    const client = {
      client_secret: settings.clientSecret,
      [clockTolerance]: clockToleranceSeconds,
      // It reads the machine's clock; this is how far that is from the one we were handed.
      [clockSkew]: now === null ? 0 : Math.round((now.getTime() - Date.now()) / 1000),
    }
    const configuration = new Configuration(
      metadata,
      settings.clientId,
      client,
      ClientSecretBasic(settings.clientSecret),
    )
    configuration[customFetch] = (url, init) => fetch(url, { ...init, signal: both(init.signal, signal) })
    if (allowInsecureLoopback) allowInsecureRequests(configuration)
    return configuration
  }

  return {
    async begin({ purpose, loginHint }, { signal } = {}) {
      const found = await discover(signal)
      const attempt: OidcAttempt = {
        state: secret(),
        nonce: secret(),
        codeVerifier: secret(),
        maxAgeSeconds: purpose === 'step_up' ? stepUpMaxAgeSeconds : null,
      }
      const parameters = new URLSearchParams({
        redirect_uri: settings.redirectUri,
        scope: [...new Set(['openid', ...settings.scopes])].join(' '),
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await calculatePKCECodeChallenge(attempt.codeVerifier),
        code_challenge_method: 'S256',
      })
      if (settings.acrValues.length > 0) parameters.set('acr_values', settings.acrValues.join(' '))
      if (purpose === 'step_up') {
        parameters.set('max_age', '0')
        parameters.set('prompt', 'login')
      }
      if (loginHint !== undefined) parameters.set('login_hint', loginHint.slice(0, maxLoginHintCharacters))
      return {
        url: tried(() => buildAuthorizationUrl(configure(found, null, signal), parameters)),
        attempt,
      }
    },

    async finish({ callbackUrl, attempt, now }, { signal } = {}) {
      if (callbackUrl.search.length > maxQueryCharacters) throw badAnswer(new Error('it is too long'))
      const found = await discover(signal)
      // Behind a proxy we may have been asked under another name, and the provider compares.
      const url = new URL(settings.redirectUri)
      url.search = callbackUrl.search
      const idToken = await spendCode(configure(found, now, signal), url, attempt).catch((error: unknown) => {
        signal?.throwIfAborted()
        throw failureOf(error)
      })
      const check = {
        keys: found.keys,
        algorithms: found.algorithms,
        issuer: found.metadata.issuer,
        audience: settings.clientId,
        types: ['jwt'],
        maxCharacters: maxIdTokenCharacters,
        clockToleranceSeconds,
        now,
        isFromProvider: true,
      }
      const claims = await verifyForeignJwt(idToken, check, { signal }).catch((error: unknown) => {
        throw error instanceof IdentityError && error.code === 'bad_token' ? badAnswer(error) : error
      })
      const { maxAgeSeconds } = attempt
      return identityOf(claims, settings, { now, maxAgeSeconds, clockToleranceSeconds })
    },

    async endSessionUrl({ idTokenHint, postLogoutRedirectUri, state }, { signal } = {}) {
      const found = await discover(signal)
      if (found.metadata.end_session_endpoint === undefined) return null
      const parameters = new URLSearchParams({ post_logout_redirect_uri: postLogoutRedirectUri, state })
      if (idTokenHint !== undefined) parameters.set('id_token_hint', idTokenHint)
      return tried(() => buildEndSessionUrl(configure(found, null, signal), parameters))
    },

    async verifyLogoutToken(token, { now, signal }) {
      const found = await discover(signal)
      return verifyLogoutToken(token, { found, settings, now, signal })
    },
  }
}

/**
 * The ID token that the code is worth, its claims checked by openid-client (issuer, audience, nonce, `auth_time`), its
 * signature not yet: that is ours, with keys that are fetched again when they rotate.
 */
async function spendCode(configuration: Configuration, url: URL, attempt: OidcAttempt): Promise<string> {
  const answer = await authorizationCodeGrant(configuration, url, {
    expectedState: attempt.state,
    expectedNonce: attempt.nonce,
    pkceCodeVerifier: attempt.codeVerifier,
    idTokenExpected: true,
    ...(attempt.maxAgeSeconds === null ? {} : { maxAge: attempt.maxAgeSeconds }),
  })
  if (answer.id_token === undefined) throw new Error('the provider gave no ID token')
  return answer.id_token
}

function tried<Result>(make: () => Result): Result {
  try {
    return make()
  } catch (error) {
    throw failureOf(error)
  }
}

function both(one: AbortSignal | null | undefined, other: AbortSignal | undefined): AbortSignal | null {
  const signals = [one, other].filter(signal => signal !== null && signal !== undefined)
  return signals.length === 0 ? null : AbortSignal.any(signals)
}
