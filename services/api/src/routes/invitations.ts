// Invitations: what one is for, and accepting it in two steps.
import { AttemptId, Session } from '@auricle/contract'
import { beginAcceptance, completeAcceptance, type InvitationParts, lookAtInvitation } from '@auricle/vault'
import { z } from 'zod'
import { exchangeOf, originOf } from '../request.ts'
import { created, type Handler, ok, type RouteOf } from '../route.ts'
import { giveCookie } from '../session-answer.ts'
import { BrowserAnswer, BrowserRequest, type SignInGuards } from './passkey-sessions.ts'

const text = z.string().min(1).max(128)

const InvitationLook = z.strictObject({ invitation: text })
const InvitationView = z.strictObject({
  tenant: z.strictObject({ slug: z.string(), name: z.string() }),
  login: z.string(),
  name: z.string(),
  expiresAt: z.iso.datetime(),
})
const InvitationStart = z.strictObject({
  invitation: text,
  /** For a password and an authenticator app; left out for a passkey. */
  password: z.string().min(1).max(1024).optional(),
})
const InvitationBegun = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('password'),
    attempt: AttemptId,
    /** base32. */
    secret: z.string(),
    /** `otpauth://totp/...` */
    uri: z.string(),
  }),
  z.strictObject({ type: z.literal('passkey'), attempt: AttemptId, options: BrowserRequest }),
])
/** For browsers: the session becomes a cookie that no script can read, and its token is not in the answer. */
const cookie = z.boolean().optional()
const InvitationAnswer = z.union([
  z.strictObject({ attempt: AttemptId, code: z.string().regex(/^\d{6}$/), cookie }),
  z.strictObject({
    attempt: AttemptId,
    response: BrowserAnswer,
    name: z.string().trim().min(1).max(64),
    cookie,
  }),
])
const Joined = z.strictObject({
  session: z.union([Session, Session.omit({ token: true, tokenType: true })]),
  recoveryCodes: z.array(z.string()),
})

/** Under the names the document gives them. */
export const schemas = {
  InvitationAnswer,
  InvitationBegun,
  InvitationLook,
  InvitationStart,
  InvitationView,
  Joined,
} as const satisfies Record<string, z.ZodType>

export const table = [
  {
    operationId: 'lookAtInvitation',
    method: 'post',
    path: '/v1/invitations/look',
    needs: 'public',
    summary: 'What an invitation is for',
    description: 'Tenant and login. Not found for one that never was, was used or withdrawn, or is over.',
    body: 'InvitationLook',
    answers: [ok('InvitationView', 'It holds.')],
    problems: ['malformed', 'notFound', 'tooLarge', 'tooManyAttempts'],
  },
  {
    operationId: 'beginAcceptance',
    method: 'post',
    path: '/v1/invitations/accept',
    needs: 'public',
    summary: 'Begin to accept an invitation',
    description:
      'With a password: a secret for an authenticator app. Without: what the browser has to be asked for a passkey.',
    body: 'InvitationStart',
    answers: [ok('InvitationBegun', 'To be proved by the second step.')],
    problems: ['malformed', 'notFound', 'tooLarge', 'tooManyAttempts'],
  },
  {
    operationId: 'completeAcceptance',
    method: 'post',
    path: '/v1/invitations/complete',
    needs: 'public',
    summary: 'Accept an invitation',
    description:
      'A code of the new secret, or the answer of the browser. Everything counts from now on, and a session begins.',
    body: 'InvitationAnswer',
    answers: [created('Joined', 'In; beside a password, with ten recovery codes that are shown once.')],
    problems: ['malformed', 'badCredentials', 'denied', 'conflict', 'tooLarge', 'tooManyAttempts'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface InvitationRouteParts {
  readonly invitations: InvitationParts
  readonly signInGuards: SignInGuards
  readonly now: () => Date
}

export function createInvitationHandlers({ invitations: vault, signInGuards, now }: InvitationRouteParts) {
  return {
    async lookAtInvitation(request, response) {
      const { invitation } = InvitationLook.parse(request.body)
      await signInGuards.limit(request, null)
      const { expiresAt, ...view } = await lookAtInvitation(vault, invitation, exchangeOf(request))
      response.json({ ...view, expiresAt: expiresAt.toISOString() } satisfies z.output<typeof InvitationView>)
    },
    async beginAcceptance(request, response) {
      const { invitation, password = null } = InvitationStart.parse(request.body)
      await signInGuards.limit(request, null)
      response.json(await beginAcceptance(vault, { invitation, password }, exchangeOf(request)))
    },
    async completeAcceptance(request, response) {
      const { cookie: isCookie = false, ...answer } = InvitationAnswer.parse(request.body)
      await signInGuards.allowCookie(request, isCookie)
      await signInGuards.limit(request, null)
      const { session, recoveryCodes } = await completeAcceptance(
        vault,
        answer,
        originOf(request),
        exchangeOf(request),
      )
      response.status(201)
      if (!isCookie) {
        response.json({ session, recoveryCodes })
        return
      }
      giveCookie(response, session, now())
      const { token: _, tokenType: __, ...shown } = session
      response.json({ session: shown, recoveryCodes })
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
