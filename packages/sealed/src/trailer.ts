// The trailer: both lengths in clear and authenticated, the plaintext's SHA-256 encrypted, since a hash in
// clear would confirm guesses at the content and outlive the key.
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { notAuthentic } from './error.ts'
import { digestOf } from './hmac.ts'
import {
  magicBytes,
  nonceBytes,
  prefixUsualBytes,
  sha256Bytes,
  tagBytes,
  trailerBytes,
  trailerClearBytes,
} from './limits.ts'

const magic = Buffer.from('SEALEND1')
// A constant nonce is sound here: the trailer key encrypts exactly one message.
const nonce = Buffer.alloc(nonceBytes)
const algorithm = 'aes-256-gcm'
const authTag = { authTagLength: tagBytes } as const
const payloadLengthAt = magicBytes
const plaintextLengthAt = magicBytes + 8
const tagAt = trailerClearBytes + sha256Bytes

// Used over and over within one turn of the loop, since a small object's costs are mostly its allocations.
const aadScratch = new Uint8Array(trailerClearBytes + sha256Bytes)
const fingerprintScratch = new Uint8Array(prefixUsualBytes + trailerBytes)

export interface TrailerFacts {
  readonly payloadBytes: number
  readonly plaintextBytes: number
  readonly plaintextSha256: Uint8Array
}

export function sealTrailer(facts: TrailerFacts, key: KeyObject, coreDigest: Uint8Array): Buffer {
  const trailer = Buffer.allocUnsafe(trailerBytes)
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
  if (prefix.length !== prefixUsualBytes) return digestOf('sha256', Buffer.concat([prefix, trailer]))
  fingerprintScratch.set(prefix)
  fingerprintScratch.set(trailer, prefix.length)
  return digestOf('sha256', fingerprintScratch)
}

/** The clear part of the trailer and the core digest, good until the next call. */
function aadOf(trailer: Buffer, coreDigest: Uint8Array): Uint8Array {
  trailer.copy(aadScratch, 0, 0, trailerClearBytes)
  aadScratch.set(coreDigest, trailerClearBytes)
  return aadScratch
}

const wordValues = 2 ** 32

function writeLength(trailer: Buffer, value: number, at: number): void {
  trailer.writeUInt32BE(Math.floor(value / wordValues), at)
  trailer.writeUInt32BE(value % wordValues, at + 4)
}

/** Lengths of 2^53 and more lose digits here; no object has them, so they fail the comparison with its size. */
function readLength(trailer: Buffer, at: number): number {
  return trailer.readUInt32BE(at) * wordValues + trailer.readUInt32BE(at + 4)
}
