// Whether a URL from a delivery may be fetched at all, and under which rules: decided on the URL alone.
import { PbxError } from './error.ts'
import { isAddress, type Network, parseNetwork } from './remote-address.ts'

export interface AllowedHost {
  /** Scheme, host and port exactly, `https://pbx.example.org:8443`. */
  readonly origin: string
  /** Where its addresses must lie if it is in a private network; only such a host may be `http:` or a bare address. */
  readonly privateCidr: string | null
}

export interface Target {
  readonly url: URL
  readonly network: Network | null
}

const maxUrlLength = 2048

const refused = (message: string) => new PbxError('fetch_refused', message)

/** `base` is the address that redirected here. Throws `PbxError('fetch_refused')`; messages never hold the URL. */
export function resolveTarget(text: string, allowedHosts: readonly AllowedHost[], base: URL | null): Target {
  if (text.length > maxUrlLength) throw refused('The URL of the audio is longer than 2048 characters.')
  const url = base === null ? URL.parse(text) : URL.parse(text, base.href)
  if (url === null) throw refused('The URL of the audio cannot be read.')
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refused('The URL of the audio is not https.')
  if (url.username !== '' || url.password !== '') throw refused('The URL of the audio carries credentials.')
  const host = allowedHosts.find(allowed => originOf(allowed.origin) === url.origin)
  if (host === undefined)
    throw refused('The URL of the audio is not at a host that this connector may fetch from.')
  if (host.privateCidr === null) {
    if (url.protocol !== 'https:')
      throw refused('Audio is fetched by https, except from a named private network.')
    if (isAddress(url.hostname))
      throw refused('Audio is fetched by host name, except from a named private network.')
  }
  if (base?.protocol === 'https:' && url.protocol !== 'https:') {
    throw refused('The host of the audio redirects from https to http.')
  }
  return { url, network: host.privateCidr === null ? null : parseNetwork(host.privateCidr) }
}

/** Through the same parser as the URL, so that both are written alike. Null matches nothing. */
function originOf(origin: string): string | null {
  const parsed = URL.parse(origin)?.origin ?? 'null'
  return parsed === 'null' ? null : parsed
}
