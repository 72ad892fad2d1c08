// Every key and check value of a sealed object, derived from its data key, which may itself be derived from the
// secret of its recording. The labels keep them apart.
import { createSecretKey, type KeyObject } from 'node:crypto'
import { canonicalIdentity } from './canonical.ts'
import type { RecordingIdentity } from './context.ts'
import { digestOf, hkdfExpand, hkdfExtract, hmac } from './hmac.ts'
import { dataKeyBytes, sha256Bytes } from './limits.ts'

const label = (name: string) => Buffer.from(`sealrec/1 ${name} `)
const labels = {
  commitment: label('commit'),
  header: label('header'),
  trailer: label('trailer'),
  payload: label('payload'),
  kms: label('kms'),
  kmsRecording: label('kms recording'),
  object: label('object'),
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

/** What the key service binds the wrap of a data key to (rule 1). */
export function wrapAad(coreDigest: Uint8Array): Uint8Array {
  return Buffer.concat([labels.kms, coreDigest])
}

/** What the key service binds the wrap of a recording's secret to (rule 2). */
export function recordingAad(identity: RecordingIdentity): Uint8Array {
  return Buffer.concat([labels.kmsRecording, digestOf('sha256', canonicalIdentity(identity))])
}

/** The data key of one object of a recording (rule 2). The caller wipes it. */
export function deriveDataKey(
  recordingSecret: Uint8Array,
  objectSalt: Uint8Array,
  coreDigest: Uint8Array,
): Uint8Array {
  const pseudorandomKey = hkdfExtract('sha256', objectSalt, recordingSecret)
  const dataKey = hkdfExpand('sha256', pseudorandomKey, [labels.object, coreDigest], dataKeyBytes)
  pseudorandomKey.fill(0)
  return dataKey
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
