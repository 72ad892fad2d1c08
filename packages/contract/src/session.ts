// Signing in, and the bearer token one gets for it.
import { z } from 'zod'
import { Factor } from './access.ts'
import { TokenId, UserId } from './ids.ts'

export const SignIn = z
  .strictObject({
    /** The tenant's short name. */
    tenant: z.string().min(1).max(64),
    login: z.string().min(1).max(128),
    password: z.string().min(1).max(1024),
    /** Six digits of the authenticator app. */
    code: z
      .string()
      .regex(/^\d{6}$/)
      .optional(),
    /** One of those that were shown once, in place of `code`; either is needed, and only one. */
    recoveryCode: z.string().min(1).max(64).optional(),
    /** For browsers: the session becomes a cookie that no script can read, and its token is not in the answer. */
    cookie: z.boolean().optional(),
  })
  .refine(({ code, recoveryCode }) => (code === undefined) !== (recoveryCode === undefined), {
    error: 'expected either code or recoveryCode',
  })
export type SignIn = z.infer<typeof SignIn>

export const Session = z.strictObject({
  token: z.string(),
  tokenType: z.literal('Bearer'),
  expiresAt: z.iso.datetime(),
  user: z.strictObject({ id: UserId, login: z.string(), name: z.string() }),
  /** How many recovery codes are left, where one was used. */
  recoveryCodesLeft: z.int().nonnegative().optional(),
})
export type Session = z.infer<typeof Session>

/** A session whose token is in the cookie that came with it. */
export const CookieSession = Session.omit({ token: true, tokenType: true })
export type CookieSession = z.infer<typeof CookieSession>

/** Something that acts as the person: a session, or a token that they made for a program. */
export const OwnSession = z.strictObject({
  id: TokenId,
  kind: z.enum(['session', 'personal', 'service']),
  /** As its person calls it; sessions have none. */
  name: z.string().nullable(),
  createdAt: z.iso.datetime(),
  /** Last use, within half a minute. */
  seenAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  factors: z.array(Factor),
  /** Where it was made, as far as it is known. */
  origin: z.strictObject({ ip: z.string().nullable(), userAgent: z.string().nullable() }).nullable(),
  /** Whether it is the one of this request. */
  current: z.boolean(),
})
export type OwnSession = z.infer<typeof OwnSession>

export const OwnSessionList = z.strictObject({ sessions: z.array(OwnSession) })
export type OwnSessionList = z.infer<typeof OwnSessionList>

export const VerificationCode = z.strictObject({ code: z.string().regex(/^\d{6}$/) })
export type VerificationCode = z.infer<typeof VerificationCode>

/** A second factor was shown: until when it counts. */
export const Verification = z.strictObject({ verifiedAt: z.iso.datetime(), freshUntil: z.iso.datetime() })
export type Verification = z.infer<typeof Verification>
