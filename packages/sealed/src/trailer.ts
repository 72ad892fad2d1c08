// The trailer: both lengths in clear and authenticated, the plaintext's SHA-256 encrypted, since a hash in
// clear would confirm guesses at the content and outlive the key.
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { notAuthentic } from './error.ts'
import { digestOf } from './hmac.ts'
import { magicBytes, nonceBytes, sha256Bytes, tagBytes, trailerBytes, trailerClearBytes } from './limits.ts'

const magic = Buffer.from('SEALEND1')
// A constant nonce is sound here: the trailer key encrypts exactly one message.
const nonce = Buffer.alloc(nonceBytes)
const algorithm = 'aes-256-gcm'
const authTag = { authTagLength: tagBytes } as const
const payloadLengthAt = magicBytes
const plaintextLengthAt = magicBytes + 8
const tagAt = trailerClearBytes + sha256Bytes

export interface TrailerFacts {
  readonly payloadBytes: number
  readonly plaintextBytes: number
  readonly plaintextSha256: Uint8Array
}

export function sealTrailer(facts: TrailerFacts, key: KeyObject, coreDigest: Uint8Array): Buffer {
  const trailer = Buffer.allocUnsafeSlow(trailerBytes)
  trailer.set(magic)
  writeLength(trailer, facts.payloadBytes, payloadLengthAt)
  writeLength(trailer, facts.plaintextBytes, plaintextLengthAt)
  const cipher = createCipheriv(algorithm, key, nonce)
  cipher.setAAD(aadOf(trailer, coreDigest))
  trailer.set(cipher.update(facts.plaintextSha256), trailerClearBytes)
  cipher.final()
  trailer.set(cipher.getAuthTag(), tagAt)
  return trailer
}

/** Throws `not_authentic`. The lengths are authentic afterwards, not yet compared with the object's. */
export function openTrailer(trailer: Buffer, key: KeyObject, coreDigest: Uint8Array): TrailerFacts {
  if (trailer.length !== trailerBytes || !trailer.subarray(0, magicBytes).equals(magic)) {
    throw notAuthentic('no trailer')
  }
  const decipher = createDecipheriv(algorithm, key, nonce, authTag)
  decipher.setAAD(aadOf(trailer, coreDigest))
  decipher.setAuthTag(trailer.subarray(tagAt))
  const plaintextSha256 = decipher.update(trailer.subarray(trailerClearBytes, tagAt))
  try {
    decipher.final()
  } catch (cause) {
    throw notAuthentic(cause)
  }
  return {
    payloadBytes: readLength(trailer, payloadLengthAt),
    plaintextBytes: readLength(trailer, plaintextLengthAt),
    plaintextSha256,
  }
}

/** Names an object without saying anything of its content: all but the payload, which the trailer vouches for. */
export function fingerprintOf(prefix: Uint8Array, trailer: Uint8Array): Uint8Array {
  return digestOf('sha256', Buffer.concat([prefix, trailer]))
}

const aadOf = (trailer: Buffer, coreDigest: Uint8Array) =>
  Buffer.concat([trailer.subarray(0, trailerClearBytes), coreDigest])

const wordValues = 2 ** 32

function writeLength(trailer: Buffer, value: number, at: number): void {
  trailer.writeUInt32BE(Math.floor(value / wordValues), at)
  trailer.writeUInt32BE(value % wordValues, at + 4)
}

/** Lengths of 2^53 and more lose digits here; no object has them, so they fail the comparison with its size. */
function readLength(trailer: Buffer, at: number): number {
  return trailer.readUInt32BE(at) * wordValues + trailer.readUInt32BE(at + 4)
}
