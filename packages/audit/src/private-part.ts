// What an event must not say in public: kept sealed beside its leaf, which only commits to it by a salted hash.
//
// The salt keeps anyone who holds the log from guessing numbers and addresses and checking the guess. Without the
// private part (erased, or never shown) every proof over the log still holds.
import { z } from 'zod'
import { type Bytes, concat, equalBytes, fromUtf8, hex, sha256, utf8 } from './bytes.ts'
import { canonicalJson } from './canonical-json.ts'
import { AuditError } from './error.ts'

const saltBytes = 16
const maxCharacters = {
  ip: 64,
  userAgent: 512,
  login: 128,
  number: 64,
  patientReference: 256,
  query: 1024,
  reason: 1024,
  recipientName: 256,
  recipientAddress: 512,
  what: 1024,
} as const

const text = (most: number) => z.string().min(1).max(most).optional()

/** Everything optional; absent where it is not known. */
export const PrivatePart = z.strictObject({
  /** Address of the client, as the service saw it. */
  ip: text(maxCharacters.ip),
  userAgent: text(maxCharacters.userAgent),
  /** What somebody typed who could not be signed in. */
  login: text(maxCharacters.login),
  /** Telephone number that was searched for. */
  number: text(maxCharacters.number),
  patientReference: text(maxCharacters.patientReference),
  /** The filters of a list. */
  query: text(maxCharacters.query),
  /** Why, in a person's own words. */
  reason: text(maxCharacters.reason),
  /** Of a disclosure: to whom, and what. */
  recipientName: text(maxCharacters.recipientName),
  recipientAddress: text(maxCharacters.recipientAddress),
  what: text(maxCharacters.what),
})
export type PrivatePart = z.infer<typeof PrivatePart>

export type PrivateFacts = { readonly [Name in keyof typeof maxCharacters]?: string | null | undefined }

/**
 * The private part of what clients sent. It never fails on their input, since a header that is too long or is
 * not Unicode must not stop the event from being logged: long text is cut, lone surrogates are replaced, what is
 * empty is left out.
 */
export function newPrivatePart(facts: PrivateFacts): PrivatePart {
  const clipped = {
    ip: clip(facts.ip, maxCharacters.ip),
    userAgent: clip(facts.userAgent, maxCharacters.userAgent),
    login: clip(facts.login, maxCharacters.login),
    number: clip(facts.number, maxCharacters.number),
    patientReference: clip(facts.patientReference, maxCharacters.patientReference),
    query: clip(facts.query, maxCharacters.query),
    reason: clip(facts.reason, maxCharacters.reason),
    recipientName: clip(facts.recipientName, maxCharacters.recipientName),
    recipientAddress: clip(facts.recipientAddress, maxCharacters.recipientAddress),
    what: clip(facts.what, maxCharacters.what),
  } satisfies Record<keyof PrivateFacts, string | undefined>
  return PrivatePart.parse(present(clipped))
}

/**
 * `sha256:` and the lower-case hex of SHA-256(salt || canonical JSON), for the event's `private`. `salt` is 16
 * random bytes, fresh for each event. Rejects with `AuditError('bad_private')`.
 */
export async function commitPrivate(part: PrivatePart, salt: Uint8Array): Promise<string> {
  return `sha256:${hex(sha256(encodePrivate(part, salt)))}`
}

/** salt (16 bytes) || canonical JSON in UTF-8: exactly the bytes that were committed to. */
export function encodePrivate(part: PrivatePart, salt: Uint8Array): Bytes {
  if (salt.length !== saltBytes) throw new AuditError('bad_private', `a salt has ${saltBytes} bytes`)
  const parsed = PrivatePart.safeParse(part)
  if (!parsed.success) {
    throw new AuditError('bad_private', 'the private part does not follow its schema', {
      cause: parsed.error,
    })
  }
  return concat(salt, utf8(canonicalJson(present(parsed.data))))
}

/** The inverse of `encodePrivate`. Throws `AuditError('bad_private')` for any other bytes. */
export function decodePrivate(bytes: Uint8Array): { readonly part: PrivatePart; readonly salt: Bytes } {
  const salt = concat(bytes.subarray(0, saltBytes))
  const part = parsePart(bytes.subarray(saltBytes))
  if (!equalBytes(encodePrivate(part, salt), bytes)) {
    throw new AuditError('bad_private', 'the private part is not canonical')
  }
  return { part, salt }
}

function parsePart(json: Uint8Array): PrivatePart {
  try {
    return PrivatePart.parse(JSON.parse(fromUtf8(json)))
  } catch (cause) {
    throw new AuditError('bad_private', 'the bytes do not hold a private part', { cause })
  }
}

function clip(text: string | null | undefined, most: number): string | undefined {
  // Cut first: a cut can split a surrogate pair.
  return text?.slice(0, most).toWellFormed() || undefined
}

const present = (part: PrivatePart): PrivatePart =>
  Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined))
