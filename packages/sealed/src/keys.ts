// Every key and check value of a sealed object, derived from its data key. The labels keep them apart.
import { createSecretKey, hash, type KeyObject } from 'node:crypto'
import { hkdfExpand, hkdfExtract, hmac } from './hmac.ts'
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
  readonly commitment: Buffer
  /** Wipe after use. */
  readonly headerMacKey: Buffer
  readonly trailerKey: KeyObject
  readonly payloadKey: KeyObject
}

/** SHA-256 of the canonical core without its commitment. */
export function digestCore(bareCore: string): Buffer {
  return Buffer.from(hash('sha256', bareCore, 'binary'), 'latin1')
}

/** What the key service binds a wrap to (rule 1). */
export function wrapAad(coreDigest: Uint8Array): Buffer {
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
export function macOfHeader(headerMacKey: Uint8Array, core: string, wraps: string): Buffer {
  return hmac('sha256', headerMacKey, Buffer.from(core + wraps))
}

function expand(secret: Uint8Array, name: Uint8Array, coreDigest: Uint8Array): Buffer {
  return hkdfExpand('sha256', secret, Buffer.concat([name, coreDigest]), sha256Bytes)
}

function asKey(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}
