// What an HTTP service does with a browser that comes back from its provider: hands it to passport, and has what came of it.
import type { ServerResponse } from 'node:http'
import passport from 'passport'
import { IdentityError } from '../error.ts'
import type { HttpRequest } from '../http-request.ts'
import { createOidcStrategy, type SignInAtProvider } from './oidc-strategy.ts'

/** Throws `IdentityError('malformed')` for what is no answer of a provider, and whatever `attempt` threw. Answers nothing. */
export type OidcCallbackHandler<Result extends object> = (
  request: HttpRequest,
  response: ServerResponse,
) => Promise<Result>

export function createOidcCallback<Result extends object>(
  attempt: SignInAtProvider<Result>,
): OidcCallbackHandler<Result> {
  // One of our own: the one that the module exports is shared by the whole process.
  const authenticator = new passport.Passport().use('only', createOidcStrategy(attempt))
  return (request, response) => {
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const finish = (error: unknown, result?: Result | false | null) => {
      if (error !== null && error !== undefined) reject(error)
      else if (result) resolve(result)
      else reject(new IdentityError('malformed', 'This is not an answer to a sign-in that was begun here'))
    }
    // With a callback passport neither answers nor touches a session.
    authenticator.authenticate('only', { session: false }, finish)(request, response, reject)
    return promise
  }
}
