// Shortens what the stores keep for longer than is decided by now: what no service may do in a bucket, and an operator does
// who has the right to.
//
// Only what has an end, is not locked by its rule or its store, and is not held, is shortened; never below what is decided.
//
// Order, of each recording, while nobody else follows it: what is decided -> what its stores say -> EVENT, durable -> SHORTER,
// object by object -> what the stores keep now is written down. Then what is decided, once more: where that changed
// meanwhile, the stores are asked to follow. A crash in between leaves the catalog believing in more than the stores keep;
// the daily look at the stores goes by theirs.
import type { Catalog, FollowedObject, KeptNow, KeptRow, StoreAccess, StoreFacts } from '@auricle/catalog'
import type { RecordingId, StoreName, TenantId } from '@auricle/contract'
import type { ObjectFacts, ObjectStore } from '@auricle/objects'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import { errorCode } from '../error.ts'
import { keptRows } from './kept-rows.ts'

type ShorteningStore = Pick<ObjectStore, 'head' | 'loosen'>

export interface ShortenParts {
  readonly catalog: Pick<Catalog, 'appendEvents' | 'askStore' | 'findKept' | 'followStore' | 'listKept'>
  readonly objects: ShorteningStore
  /** Null where none is configured: then copies are left as they are. */
  readonly recovery: ShorteningStore | null
  readonly now?: () => Date
  /** Told of each recording that was looked at. */
  readonly onRecording?: () => void
}

export interface ShortenOrders {
  /** Whether it is done; else it is only counted. */
  readonly apply: boolean
}

export interface ShortenReport {
  /** That were looked at in the stores: they have an end, and nothing of them is locked or held. */
  readonly recordings: number
  /** What is kept for longer than is decided; with `apply`, was. */
  readonly longer: Amount
  /** Objects. */
  readonly shortened: number
  /** What could not be done, by the code of the error. */
  readonly failed: ReadonlyMap<string, number>
}

export interface Amount {
  readonly recordings: number
  readonly objects: number
  readonly bytes: number
}

/** Each takes two connections to the database while it works. */
const lanesMost = 4

/**
 * All recordings of a tenant of which the catalog does not know that their stores keep them for no longer. A store that
 * refuses one keeps no other from its turn; an abort, or a database that cannot be reached, ends it, and it can be begun
 * again.
 */
export async function shortenStores(
  parts: ShortenParts,
  tenantId: TenantId,
  { apply }: ShortenOrders,
  options: CallOptions,
): Promise<ShortenReport> {
  const failed = new Map<string, number>()
  const longer = { recordings: 0, objects: 0, bytes: 0 }
  let recordings = 0
  let shortened = 0
  const candidates = candidatesOf(keptRows(parts.catalog, tenantId, options))
  const lane = async (): Promise<void> => {
    for (;;) {
      options.signal?.throwIfAborted()
      const next = await candidates.next()
      if (next.done === true) return
      const { recordingId, objectKey: key } = next.value
      recordings++
      parts.onRecording?.()
      const outcome = await shorten(parts, { tenantId, recordingId, key, apply }, options)
      for (const code of outcome.failed) failed.set(code, (failed.get(code) ?? 0) + 1)
      shortened += outcome.shortened
      if (outcome.found.length > 0) longer.recordings++
      longer.objects += outcome.found.length
      longer.bytes += outcome.found.reduce((sum, { facts }) => sum + facts.sizeBytes, 0)
    }
  }
  // All of them end before a failure is told.
  for (const ended of await Promise.allSettled(Array.from({ length: lanesMost }, lane)))
    if (ended.status === 'rejected') throw ended.reason
  return { recordings, longer, shortened, failed }
}

/** One object of each recording, all of whose objects follow one another. */
async function* candidatesOf(rows: AsyncIterable<KeptRow>): AsyncGenerator<KeptRow> {
  let last: RecordingId | null = null
  for await (const row of rows) {
    if (row.recordingId === last || row.recording === 'destroyed' || !mayBeShorter(row)) continue
    const isLong = [row.primary, row.recovery].some(
      place => place !== null && (place.until === null || place.until > row.keepUntil),
    )
    if (!isLong) continue
    last = row.recordingId
    yield row
  }
}

const mayBeShorter = ({ hasEnd, locked, held }: Pick<KeptRow, 'hasEnd' | 'locked' | 'held'>): boolean =>
  hasEnd && !locked && !held

interface Which {
  readonly tenantId: TenantId
  readonly recordingId: RecordingId
  /** Of any of its objects. */
  readonly key: string
  readonly apply: boolean
}

interface Longer {
  readonly in: StoreName
  readonly object: FollowedObject
  readonly generation: string
  readonly store: ShorteningStore
  readonly facts: ObjectFacts
}

const nothing: Outcome = { found: [], shortened: 0, failed: [] }

interface Outcome {
  readonly found: readonly Longer[]
  readonly shortened: number
  /** Codes of errors. */
  readonly failed: readonly string[]
}

async function shorten(parts: ShortenParts, which: Which, options: CallOptions): Promise<Outcome> {
  const { tenantId, recordingId, key } = which
  let followed: StoreFacts | null = null
  const outcome = await parts.catalog.followStore(
    tenantId,
    recordingId,
    async access => {
      followed = await access.facts()
      if (followed === null || !mayBeShorter(followed)) return nothing
      return await shortenAll(parts, which, { access, followed }, options)
    },
    options,
  )
  if (outcome === null) return { ...nothing, failed: ['busy'] }
  if (
    outcome.shortened > 0 &&
    followed !== null &&
    !isDecidedSame(await parts.catalog.findKept(tenantId, key, options), followed)
  )
    await parts.catalog.askStore(tenantId, recordingId, parts.now?.() ?? new Date(), options)
  return outcome
}

async function shortenAll(
  parts: ShortenParts,
  { tenantId, recordingId, apply }: Which,
  { access, followed }: { readonly access: StoreAccess; readonly followed: StoreFacts },
  options: CallOptions,
): Promise<Outcome> {
  const now = parts.now?.() ?? new Date()
  const { found, failed } = await findLonger(parts, followed, now, options)
  if (!apply || found.length === 0) return { ...nothing, found, failed }
  await parts.catalog.appendEvents([await eventOf(tenantId, recordingId, found, now)], options)
  const kept = new Map<Longer, ObjectFacts>()
  for (const longer of found) {
    const { store, object, generation } = longer
    try {
      kept.set(
        longer,
        await store.loosen(object.objectKey, followed.keepUntil, { generation, signal: options.signal }),
      )
    } catch (error) {
      options.signal?.throwIfAborted()
      failed.push(errorCode(error))
    }
  }
  await access.done(followed, keptNow(kept), { isWhole: false, event: null })
  return { found, shortened: kept.size, failed }
}

interface Found {
  readonly found: readonly Longer[]
  readonly failed: string[]
}

/** By what the stores say now. */
async function findLonger(
  { objects, recovery }: ShortenParts,
  { keepUntil, objects: known }: StoreFacts,
  now: Date,
  { signal }: CallOptions,
): Promise<Found> {
  const found: Longer[] = []
  const failed: string[] = []
  const isLonger = ({ locked, held, retainUntil }: ObjectFacts) =>
    !locked && !held && retainUntil !== null && retainUntil > now && retainUntil > keepUntil
  for (const object of known) {
    for (const [name, store, kept] of [
      ['primary', objects, object.primary],
      ['recovery', recovery, object.recovery],
    ] as const) {
      if (store === null || kept === null || kept.isDestroyed) continue
      const { generation } = kept
      try {
        const facts = await store.head(object.objectKey, { signal })
        if (facts !== null && facts.generation === generation && isLonger(facts))
          found.push({ in: name, object, generation, store, facts })
      } catch (error) {
        signal?.throwIfAborted()
        failed.push(errorCode(error))
      }
    }
  }
  return { found, failed }
}

function keptNow(kept: ReadonlyMap<Longer, ObjectFacts>): readonly KeptNow[] {
  return [...kept].map(([longer, { retainUntil, held }]) => {
    const now = { until: retainUntil, held }
    const { role } = longer.object
    return longer.in === 'primary'
      ? { role, primary: now, recovery: null }
      : { role, primary: null, recovery: now }
  })
}

const isDecidedSame = (after: KeptRow | null, before: StoreFacts): boolean =>
  after !== null &&
  after.held === before.held &&
  after.locked === before.locked &&
  after.hasEnd === before.hasEnd &&
  after.keepUntil.getTime() === before.keepUntil.getTime()

const eventOf = (tenantId: TenantId, recordingId: RecordingId, found: readonly Longer[], now: Date) =>
  auditRecord(
    {
      ...{ tenantId, action: 'store.shortened', outcome: 'allowed', request: null },
      actor: { type: 'system', name: 'operator' },
      object: { type: 'recording', id: recordingId, version: null },
      reasons: [...new Set(found.map(longer => longer.in))].sort(),
      detail: { kind: 'found', count: found.length },
    },
    null,
    now,
  )
