// One segment of a Tink AES-GCM-HKDF stream: AES-GCM with the segment's number and last mark in the nonce.
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { notAuthentic } from './error.ts'
import { nonceBytes, noncePrefixBytes, tagBytes } from './limits.ts'

const authTag = { authTagLength: tagBytes } as const
const aes128KeyBytes = 16

export interface SegmentKey {
  /** 16 or 32 bytes. A KeyObject, since Node is several times slower to take raw bytes. */
  readonly key: KeyObject
  /** 7 bytes. */
  readonly noncePrefix: Uint8Array
}

const algorithmOf = (key: KeyObject) =>
  key.symmetricKeySize === aes128KeyBytes ? 'aes-128-gcm' : 'aes-256-gcm'

function segmentNonce(noncePrefix: Uint8Array, index: number, isLast: boolean): Buffer {
  const nonce = Buffer.allocUnsafe(nonceBytes)
  nonce.set(noncePrefix)
  nonce.writeUInt32BE(index, noncePrefixBytes)
  nonce[nonceBytes - 1] = isLast ? 1 : 0
  return nonce
}

/** Ciphertext in as many pieces as the plaintext came in, then the tag as a piece of its own. */
export function sealSegment(
  { key, noncePrefix }: SegmentKey,
  index: number,
  isLast: boolean,
  plaintext: readonly Uint8Array[],
): Uint8Array[] {
  const cipher = createCipheriv(algorithmOf(key), key, segmentNonce(noncePrefix, index, isLast), authTag)
  const sealed: Uint8Array[] = []
  for (const piece of plaintext) sealed.push(cipher.update(piece))
  cipher.final()
  sealed.push(cipher.getAuthTag())
  return sealed
}

/** Plaintext, in pieces, once the tag was found right. Throws `not_authentic` and gives nothing otherwise. */
export function openSegment(
  { key, noncePrefix }: SegmentKey,
  index: number,
  isLast: boolean,
  ciphertext: readonly Uint8Array[],
  tag: Uint8Array,
): Uint8Array[] {
  const nonce = segmentNonce(noncePrefix, index, isLast)
  const decipher = createDecipheriv(algorithmOf(key), key, nonce, authTag)
  decipher.setAuthTag(tag)
  const opened: Uint8Array[] = []
  for (const piece of ciphertext) opened.push(decipher.update(piece))
  try {
    decipher.final()
  } catch (cause) {
    throw notAuthentic(cause)
  }
  return opened
}
