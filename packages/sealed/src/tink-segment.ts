// One segment of a Tink AES-GCM-HKDF stream: AES-GCM with the segment's number and last mark in the nonce.
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { notAuthentic } from './error.ts'
import { nonceBytes, noncePrefixBytes, tagBytes } from './limits.ts'

export interface SegmentKey {
  readonly algorithm: 'aes-128-gcm' | 'aes-256-gcm'
  /** A KeyObject, since Node takes ten times as long over raw bytes. */
  readonly key: KeyObject
  /** 7 bytes. */
  readonly noncePrefix: Uint8Array
}

const authTag = { authTagLength: tagBytes } as const

function segmentNonce(noncePrefix: Uint8Array, index: number, isLast: boolean): Buffer {
  const nonce = Buffer.allocUnsafe(nonceBytes)
  nonce.set(noncePrefix)
  nonce.writeUInt32BE(index, noncePrefixBytes)
  nonce[nonceBytes - 1] = isLast ? 1 : 0
  return nonce
}

/** Ciphertext in as many pieces as the plaintext came in, then the tag as a piece of its own. */
export function sealSegment(
  { algorithm, key, noncePrefix }: SegmentKey,
  index: number,
  isLast: boolean,
  plaintext: readonly Uint8Array[],
): Uint8Array[] {
  // A sealing GCM makes 16-byte tags by default.
  const cipher = createCipheriv(algorithm, key, segmentNonce(noncePrefix, index, isLast))
  const sealed: Uint8Array[] = []
  for (const piece of plaintext) sealed.push(cipher.update(piece))
  cipher.final()
  sealed.push(cipher.getAuthTag())
  return sealed
}

/** Plaintext, in pieces, once the tag was found right. Throws `not_authentic` and gives nothing otherwise. */
export function openSegment(
  { algorithm, key, noncePrefix }: SegmentKey,
  index: number,
  isLast: boolean,
  ciphertext: readonly Uint8Array[],
  tag: Uint8Array,
): Uint8Array[] {
  // The length is stated because an opening GCM would otherwise take a tag of four bytes for a whole one.
  const nonce = segmentNonce(noncePrefix, index, isLast)
  const decipher = createDecipheriv(algorithm, key, nonce, authTag)
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
