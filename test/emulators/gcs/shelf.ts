// The generations of the objects of a bucket: which is live, which is not any more, which can still be restored.
import { type Bucket, holdsByDefault, isVersioned, softDeleteMs } from './bucket.ts'
import type { StoredObject } from './object.ts'
import type { Properties } from './properties.ts'
import { refuseRemoval } from './protection.ts'
import type { StoredBytes } from './stored-bytes.ts'

export function liveObject(bucket: Bucket, name: string): StoredObject | null {
  return bucket.objects.get(name)?.find(object => object.noncurrentSince === null) ?? null
}

/** The live one where `generation` is null. */
export function findObject(bucket: Bucket, name: string, generation: string | null): StoredObject | null {
  if (generation === null) return liveObject(bucket, name)
  return bucket.objects.get(name)?.find(object => object.generation === generation) ?? null
}

export function findSoftDeleted(bucket: Bucket, name: string, generation: string): StoredObject | null {
  return bucket.softDeleted.find(object => object.name === name && object.generation === generation) ?? null
}

export interface NewObject {
  readonly name: string
  readonly bytes: StoredBytes
  readonly properties: Properties
  readonly storageClass?: string
}

/** Throws where the object that it would replace is kept. */
export function addObject(
  bucket: Bucket,
  { name, bytes, properties, storageClass }: NewObject,
  { now, generation }: { readonly now: number; readonly generation: string },
): StoredObject {
  const replaced = liveObject(bucket, name)
  if (replaced !== null) retire(bucket, replaced, now)
  const eventBasedHold =
    properties.eventBasedHold || (holdsByDefault(bucket) && properties.retention === null)
  const object: StoredObject = {
    name,
    generation,
    bytes,
    createdAt: now,
    metageneration: 1,
    properties: { ...properties, eventBasedHold },
    updatedAt: now,
    storageClass: storageClass ?? String(bucket.settings['storageClass']),
    releasedAt: null,
    noncurrentSince: null,
    softDeleted: null,
  }
  const generations = bucket.objects.get(name)
  if (generations === undefined) bucket.objects.set(name, [object])
  else generations.push(object)
  return object
}

/** What happens to a live object that is deleted or replaced without its generation being named. */
export function retire(bucket: Bucket, object: StoredObject, now: number): void {
  // In a bucket with versions nothing is lost by it, so also an object that is kept may become noncurrent.
  if (isVersioned(bucket)) object.noncurrentSince = now
  else removeObject(bucket, object, now)
}

/** Throws where it is kept. */
export function removeObject(bucket: Bucket, object: StoredObject, now: number): void {
  refuseRemoval(bucket, object, now)
  const others = (bucket.objects.get(object.name) ?? []).filter(other => other !== object)
  if (others.length === 0) bucket.objects.delete(object.name)
  else bucket.objects.set(object.name, others)
  const keptMs = softDeleteMs(bucket)
  if (keptMs === 0) return
  object.softDeleted = { since: now, until: now + keptMs }
  bucket.softDeleted.push(object)
}

/** Forgets what has been soft-deleted for its time. */
export function purge(bucket: Bucket, now: number): void {
  // The first is the oldest, so most of the time a look at it is enough.
  if ((bucket.softDeleted[0]?.softDeleted?.until ?? Number.POSITIVE_INFINITY) > now) return
  const kept = bucket.softDeleted.filter(({ softDeleted }) => softDeleted !== null && softDeleted.until > now)
  if (kept.length < bucket.softDeleted.length)
    bucket.softDeleted.splice(0, bucket.softDeleted.length, ...kept)
}
