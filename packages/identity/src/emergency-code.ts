// Emergency codes: one in a sealed envelope lets in whoever opens it while the identity provider is down.
//
// It is typed seldom, by somebody in a hurry, so two check symbols tell a slip from a wrong code.
import { randomBytes } from 'node:crypto'
import { IdentityError } from './error.ts'
import {
  canonicalCode,
  characterValue,
  grouped,
  labelledHash,
  numberCharacters,
  randomCharacters,
} from './readable-code.ts'

/** 130 bits. */
const secretCharacters = 26
const checkCharacters = 2
/**
 * The largest prime below 32^2. One wrong character, or two exchanged anywhere, always changes the remainder, since
 * it divides no 32^n, no difference of two characters and no 32^n - 1 for n below 26.
 */
const checkModulus = 1021
const hashLabel = 'auricle emergency code 1'

/** A fresh code as it is printed, once: seven groups of four. */
export function newEmergencyCode(random: (byteLength: number) => Uint8Array = randomBytes): string {
  const secret = randomCharacters(secretCharacters, random)
  return grouped(secret + checkOf(secret))
}

/**
 * What was typed, in the one spelling of a code (28 characters, no dashes); null where it cannot be a code, or its
 * check symbols say that something was mistyped.
 */
export function parseEmergencyCode(typed: string): string | null {
  const code = canonicalCode(typed, secretCharacters + checkCharacters)
  if (code === null) return null
  return checkOf(code.slice(0, secretCharacters)) === code.slice(secretCharacters) ? code : null
}

/**
 * What is kept of a code, in any of its spellings, and what it is looked up by: 32 bytes.
 * Throws `IdentityError('malformed')` where it cannot be a code.
 */
export function emergencyCodeHash(code: string): Uint8Array {
  const canonical = parseEmergencyCode(code)
  if (canonical === null) throw new IdentityError('malformed', 'The emergency code was mistyped: look again')
  return labelledHash(hashLabel, canonical)
}

function checkOf(secret: string): string {
  let remainder = 0
  for (const character of secret) remainder = (remainder * 32 + characterValue(character)) % checkModulus
  return numberCharacters(remainder, checkCharacters)
}
