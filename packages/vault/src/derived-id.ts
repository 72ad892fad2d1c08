// An id that follows from what it stands for, where two who see the same thing must come to the same row.
import { createHash } from 'node:crypto'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const characters = 26

/** The text after the prefix: 128 bits of SHA-256 over the parts, in the letters of our ids. No order follows from it. */
export function derivedId(domain: string, parts: readonly string[]): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([domain, ...parts]))
    .digest()
  // Five bits of each byte; the first character of an id holds three.
  const letters = Array.from(digest.subarray(0, characters), (byte, index) =>
    alphabet.charAt(byte & (index === 0 ? 7 : 31)),
  )
  return letters.join('')
}
