// Bearer tokens: JWTs (RFC 7519) with one algorithm, one type and one spelling. Anything else is `bad_token`.
//
// A token says whose it is; that it still holds (not revoked, its user not disabled) is for the catalog to say on
// every request. Tokens are strict in form, so that a valid one has a single text: each part is canonical
// base64url, header and claims are JSON without white space or duplicate keys.
import { TenantId, TokenId, UserId } from '@auricle/contract'
import { compactVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { RefusedToken, type TokenRefusal } from './refused-token.ts'
import { type TokenKeys, type TokenSigningKey, tokenAlgorithm } from './token-key.ts'

/** Sets an access token apart from any other JWT of the same key (RFC 9068 section 2.1). */
const tokenType = 'at+jwt'
const maxTokenCharacters = 2048
/** How far the clock of the signing process may be ahead of ours. Nothing is allowed for after expiry. */
const clockToleranceMs = 5000

const Header = z.strictObject({
  alg: z.literal(tokenAlgorithm),
  typ: z.literal(tokenType),
  kid: z.string().min(1).max(64),
})
const seconds = z.int().nonnegative()
const Payload = z.strictObject({
  iss: z.string(),
  aud: z.string(),
  /** The user. */
  sub: UserId,
  /** The token. */
  jti: TokenId,
  tenant: TenantId,
  purpose: z.enum(['session', 'program']),
  iat: seconds,
  nbf: seconds,
  exp: seconds,
})

export interface TokenClaims {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly tokenId: TokenId
  readonly purpose: 'session' | 'program'
  readonly issuedAt: Date
  readonly expiresAt: Date
}

/** Who makes tokens and whom they are for; both are checked for equality. */
export interface TokenParties {
  readonly issuer: string
  readonly audience: string
}

export interface NewToken extends TokenParties, Omit<TokenClaims, 'issuedAt'> {
  readonly key: TokenSigningKey
  readonly now: Date
}

/** A signed token. Its times are whole seconds, both rounded down. */
export function signToken(token: NewToken): Promise<string> {
  const issuedAt = Math.floor(token.now.getTime() / 1000)
  const claims: z.input<typeof Payload> = {
    iss: token.issuer,
    aud: token.audience,
    sub: token.userId,
    jti: token.tokenId,
    tenant: token.tenantId,
    purpose: token.purpose,
    iat: issuedAt,
    nbf: issuedAt,
    exp: Math.floor(token.expiresAt.getTime() / 1000),
  }
  return new SignJWT(claims)
    .setProtectedHeader({ alg: tokenAlgorithm, typ: tokenType, kid: token.key.kid })
    .sign(token.key.key)
}

export interface TokenCheck extends TokenParties {
  readonly keys: Pick<TokenKeys, 'verifying'>
  readonly now: Date
}

/** What a token says, after its form, signature, parties and times were checked. Throws `IdentityError('bad_token')`. */
export async function verifyToken(token: string, check: TokenCheck): Promise<TokenClaims> {
  const { header, payload } = parseToken(token)
  const key = check.keys.verifying.get(header.kid)
  if (key === undefined) throw new RefusedToken('unknown_key')
  try {
    await compactVerify(token, key, { algorithms: [tokenAlgorithm] })
  } catch (cause) {
    throw new RefusedToken('wrong_signature', null, { cause })
  }
  if (payload.iss !== check.issuer) throw new RefusedToken('wrong_issuer')
  if (payload.aud !== check.audience) throw new RefusedToken('wrong_audience')
  const claims: TokenClaims = {
    tenantId: payload.tenant,
    userId: payload.sub,
    tokenId: payload.jti,
    purpose: payload.purpose,
    issuedAt: new Date(Math.max(payload.nbf, payload.iat) * 1000),
    expiresAt: new Date(payload.exp * 1000),
  }
  checkTimes(claims, check.now)
  return claims
}

/** Throws `IdentityError('bad_token')` where `now` is not within the token's time. */
export function checkTimes(claims: TokenClaims, now: Date): void {
  if (now.getTime() >= claims.expiresAt.getTime()) throw new RefusedToken('expired', claims)
  if (now.getTime() < claims.issuedAt.getTime() - clockToleranceMs)
    throw new RefusedToken('not_yet_valid', claims)
}

function parseToken(token: string) {
  if (token.length > maxTokenCharacters) throw new RefusedToken('too_long')
  const [header, payload, signature, ...rest] = token.split('.')
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) {
    throw new RefusedToken('not_three_parts')
  }
  bytesOf(signature)
  return { header: parsePart(Header, header, headerRefusal), payload: parsePart(Payload, payload) }
}

function parsePart<Schema extends z.ZodType>(
  schema: Schema,
  part: string,
  refusal: (error: z.ZodError) => TokenRefusal = () => 'wrong_claims',
): z.output<Schema> {
  const bytes = bytesOf(part)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (cause) {
    throw new RefusedToken('not_json', null, { cause })
  }
  if (!Buffer.from(JSON.stringify(value)).equals(bytes)) throw new RefusedToken('not_canonical')
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new RefusedToken(refusal(parsed.error), null, { cause: parsed.error })
  return parsed.data
}

const refusalOfField: ReadonlyMap<unknown, TokenRefusal> = new Map([
  ['alg', 'wrong_algorithm'],
  ['typ', 'wrong_type'],
  ['kid', 'wrong_key_id'],
])

/** The algorithm before all else: it is what most attacks change. */
function headerRefusal({ issues }: z.ZodError): TokenRefusal {
  for (const [field, refusal] of refusalOfField) {
    if (issues.some(({ path }) => path[0] === field)) return refusal
  }
  return 'wrong_header'
}

function bytesOf(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url')
  if (part === '' || bytes.toString('base64url') !== part) throw new RefusedToken('not_base64url')
  return bytes
}
