// Codes that people read, write down and type: Crockford's base32 in groups of four, and what was meant by a typing.
import { createHash } from 'node:crypto'

/** 32 characters, so five bits each; without I, L, O and U. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const groupCharacters = 4
/** More than any code with its dashes and some spaces has. */
const maxTypedCharacters = 128

/** As many random characters: one for each byte, of which five bits are used. */
export function randomCharacters(count: number, random: (byteLength: number) => Uint8Array): string {
  return Array.from(random(count), byte => alphabet.charAt(byte & 31)).join('')
}

/** A number in that many characters, the highest first. */
export function numberCharacters(value: number, count: number): string {
  let text = ''
  for (let rest = value; text.length < count; rest = Math.floor(rest / alphabet.length)) {
    text = alphabet.charAt(rest % alphabet.length) + text
  }
  return text
}

/** What one character stands for, 0 to 31; -1 for any other. */
export const characterValue = (character: string) => alphabet.indexOf(character)

export function grouped(code: string): string {
  const groups: string[] = []
  for (let i = 0; i < code.length; i += groupCharacters) groups.push(code.slice(i, i + groupCharacters))
  return groups.join('-')
}

/**
 * The code that somebody typed, as it was made but without dashes: case, white space and dashes of any kind do not
 * matter, O is 0, I and L are 1. Null where that is not as many characters of the alphabet.
 */
export function canonicalCode(typed: string, characters: number): string | null {
  if (typed.length > maxTypedCharacters) return null
  const bare = typed.replace(/[\s\p{Pd}]/gu, '')
  // Before the case is changed, which makes ASCII of some letters that are not.
  if (bare.length !== characters || !/^[0-9A-Za-z]*$/.test(bare)) return null
  const code = bare.toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1')
  return [...code].every(character => characterValue(character) >= 0) ? code : null
}

/**
 * SHA-256 over the label, a zero byte and the text, all ASCII. What is hashed here has 80 random bits at least, so a
 * quick hash without a salt gives nothing away, and a code can be looked up by its hash.
 */
export function labelledHash(label: string, text: string): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(`${label}\0${text}`).digest())
}
