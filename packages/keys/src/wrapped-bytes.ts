// The bytes of a local wrap: format 1 | key version (4 bytes, big-endian) | IV (12) | ciphertext (32) | tag (16).
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { KeyError } from './error.ts'

const format = 1
const versionAt = 1
const ivAt = 5
const ivBytes = 12
const ciphertextAt = ivAt + ivBytes
export const dataKeyBytes = 32
const tagAt = ciphertextAt + dataKeyBytes
const tagBytes = 16
const wrappedBytes = tagAt + tagBytes
const cipher = 'aes-256-gcm'

export type RandomBytes = (byteLength: number) => Uint8Array

export interface VersionedKey {
  readonly version: number
  readonly key: KeyObject
}

/** base64url without padding. A random IV is sound for 2^32 wraps under one version (NIST SP 800-38D, 8.3). */
export function sealDataKey(
  under: VersionedKey,
  dataKey: Uint8Array,
  aad: Uint8Array,
  random: RandomBytes,
): string {
  const bytes = Buffer.alloc(wrappedBytes)
  bytes.writeUInt8(format, 0)
  bytes.writeUInt32BE(under.version, versionAt)
  bytes.set(random(ivBytes), ivAt)
  const encryption = createCipheriv(cipher, under.key, bytes.subarray(ivAt, ciphertextAt))
  encryption.setAAD(aad)
  bytes.set(encryption.update(dataKey), ciphertextAt)
  encryption.final()
  bytes.set(encryption.getAuthTag(), tagAt)
  return bytes.toString('base64url')
}

/** The wrap's bytes and the version they name. Throws `not_authentic` for any other text than ours. */
export function parseWrapped(text: string): { bytes: Buffer; version: number } {
  const bytes = Buffer.from(text, 'base64url')
  // Decoding skips what it does not know, so only the one text that encodes these bytes is taken.
  const isOurs = bytes.length === wrappedBytes && bytes.toString('base64url') === text && bytes[0] === format
  if (!isOurs) throw notAuthentic()
  return { bytes, version: bytes.readUInt32BE(versionAt) }
}

/** Throws `not_authentic`. The caller wipes the result. */
export function openDataKey(key: KeyObject, bytes: Buffer, aad: Uint8Array): Uint8Array {
  const decryption = createDecipheriv(cipher, key, bytes.subarray(ivAt, ciphertextAt), {
    authTagLength: tagBytes,
  })
  decryption.setAAD(aad)
  decryption.setAuthTag(bytes.subarray(tagAt))
  const dataKey = decryption.update(bytes.subarray(ciphertextAt, tagAt))
  try {
    decryption.final()
  } catch (cause) {
    dataKey.fill(0)
    throw notAuthentic(cause)
  }
  return dataKey
}

export const notAuthentic = (cause?: unknown): KeyError =>
  new KeyError('not_authentic', 'The wrapped data key does not belong to this key and context', { cause })
