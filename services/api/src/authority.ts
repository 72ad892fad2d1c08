// Makes and checks the deployment's bearer tokens with its own signing keys.
import type { Catalog } from '@auricle/catalog'
import {
  type BearerVerifier,
  createBearerVerifier,
  createTokenKeys,
  createTokenVerifier,
  newTokenKey,
  signToken,
  type TokenParties,
} from '@auricle/identity'
import { type IssueToken, loadTokenKeys, type VaultKeys } from '@auricle/vault'

/** Who makes tokens and who takes them: this deployment's API, under any name it is reached by. */
export const parties: TokenParties = { issuer: 'urn:auricle:deployment', audience: 'urn:auricle:api' }

export interface Authority {
  readonly issueToken: IssueToken
  readonly verifyToken: BearerVerifier
}

export async function openAuthority(
  parts: {
    readonly catalog: Pick<Catalog, 'listSigningKeys' | 'addFirstSigningKey' | 'findTokenOwner'>
    readonly keys: Pick<VaultKeys, 'ensure' | 'key'>
  },
  options: { readonly signal?: AbortSignal | undefined; readonly now?: (() => Date) | undefined },
): Promise<Authority> {
  const { signal, now } = options
  const keys = await createTokenKeys(await loadTokenKeys({ ...parts, newKeyPair: newTokenKey }, { signal }))
  return {
    verifyToken: createBearerVerifier({
      verifySigned: createTokenVerifier({ keys, ...parties, ...(now === undefined ? {} : { now }) }),
      findTokenOwner: tokenId => parts.catalog.findTokenOwner(tokenId),
    }),
    issueToken: token =>
      signToken({
        ...token,
        purpose: token.purpose === 'session' ? 'session' : 'program',
        tokenId: token.id,
        ...parties,
        key: keys.signing,
        now: token.createdAt,
      }),
  }
}
