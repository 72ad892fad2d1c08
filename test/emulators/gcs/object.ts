// One generation of an object, and how it is told.
import { type Bucket, retentionPolicy } from './bucket.ts'
import { type JsonRecord, writeTime } from './json.ts'
import type { Properties } from './properties.ts'
import type { StoredBytes } from './stored-bytes.ts'

export interface StoredObject {
  readonly name: string
  /** Of 64 bits, decimal: each object of a bucket has another, later ones a greater. */
  readonly generation: string
  readonly bytes: StoredBytes
  readonly createdAt: number
  metageneration: number
  properties: Properties
  updatedAt: number
  storageClass: string
  /** When an event-based hold was taken off, from which the bucket's retention period then counts. */
  releasedAt: number | null
  /** When it stopped to be the live one, in a bucket with versions. */
  noncurrentSince: number | null
  softDeleted: { readonly since: number; readonly until: number } | null
}

/** Until when the bucket's policy keeps it; null where it has none, or none that runs yet. */
export function policyKeepsUntil(bucket: Bucket, object: StoredObject): number | null {
  const policy = retentionPolicy(bucket)
  if (policy === null || object.properties.eventBasedHold) return null
  return (object.releasedAt ?? object.createdAt) + policy.seconds * 1_000
}

/** The resource as the API tells it. */
export function writeObject(bucket: Bucket, object: StoredObject, origin: string): JsonRecord {
  const { name, generation, bytes, properties, noncurrentSince, softDeleted } = object
  const { metadata, customTime, retention } = properties
  const path = `${origin}/storage/v1/b/${bucket.name}/o/${encodeURIComponent(name)}`
  const keptUntil = policyKeepsUntil(bucket, object)
  return {
    kind: 'storage#object',
    id: `${bucket.name}/${name}/${generation}`,
    selfLink: path,
    mediaLink: `${path.replace('/storage/v1/', '/download/storage/v1/')}?generation=${generation}&alt=media`,
    name,
    bucket: bucket.name,
    generation,
    metageneration: String(object.metageneration),
    ...properties.texts,
    storageClass: object.storageClass,
    size: String(bytes.size),
    ...(bytes.md5 === null ? {} : { md5Hash: bytes.md5 }),
    crc32c: bytes.crc32c,
    etag: etagOf(object),
    timeCreated: writeTime(object.createdAt),
    updated: writeTime(object.updatedAt),
    timeStorageClassUpdated: writeTime(object.createdAt),
    timeFinalized: writeTime(object.createdAt),
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
    ...(customTime === null ? {} : { customTime: writeTime(customTime) }),
    ...(properties.temporaryHold ? { temporaryHold: true } : {}),
    ...(properties.eventBasedHold ? { eventBasedHold: true } : {}),
    ...(retention === null
      ? {}
      : { retention: { mode: retention.mode, retainUntilTime: writeTime(retention.retainUntil) } }),
    ...(keptUntil === null ? {} : { retentionExpirationTime: writeTime(keptUntil) }),
    ...(noncurrentSince === null ? {} : { timeDeleted: writeTime(noncurrentSince) }),
    ...(softDeleted === null
      ? {}
      : { softDeleteTime: writeTime(softDeleted.since), hardDeleteTime: writeTime(softDeleted.until) }),
  }
}

export const etagOf = ({ generation, metageneration }: StoredObject): string =>
  Buffer.from(`${generation}/${metageneration}`).toString('base64')
