// The cookie of a browser's session: how it is set, taken away, and read from a request.
//
// `__Host-` makes browsers refuse it from another host, from a parent domain, for another path and without `Secure`
// (RFC 6265bis section 4.1.3.2), so nobody else can put one there. Where two come all the same, neither is believed.
import type { IncomingMessage } from 'node:http'

export const sessionCookieName = '__Host-auricle'

const attributes = 'Path=/; HttpOnly; Secure; SameSite=Lax'
const msPerSecond = 1000

/** The `Set-Cookie` that a browser keeps until the session's absolute end. */
export function sessionCookie(token: string, { expiresAt, now }: { expiresAt: Date; now: Date }): string {
  const maxAgeSeconds = Math.max(0, Math.floor((expiresAt.getTime() - now.getTime()) / msPerSecond))
  return `${sessionCookieName}=${token}; ${attributes}; Max-Age=${maxAgeSeconds}`
}

/** The `Set-Cookie` that takes it away. */
export const endedSessionCookie = `${sessionCookieName}=; ${attributes}; Max-Age=0`

export interface SessionCookies {
  /** Values of every cookie with exactly the name, in the order they came. */
  readonly values: readonly string[]
  /** Whether there is one of nearly the name: without the prefix, with another, or in other letters. */
  readonly hasLikeness: boolean
}

const likeness = /^(?:__host-|__secure-)?auricle$/i

export function readSessionCookies(request: Pick<IncomingMessage, 'headersDistinct'>): SessionCookies {
  const pairs = (request.headersDistinct['cookie'] ?? []).flatMap(line => line.split(';'))
  const values: string[] = []
  let hasLikeness = false
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = (equals === -1 ? '' : pair.slice(0, equals)).trim()
    if (name === sessionCookieName) values.push(pair.slice(equals + 1).trim())
    else if (likeness.test(name)) hasLikeness = true
  }
  return { values, hasLikeness }
}
