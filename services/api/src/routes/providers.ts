// Signing in at a tenant's OpenID provider: where to, back again, once more for the second factor, and out from there.
import { ProviderId, type Session, SignInWays } from '@auricle/contract'
import { createOidcCallback, type HttpIdentity, IdentityError } from '@auricle/identity'
import type { Limits } from '@auricle/limits'
import {
  type BeginParts,
  beginProviderSignIn,
  beginProviderStepUp,
  endSessionsAtProvider,
  type FinishParts,
  finishAtProvider,
  type ProviderFinish,
  type ProviderLogoutParts,
  type SignInRefusal,
  signInWays,
} from '@auricle/vault'
import type { Request, Response } from 'express'
import { z } from 'zod'
import { readForm } from '../form.ts'
import { exchangeOf, factsOf, originOf } from '../request.ts'
import { ReturnTo, withError } from '../return-to.ts'
import { type Answer, type Handler, ok, type RouteOf } from '../route.ts'
import { giveCookie } from '../session-answer.ts'
import { newSignInSecret, readSignInCookie, signInCookie } from '../sign-in-cookie.ts'
import { limitProvider } from '../sign-in-limits.ts'

const WaysQuery = z.strictObject({ tenant: z.string().min(1).max(64) })
const BeginQuery = z.strictObject({ returnTo: ReturnTo.default('/') })
/** As providers send it; what else they send is for the provider's client to judge. */
const CallbackQuery = z.looseObject({
  state: z.string(),
  code: z.string().optional(),
  error: z.string().optional(),
})
const LogoutForm = z.object({ logout_token: z.string().min(1).max(8192) })

/** Under the names the document gives them. */
export const schemas = { SignInWays } as const satisfies Record<string, z.ZodType>

const params = { provider: { schema: ProviderId, description: "The provider's id." } }
const returnToNote = { returnTo: 'A path of this host to go on to; `/` if not given.' }

const sent = (description: string): Answer => ({
  status: 302,
  description,
  body: null,
  headers: { Location: 'Where to.', 'Set-Cookie': 'What the browser has to bring along.' },
})

export const table = [
  {
    operationId: 'showSignInWays',
    method: 'get',
    path: '/v1/sign-in',
    needs: 'public',
    summary: 'How one may sign in',
    description:
      'The ways that a tenant offers. One that nobody has answers like one without providers, so that this says nothing ' +
      'of who is here.',
    query: { schema: WaysQuery, notes: { tenant: "The tenant's short name." } },
    answers: [ok('SignInWays', 'The ways.')],
    problems: ['malformed', 'tooManyAttempts'],
  },
  {
    operationId: 'beginProviderSignIn',
    method: 'get',
    path: '/v1/sign-in/{provider}',
    params,
    needs: 'public',
    summary: 'Sign in at a provider',
    description: 'Sends the browser there. For people: a program has no browser.',
    query: { schema: BeginQuery, notes: returnToNote },
    answers: [sent('To the provider.')],
    problems: ['malformed', 'denied', 'notFound', 'tooManyAttempts'],
  },
  {
    operationId: 'beginProviderStepUp',
    method: 'get',
    path: '/v1/sign-in/{provider}/step-up',
    params,
    needs: 'self.verify',
    summary: 'Show the second factor again, at a provider',
    description:
      'Sends the browser there, to be asked anew. The session stays the same and is verified when they return.',
    query: { schema: BeginQuery, notes: returnToNote },
    answers: [sent('To the provider.')],
    problems: ['malformed', 'denied', 'notFound', 'tooManyAttempts'],
  },
  {
    operationId: 'finishProviderSignIn',
    method: 'get',
    path: '/v1/sign-in/{provider}/callback',
    params,
    needs: 'public',
    summary: 'Back from a provider',
    description:
      'Where providers send the browser. It goes on to `returnTo` with the session in a cookie, or with `error` in the ' +
      'query; a client that does not accept HTML gets the problem instead.',
    query: {
      schema: CallbackQuery,
      notes: { state: 'Of the sign-in.', code: 'Spent once.', error: 'Why the provider says no.' },
    },
    answers: [sent('On to where the sign-in was begun.')],
    problems: ['malformed', 'denied', 'notFound', 'tooManyAttempts'],
  },
  {
    operationId: 'endSessionsAtProvider',
    method: 'post',
    path: '/v1/sign-in/{provider}/back-channel-logout',
    params,
    needs: 'public',
    summary: 'Signed out at a provider',
    description:
      'For providers: a form with `logout_token` (OpenID Connect Back-Channel Logout 1.0). The sessions it names end.',
    answers: [{ status: 200, description: 'They have ended.', body: null }],
    problems: ['malformed', 'notFound', 'tooLarge', 'tooManyAttempts'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface ProviderRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly limits: Pick<Limits, 'take'>
  readonly now: () => Date
  readonly atProvider: BeginParts & FinishParts & ProviderLogoutParts & Parameters<typeof signInWays>[0]
}

const sentences: Readonly<Record<SignInRefusal, string>> = {
  bad_provider_answer: 'The answer of the identity provider does not hold: begin again',
  not_admitted: 'The identity provider knows you, and you are not admitted here: ask an administrator',
  provider_unavailable: 'The identity provider cannot be asked just now',
  second_factor_missing: 'Sign in at the identity provider with a second factor',
  sign_in_over: 'This sign-in was not begun in this browser, lasted too long, or is over: begin again',
}

const providerOf = (request: Request) => ProviderId.parse(request.params['provider'])

export function createProviderHandlers({ identity, limits, now, atProvider }: ProviderRouteParts) {
  const startOf = (request: Request) => ({
    providerId: providerOf(request),
    returnTo: BeginQuery.parse(request.query).returnTo,
    browser: readSignInCookie(request) ?? newSignInSecret(),
  })
  const sendTo = (response: Response, url: URL, browser: string) => {
    response.append('Set-Cookie', signInCookie(browser))
    response.redirect(302, url.href)
  }
  const limit = (request: Request, use: 'sign-in' | 'logout') =>
    limitProvider(limits, use, originOf(request).ip, exchangeOf(request))

  const finish = (request: Request, answer: { readonly state: string | null; readonly callbackUrl: URL }) =>
    finishAtProvider(
      atProvider,
      { ...answer, providerId: providerOf(request), browser: readSignInCookie(request) },
      originOf(request),
      exchangeOf(request),
    )
  const callback = createOidcCallback<ProviderFinish>((answer, request) => finish(request as Request, answer))
  /** What is no answer at all is refused and logged like one that does not hold. */
  const finishOrRefuse = (request: Request, response: Response) =>
    callback(request, response).catch(error => {
      const isMalformed = error instanceof IdentityError && error.code === 'malformed'
      if (!isMalformed) throw error
      return finish(request, { state: null, callbackUrl: new URL('https://callback.invalid') })
    })

  return {
    async showSignInWays(request, response) {
      const { tenant } = WaysQuery.parse(request.query)
      await limit(request, 'sign-in')
      response.json(await signInWays(atProvider, tenant, exchangeOf(request)))
    },
    async beginProviderSignIn(request, response) {
      const start = startOf(request)
      await limit(request, 'sign-in')
      sendTo(response, await beginProviderSignIn(atProvider, start, exchangeOf(request)), start.browser)
    },
    async beginProviderStepUp(request, response) {
      const start = startOf(request)
      await limit(request, 'sign-in')
      const facts = factsOf(identity, request)
      sendTo(
        response,
        await beginProviderStepUp(atProvider, facts, start, exchangeOf(request)),
        start.browser,
      )
    },
    async finishProviderSignIn(request, response) {
      await limit(request, 'sign-in')
      const finished = await finishOrRefuse(request, response)
      if (finished.type === 'refused') return refuse(request, response, finished)
      if (finished.type === 'signed_in') giveCookie(response, finished.session, now())
      response.redirect(302, finished.returnTo)
    },
    async endSessionsAtProvider(request, response) {
      await limit(request, 'logout')
      const { logout_token: logoutToken } = LogoutForm.parse(await readForm(request, response))
      const notice = { providerId: providerOf(request), logoutToken }
      await endSessionsAtProvider(atProvider, notice, originOf(request), exchangeOf(request))
      response.status(200).end()
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}

/** A person at a browser goes on to a page that tells them; a program gets the problem. */
function refuse(
  request: Request,
  response: Response,
  { word, returnTo }: Extract<ProviderFinish, { type: 'refused' }>,
): void {
  if (request.accepts(['json', 'html']) !== 'html') {
    const code = word === 'sign_in_over' ? 'bad_provider_answer' : word
    throw new IdentityError(code, sentences[word])
  }
  response.redirect(302, withError(returnTo ?? '/', word))
}
