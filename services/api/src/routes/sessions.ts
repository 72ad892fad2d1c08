// Signing in and out, and who one is.

import type { Catalog } from '@auricle/catalog'
import { CookieSession, Session, SignIn } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import type { RequestFacts } from '@auricle/vault'
import { z } from 'zod'
import { MailboxList, Me, meOf } from '../answers.ts'
import { exchangeOf, factsOf } from '../request.ts'
import { created, type Handler, ok, type RouteOf } from '../route.ts'
import { answerSession, takeCookie } from '../session-answer.ts'

/** With `cookie`, the token is only in the cookie. */
const SignedIn = z.union([Session, CookieSession])

/** Under the names the document gives them. */
export const schemas = {
  CookieSession,
  MailboxList,
  Me,
  Session,
  SignIn,
  SignedIn,
} as const satisfies Record<string, z.ZodType>

export const table = [
  {
    operationId: 'signIn',
    method: 'post',
    path: '/v1/sessions',
    needs: 'public',
    summary: 'Sign in',
    description:
      'Password and one-time code for a session: a bearer token, or with `cookie` a cookie that no script can read.',
    body: 'SignIn',
    answers: [created('SignedIn', 'Signed in.')],
    problems: ['malformed', 'badCredentials', 'denied', 'tooLarge', 'tooManyAttempts'],
  },
  {
    operationId: 'signOut',
    method: 'delete',
    path: '/v1/sessions/current',
    needs: 'self.end',
    summary: 'Sign out',
    description: 'Ends the token that this request carries, at once and everywhere.',
    answers: [{ status: 204, description: 'The token no longer holds.', body: null }],
    problems: [],
  },
  {
    operationId: 'getMe',
    method: 'get',
    path: '/v1/me',
    needs: 'self.read',
    summary: 'Who am I',
    description:
      'The person of the token, their roles and mailboxes, their emergency access while it is open, and what the token is for.',
    answers: [ok('Me', 'The person.')],
    problems: [],
  },
  {
    operationId: 'listMailboxes',
    method: 'get',
    path: '/v1/mailboxes',
    needs: 'self.read',
    summary: 'My mailboxes',
    description: 'The mailboxes that the person owns, with their addresses and names.',
    answers: [ok('MailboxList', 'The mailboxes.')],
    problems: [],
  },
] as const satisfies readonly RouteOf<string>[]

export interface SessionRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly catalog: Pick<Catalog, 'listMailboxes'>
  readonly now: () => Date
  readonly endSession: (facts: RequestFacts, options: { readonly signal: AbortSignal }) => Promise<void>
}

export function createSessionHandlers({ identity, catalog, endSession, now }: SessionRouteParts) {
  return {
    async signIn(request, response) {
      const isCookie = SignIn.parse(request.body).cookie === true
      answerSession(response, identity.resultOf(request), { isCookie, now: now() })
    },
    async signOut(request, response) {
      await endSession(factsOf(identity, request), exchangeOf(request))
      takeCookie(identity, request, response)
      response.status(204).end()
    },
    async getMe(request, response) {
      response.json(meOf(identity.actorOf(request), now()))
    },
    async listMailboxes(request, response) {
      const { tenantId, mailboxes: related } = identity.actorOf(request)
      const mailboxes = await catalog.listMailboxes(tenantId, exchangeOf(request))
      const own = mailboxes.filter(({ id }) => related.some(({ mailboxId }) => mailboxId === id))
      response.json({ mailboxes: own.map(({ id, address, name }) => ({ id, address, name })) })
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
