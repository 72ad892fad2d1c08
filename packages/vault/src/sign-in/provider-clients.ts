// The OpenID providers of all tenants, each opened as it is configured at this moment.
import { createHash } from 'node:crypto'
import type { Catalog, ProviderRow } from '@auricle/catalog'
import type { ProviderId } from '@auricle/contract'
import type { OidcClient, OidcSettings } from '@auricle/identity'
import type { CallOptions } from '@auricle/sealed'
import type { TenantSecrets, TenantSecretsCache } from '../tenant-secrets.ts'

/** As the identity package makes them. Throws `TypeError` for settings that cannot be. */
export type OpenOidcClient = (settings: OidcSettings) => OidcClient

/** Where a provider sends browsers, and notices of log-outs. */
export interface ProviderAddresses {
  redirectUri(id: ProviderId): string
  backChannelLogoutUri(id: ProviderId): string
}

export interface ProviderClientsParts {
  readonly catalog: Pick<Catalog, 'tenantOfProvider' | 'findProvider'>
  readonly secrets: TenantSecretsCache
  readonly openClient: OpenOidcClient
  readonly addresses: ProviderAddresses
  readonly now?: () => Date
}

export interface OpenedProvider {
  readonly provider: ProviderRow
  readonly client: OidcClient
  readonly secrets: TenantSecrets
}

export interface ProviderClients {
  /** Null where there is no such provider, or it is disabled. */
  open(id: ProviderId, options: CallOptions): Promise<OpenedProvider | null>
}

/**
 * What a provider says of itself is asked for again after as long. An outage is noticed then, before anybody is sent to a
 * page that does not come.
 */
const keptMs = 60_000
const clientsMost = 256

export function createProviderClients(parts: ProviderClientsParts): ProviderClients {
  const kept = new Map<
    ProviderId,
    { readonly digest: string; readonly until: number; readonly client: OidcClient }
  >()
  const now = () => (parts.now?.() ?? new Date()).getTime()

  function clientOf(provider: ProviderRow, clientSecret: string): OidcClient {
    const settings = oidcSettings(provider, clientSecret, parts.addresses)
    const digest = createHash('sha256').update(JSON.stringify(settings)).digest('base64')
    const known = kept.get(provider.id)
    if (known !== undefined && known.digest === digest && known.until > now()) return known.client
    const client = parts.openClient(settings)
    kept.delete(provider.id)
    kept.set(provider.id, { digest, until: now() + keptMs, client })
    for (const oldest of kept.keys()) {
      if (kept.size <= clientsMost) break
      kept.delete(oldest)
    }
    return client
  }

  return {
    async open(id, options) {
      const tenantId = await parts.catalog.tenantOfProvider(id, options)
      if (tenantId === null) return null
      const secrets = await parts.secrets.get(tenantId, options)
      const found = await parts.catalog.findProvider(tenantId, id, secrets.columns, options)
      if (found === null || found.provider.disabledAt !== null) return null
      return { provider: found.provider, client: clientOf(found.provider, found.clientSecret), secrets }
    },
  }
}

export function oidcSettings(
  { id, issuer, clientId, settings }: Pick<ProviderRow, 'id' | 'issuer' | 'clientId' | 'settings'>,
  clientSecret: string,
  addresses: Pick<ProviderAddresses, 'redirectUri'>,
): OidcSettings {
  const { scopes, acrValues, requiredAcr, requiredAmr, groupsClaim, loginClaim, nameClaim } = settings
  return {
    ...{ id, issuer, clientId, clientSecret },
    ...{ scopes, acrValues, requiredAcr, requiredAmr, groupsClaim, loginClaim, nameClaim },
    redirectUri: addresses.redirectUri(id),
  }
}
