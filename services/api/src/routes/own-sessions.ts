// One's own sessions: listed, ended, everywhere; and a second factor shown again.
import { OwnSessionList, type Session, TokenId, Verification, VerificationCode } from '@auricle/contract'
import { freshMs, type HttpIdentity } from '@auricle/identity'
import {
  endSessionById,
  endSessions,
  listSessions,
  type VerifySessionParts,
  verifySession,
} from '@auricle/vault'
import { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { done, type Handler, ok, type RouteOf } from '../route.ts'
import { takeCookie } from '../session-answer.ts'

const EndQuery = z.strictObject({ current: z.stringbool().default(false) })

/** Under the names the document gives them. */
export const schemas = {
  OwnSessionList,
  Verification,
  VerificationCode,
} as const satisfies Record<string, z.ZodType>

const sessionId = { id: { schema: TokenId, description: "The session's id." } }

export const table = [
  {
    operationId: 'listOwnSessions',
    method: 'get',
    path: '/v1/me/sessions',
    needs: 'self.read',
    summary: 'My sessions',
    description:
      'Everything that acts as the person and still holds, newest first: sessions, and tokens of their programs.',
    answers: [ok('OwnSessionList', 'The sessions.')],
    problems: [],
  },
  {
    operationId: 'endOwnSessions',
    method: 'delete',
    path: '/v1/me/sessions',
    needs: 'self.manage',
    summary: 'Sign out everywhere',
    description: 'Ends every session of the person but this one. Tokens of programs go on.',
    query: { schema: EndQuery, notes: { current: '`true` to end this session too.' } },
    answers: [done('They hold no longer, anywhere.')],
    problems: ['malformed'],
  },
  {
    operationId: 'endOwnSession',
    method: 'delete',
    path: '/v1/me/sessions/{id}',
    params: sessionId,
    needs: 'self.manage',
    summary: 'End a session',
    description: 'Ends one session of the person, or one token of their programs, at once and everywhere.',
    answers: [done('It holds no longer.')],
    problems: ['malformed', 'notFound'],
  },
  {
    operationId: 'verifySession',
    method: 'post',
    path: '/v1/sessions/current/verification',
    needs: 'self.verify',
    summary: 'Show the second factor again',
    description:
      'A code of the authenticator app, which works once. What asks for a fresh second factor is then open for five minutes.',
    body: 'VerificationCode',
    answers: [ok('Verification', 'It counts until `freshUntil`.')],
    problems: ['malformed', 'badCredentials', 'conflict', 'tooLarge', 'tooManyAttempts'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface OwnSessionRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly ownSessions: Parameters<typeof listSessions>[0] &
    Parameters<typeof endSessionById>[0] &
    Parameters<typeof endSessions>[0] &
    VerifySessionParts
}

export function createOwnSessionHandlers({ identity, ownSessions }: OwnSessionRouteParts) {
  return {
    async listOwnSessions(request, response) {
      const sessions = await listSessions(ownSessions, factsOf(identity, request), exchangeOf(request))
      response.json({
        sessions: sessions.map(({ isCurrent, createdAt, seenAt, expiresAt, factors, ...session }) => ({
          ...session,
          factors: [...factors],
          createdAt: createdAt.toISOString(),
          seenAt: seenAt.toISOString(),
          expiresAt: expiresAt.toISOString(),
          current: isCurrent,
        })),
      } satisfies OwnSessionList)
    },
    async endOwnSessions(request, response) {
      const { current: isCurrentToo } = EndQuery.parse(request.query)
      await endSessions(ownSessions, factsOf(identity, request), { isCurrentToo }, exchangeOf(request))
      if (isCurrentToo) takeCookie(identity, request, response)
      response.status(204).end()
    },
    async endOwnSession(request, response) {
      const id = TokenId.parse(request.params['id'])
      const facts = factsOf(identity, request)
      await endSessionById(ownSessions, facts, id, exchangeOf(request))
      if (id === facts.actor.tokenId) takeCookie(identity, request, response)
      response.status(204).end()
    },
    async verifySession(request, response) {
      const { code } = VerificationCode.parse(request.body)
      const facts = factsOf(identity, request)
      const { verifiedAt } = await verifySession(ownSessions, facts, code, exchangeOf(request))
      const freshUntil = new Date(verifiedAt.getTime() + freshMs)
      response.json({ verifiedAt: verifiedAt.toISOString(), freshUntil: freshUntil.toISOString() })
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
