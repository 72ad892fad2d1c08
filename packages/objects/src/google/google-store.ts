// An object store in a bucket of Google Cloud Storage.
import { prefixSegments } from '../key.ts'
import { checkMetadata } from '../metadata.ts'
import type {
  GoneObject,
  ListOptions,
  ObjectFacts,
  ObjectStore,
  OfGeneration,
  StoreOptions,
} from '../store.ts'
import { amend, holdChange, looserChange, metadataChange, retentionChange } from './amend.ts'
import { objectError } from './api-failure.ts'
import { createBucket } from './bucket.ts'
import { quantumBytes } from './chunks.ts'
import { createConnection, type GoogleAuthClient } from './connection.ts'
import { type GonePage, goneOf } from './gone.ts'
import { inspectBucket, readSettings, secondsPerDay } from './inspect-bucket.ts'
import { modeOf, put } from './put.ts'
import { readObject } from './read.ts'
import { createNames, factsOf, type Page, type Resource } from './resource.ts'

export interface GoogleStoreOptions {
  readonly bucket: string
  /** Put in front of every key, with a slash between; none at its ends. Default: none. */
  readonly prefix?: string | undefined
  /** `Locked`: nobody shortens a retention, not even the bucket's owner. `Unlocked`: who has the right for it does. */
  readonly retentionMode: 'Unlocked' | 'Locked'
  /**
   * What keeps objects: each its own retention, or the bucket's policy, which then must be locked and last that many
   * days; what a put asks for is left to it. Default: null, each object.
   */
  readonly keptByBucketDays?: number | null | undefined
  /** Default: null, the one for everywhere. */
  readonly endpoint?: string | null | undefined
  /** Default: Application Default Credentials. */
  readonly authClient?: GoogleAuthClient | undefined
  /** Unix milliseconds; only tells which times are past, the service keeps by its own. Default: the system's clock. */
  readonly now?: (() => number) | undefined
  /** How often a request is tried at most. Default: 6. */
  readonly triesMost?: number | undefined
  /** How long one try may take, and how long a read may wait for its next bytes. Default: 60,000. */
  readonly tryTimeoutMs?: number | undefined
  /** After how long no further try begins. Default: 120,000. */
  readonly totalTimeoutMs?: number | undefined
  /** The wait before the second try; doubled before each one after it. Default: 250. */
  readonly firstDelayMs?: number | undefined
  /** What goes in one request; more goes in chunks of it. A multiple of 262,144. Default: 8,388,608. */
  readonly chunkBytes?: number | undefined
}

/** What holds where the options say nothing. */
export const googleStoreDefaults = { triesMost: 6, tryTimeoutMs: 60_000, totalTimeoutMs: 120_000 } as const

export interface GoogleStore extends ObjectStore {
  /** Where the bucket lies, such as `ME-CENTRAL2`: a recovery bucket must lie elsewhere. Needs `storage.buckets.get`. */
  location(options?: StoreOptions): Promise<string>
}

/** `put` needs storage.objects.create and, where it retains, .setRetention; the other rights are in docs/google-storage.md. */
export function createGoogleStore(options: GoogleStoreOptions): GoogleStore {
  const { prefix = '', retentionMode, keptByBucketDays = null } = options
  const { now = Date.now, chunkBytes = 8_388_608 } = options
  if (!Number.isSafeInteger(chunkBytes) || chunkBytes <= 0 || chunkBytes % quantumBytes !== 0) {
    throw new RangeError(`chunkBytes must be a multiple of ${quantumBytes}`)
  }
  const names = createNames(prefix)
  const connection = createConnection({
    endpoint: options.endpoint ?? null,
    authClient: options.authClient ?? null,
    triesMost: options.triesMost ?? googleStoreDefaults.triesMost,
    tryTimeoutMs: options.tryTimeoutMs ?? googleStoreDefaults.tryTimeoutMs,
    totalTimeoutMs: options.totalTimeoutMs ?? googleStoreDefaults.totalTimeoutMs,
    firstDelayMs: options.firstDelayMs ?? 250,
  })
  const bucket = createBucket(options.bucket, connection)

  const change = async (
    key: string,
    ofGeneration: OfGeneration & { readonly overrides?: boolean },
    changeOf: (resource: Resource) => object | null,
  ): Promise<ObjectFacts> => {
    const name = names.nameOf(key)
    return factsOf(key, await translated(amend(bucket, name, ofGeneration, changeOf)))
  }

  async function* list(listPrefix: string, { from, signal }: ListOptions = {}): AsyncGenerator<ObjectFacts> {
    prefixSegments(listPrefix)
    const startOffset = from === undefined ? null : names.nameOf(from)
    let pageToken: string | null = null
    do {
      const page: Page = await translated(
        bucket.list({ prefix: names.begin + listPrefix, startOffset, pageToken }, { signal }),
      )
      for (const resource of page.items) {
        signal?.throwIfAborted()
        const key = names.keyOf(resource.name)
        if (key !== null) yield factsOf(key, resource)
      }
      pageToken = page.nextPageToken ?? null
    } while (pageToken !== null)
  }

  async function* listGone(listPrefix: string, { signal }: StoreOptions = {}): AsyncGenerator<GoneObject> {
    prefixSegments(listPrefix)
    let pageToken: string | null = null
    do {
      const page: GonePage = await translated(
        bucket.listGone({ prefix: names.begin + listPrefix, pageToken }, { signal }),
      )
      for (const gone of page.items) {
        signal?.throwIfAborted()
        const key = names.keyOf(gone.name)
        if (key !== null) yield goneOf(key, gone)
      }
      pageToken = page.nextPageToken ?? null
    } while (pageToken !== null)
  }

  async function* read(
    key: string,
    range: Parameters<ObjectStore['read']>[1],
    { signal }: StoreOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const name = names.nameOf(key)
    signal?.throwIfAborted()
    try {
      yield* readObject(bucket, name, range, { signal })
    } catch (error) {
      throw objectError(error)
    }
  }

  return {
    list,
    read,
    put: async (key, source, putOptions) =>
      translated(
        put({ bucket, names, retentionMode, now, chunkBytes }, key, source, {
          ...putOptions,
          ...(keptByBucketDays === null ? {} : { retainUntil: null }),
        }),
      ),

    async head(key, { signal } = {}) {
      const resource = await translated(bucket.get(names.nameOf(key), { signal }))
      return resource === null ? null : factsOf(key, resource)
    },

    async delete(key, { generation, signal } = {}) {
      const name = names.nameOf(key)
      const known = generation ?? (await translated(bucket.get(name, { signal })))?.generation
      if (known === undefined || !isGeneration(known)) {
        signal?.throwIfAborted()
        return 'absent'
      }
      return await translated(bucket.delete(name, known, { signal }))
    },

    retain: (key, until, ofGeneration = {}) =>
      change(key, ofGeneration, resource =>
        retentionChange(resource, until, {
          mode: ofGeneration.lock === undefined ? retentionMode : modeOf(ofGeneration.lock),
          now: now(),
        }),
      ),
    loosen: (key, until, ofGeneration) =>
      change(key, { ...ofGeneration, overrides: true }, resource =>
        looserChange(resource, until, { now: now() }),
      ),
    setHold: (key, held, ofGeneration = {}) =>
      change(key, ofGeneration, resource => holdChange(resource, held)),
    async setMetadata(key, metadata, ofGeneration = {}) {
      checkMetadata(metadata)
      return await change(key, ofGeneration, resource => metadataChange(resource, metadata))
    },

    async restorable({ signal } = {}) {
      const { softDeletePolicy } = await translated(readSettings(connection, bucket.name, { signal }))
      if (softDeletePolicy == null) return { days: softDeleteDaysMost }
      return { days: Math.ceil(softDeletePolicy.retentionDurationSeconds / secondsPerDay) }
    },
    listGone,

    inspect: async ({ signal } = {}) => inspectBucket(connection, bucket.name, { keptByBucketDays, signal }),
    location: async ({ signal } = {}) =>
      (await translated(readSettings(connection, bucket.name, { signal }))).location,
  }
}

/** What the service keeps at most; taken where a bucket does not tell. */
const softDeleteDaysMost = 90

/** Any other text is none of an object's. */
const isGeneration = (text: string): boolean => /^[1-9]\d{0,18}$/.test(text)

async function translated<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw objectError(error)
  }
}
