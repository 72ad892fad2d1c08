// What a token claims to be, before anybody has checked it: good for choosing who shall check it, and for nothing else.
import { z } from 'zod'

export const maxTokenCharacters = 8192
const maxIssuerCharacters = 1024

const Part = z.record(z.string(), z.unknown())
type Part = Readonly<z.infer<typeof Part>>

/** Header and claims of a compact JWS; null where it is not one. Never throws. */
export function peek(token: string, maxCharacters: number): { header: Part; claims: Part } | null {
  if (token.length > maxCharacters) return null
  const [header, payload, signature, ...rest] = token.split('.', 4)
  if (header === undefined || payload === undefined || rest.length > 0) return null
  if (!signature || bytesOf(signature) === null) return null
  const parts = { header: partOf(header), claims: partOf(payload) }
  return parts.header === null || parts.claims === null
    ? null
    : { header: parts.header, claims: parts.claims }
}

/** Whose and for whom a bearer token says it is, unverified. */
export interface Claimed {
  readonly issuer: string
  readonly audiences: readonly string[]
}

/** Null where it names no issuer or is no JWT. Never throws. */
export function claimedOf(token: string): Claimed | null {
  const { iss: issuer, aud } = peek(token, maxTokenCharacters)?.claims ?? {}
  if (typeof issuer !== 'string' || issuer === '' || issuer.length > maxIssuerCharacters) return null
  const audiences = (Array.isArray(aud) ? aud : [aud]).filter(one => typeof one === 'string')
  return { issuer, audiences }
}

function partOf(part: string): Part | null {
  const bytes = bytesOf(part)
  if (bytes === null) return null
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return Part.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}

/** Null where there is another spelling: Node skips what is no letter, and two readers must not read two things. */
function bytesOf(part: string): Buffer | null {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : null
}
