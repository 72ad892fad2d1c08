// Signing in and out, and who one is.

import type { Catalog } from '@auricle/catalog'
import { Session, SignIn } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import type { RequestFacts } from '@auricle/vault'
import type { z } from 'zod'
import { MailboxList, Me, meOf } from '../answers.ts'
import { exchangeOf, factsOf } from '../request.ts'
import { type Handler, json, ok, type RouteOf } from '../route.ts'

/** Under the names the document gives them. */
export const schemas = {
  MailboxList,
  Me,
  Session,
  SignIn,
} as const satisfies Record<string, z.ZodType>

export const table = [
  {
    operationId: 'signIn',
    method: 'post',
    path: '/v1/sessions',
    needs: 'public',
    summary: 'Sign in',
    description: 'Password and one-time code for a bearer token that holds for twelve hours.',
    body: 'SignIn',
    answers: [{ status: 201, description: 'Signed in.', body: json('Session') }],
    problems: ['malformed', 'badCredentials', 'tooLarge', 'tooManyAttempts'],
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

export function createSessionHandlers({ identity, catalog, now, endSession }: SessionRouteParts) {
  return {
    async signIn(request, response) {
      response.status(201).set('Cache-Control', 'no-store').json(identity.resultOf(request))
    },
    async signOut(request, response) {
      await endSession(factsOf(identity, request), exchangeOf(request))
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
