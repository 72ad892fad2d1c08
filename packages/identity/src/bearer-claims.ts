// What a bearer token says by itself, whether it is signed or opaque; that it holds is for the catalog to say.
//
// An opaque token is compared by hash with the row of its id, a signed one belongs to a row without a hash: neither can
// stand for the other. Whose an opaque token is never changes, so it is looked up once and remembered.
import type { TenantId, TokenId, UserId } from '@auricle/contract'
import { IdentityError } from './error.ts'
import { isOpaqueToken, parseOpaqueToken } from './opaque-token.ts'
import type { TokenClaims } from './token.ts'

export interface BearerClaims extends Pick<TokenClaims, 'tenantId' | 'userId' | 'tokenId' | 'purpose'> {
  /** Of an opaque token, to be compared with what its row holds; null for a signed one. */
  readonly secretHash: Uint8Array | null
}

export interface BearerVerifierParts {
  readonly verifySigned: (token: string) => Promise<TokenClaims>
  /** Whose opaque token it is, live or not; null where there is none of that id. */
  readonly findTokenOwner: (
    tokenId: TokenId,
  ) => Promise<{ readonly tenantId: TenantId; readonly userId: UserId } | null>
  /** Most owners remembered; the least recently used is forgotten first. Default 1,024, from 0. */
  readonly maxOwners?: number
}

/** Throws `IdentityError('bad_token')` for a token that is none of ours. */
export type BearerVerifier = (token: string) => Promise<BearerClaims>

const maxOwnersDefault = 1024

export function createBearerVerifier(parts: BearerVerifierParts): BearerVerifier {
  const { maxOwners = maxOwnersDefault } = parts
  type Owner = NonNullable<Awaited<ReturnType<typeof parts.findTokenOwner>>>
  /** Least recently used first. */
  const owners = new Map<TokenId, Owner>()
  const findOwner = async (tokenId: TokenId) => {
    const owner = owners.get(tokenId) ?? (await parts.findTokenOwner(tokenId))
    if (owner === null) return null
    owners.delete(tokenId)
    owners.set(tokenId, owner)
    const [oldest] = owners.keys()
    if (owners.size > maxOwners && oldest !== undefined) owners.delete(oldest)
    return owner
  }
  return async token => {
    if (!isOpaqueToken(token)) {
      const { tenantId, userId, tokenId, purpose } = await parts.verifySigned(token)
      return { tenantId, userId, tokenId, purpose, secretHash: null }
    }
    // A text that was cut or mistyped is refused before anything is looked up.
    const parsed = parseOpaqueToken(token)
    const owner = parsed === null ? null : await findOwner(parsed.tokenId)
    if (parsed === null || owner === null) throw new IdentityError('bad_token', 'The token does not hold')
    return { ...owner, tokenId: parsed.tokenId, purpose: 'program', secretHash: parsed.hash }
  }
}
