// Getting the data key back: the newest wrap first, and only a key that the object is committed to.
import { timingSafeEqual } from 'node:crypto'
import type { Wrap } from '@auricle/contract'
import { notAuthentic } from './error.ts'
import type { SealedHeader } from './header.ts'
import { deriveObjectKeys, type ObjectKeys, wrapAad } from './keys.ts'
import { dataKeyBytes } from './limits.ts'
import type { CallOptions, KeyUnwrapper } from './port.ts'

export interface UnwrapOptions extends CallOptions {
  readonly unwrapper: KeyUnwrapper
  /** Wraps made after the object was sealed, newest first. Tried before those in the object. */
  readonly newerWraps?: readonly Wrap[] | undefined
}

/**
 * Tries each wrap until one gives the key that the commitment names; the rest of the header is not yet checked.
 * If none does and the key service failed, its failure passes through (a transient one before others, since
 * trying again may help); `not_authentic` only where every wrap opened and none to the right key.
 */
export async function unwrapKeys(
  header: SealedHeader,
  streamSalt: Uint8Array,
  { unwrapper, newerWraps = [], signal }: UnwrapOptions,
): Promise<ObjectKeys> {
  const aad = wrapAad(header.coreDigest)
  const failures: unknown[] = []
  for (const wrap of [...newerWraps, ...header.wraps]) {
    signal?.throwIfAborted()
    let dataKey: Uint8Array
    try {
      dataKey = await unwrapper.unwrap(wrap, aad, { signal })
    } catch (failure) {
      signal?.throwIfAborted()
      failures.push(failure)
      continue
    }
    const keys = deriveCommitted(dataKey, header, streamSalt)
    if (keys !== null) return keys
  }
  if (failures.length > 0) throw failures.find(isTransient) ?? failures[0]
  throw notAuthentic('no wrap gives the key that the object is committed to')
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
