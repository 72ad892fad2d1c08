// Every key and check value of a sealed object, derived from its data key. The labels keep them apart.
import { createSecretKey, type KeyObject } from 'node:crypto'
import { digestOf, hkdfExpand, hkdfExtract, hmac } from './hmac.ts'
import { sha256Bytes } from './limits.ts'

const label = (name: string) => Buffer.from(`sealrec/1 ${name} `)
const labels = {
  commitment: label('commit'),
  header: label('header'),
  trailer: label('trailer'),
  payload: label('payload'),
  kms: label('kms'),
}

export interface ObjectKeys {
  readonly commitment: Uint8Array
  /** Wipe after use. */
  readonly headerMacKey: Uint8Array
  readonly trailerKey: KeyObject
  readonly payloadKey: KeyObject
}

/** SHA-256 of the canonical core without its commitment. */
export function digestCore(bareCore: string): Uint8Array {
  return digestOf('sha256', bareCore)
}

/** What the key service binds a wrap to (rule 1). */
export function wrapAad(coreDigest: Uint8Array): Uint8Array {
  return Buffer.concat([labels.kms, coreDigest])
}

/** `objectSalt` is the header's, `streamSalt` the one in the Tink header. The data key stays the caller's to wipe. */
export function deriveObjectKeys(
  dataKey: Uint8Array,
  objectSalt: Uint8Array,
  streamSalt: Uint8Array,
  coreDigest: Uint8Array,
): ObjectKeys {
  const objectSecret = hkdfExtract('sha256', objectSalt, dataKey)
  const streamSecret = hkdfExtract('sha256', streamSalt, dataKey)
  const keys = {
    commitment: expand(objectSecret, labels.commitment, coreDigest),
    headerMacKey: expand(objectSecret, labels.header, coreDigest),
    trailerKey: asKey(expand(objectSecret, labels.trailer, coreDigest)),
    payloadKey: asKey(expand(streamSecret, labels.payload, coreDigest)),
  }
  objectSecret.fill(0)
  streamSecret.fill(0)
  return keys
}

/** Covers core and wraps, so that neither can be altered without the data key. */
export function macOfHeader(headerMacKey: Uint8Array, core: string, wraps: string): Uint8Array {
  return hmac('sha256', headerMacKey, Buffer.from(core + wraps))
}

function expand(secret: Uint8Array, name: Uint8Array, coreDigest: Uint8Array): Uint8Array {
  return hkdfExpand('sha256', secret, [name, coreDigest], sha256Bytes)
}

// Node moves a small array out of the heap before it reads it, each time anew: this one was moved once.
const keyScratch = new Uint8Array(sha256Bytes)

function asKey(bytes: Uint8Array): KeyObject {
  keyScratch.set(bytes)
  const key = createSecretKey(keyScratch)
  keyScratch.fill(0)
  bytes.fill(0)
  return key
}
