// What the service holds, for tests to look at and to spoil.
import type { Bucket } from './bucket.ts'
import type { Service } from './call.ts'
import { flipMiddle } from './corrupt.ts'
import type { StoredObject } from './object.ts'
import type { Properties } from './properties.ts'
import { liveObject } from './shelf.ts'
import { type StoredBytes, storeBytes } from './stored-bytes.ts'

export interface ObjectView extends Properties {
  readonly bucket: string
  readonly name: string
  readonly generation: string
  readonly metageneration: number
  readonly sizeBytes: number
  readonly crc32c: string
  readonly createdAt: Date
  readonly state: 'live' | 'noncurrent' | 'soft-deleted'
  /** A copy. */
  bytes(): Buffer
}

export interface RecomputedView extends ObjectView {
  readonly recomputedCrc32c: string
}

export interface SessionView {
  readonly bucket: string
  readonly name: string
  /** 0 once it has ended. */
  readonly receivedBytes: number
  readonly state: 'open' | 'finished' | 'cancelled' | 'failed'
}

export interface GcsState {
  buckets(): readonly string[]
  /** All generations, also what is soft-deleted. */
  objects(bucket: string): readonly ObjectView[]
  /** The same with a checksum made anew of the bytes that are there. */
  recompute(bucket: string): readonly RecomputedView[]
  /** The live one. */
  object(bucket: string, name: string): ObjectView | null
  sessions(): readonly SessionView[]
  /** A byte of the live object rots: what is read differs from its checksum. */
  rot(bucket: string, name: string): void
}

export function createState({ buckets, sessions }: Service): GcsState {
  const bucketOf = (name: string): Bucket => {
    const bucket = buckets.get(name)
    if (bucket === undefined) throw new Error(`There is no bucket ${name}`)
    return bucket
  }
  const objects: GcsState['objects'] = name => {
    const bucket = bucketOf(name)
    return [...[...bucket.objects.values()].flat(), ...bucket.softDeleted].map(object => view(name, object))
  }
  return {
    buckets: () => [...buckets.keys()],
    objects,
    recompute: name =>
      objects(name).map(object => ({ ...object, recomputedCrc32c: storedAgain(object.bytes()).crc32c })),
    object(bucket, name) {
      const object = liveObject(bucketOf(bucket), name)
      return object === null ? null : view(bucket, object)
    },
    sessions: () =>
      sessions.all().map(({ upload, bytes, state }) => ({
        bucket: upload.bucketName,
        name: upload.objectName,
        receivedBytes: bytes.size,
        state: state.type,
      })),
    rot(bucketName, name) {
      const bucket = bucketOf(bucketName)
      const object = liveObject(bucket, name)
      if (object === null) throw new Error(`There is no object ${name}`)
      const { crc32c, md5 } = object.bytes
      const bytes = { ...storedAgain(flipMiddle(bytesOf(object))), crc32c, md5 }
      const generations = bucket.objects.get(name) ?? []
      generations.splice(generations.indexOf(object), 1, { ...object, bytes })
    },
  }
}

const bytesOf = ({ bytes }: StoredObject): Buffer => Buffer.concat([...bytes.slice(0, bytes.size)])

function storedAgain(bytes: Buffer): StoredBytes {
  const stored = storeBytes()
  stored.append(bytes)
  return stored.finish()
}

function view(bucket: string, object: StoredObject): ObjectView {
  const { name, generation, metageneration, bytes, createdAt, properties, softDeleted, noncurrentSince } =
    object
  return {
    ...properties,
    bucket,
    name,
    generation,
    metageneration,
    sizeBytes: bytes.size,
    crc32c: bytes.crc32c,
    createdAt: new Date(createdAt),
    state: softDeleted !== null ? 'soft-deleted' : noncurrentSince !== null ? 'noncurrent' : 'live',
    bytes: () => bytesOf(object),
  }
}
