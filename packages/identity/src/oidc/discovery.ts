// What the provider says about itself: asked for once, by whoever comes first, and again only where that failed.
import { allowInsecureRequests, customFetch, discovery, type ServerMetadata } from 'openid-client'
import { abortable } from '../abortable.ts'
import { IdentityError } from '../error.ts'
import { type ForeignAlgorithm, foreignAlgorithms } from '../issuer/foreign-jwt.ts'
import { isAllowedAddress, type ProviderFetch } from '../issuer/provider-fetch.ts'
import { createRemoteKeys, type RemoteKeys } from '../issuer/remote-keys.ts'
import { failureOf } from './failure.ts'
import type { OidcSettings } from './settings.ts'

export interface Discovered {
  readonly metadata: Readonly<ServerMetadata>
  /** What it signs with, of what we accept; never empty. */
  readonly algorithms: readonly ForeignAlgorithm[]
  readonly keys: RemoteKeys
}

/** Throws `IdentityError`. Abort means: stop waiting; the question goes on for the others. */
export type Discover = (signal: AbortSignal | undefined) => Promise<Discovered>

export function createDiscover(
  settings: OidcSettings,
  {
    fetch,
    allowInsecureLoopback,
  }: { readonly fetch: ProviderFetch; readonly allowInsecureLoopback: boolean },
): Discover {
  let asked: Promise<Discovered> | null = null
  const ask = async (): Promise<Discovered> => {
    const metadata = await askMetadata(settings, fetch, allowInsecureLoopback)
    const { jwks_uri: keysUrl, id_token_signing_alg_values_supported: offered = ['RS256'] } = metadata
    const algorithms = foreignAlgorithms.filter(name => offered.includes(name))
    if (algorithms.length === 0) throw badMetadata('The provider signs with no algorithm that is accepted')
    if (keysUrl === undefined || !isAllowedAddress(keysUrl, allowInsecureLoopback))
      throw badMetadata('The provider names no https address of its keys')
    return { metadata, algorithms, keys: createRemoteKeys(keysUrl, fetch) }
  }
  return signal => {
    if (asked === null) {
      const asking = ask()
      asked = asking
      asking.catch(() => {
        if (asked === asking) asked = null
      })
    }
    return abortable(asked, signal)
  }
}

async function askMetadata(
  { issuer, clientId }: OidcSettings,
  fetch: ProviderFetch,
  allowInsecureLoopback: boolean,
): Promise<Readonly<ServerMetadata>> {
  try {
    const found = await discovery(new URL(issuer), clientId, undefined, undefined, {
      [customFetch]: fetch,
      execute: allowInsecureLoopback ? [allowInsecureRequests] : [],
    })
    const metadata = found.serverMetadata()
    // openid-client 6 lets Microsoft's shared issuers differ from what was asked: everybody there could sign in.
    if (new URL(metadata.issuer).href !== new URL(issuer).href)
      throw badMetadata('The provider is another one')
    return metadata
  } catch (error) {
    throw failureOf(error)
  }
}

const badMetadata = (message: string) => new IdentityError('bad_provider_answer', message)
