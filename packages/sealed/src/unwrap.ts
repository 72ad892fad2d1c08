// Getting the data key back: the newest wrap first, and only a key that the object is committed to.
// The rule of a wrap says what it holds: the data key itself, or the secret of the recording that leads to it.
import { timingSafeEqual } from 'node:crypto'
import type { Wrap } from '@auricle/contract'
import { notAuthentic } from './error.ts'
import type { SealedHeader } from './header.ts'
import { deriveObjectKeys, type ObjectKeys, recordingAad, wrapAad } from './keys.ts'
import { dataKeyBytes, recordingSecretBytes } from './limits.ts'
import type { CallOptions, KeyUnwrapper } from './port.ts'
import { RecordingSecret } from './recording-secret.ts'

export interface UnwrapOptions extends CallOptions {
  readonly unwrapper: KeyUnwrapper
  /** The secret of the recording where it is at hand: tried first, which costs no call. Passed over once disposed. */
  readonly under?: RecordingSecret | null | undefined
  /** Wraps made after the object was sealed, newest first. Tried before those in the object. */
  readonly newerWraps?: readonly Wrap[] | undefined
}

export interface UnwrappedKeys {
  readonly keys: ObjectKeys
  /** What the data key was derived from, for the caller to dispose; null where the object has a key of its own. */
  readonly recordingSecret: RecordingSecret | null
}

/**
 * Tries `under`, then each wrap until one gives the key that the commitment names; the rest of the header is not yet
 * checked. If none does and the key service failed, its failure passes through (a transient one before others, since
 * trying again may help); `not_authentic` only where every wrap opened and none to the right key.
 */
export async function unwrapKeys(
  header: SealedHeader,
  streamSalt: Uint8Array,
  { unwrapper, under, newerWraps = [], signal }: UnwrapOptions,
): Promise<UnwrappedKeys> {
  const known = deriveUnder(under?.copy() ?? null, header, streamSalt)
  if (known !== null) return known
  const failures: unknown[] = []
  for (const wrap of [...newerWraps, ...header.wraps]) {
    signal?.throwIfAborted()
    const aad = wrap.aad === 1 ? wrapAad(header.coreDigest) : recordingAad(header.context)
    let secret: Uint8Array
    try {
      secret = await unwrapper.unwrap(wrap, aad, { signal })
    } catch (failure) {
      signal?.throwIfAborted()
      failures.push(failure)
      continue
    }
    const found =
      wrap.aad === 1 ? ownKey(secret, header, streamSalt) : sharedKey(secret, wrap, header, streamSalt)
    if (found !== null) return found
  }
  if (failures.length > 0) throw failures.find(isTransient) ?? failures[0]
  throw notAuthentic('no wrap gives the key that the object is committed to')
}

function ownKey(dataKey: Uint8Array, header: SealedHeader, streamSalt: Uint8Array): UnwrappedKeys | null {
  const keys = deriveCommitted(dataKey, header, streamSalt)
  return keys === null ? null : { keys, recordingSecret: null }
}

function sharedKey(
  secret: Uint8Array,
  wrap: Wrap,
  header: SealedHeader,
  streamSalt: Uint8Array,
): UnwrappedKeys | null {
  const { tenant, recording } = header.context
  const recordingSecret = new RecordingSecret({ tenant, recording }, wrap, secret)
  if (secret.length === recordingSecretBytes) return deriveUnder(recordingSecret, header, streamSalt)
  recordingSecret[Symbol.dispose]()
  return null
}

/** Takes the secret over: it is wiped where it does not lead to the object's key. */
function deriveUnder(
  recordingSecret: RecordingSecret | null,
  header: SealedHeader,
  streamSalt: Uint8Array,
): UnwrappedKeys | null {
  const dataKey = recordingSecret?.deriveDataKey(header.objectSalt, header.coreDigest) ?? null
  const keys = dataKey === null ? null : deriveCommitted(dataKey, header, streamSalt)
  if (keys !== null) return { keys, recordingSecret }
  recordingSecret?.[Symbol.dispose]()
  return null
}

/** Null where the key is another than the commitment's. Wipes the data key: the derived ones are all one needs. */
function deriveCommitted(
  dataKey: Uint8Array,
  header: SealedHeader,
  streamSalt: Uint8Array,
): ObjectKeys | null {
  try {
    if (dataKey.length !== dataKeyBytes) return null
    const keys = deriveObjectKeys(dataKey, header.objectSalt, streamSalt, header.coreDigest)
    return timingSafeEqual(keys.commitment, header.commitment) ? keys : null
  } finally {
    dataKey.fill(0)
  }
}

const isTransient = (failure: unknown) =>
  failure instanceof Error && 'transient' in failure && failure.transient === true
