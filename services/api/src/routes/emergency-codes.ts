// Emergency codes: given out, seen, revoked, and the sign-in that spends one.
import {
  EmergencyCodeId,
  EmergencyCodeList,
  EmergencyCodeRequest,
  EmergencyCodes,
  EmergencyCookieSession,
  EmergencySession,
  EmergencySignIn,
  type Session,
  UserId,
} from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  type EmergencyCodeParts,
  issueEmergencyCodes,
  listEmergencyCodes,
  revokeEmergencyCode,
} from '@auricle/vault'
import type { Request } from 'express'
import { z } from 'zod'
import { showBanner } from '../break-glass-banner.ts'
import { exchangeOf, factsOf } from '../request.ts'
import { created, done, type Handler, ok, type RouteOf } from '../route.ts'
import { answerSession } from '../session-answer.ts'

/** With `cookie`, the token is only in the cookie. */
const EmergencySignedIn = z.union([EmergencySession, EmergencyCookieSession])

/** Under the names the document gives them. */
export const schemas = {
  EmergencyCodeList,
  EmergencyCodeRequest,
  EmergencyCodes,
  EmergencySignedIn,
  EmergencySignIn,
} as const satisfies Record<string, z.ZodType>

const person = { id: { schema: UserId, description: "The person's id." } }

export const table = [
  {
    operationId: 'emergencySignIn',
    method: 'post',
    path: '/v1/sessions/emergency',
    needs: 'public',
    summary: 'Sign in with an emergency code',
    description:
      'For a time without the identity provider: a code from a sealed envelope and the one-time code of an authenticator ' +
      'app. Opens emergency access with it; the session ends when that does by itself.',
    body: 'EmergencySignIn',
    answers: [created('EmergencySignedIn', 'Signed in, with emergency access open.')],
    problems: ['malformed', 'badCredentials', 'denied', 'tooLarge', 'tooManyAttempts'],
  },
  {
    operationId: 'issueEmergencyCodes',
    method: 'post',
    path: '/v1/people/{id}/emergency-codes',
    params: person,
    needs: 'emergency_code.issue',
    summary: 'Issue emergency codes',
    description:
      'Each opens emergency access once, together with the authenticator app of the person. They are in this answer and never again.',
    body: 'EmergencyCodeRequest',
    answers: [created('EmergencyCodes', 'The codes, to be printed and sealed.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'listEmergencyCodes',
    method: 'get',
    path: '/v1/people/{id}/emergency-codes',
    params: person,
    needs: 'people.read',
    summary: 'List emergency codes',
    description: 'Which were issued to the person, used and revoked, without the codes themselves.',
    answers: [ok('EmergencyCodeList', 'Newest first.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'revokeEmergencyCode',
    method: 'delete',
    path: '/v1/people/{id}/emergency-codes/{code}',
    params: { ...person, code: { schema: EmergencyCodeId, description: "The code's id." } },
    needs: 'emergency_code.issue',
    summary: 'Revoke an emergency code',
    description: 'For an envelope that was lost or opened.',
    answers: [done('It opens nothing any more.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface EmergencyCodeRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly now: () => Date
  readonly emergencyCodes: EmergencyCodeParts
  readonly emergencySignIn: (credentials: EmergencySignIn, request: Request) => Promise<EmergencySession>
}

const userOf = (request: Request) => UserId.parse(request.params['id'])

export function createEmergencyCodeHandlers(parts: EmergencyCodeRouteParts) {
  const { identity, emergencyCodes } = parts
  return {
    async emergencySignIn(request, response) {
      const credentials = EmergencySignIn.parse(request.body)
      const session = await parts.emergencySignIn(credentials, request)
      const { id, until } = session.breakGlass
      showBanner(response, { breakGlass: { id, until: new Date(until) } })
      answerSession(response, session, { isCookie: credentials.cookie === true, now: parts.now() })
    },
    async issueEmergencyCodes(request, response) {
      const asked = EmergencyCodeRequest.parse(request.body)
      const facts = factsOf(identity, request)
      const userId = userOf(request)
      response
        .status(201)
        .json(await issueEmergencyCodes(emergencyCodes, facts, userId, asked, exchangeOf(request)))
    },
    async listEmergencyCodes(request, response) {
      const facts = factsOf(identity, request)
      response.json(await listEmergencyCodes(emergencyCodes, facts, userOf(request), exchangeOf(request)))
    },
    async revokeEmergencyCode(request, response) {
      const facts = factsOf(identity, request)
      const code = { userId: userOf(request), id: EmergencyCodeId.parse(request.params['code']) }
      await revokeEmergencyCode(emergencyCodes, facts, code, exchangeOf(request))
      response.status(204).end()
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
