// What is kept of somebody who was sent to their provider, until they come back: sealed, found by `state` alone.
import { createHash, timingSafeEqual } from 'node:crypto'
import { AttemptId, ProviderId, TokenId, UserId } from '@auricle/contract'
import { z } from 'zod'
import { derivedId } from '../derived-id.ts'

export const attemptKind = 'oidc'
/** Long enough for somebody who looks for their telephone. */
export const attemptMs = 10 * 60_000

const ProviderAttempt = z.strictObject({
  providerId: ProviderId,
  /** SHA-256 of what the browser's cookie holds. */
  browser: z.string(),
  /** A local path. */
  returnTo: z.string(),
  oidc: z.strictObject({
    state: z.string(),
    nonce: z.string(),
    codeVerifier: z.string(),
    maxAgeSeconds: z.number().nullable(),
  }),
  /** The session that is to be verified anew; null for a sign-in. */
  stepUp: z.strictObject({ userId: UserId, tokenId: TokenId }).nullable(),
})
export type ProviderAttempt = z.infer<typeof ProviderAttempt>

/** So that the state finds its attempt, and no row says what the state is. */
export const attemptIdOf = (state: string): AttemptId =>
  AttemptId.parse(`att_${derivedId('attempt of a state', [state])}`)

export const writeAttempt = (attempt: ProviderAttempt): string => JSON.stringify(attempt)
export const readAttempt = (data: string): ProviderAttempt => ProviderAttempt.parse(JSON.parse(data))

export const hashBrowser = (browser: string): string =>
  createHash('sha256').update(browser).digest('base64url')

/** `browser` is what the cookie held; null where there was none. */
export function isSameBrowser({ browser: expected }: ProviderAttempt, browser: string | null): boolean {
  if (browser === null) return false
  return timingSafeEqual(Buffer.from(hashBrowser(browser)), Buffer.from(expected))
}
