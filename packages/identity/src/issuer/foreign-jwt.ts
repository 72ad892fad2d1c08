// Verifies a JWT that somebody else signed: with their keys, a pinned algorithm, and nothing that it brings along.
import { errors, jwtVerify } from 'jose'
import { abortable } from '../abortable.ts'
import { IdentityError } from '../error.ts'
import { peek } from './peek.ts'
import type { RemoteKeys } from './remote-keys.ts'

/** All are asymmetric, so that no public key can be used as a secret (RFC 8725 sections 2.1 and 3.1). */
export const foreignAlgorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'] as const
export type ForeignAlgorithm = (typeof foreignAlgorithms)[number]

/** Header members that bring a key, or that change how the rest is read; refused even where they would do no harm. */
const forbidden = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip']

export interface ForeignJwtCheck {
  readonly keys: RemoteKeys
  readonly algorithms: readonly ForeignAlgorithm[]
  readonly issuer: string
  readonly audience: string
  /** Lower case, without `application/`. A token without a type passes. */
  readonly types: readonly string[]
  readonly maxCharacters: number
  readonly clockToleranceSeconds: number
  readonly now: Date
  /**
   * Whether keys are fetched at once where none fits, however lately that was done: for tokens that come from the
   * provider itself. Of others anybody could have the keys fetched without end.
   */
  readonly isFromProvider: boolean
}

export type ForeignClaims = Readonly<Record<string, unknown>> & { readonly exp: number; readonly iat: number }

/**
 * The claims, after signature, issuer, audience and times were checked; the rest is for the caller to parse. Throws
 * `IdentityError`: `bad_token`, with the reason only in `cause`, or `provider_unavailable`. Abort means: stop waiting
 * for keys.
 */
export async function verifyForeignJwt(
  token: string,
  check: ForeignJwtCheck,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<ForeignClaims> {
  const peeked = peek(token, check.maxCharacters)
  if (peeked === null) throw badToken('it is not a JWT, or too long')
  checkHeader(peeked.header, check)
  return abortable(verify(token, check), signal)
}

function checkHeader(header: Readonly<Record<string, unknown>>, { types }: ForeignJwtCheck): void {
  const { kid, typ } = { kid: header['kid'], typ: header['typ'] }
  if (forbidden.some(name => Object.hasOwn(header, name)))
    throw badToken('its header brings along what it may not')
  if (kid !== undefined && typeof kid !== 'string') throw badToken('its key id is none')
  if (typ === undefined) return
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : null
  if (type === null || !types.includes(type)) throw badToken('it is a token of another type')
}

async function verify(token: string, check: ForeignJwtCheck): Promise<ForeignClaims> {
  try {
    return await verifyOnce(token, check)
  } catch (error) {
    if (!check.isFromProvider || !mayHaveRotated(error)) throw refusal(error)
  }
  await check.keys.reload()
  return verifyOnce(token, check).catch((error: unknown) => {
    throw refusal(error)
  })
}

async function verifyOnce(token: string, check: ForeignJwtCheck): Promise<ForeignClaims> {
  const { payload } = await jwtVerify(token, check.keys.find, {
    algorithms: [...check.algorithms],
    issuer: check.issuer,
    audience: check.audience,
    clockTolerance: check.clockToleranceSeconds,
    currentDate: check.now,
  })
  const { exp, iat } = payload
  if (!Number.isSafeInteger(exp) || !Number.isSafeInteger(iat))
    throw badToken('its times are missing, or not whole seconds')
  const claims = { ...payload, exp: Number(exp), iat: Number(iat) }
  if (claims.iat > check.now.getTime() / 1000 + check.clockToleranceSeconds)
    throw badToken('it was issued in the future')
  return claims
}

/** Keys without an id can only be told apart by trying. */
const mayHaveRotated = (error: unknown) =>
  error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed

const refusal = (error: unknown) =>
  error instanceof IdentityError ? error : badToken('it does not verify', error)

export function badToken(why: string, cause?: unknown): IdentityError {
  return new IdentityError('bad_token', 'The token does not hold', {
    cause: new Error(why, cause === undefined ? {} : { cause }),
  })
}
