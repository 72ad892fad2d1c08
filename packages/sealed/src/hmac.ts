// HMAC (RFC 2104) and HKDF (RFC 5869) for short messages, built on one-shot hashes.
// Why not createHmac and hkdfSync: a small object needs seven of these, and through Node's objects they cost
// more than encrypting 40 KB does (2.4 and 5 microseconds a call; this takes under one). hkdfSync also refuses
// an info of more than 1,024 bytes, which Tink allows. hmac.test.ts compares both with Node's, property by property.
// Digests pass through short-lived strings, the one output of a hash that allocates nothing outside the heap;
// like every copy in a collected heap they cannot be wiped, only be short-lived.
import { hash } from 'node:crypto'

export type HashName = 'sha1' | 'sha256' | 'sha512'

const blockBytes: Record<HashName, number> = { sha1: 64, sha256: 64, sha512: 128 }
const digestBytes: Record<HashName, number> = { sha1: 20, sha256: 32, sha512: 64 }
const innerPad = 0x36
const outerPad = 0x5c

// Reused, since an array beyond 64 bytes is allocated outside the heap, which costs more than the hash. One of each
// length is enough: nothing here is asynchronous. Wiped after use.
const scratchMost = 1024
const innerScratches: Uint8Array[] = []
const outerScratches: Uint8Array[] = []

function scratchOf(scratches: Uint8Array[], length: number): Uint8Array {
  if (length > scratchMost) return new Uint8Array(length)
  const known = scratches[length]
  if (known !== undefined) return known
  const scratch = new Uint8Array(length)
  scratches[length] = scratch
  return scratch
}

/** One-shot hash. A text is hashed as UTF-8. */
export function digestOf(name: HashName, message: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const digest = new Uint8Array(digestBytes[name])
  writeLatin1(digest, 0, hash(name, message, 'binary'))
  return digest
}

/** HMAC of the concatenated parts. */
export function hmac(
  name: HashName,
  key: Uint8Array,
  ...parts: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  const block = blockBytes[name]
  if (key.length > block) return hmac(name, digestOf(name, key), ...parts)
  let innerBytes = block
  for (const part of parts) innerBytes += part.length
  const inner = scratchOf(innerScratches, innerBytes)
  const outer = scratchOf(outerScratches, block + digestBytes[name])
  for (let i = 0; i < block; i++) {
    const byte = key[i] ?? 0
    inner[i] = byte ^ innerPad
    outer[i] = byte ^ outerPad
  }
  let at = block
  for (const part of parts) {
    inner.set(part, at)
    at += part.length
  }
  writeLatin1(outer, block, hash(name, inner, 'binary'))
  const mac = digestOf(name, outer)
  inner.fill(0)
  outer.fill(0)
  return mac
}

/** HKDF-Extract: a pseudorandom key out of `inputKey`. The caller wipes it. */
export function hkdfExtract(name: HashName, salt: Uint8Array, inputKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return hmac(name, salt, inputKey)
}

/**
 * HKDF-Expand to `lengthBytes`, at most 255 digests. `info` is the concatenation of its parts, of any length.
 * The caller wipes the result.
 */
export function hkdfExpand(
  name: HashName,
  pseudorandomKey: Uint8Array,
  info: readonly Uint8Array[],
  lengthBytes: number,
): Uint8Array<ArrayBuffer> {
  let block = hmac(name, pseudorandomKey, ...info, Uint8Array.of(1))
  if (lengthBytes === block.length) return block
  if (lengthBytes < block.length) return block.slice(0, lengthBytes)
  const output = new Uint8Array(lengthBytes)
  output.set(block)
  for (let counter = 2, at = block.length; at < lengthBytes; counter++, at += block.length) {
    block = hmac(name, pseudorandomKey, block, ...info, Uint8Array.of(counter))
    output.set(block.subarray(0, lengthBytes - at), at)
  }
  return output
}

function writeLatin1(target: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i)
}
