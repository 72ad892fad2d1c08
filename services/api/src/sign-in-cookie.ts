// The cookie of a browser that was sent to a provider: who brings the answer must be the one who asked.
//
// `__Host-` keeps neighbours from planting one (RFC 6265bis section 4.1.3.2). `Lax` lets it come with the way back, which
// is a link from another site.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const name = '__Host-auricle-sign-in'
const maxAgeSeconds = 600
const secretBytes = 32
const form = /^[A-Za-z0-9_-]{43}$/

/** The browser's secret; null where it holds none, or several, of which somebody else planted one. */
export function readSignInCookie({
  headersDistinct,
}: Pick<IncomingMessage, 'headersDistinct'>): string | null {
  const pairs = (headersDistinct['cookie'] ?? []).flatMap(line => line.split(';'))
  const values = pairs
    .map(pair => pair.trim())
    .filter(pair => pair.startsWith(`${name}=`))
    .map(pair => pair.slice(name.length + 1))
  const [value, ...more] = values
  return value !== undefined && more.length === 0 && form.test(value) ? value : null
}

/** A browser keeps its secret for as long as it has one, so that several of its windows can sign in at once. */
export const newSignInSecret = (): string => randomBytes(secretBytes).toString('base64url')

/** The `Set-Cookie`. */
export const signInCookie = (secret: string): string =>
  `${name}=${secret}; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=${maxAgeSeconds}`
