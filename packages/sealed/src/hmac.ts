// HMAC (RFC 2104) and HKDF (RFC 5869) for short messages, built on one-shot hashes.
// Why not createHmac and hkdfSync: a small object needs seven of these, and through Node's objects they cost
// more than encrypting 40 KB does (2.4 and 5 microseconds a call; this takes under one). hkdfSync also refuses
// an info of more than 1,024 bytes, which Tink allows. hmac.test.ts compares both with Node's, property by property.
// Intermediate digests pass through short-lived strings, the one output that costs no allocation outside
// the heap; like every copy in a collected heap they cannot be wiped, only be short-lived.
import { hash } from 'node:crypto'

export type HashName = 'sha1' | 'sha256' | 'sha512'

const blockBytes: Record<HashName, number> = { sha1: 64, sha256: 64, sha512: 128 }
const digestBytes: Record<HashName, number> = { sha1: 20, sha256: 32, sha512: 64 }
const innerPad = 0x36
const outerPad = 0x5c

const scratchBytes = 2048
// One of each is enough: nothing here is asynchronous. Both are wiped after use.
const innerScratch = Buffer.alloc(scratchBytes)
const outerScratch = Buffer.alloc(blockBytes.sha512 + digestBytes.sha512)

export function hmac(name: HashName, key: Uint8Array, message: Uint8Array): Buffer {
  const block = blockBytes[name]
  const shortKey = key.length <= block ? key : hash(name, key, 'buffer')
  const innerLength = block + message.length
  const inner = (innerLength <= scratchBytes ? innerScratch : Buffer.allocUnsafeSlow(innerLength)).subarray(
    0,
    innerLength,
  )
  const outer = outerScratch.subarray(0, block + digestBytes[name])
  for (let i = 0; i < block; i++) {
    const byte = shortKey[i] ?? 0
    inner[i] = byte ^ innerPad
    outer[i] = byte ^ outerPad
  }
  inner.set(message, block)
  outer.write(hash(name, inner, 'binary'), block, 'latin1')
  const mac = Buffer.from(hash(name, outer, 'binary'), 'latin1')
  inner.fill(0)
  outer.fill(0)
  return mac
}

/** HKDF-Extract: a pseudorandom key out of `inputKey`. The caller wipes it. */
export function hkdfExtract(name: HashName, salt: Uint8Array, inputKey: Uint8Array): Buffer {
  return hmac(name, salt, inputKey)
}

/** HKDF-Expand to `lengthBytes`, at most 255 digests. `info` may be of any length. The caller wipes the result. */
export function hkdfExpand(
  name: HashName,
  pseudorandomKey: Uint8Array,
  info: Uint8Array,
  lengthBytes: number,
): Buffer {
  const digest = digestBytes[name]
  const first = Buffer.allocUnsafe(info.length + 1)
  first.set(info)
  first[info.length] = 1
  const block = hmac(name, pseudorandomKey, first)
  if (lengthBytes <= digest) return block.subarray(0, lengthBytes)
  const output = Buffer.alloc(lengthBytes)
  let previous = block
  output.set(previous)
  for (let counter = 2, at = digest; at < lengthBytes; counter++, at += digest) {
    previous = hmac(name, pseudorandomKey, Buffer.concat([previous, info, Uint8Array.of(counter)]))
    output.set(previous.subarray(0, lengthBytes - at), at)
  }
  return output
}
