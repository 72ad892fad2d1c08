// Passport's strategy for signing in: a JSON body with tenant, login, password and code.
import { SignIn } from '@auricle/contract'
import type passport from 'passport'
import { IdentityError } from './error.ts'
import { challenges, type HttpRequest } from './http-request.ts'
import { createStrategy } from './strategy.ts'

/** Null where the credentials are wrong; throws where it cannot tell. */
export type SignInWith<Result extends object> = (
  credentials: SignIn,
  request: HttpRequest,
) => Promise<Result | null>

/**
 * The strategy named `password`. Its body must have been parsed already (a JSON parser with a small limit); a body
 * that is not a sign-in gives `IdentityError('malformed')`.
 */
export function createPasswordStrategy<Result extends object>(signIn: SignInWith<Result>): passport.Strategy {
  return createStrategy('password', async request => {
    const result = await signIn(parseBody(request.body), request)
    return result === null ? { type: 'failure', challenge: challenges.none } : { type: 'success', result }
  })
}

function parseBody(body: unknown): SignIn {
  const parsed = SignIn.safeParse(body)
  if (parsed.success) return parsed.data
  throw new IdentityError('malformed', 'Send JSON with tenant, login, password and a code of six digits', {
    cause: parsed.error,
  })
}
