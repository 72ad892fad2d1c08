// Tokens for programs, and invitations: opaque texts that say what they are and catch a typo before any look-up.
//
// `aur_pat_` and `aur_svc_`, the 26 characters of the token's id, `_`, 32 random characters, 7 of a checksum.
// `aur_inv_`, 32 random characters, 7 of a checksum. There is one spelling, in lower case: programs do not type.
import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { TokenId } from '@auricle/contract'
import { labelledHash, numberCharacters, randomCharacters } from './readable-code.ts'

/** `personal`: acts as the person who made it. `service`: a program of its own. */
export type OpaqueTokenKind = 'personal' | 'service'

export interface OpaqueToken {
  /** What the program presents. Shown once. */
  readonly text: string
  /** What is kept of it: 32 bytes. */
  readonly hash: Uint8Array
}

export interface ParsedOpaqueToken {
  readonly kind: OpaqueTokenKind
  readonly tokenId: TokenId
  readonly hash: Uint8Array
}

const prefixes = { personal: 'aur_pat_', service: 'aur_svc_' } as const satisfies Record<
  OpaqueTokenKind,
  string
>
const invitationPrefix = 'aur_inv_'
const idPrefix = 'tok_'
/** 160 bits. */
const secretCharacters = 32
/** The 32 bits of a CRC in characters of five. */
const checksumCharacters = 7
const tokenHashLabel = 'auricle opaque token 1'
const invitationHashLabel = 'auricle invitation 1'

const characters = '[0-9a-hjkmnp-tv-z]'
const tail = `${characters}{${secretCharacters + checksumCharacters}}`
const tokenForm = new RegExp(`^aur_(pat|svc)_(${characters}{26})_${tail}$`)
const invitationForm = new RegExp(`^${invitationPrefix}${tail}$`)

export function newOpaqueToken(
  kind: OpaqueTokenKind,
  tokenId: TokenId,
  random: (byteLength: number) => Uint8Array = randomBytes,
): OpaqueToken {
  const text = withSecret(`${prefixes[kind]}${tokenId.slice(idPrefix.length)}_`, random)
  return { text, hash: labelledHash(tokenHashLabel, text) }
}

/**
 * What a text that could be a token says; null where it is none, or was altered by accident. Whether it was ever
 * given out is for whoever kept its hash to say.
 */
export function parseOpaqueToken(text: string): ParsedOpaqueToken | null {
  const [, prefix, ulid] = tokenForm.exec(text) ?? []
  if (ulid === undefined || !hasChecksum(text)) return null
  const tokenId = TokenId.safeParse(`${idPrefix}${ulid}`)
  if (!tokenId.success) return null
  return {
    kind: prefix === 'pat' ? 'personal' : 'service',
    tokenId: tokenId.data,
    hash: labelledHash(tokenHashLabel, text),
  }
}

/** Whether a bearer token is of this kind and not a signed one; says nothing of whether it holds. */
export const isOpaqueToken = (text: string) => Object.values(prefixes).some(prefix => text.startsWith(prefix))

/** An invitation as it is put into a link. */
export function newInvitation(random: (byteLength: number) => Uint8Array = randomBytes): OpaqueToken {
  const text = withSecret(invitationPrefix, random)
  return { text, hash: labelledHash(invitationHashLabel, text) }
}

/** Null where the text cannot be an invitation. */
export function parseInvitation(text: string): Pick<OpaqueToken, 'hash'> | null {
  if (!invitationForm.test(text) || !hasChecksum(text)) return null
  return { hash: labelledHash(invitationHashLabel, text) }
}

function withSecret(head: string, random: (byteLength: number) => Uint8Array): string {
  const text = head + randomCharacters(secretCharacters, random).toLowerCase()
  return text + checksum(text)
}

function hasChecksum(text: string): boolean {
  const end = text.length - checksumCharacters
  return checksum(text.slice(0, end)) === text.slice(end)
}

const checksum = (text: string) => numberCharacters(crc32(text), checksumCharacters).toLowerCase()
