// What an HTTP service mounts: sign-in, and two guards that let a request through with its person or not at all.
import type { ServerResponse } from 'node:http'
import passport from 'passport'
import type { UserActor } from './actor.ts'
import type { BearerClaims } from './bearer-claims.ts'
import { type BearerOptions, type Carrier, createBearerStrategy } from './bearer-strategy.ts'
import { IdentityError } from './error.ts'
import { challenges, type HttpHandler, type HttpRequest } from './http-request.ts'
import { createPasswordStrategy, type SignInWith } from './password-strategy.ts'
import { RefusedToken } from './refused-token.ts'

export interface HttpIdentityParts<Result extends object> extends BearerOptions {
  readonly signIn: SignInWith<Result>
  readonly verifyToken: (token: string, request: HttpRequest) => Promise<BearerClaims>
  /** The person behind a token; null where it was revoked or they are disabled. */
  readonly findActor: (claims: BearerClaims, request: HttpRequest) => Promise<UserActor | null>
}

/**
 * Handlers, and what each leaves for the routes behind it. They answer nothing themselves: they call `next` with an
 * `IdentityError` (`malformed`, `bad_credentials`, `unauthenticated`, `cross_origin`), having set `WWW-Authenticate` (RFC 6750), or
 * with whatever `signIn`, `verifyToken` and `findActor` threw. Nothing is kept between requests.
 */
export interface HttpIdentity<Result extends object> {
  readonly signIn: HttpHandler
  /** What `signIn` gave. Throws `TypeError` where no such handler ran before the route. */
  resultOf(request: HttpRequest): Result
  /** Checks the token alone; whoever comes next must ask the catalog whether it still holds. */
  readonly requireToken: HttpHandler
  claimsOf(request: HttpRequest): BearerClaims
  /** Checks the token and finds its person. */
  readonly requireActor: HttpHandler
  actorOf(request: HttpRequest): UserActor
  /** Whether one of the two has found its token good. */
  isProven(request: HttpRequest): boolean
  /** How the token came, behind either guard. */
  carrierOf(request: HttpRequest): Carrier
}

export function createHttpIdentity<Result extends object>(
  parts: HttpIdentityParts<Result>,
): HttpIdentity<Result> {
  const results = createNotes<Result>('signIn')
  const claims = createNotes<BearerClaims>('requireToken')
  const actors = createNotes<UserActor>('requireActor')
  const carriers = new WeakMap<HttpRequest, Carrier>()
  const guard = <Value extends object>(
    strategy: passport.Strategy,
    notes: Notes<Value>,
    refusal: () => IdentityError,
  ) => handler(strategy, (request, value: Value) => notes.set(request, value), refusal)

  const verify = async (token: string, request: HttpRequest, carrier: Carrier) => {
    const verified = await parts.verifyToken(token, request)
    // Programs carry theirs in a header; a cookie is what a sign-in leaves behind.
    if (carrier === 'cookie' && verified.purpose !== 'session')
      throw new RefusedToken('not_a_session', verified)
    carriers.set(request, carrier)
    return verified
  }
  const find = async (token: string, request: HttpRequest, carrier: Carrier) => {
    const verified = await verify(token, request, carrier)
    const actor = await parts.findActor(verified, request)
    if (actor === null) throw new RefusedToken('not_held', verified)
    return actor
  }

  return {
    signIn: guard(createPasswordStrategy(parts.signIn), results, wrongCredentials),
    resultOf: results.get,
    requireToken: guard(createBearerStrategy(verify, parts), claims, notSignedIn),
    claimsOf: claims.get,
    requireActor: guard(createBearerStrategy(find, parts), actors, notSignedIn),
    actorOf: actors.get,
    isProven: request => claims.has(request) || actors.has(request),
    carrierOf: request => carriers.get(request) ?? 'header',
  }
}

/** What was found out about a request, kept beside it, where no client and no other handler can write. */
interface Notes<Value extends object> {
  set(request: HttpRequest, value: Value): void
  get(request: HttpRequest): Value
  has(request: HttpRequest): boolean
}

function createNotes<Value extends object>(handlerName: string): Notes<Value> {
  const values = new WeakMap<HttpRequest, Value>()
  return {
    set: (request, value) => values.set(request, value),
    has: request => values.has(request),
    get: request => {
      const value = values.get(request)
      if (value === undefined) throw new TypeError(`the route must come behind ${handlerName}`)
      return value
    },
  }
}

function handler<Value extends object>(
  strategy: passport.Strategy,
  keep: (request: HttpRequest, value: Value) => void,
  refusal: () => IdentityError,
): HttpHandler {
  // One of our own: the one that the module exports is shared by the whole process.
  const authenticator = new passport.Passport().use('only', strategy)
  return (request, response, next) => {
    const finish = (error: unknown, value?: Value | false | null, challenge?: string) => {
      if (error !== null && error !== undefined) return next(error)
      if (value) {
        keep(request, value)
        return next()
      }
      challengeWith(response, challenge)
      next(refusal())
    }
    // With a callback passport neither answers nor touches a session.
    authenticator.authenticate('only', { session: false }, finish)(request, response, next)
  }
}

function challengeWith(response: ServerResponse, challenge: string | undefined): void {
  if (!response.headersSent) response.setHeader('WWW-Authenticate', challenge ?? challenges.none)
}

const wrongCredentials = () =>
  new IdentityError('bad_credentials', 'Tenant, login, password or code is wrong')
const notSignedIn = () => new IdentityError('unauthenticated', 'Send a valid bearer token')
