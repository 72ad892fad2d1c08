// Whether a request that a browser authenticated by its cookie was really meant by a page of ours (OWASP: fetch metadata,
// and the origin where a browser sends none).
//
// The cookie is `SameSite=Lax` besides, and a body must be JSON, which no form can send and no other origin may without
// being asked first (CORS), which this service never allows.
import type { IncomingMessage } from 'node:http'

type Asking = Pick<IncomingMessage, 'headersDistinct' | 'method'>

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD'])
const json = /^application\/json\s*(?:;.*)?$/i

/**
 * `ownOrigin` is where browsers reach the service, null where nobody said so and the request does not come from this
 * machine. Reading is ours from a page of ours or from the address bar; changing only from a page of ours.
 */
export function isFromOwnOrigin(request: Asking, ownOrigin: string | null): boolean {
  const isSafe = safeMethods.has(request.method ?? '')
  if (!isSafe && !hasJsonOrNothing(request)) return false
  const sites = request.headersDistinct['sec-fetch-site']
  if (sites !== undefined) {
    const [site, ...more] = sites
    return more.length === 0 && (site === 'same-origin' || (isSafe && site === 'none'))
  }
  const origins = request.headersDistinct['origin']
  // A browser of old that reads: without `Origin` it is a navigation or a page of ours.
  if (origins === undefined) return isSafe
  const [origin, ...more] = origins
  return more.length === 0 && ownOrigin !== null && origin === ownOrigin
}

function hasJsonOrNothing({ headersDistinct }: Asking): boolean {
  const types = headersDistinct['content-type']
  if (types !== undefined) return types.length === 1 && json.test(types[0] ?? '')
  const lengths = headersDistinct['content-length'] ?? []
  return headersDistinct['transfer-encoding'] === undefined && lengths.every(length => length === '0')
}

const loopback = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/

/** Where a browser on this machine reaches a service that has no public address; null for any other host. */
export function loopbackOrigin({ headersDistinct }: Asking): string | null {
  const [host, ...more] = headersDistinct['host'] ?? []
  return host !== undefined && more.length === 0 && loopback.test(host) ? `http://${host}` : null
}
