// What use cases need to speak with providers of identity: clients, verifiers, and the addresses of this deployment.
import type { ProviderId } from '@auricle/contract'
import { createIssuerVerifier, createOidcClient, mapGroups } from '@auricle/identity'
import type { FinishParts, ManageIssuersParts, ManageProvidersParts } from '@auricle/vault'

export type ProviderParts = Pick<FinishParts, 'mapGroups'> &
  Pick<ManageProvidersParts, 'openClient' | 'addresses'> &
  Pick<ManageIssuersParts, 'openVerifier'>

/** `baseUrl`: where browsers and providers reach the API, without a trailing slash; asked for when it is needed. */
export function createProviderParts(baseUrl: () => string, now?: () => Date): ProviderParts {
  const at = (id: ProviderId, call: string) => `${baseUrl()}/v1/sign-in/${id}/${call}`
  return {
    mapGroups,
    openClient: settings => createOidcClient(settings, { allowInsecureLoopback: isOfThisMachine(baseUrl()) }),
    openVerifier: settings =>
      createIssuerVerifier(settings, {
        allowInsecureLoopback: isOfThisMachine(baseUrl()),
        ...(now === undefined ? {} : { now }),
      }),
    addresses: {
      redirectUri: id => at(id, 'callback'),
      backChannelLogoutUri: id => at(id, 'back-channel-logout'),
    },
  }
}

/** A deployment that nobody else can reach may speak plain HTTP with a provider that nobody else can reach. */
function isOfThisMachine(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'http:' && /^(?:127\.0\.0\.1|localhost|\[::1\])$/.test(hostname)
}
