// Signing in by passkey, and showing one again.
import { AttemptId, type Session, type Verification } from '@auricle/contract'
import { freshMs, type HttpIdentity } from '@auricle/identity'
import {
  beginPasskeySignIn,
  beginPasskeyStepUp,
  type PasskeySignInParts,
  type PasskeyStepUpParts,
  signInByPasskey,
  verifyByPasskey,
} from '@auricle/vault'
import type { Request } from 'express'
import { z } from 'zod'
import { exchangeOf, factsOf, originOf } from '../request.ts'
import { created, type Handler, ok, type RouteOf } from '../route.ts'
import { answerSession } from '../session-answer.ts'

const PasskeySignInStart = z.strictObject({
  /** The tenant's short name. */
  tenant: z.string().min(1).max(64),
  /** Only a passkey of this person will do. */
  login: z.string().min(1).max(128).optional(),
})

/** What `navigator.credentials` takes, as `PublicKeyCredential.parse...FromJSON` reads it. */
export const BrowserRequest = z.looseObject({ challenge: z.string() })
/** What `PublicKeyCredential.toJSON` gives. */
export const BrowserAnswer = z.looseObject({ id: z.string(), response: z.looseObject({}) })

const PasskeyRequest = z.strictObject({ attempt: AttemptId, options: BrowserRequest })
const PasskeyAnswer = z.strictObject({ attempt: AttemptId, response: BrowserAnswer })
const PasskeySignIn = z.strictObject({
  attempt: AttemptId,
  response: BrowserAnswer,
  /** For browsers: the session becomes a cookie that no script can read, and its token is not in the answer. */
  cookie: z.boolean().optional(),
})

/** Under the names the document gives them. */
export const schemas = {
  PasskeyAnswer,
  PasskeyRequest,
  PasskeySignIn,
  PasskeySignInStart,
} as const satisfies Record<string, z.ZodType>

export const table = [
  {
    operationId: 'beginPasskeySignIn',
    method: 'post',
    path: '/v1/sessions/passkey/options',
    needs: 'public',
    summary: 'Begin to sign in by passkey',
    description:
      'What the browser has to be asked. The same for everybody, also for people who do not exist.',
    body: 'PasskeySignInStart',
    answers: [ok('PasskeyRequest', 'To be answered once, within five minutes.')],
    problems: ['malformed', 'tooLarge', 'tooManyAttempts'],
  },
  {
    operationId: 'signInByPasskey',
    method: 'post',
    path: '/v1/sessions/passkey',
    needs: 'public',
    summary: 'Sign in by passkey',
    description: 'The answer of the browser for a session, whose second factor counts as shown just now.',
    body: 'PasskeySignIn',
    answers: [created('SignedIn', 'Signed in.')],
    problems: ['malformed', 'badCredentials', 'denied', 'tooLarge', 'tooManyAttempts'],
  },
  {
    operationId: 'beginPasskeyVerification',
    method: 'post',
    path: '/v1/sessions/current/verification/passkey/options',
    needs: 'self.verify',
    summary: 'Begin to show a passkey again',
    description: 'What the browser has to be asked: for one of the passkeys of the person.',
    answers: [ok('PasskeyRequest', 'To be answered once, within five minutes, by this session.')],
    problems: ['denied', 'conflict'],
  },
  {
    operationId: 'verifyByPasskey',
    method: 'post',
    path: '/v1/sessions/current/verification/passkey',
    needs: 'self.verify',
    summary: 'Show a passkey again',
    description: 'What asks for a fresh second factor is then open for five minutes.',
    body: 'PasskeyAnswer',
    answers: [ok('Verification', 'It counts until `freshUntil`.')],
    problems: ['malformed', 'badCredentials', 'denied', 'tooLarge'],
  },
] as const satisfies readonly RouteOf<string>[]

/** What guards a sign-in that no strategy of passport stands before. */
export interface SignInGuards {
  /** Throws `exceeded` (LimitsError). With nobody named, for the address alone. */
  readonly limit: (
    request: Request,
    who: { readonly tenant: string; readonly login: string } | null,
  ) => Promise<void>
  /** Throws `cross_origin` (IdentityError) where another site would put a session into this browser. */
  readonly allowCookie: (request: Request, isCookie: boolean) => Promise<void>
}

export interface PasskeySessionRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly passkeySessions: PasskeySignInParts & PasskeyStepUpParts
  readonly signInGuards: SignInGuards
  readonly now: () => Date
}

export function createPasskeySessionHandlers({
  identity,
  passkeySessions: vault,
  signInGuards,
  now,
}: PasskeySessionRouteParts) {
  return {
    async beginPasskeySignIn(request, response) {
      const { tenant, login = null } = PasskeySignInStart.parse(request.body)
      await signInGuards.limit(request, login === null ? null : { tenant, login })
      response.json(await beginPasskeySignIn(vault, { tenant, login }, exchangeOf(request)))
    },
    async signInByPasskey(request, response) {
      const { cookie: isCookie = false, ...answer } = PasskeySignIn.parse(request.body)
      await signInGuards.allowCookie(request, isCookie)
      await signInGuards.limit(request, null)
      const session = await signInByPasskey(vault, answer, originOf(request), exchangeOf(request))
      answerSession(response, session, { isCookie, now: now() })
    },
    async beginPasskeyVerification(request, response) {
      response.json(await beginPasskeyStepUp(vault, factsOf(identity, request), exchangeOf(request)))
    },
    async verifyByPasskey(request, response) {
      const answer = PasskeyAnswer.parse(request.body)
      const facts = factsOf(identity, request)
      const { verifiedAt } = await verifyByPasskey(vault, facts, answer, exchangeOf(request))
      const freshUntil = new Date(verifiedAt.getTime() + freshMs)
      response.json({
        verifiedAt: verifiedAt.toISOString(),
        freshUntil: freshUntil.toISOString(),
      } satisfies Verification)
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
