// Bytes as Web Crypto takes them, their hash, and their text in hexadecimal and base64.
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'

export type Bytes = Uint8Array<ArrayBuffer>

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

/** At once, unlike Web Crypto's: a tree takes two hashes for each leaf. */
export const sha256 = (bytes: Uint8Array): Bytes => concat(nobleSha256(bytes))
export const sha256Bytes = 32

export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')

export const utf8 = (text: string): Bytes => new TextEncoder().encode(text)

/** Throws `TypeError` where the bytes are not UTF-8; keeps a byte order mark, which JSON then refuses. */
export const fromUtf8 = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)

/** Whether UTF-8 can hold it and it has no ASCII control character but the line feed. */
export function isPlainText(text: string): boolean {
  if (!text.isWellFormed()) return false
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x20 && unit !== 0x0a) return false
  }
  return true
}

/** Base64 with the standard alphabet and padding (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  let characters = ''
  for (const byte of bytes) characters += String.fromCharCode(byte)
  return btoa(characters)
}

/** The bytes of base64 exactly as `toBase64` writes it; null for every other text. */
export function fromBase64(text: string): Bytes | null {
  // `atob` forgives white space, missing padding and bits left over; each would be a second text of the same bytes.
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null
  const bytes = Uint8Array.from(atob(text), character => character.charCodeAt(0))
  return toBase64(bytes) === text ? bytes : null
}

/** The SHA-256 that the text is the base64 of; null for every other text. */
export function hashFromBase64(text: string): Bytes | null {
  const bytes = fromBase64(text)
  return bytes?.length === sha256Bytes ? bytes : null
}
