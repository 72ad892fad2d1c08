// Which of those who sign tokens made this one: the deployment itself, or an issuer that a tenant trusts.
import { type BearerVerifier, claimedOf, type HttpIdentityParts } from '@auricle/identity'
import { addressGroup, type Limits, type Rate } from '@auricle/limits'
import { createForeignBearers } from '@auricle/vault'
import type { Request } from 'express'
import { parties } from './authority.ts'
import { exchangeOf, originOf } from './request.ts'

/** Of refused tokens from one place that are written down. */
const noted: Rate = { burst: 60, everyMs: 1000 }

export interface AnyTokenParts {
  /** Of our own. */
  readonly verifyToken: BearerVerifier
  readonly limits: Pick<Limits, 'take'>
  readonly vault: Omit<Parameters<typeof createForeignBearers>[0], 'mayNote'>
}

export function verifyAnyToken({
  verifyToken,
  limits,
  vault,
}: AnyTokenParts): HttpIdentityParts<object>['verifyToken'] {
  const foreign = createForeignBearers({
    ...vault,
    mayNote: async (ip, options) =>
      (await limits.take(`api:foreign-token:address:${addressGroup(ip)}`, noted, options)).allowed,
  })
  return async (token, request) => {
    // What it says of itself decides who checks it, and nothing else.
    const claimed = claimedOf(token)
    if (claimed === null || claimed.issuer === parties.issuer) return verifyToken(token)
    const { signal } = exchangeOf(request)
    const claims = await foreign.claimsOf(token, claimed, originOf(request as Request), { signal })
    // Ours it is not, and that check says best what is wrong with it.
    if (claims === null) return verifyToken(token)
    const { tenantId, userId, tokenId, purpose } = claims
    return { tenantId, userId, tokenId, purpose, secretHash: null }
  }
}
