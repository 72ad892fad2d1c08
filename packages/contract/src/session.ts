// Signing in, and the bearer token one gets for it.
import { z } from 'zod'
import { UserId } from './ids.ts'

export const SignIn = z.strictObject({
  /** The tenant's short name. */
  tenant: z.string().min(1).max(64),
  login: z.string().min(1).max(128),
  password: z.string().min(1).max(1024),
  /** Six digits of the authenticator app. */
  code: z.string().regex(/^\d{6}$/),
})
export type SignIn = z.infer<typeof SignIn>

export const Session = z.strictObject({
  token: z.string(),
  tokenType: z.literal('Bearer'),
  expiresAt: z.iso.datetime(),
  user: z.strictObject({ id: UserId, login: z.string(), name: z.string() }),
})
export type Session = z.infer<typeof Session>
