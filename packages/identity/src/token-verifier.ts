// Verifies tokens quickly: one that was verified lately needs no signature check again until it expires.
import { createHash } from 'node:crypto'
import { checkTimes, type TokenClaims, type TokenParties, verifyToken } from './token.ts'
import type { TokenKeys } from './token-key.ts'

/** As `verifyToken`. */
export type TokenVerifier = (token: string) => Promise<TokenClaims>

export interface TokenVerifierOptions extends TokenParties {
  readonly keys: Pick<TokenKeys, 'verifying'>
  /** Most tokens remembered; the least recently used is forgotten first. Default 1,024, from 0. */
  readonly maxEntries?: number
  readonly now?: () => Date
}

const maxEntriesDefault = 1024

/**
 * Remembers claims by the SHA-256 of their token, so that no token lies in memory. Only tokens that held are
 * remembered, and their times are checked each time. Make a new verifier when the keys change.
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { maxEntries = maxEntriesDefault, now = () => new Date() } = options
  /** Least recently used first. */
  const remembered = new Map<string, TokenClaims>()
  const remember = (digest: string, claims: TokenClaims) => {
    remembered.delete(digest)
    remembered.set(digest, claims)
    const [oldest] = remembered.keys()
    if (remembered.size > maxEntries && oldest !== undefined) remembered.delete(oldest)
  }
  return async token => {
    const digest = createHash('sha256').update(token).digest('base64')
    const known = remembered.get(digest)
    if (known === undefined) {
      const claims = await verifyToken(token, { ...options, now: now() })
      remember(digest, claims)
      return claims
    }
    try {
      checkTimes(known, now())
    } catch (error) {
      remembered.delete(digest)
      throw error
    }
    remember(digest, known)
    return known
  }
}
