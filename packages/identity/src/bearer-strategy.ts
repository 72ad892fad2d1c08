// Passport's strategy for tokens: one `Authorization: Bearer` header (RFC 6750 section 2.1) or one session cookie, never
// both, and the cookie only for a request of our own pages.
//
// Tokens in a query or a body are never taken: addresses end up in logs and histories.
import type passport from 'passport'
import { IdentityError } from './error.ts'
import { challenges, type HttpRequest } from './http-request.ts'
import { isFromOwnOrigin } from './own-origin.ts'
import { type KnownToken, RefusedToken, type TokenRefusal } from './refused-token.ts'
import { readSessionCookies } from './session-cookie.ts'
import { createStrategy, type Outcome } from './strategy.ts'

/** How a token came. */
export type Carrier = 'header' | 'cookie'

/** Null, or `IdentityError('bad_token')`, where the token does not hold; throws where it cannot tell. */
export type AuthenticateBearer<Bearer extends object> = (
  token: string,
  request: HttpRequest,
  carrier: Carrier,
) => Promise<Bearer | null>

/** What is known of a request that was refused; never the token. */
export interface Refusal {
  readonly reason: TokenRefusal
  /** Where the token is ours by its signature. */
  readonly claims: KnownToken | null
}

export interface BearerOptions {
  /** Where browsers reach the service, as `Origin` writes it; null where nobody can say. Default: null. */
  readonly ownOrigin?: (request: HttpRequest) => string | null
  /** Told of every refusal before it is answered. Must not throw. */
  readonly onRefused?: (refusal: Refusal, request: HttpRequest) => Promise<void>
}

const bearer = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i

/** The strategy named `bearer`. Throws `IdentityError('cross_origin')` for a cookie that another site made use of. */
export function createBearerStrategy<Bearer extends object>(
  authenticate: AuthenticateBearer<Bearer>,
  { ownOrigin = () => null, onRefused = async () => undefined }: BearerOptions = {},
): passport.Strategy {
  return createStrategy<Bearer>('bearer', async request => {
    const refuse = async (
      reason: TokenRefusal,
      claims: KnownToken | null = null,
    ): Promise<Outcome<never>> => {
      await onRefused({ reason, claims }, request)
      return { type: 'failure', challenge: challengeOf(reason) }
    }
    const sent = tokenOf(request)
    if (typeof sent === 'string') return refuse(sent)
    if (sent.carrier === 'cookie' && !isFromOwnOrigin(request, ownOrigin(request))) {
      await onRefused({ reason: 'cross_origin', claims: null }, request)
      throw new IdentityError('cross_origin', 'Not allowed: cross_origin')
    }
    try {
      const holder = await authenticate(sent.token, request, sent.carrier)
      return holder === null ? refuse('not_held') : { type: 'success', result: holder }
    } catch (error) {
      if (error instanceof RefusedToken) return refuse(error.reason, error.claims)
      if (error instanceof IdentityError && error.code === 'bad_token') return refuse('not_ours')
      throw error
    }
  })
}

/** The one token of a request and how it came, or why there is none to look at. */
function tokenOf(request: HttpRequest): { readonly token: string; readonly carrier: Carrier } | TokenRefusal {
  if (hasTokenInAddress(request)) return 'in_address'
  const headers = request.headersDistinct['authorization'] ?? []
  const { values: cookies, hasLikeness } = readSessionCookies(request)
  if (headers.length > 1) return 'two_headers'
  if (cookies.length > 1) return 'two_cookies'
  const [header] = headers
  const [cookie] = cookies
  if (header !== undefined && cookie !== undefined) return 'header_and_cookie'
  if (cookie !== undefined) return { token: cookie, carrier: 'cookie' }
  if (header === undefined) {
    if (hasTokenInBody(request)) return 'in_body'
    return hasLikeness ? 'cookie_name' : 'absent'
  }
  const token = bearer.exec(header)?.[1]
  return token === undefined ? 'malformed_header' : { token, carrier: 'header' }
}

const hasTokenInAddress = ({ url = '' }: HttpRequest) => /[?&]access_token=/i.test(url)
const hasTokenInBody = ({ body }: HttpRequest) =>
  typeof body === 'object' && body !== null && Object.hasOwn(body, 'access_token')

function challengeOf(reason: TokenRefusal): string {
  switch (reason) {
    case 'absent':
    case 'malformed_header':
    case 'cookie_name':
    case 'in_address':
    case 'in_body':
      return challenges.none
    case 'two_headers':
    case 'two_cookies':
    case 'header_and_cookie':
      return challenges.malformed
    default:
      return challenges.invalid
  }
}
