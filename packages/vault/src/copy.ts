// Whether what stands in a store under an object's key is that object, told without a key from its size and its two ends.
import type { StoredObject } from '@auricle/catalog'
import type { ObjectFacts, ObjectStore } from '@auricle/objects'
import { type CallOptions, fingerprintSealed, SealedError } from '@auricle/sealed'

/** `same`, or how it differs from what was archived, in a stable word. */
export type Comparison = 'same' | 'missing' | 'other_size' | 'other_object'

/**
 * The ends hold the object's own key, wrapped, and the length and hash of its content, encrypted: another object, one
 * cut short, or one sealed again differs there. A payload that was altered in its place does not; that takes a key to
 * see (`verifyTenant`), and no whole read of the bytes would show it either, since nothing keyless says what they were.
 */
export async function compareStored(
  store: Pick<ObjectStore, 'read'>,
  object: Pick<StoredObject, 'objectKey' | 'sealedBytes' | 'fingerprint'>,
  facts: Pick<ObjectFacts, 'sizeBytes'> | null,
  options: CallOptions,
): Promise<Comparison> {
  if (facts === null) return 'missing'
  if (facts.sizeBytes !== object.sealedBytes) return 'other_size'
  const source = {
    sizeBytes: object.sealedBytes,
    read: (range: Parameters<ObjectStore['read']>[1], given: CallOptions) =>
      store.read(object.objectKey, range, given),
  }
  try {
    const found = await fingerprintSealed(source, options)
    return Buffer.compare(found, object.fingerprint) === 0 ? 'same' : 'other_object'
  } catch (error) {
    if (error instanceof SealedError) return 'other_object'
    throw error
  }
}
