// Bearer tokens of programs that another issuer made: whose they are, and that they are for us and for this tenant.
import { z } from 'zod'
import {
  badToken,
  type ForeignAlgorithm,
  type ForeignClaims,
  foreignAlgorithms,
  verifyForeignJwt,
} from './foreign-jwt.ts'
import { maxTokenCharacters, peek } from './peek.ts'
import { createProviderFetch, isAllowedAddress, type ProviderFetchOptions } from './provider-fetch.ts'
import { createRemoteKeys } from './remote-keys.ts'

export interface IssuerSettings {
  readonly id: string
  /** As the token spells it. */
  readonly issuer: string
  readonly audience: string
  /** Where the issuer's keys are; https. */
  readonly jwksUri: string
  /** At least one. */
  readonly algorithms: readonly ForeignAlgorithm[]
  /** A claim, and the one text it must hold; null where the issuer serves one tenant alone. */
  readonly tenantClaim: { readonly name: string; readonly value: string } | null
  /** How far the issuer's clock may differ from ours. From 0 to 60. */
  readonly clockToleranceSeconds: number
  /** Longest time from issue to expiry. From 1. */
  readonly maxLifetimeSeconds: number
}

export interface ForeignBearer {
  readonly issuerId: string
  readonly subject: string
  readonly jti: string | null
  readonly scopes: readonly string[]
  readonly expiresAt: Date
}

export interface IssuerVerifier {
  /**
   * Whose the token is. Throws `IdentityError`: `bad_token`, or `provider_unavailable` where the issuer's keys cannot
   * be had, which says nothing about the token. Abort means: stop waiting for keys.
   */
  verify(token: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<ForeignBearer>
}

export interface IssuerVerifierOptions extends ProviderFetchOptions {
  readonly now?: () => Date
}

const clockToleranceSecondsMost = 60
/** RFC 7519 section 5.1 and RFC 9068 section 2.1. */
const types = ['jwt', 'at+jwt']
const maxScopes = 100

const Text = z.string().regex(/^[^\p{Cc}\p{Cs}]{1,255}$/u)
/** RFC 6749 section 3.3. */
const Scopes = z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/)).max(maxScopes)
const spaced = z.string().transform(text => text.split(' ').filter(scope => scope !== ''))
const Claims = z.object({
  sub: Text,
  jti: Text.optional(),
  scope: spaced.pipe(Scopes).optional(),
  /** The same by the name that some products give it. */
  scp: z
    .union([spaced, z.array(z.string())])
    .pipe(Scopes)
    .optional(),
})

/** Throws `TypeError` for settings that cannot be. */
export function createIssuerVerifier(
  settings: readonly IssuerSettings[],
  options: IssuerVerifierOptions = {},
): IssuerVerifier {
  const { now = () => new Date() } = options
  const fetch = createProviderFetch(options)
  const issuers = settings.map(row => {
    checkSettings(row, options.allowInsecureLoopback ?? false)
    return { ...row, keys: createRemoteKeys(row.jwksUri, fetch) }
  })
  return {
    async verify(token, { signal } = {}) {
      const claimed = peek(token, maxTokenCharacters)
      if (claimed === null) throw badToken('it is not a JWT, or too long')
      const [issuer, ...others] = issuers.filter(row => isMeant(row, claimed.claims))
      if (issuer === undefined) throw badToken('it is of no issuer we know, or not for us')
      // One token must not be two tenants' at once.
      if (others.length > 0) throw badToken('it fits more than one issuer')
      const claims = await verifyForeignJwt(
        token,
        { ...issuer, types, maxCharacters: maxTokenCharacters, now: now(), isFromProvider: false },
        { signal },
      )
      return bearerOf(claims, issuer)
    },
  }
}

/** Of what the token claims, before its signature is checked. */
function isMeant(row: IssuerSettings, claims: Readonly<Record<string, unknown>>): boolean {
  const { aud } = { aud: claims['aud'] }
  if (claims['iss'] !== row.issuer) return false
  if (aud !== row.audience && !(Array.isArray(aud) && aud.includes(row.audience))) return false
  return row.tenantClaim === null || ownClaim(claims, row.tenantClaim.name) === row.tenantClaim.value
}

function bearerOf(claims: ForeignClaims, row: IssuerSettings): ForeignBearer {
  const parsed = Claims.safeParse(claims)
  if (!parsed.success) throw badToken('its claims are not what they must be', parsed.error)
  if (claims.exp - claims.iat > row.maxLifetimeSeconds) throw badToken('it lives too long')
  // Checked again on what was verified, though it is the same text.
  if (!isMeant(row, claims)) throw badToken('it is not for us')
  const { sub, jti, scope, scp } = parsed.data
  return {
    issuerId: row.id,
    subject: sub,
    jti: jti ?? null,
    scopes: [...new Set([...(scope ?? []), ...(scp ?? [])])],
    expiresAt: new Date(claims.exp * 1000),
  }
}

const ownClaim = (claims: Readonly<Record<string, unknown>>, name: string) =>
  Object.hasOwn(claims, name) ? claims[name] : undefined

function checkSettings(row: IssuerSettings, allowInsecureLoopback: boolean): void {
  const { algorithms, clockToleranceSeconds: tolerance, maxLifetimeSeconds } = row
  const isPinned = algorithms.length > 0 && algorithms.every(name => foreignAlgorithms.includes(name))
  if (!isPinned) throw new TypeError(`issuer ${row.id} needs algorithms, and none but asymmetric ones`)
  if (!(tolerance >= 0 && tolerance <= clockToleranceSecondsMost))
    throw new TypeError(
      `issuer ${row.id} needs a clock tolerance from 0 to ${clockToleranceSecondsMost} seconds`,
    )
  if (!(maxLifetimeSeconds >= 1)) throw new TypeError(`issuer ${row.id} needs a longest lifetime`)
  if (row.issuer === '' || row.audience === '')
    throw new TypeError(`issuer ${row.id} needs issuer and audience`)
  if (!isAllowedAddress(row.jwksUri, allowInsecureLoopback))
    throw new TypeError(`issuer ${row.id} needs an https address of its keys`)
}
