// Recovery codes: ten to be printed, each of which signs in once for somebody whose second factor is gone.
import { randomBytes } from 'node:crypto'
import { IdentityError } from './error.ts'
import { canonicalCode, grouped, labelledHash, randomCharacters } from './readable-code.ts'

export const recoveryCodeCount = 10
/** 80 bits. */
const codeCharacters = 16
const hashLabel = 'auricle recovery code 1'

/** Ten fresh codes as they are shown, once: `7K2M-0QXR-94TB-HZ5C`. */
export function newRecoveryCodes(
  random: (byteLength: number) => Uint8Array = randomBytes,
): readonly string[] {
  return Array.from({ length: recoveryCodeCount }, () => grouped(randomCharacters(codeCharacters, random)))
}

/** What was typed, in the one spelling of a code (16 characters, no dashes); null where it cannot be a code. */
export function parseRecoveryCode(typed: string): string | null {
  return canonicalCode(typed, codeCharacters)
}

/**
 * What is kept of a code, in any of its spellings, and what it is looked up by: 32 bytes.
 * Throws `IdentityError('malformed')` where it cannot be a code.
 */
export function recoveryCodeHash(code: string): Uint8Array {
  const canonical = parseRecoveryCode(code)
  if (canonical === null) throw new IdentityError('malformed', 'A recovery code has 16 letters and digits')
  return labelledHash(hashLabel, canonical)
}

/** The same for what somebody typed; null where it cannot be a code. */
export function hashRecoveryCode(typed: string): Uint8Array | null {
  const canonical = parseRecoveryCode(typed)
  return canonical === null ? null : labelledHash(hashLabel, canonical)
}
