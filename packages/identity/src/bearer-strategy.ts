// Passport's strategy for tokens: one `Authorization: Bearer` header and nothing else (RFC 6750 section 2.1).
//
// Tokens in a query or a body are not looked for: addresses end up in logs and histories.
import type passport from 'passport'
import { IdentityError } from './error.ts'
import { challenges, type HttpRequest } from './http-request.ts'
import { createStrategy, type Outcome } from './strategy.ts'

/** Null, or `IdentityError('bad_token')`, where the token does not hold; throws where it cannot tell. */
export type AuthenticateBearer<Bearer extends object> = (
  token: string,
  request: HttpRequest,
) => Promise<Bearer | null>

const bearer = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i

/** The strategy named `bearer`. */
export function createBearerStrategy<Bearer extends object>(
  authenticate: AuthenticateBearer<Bearer>,
): passport.Strategy {
  return createStrategy<Bearer>('bearer', async request => {
    const [header, ...more] = request.headersDistinct['authorization'] ?? []
    if (more.length > 0) return failure(challenges.malformed)
    const token = header === undefined ? undefined : bearer.exec(header)?.[1]
    if (token === undefined) return failure(challenges.none)
    const holder = await orNull<Bearer>(() => authenticate(token, request))
    return holder === null ? failure(challenges.invalid) : { type: 'success', result: holder }
  })
}

const failure = (challenge: string): Outcome<never> => ({ type: 'failure', challenge })

async function orNull<Result>(attempt: () => Promise<Result | null>): Promise<Result | null> {
  try {
    return await attempt()
  } catch (error) {
    if (error instanceof IdentityError && error.code === 'bad_token') return null
    throw error
  }
}
