// A marker: random bytes or text that appear nowhere by chance, and every form in which storage might hold them.
import { randomBytes, randomInt } from 'node:crypto'

export interface Marker {
  /** What it stands for, such as `caller's number`. */
  readonly name: string
  readonly bytes: Buffer
}

export interface Form {
  readonly marker: Marker
  /** Such as `hex` or `base64`. */
  readonly form: string
  readonly pattern: Buffer
}

const textLength = 28
const digitsLength = 15
const audioBytes = 32
const letters = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

export function textMarker(name: string): Marker & { readonly text: string } {
  const text = Array.from({ length: textLength }, () => letters[randomInt(letters.length)]).join('')
  return { name, text, bytes: Buffer.from(text) }
}

/** A number in the international form, without its plus: E.164 allows 15 digits. */
export function numberMarker(name: string): Marker & { readonly text: string } {
  const digits = Array.from({ length: digitsLength - 1 }, () => String(randomInt(10)))
  const text = `${randomInt(1, 10)}${digits.join('')}`
  return { name, text, bytes: Buffer.from(text) }
}

/** Without the bytes that some forms treat apart, so that one pattern is true of all of them. */
export function bytesMarker(name: string): Marker {
  return { name, bytes: randomBytes(audioBytes) }
}

export function markerOf(name: string, text: string): Marker & { readonly text: string } {
  return { name, text, bytes: Buffer.from(text) }
}

/** pglz writes eight items, then one byte that says which of them are copies: none, for bytes never seen before. */
const pglzGroup = 8
const base64Group = 3

/**
 * Raw, UTF-16, hexadecimal, base64 and base64url at every alignment, percent-encoded, PostgreSQL's escape format, and
 * raw as PostgreSQL's compression leaves it, at every alignment.
 */
export function formsOf(marker: Marker): readonly Form[] {
  const { bytes } = marker
  const hex = bytes.toString('hex')
  const patterns: [string, Buffer][] = [
    ['raw', bytes],
    ['UTF-16', Buffer.from(bytes.toString('latin1'), 'utf16le')],
    ['hex', Buffer.from(hex)],
    ['HEX', Buffer.from(hex.toUpperCase())],
    ['percent-encoded', Buffer.from(hex.replace(/../g, pair => `%${pair}`))],
    ['PERCENT-ENCODED', Buffer.from(hex.toUpperCase().replace(/../g, pair => `%${pair}`))],
    ['URL-encoded', Buffer.from(percentEncoded(bytes))],
    ['escape format', Buffer.from(escapeFormat(bytes))],
  ]
  for (let shift = 0; shift < base64Group; shift++) {
    const padded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
    // The characters at both ends depend on the neighbours.
    const inner = padded.slice(shift === 0 ? 0 : 4, -4)
    patterns.push([`base64 +${shift}`, Buffer.from(inner)])
    patterns.push([`base64url +${shift}`, Buffer.from(inner.replaceAll('+', '-').replaceAll('/', '_'))])
  }
  for (let shift = 1; shift <= pglzGroup; shift++) patterns.push([`pglz +${shift}`, pglzForm(bytes, shift)])
  const seen = new Set<string>()
  return patterns
    .filter(([, pattern]) => {
      const key = pattern.toString('latin1')
      return !seen.has(key) && seen.add(key) !== undefined
    })
    .map(([form, pattern]) => ({ marker, form, pattern }))
}

function percentEncoded(bytes: Buffer): string {
  return Array.from(bytes, byte => {
    const character = String.fromCharCode(byte)
    return /[A-Za-z0-9_.~-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}

const firstPrintable = 0x20
const lastPrintable = 0x7e

/** How PostgreSQL writes bytea with `bytea_output = escape`. */
function escapeFormat(bytes: Buffer): string {
  return Array.from(bytes, byte => {
    if (byte === 0x5c) return '\\\\'
    return byte >= firstPrintable && byte <= lastPrintable
      ? String.fromCharCode(byte)
      : `\\${byte.toString(8).padStart(3, '0')}`
  }).join('')
}

/** The first `shift` bytes end a group; the full groups after them each begin with a control byte of no copies. */
function pglzForm(bytes: Buffer, shift: number): Buffer {
  const parts = [bytes.subarray(0, shift)]
  for (let at = shift; at + pglzGroup <= bytes.length; at += pglzGroup) {
    parts.push(Buffer.of(0), bytes.subarray(at, at + pglzGroup))
  }
  return Buffer.concat(parts)
}
