// What has to be known of an OpenID provider before anybody can sign in at it.
import { isAllowedAddress } from '../issuer/provider-fetch.ts'

export interface OidcSettings {
  readonly id: string
  /** https; what the provider's metadata and tokens call it. */
  readonly issuer: string
  readonly clientId: string
  /** Sent by `client_secret_basic`. */
  readonly clientSecret: string
  /** `openid` is always asked for. */
  readonly scopes: readonly string[]
  /** What is asked for, most wanted first; a wish that a provider may ignore. */
  readonly acrValues: readonly string[]
  /** The `acr` must be one of these. Empty: any. */
  readonly requiredAcr: readonly string[]
  /** The `amr` must hold one of these. Empty: any. Where both are empty nobody is admitted. */
  readonly requiredAmr: readonly string[]
  readonly groupsClaim: string
  readonly loginClaim: string
  readonly nameClaim: string
  /** https, without query or fragment; registered with the provider letter for letter. */
  readonly redirectUri: string
}

export const oidcClaimsDefault = {
  groupsClaim: 'groups',
  loginClaim: 'preferred_username',
  nameClaim: 'name',
} as const

/** Throws `TypeError` for settings that cannot be. */
export function checkOidcSettings(settings: OidcSettings, allowInsecureLoopback: boolean): void {
  const { id, issuer, redirectUri } = settings
  if (!isAllowedAddress(issuer, allowInsecureLoopback))
    throw new TypeError(`provider ${id} needs an https issuer`)
  const redirect = isAllowedAddress(redirectUri, allowInsecureLoopback) ? new URL(redirectUri) : null
  if (redirect === null || redirect.search !== '' || redirect.hash !== '')
    throw new TypeError(`provider ${id} needs an https redirect address without query and fragment`)
  if (settings.clientId === '' || settings.clientSecret === '')
    throw new TypeError(`provider ${id} needs a client id and a client secret`)
}
