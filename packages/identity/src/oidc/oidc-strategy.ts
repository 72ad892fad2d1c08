// Passport's strategy for coming back from the provider: a GET of the redirect address with one `state`.
import type passport from 'passport'
import { IdentityError } from '../error.ts'
import { challenges, type HttpRequest } from '../http-request.ts'
import { createStrategy } from '../strategy.ts'

export interface OidcCallback {
  /** Names the attempt that `begin` gave; to be taken once. */
  readonly state: string
  /** Its query alone means something: what stands before it is not what the person's browser asked for. */
  readonly callbackUrl: URL
}

/** Null where this browser began no such attempt; throws where it cannot tell, or whatever `finish` throws. */
export type SignInAtProvider<Result extends object> = (
  callback: OidcCallback,
  request: HttpRequest,
) => Promise<Result | null>

const maxUrlCharacters = 8192
const stateForm = /^[A-Za-z0-9_-]{43}$/

/** The strategy named `oidc`. What is no callback gives `IdentityError('malformed')`. */
export function createOidcStrategy<Result extends object>(
  attempt: SignInAtProvider<Result>,
): passport.Strategy {
  return createStrategy('oidc', async request => {
    const result = await attempt(parseCallback(request), request)
    return result === null ? { type: 'failure', challenge: challenges.none } : { type: 'success', result }
  })
}

function parseCallback({ method, url = '' }: HttpRequest): OidcCallback {
  const callbackUrl = url.length <= maxUrlCharacters ? URL.parse(url, 'https://callback.invalid') : null
  const [state, ...more] = callbackUrl?.searchParams.getAll('state') ?? []
  if (
    method !== 'GET' ||
    callbackUrl === null ||
    state === undefined ||
    more.length > 0 ||
    !stateForm.test(state)
  )
    throw new IdentityError('malformed', 'This is not an answer to a sign-in that was begun here')
  return { state, callbackUrl }
}
