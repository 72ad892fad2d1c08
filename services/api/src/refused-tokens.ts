// What the service tells of a token that it refused: a counter and a line always, an event where the token is one of ours.
import type { Refusal } from '@auricle/identity'
import type { Logger, Metrics } from '@auricle/runtime'
import { noteRefusedToken, type RefusedTokenParts } from '@auricle/vault'
import type { Request } from 'express'
import { exchangeOf, originOf } from './request.ts'

export interface RefusedTokensParts extends RefusedTokenParts {
  readonly logger: Pick<Logger, 'info' | 'warn'>
  readonly metrics: Pick<Metrics, 'countRefusedToken'>
}

/** Never throws: a refusal stands, whether or not more can be said of it. */
export type NoteRefusal = (refusal: Refusal, request: Request) => Promise<void>

export function createRefusedTokens(parts: RefusedTokensParts): NoteRefusal {
  const { logger, metrics } = parts
  return async ({ reason, claims }, request) => {
    const { id: requestId, signal } = exchangeOf(request)
    let code: string = reason
    // Only these are about what the row says; all else is wrong with the text that was sent.
    if (claims !== null && (reason === 'not_held' || reason === 'expired')) {
      try {
        code = await noteRefusedToken(parts, claims, originOf(request), { signal })
      } catch (error) {
        logger.warn('The event of a refused token could not be written', { requestId, error })
      }
    }
    metrics.countRefusedToken(code)
    // A browser that nobody has signed in with asks who it is: worth a line, and no warning.
    const level = code === 'absent' ? 'info' : 'warn'
    const fields = { code, requestId, tenantId: claims?.tenantId, tokenId: claims?.tokenId }
    logger[level]('A request was refused for its token', fields)
  }
}
