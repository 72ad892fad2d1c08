// Brings what the stores keep of a recording to what is decided of it: retention in both, holds in both.
//
// Order, over all its objects at a time: look -> where it is to be held: HOLDS ON -> RETENTION, longer where it is too
// short, never shorter -> where it is not to be held: HOLDS OFF -> what is decided, once more. Where that has changed
// meanwhile, all of it again. Then ONE transaction: what the stores keep now, audit event, the work taken off the list.
// The transaction is the commit point, and it goes by what is decided then. A crash before it leaves the work on the list;
// the next run finds what was done and goes on. One at a time follows a recording (`followStore`), so nobody takes a hold
// off by what they read before it was placed. An object that fails keeps no other from what is to keep it.
import type { Catalog, FollowedObject, KeptIn, KeptNow, StoreAccess, StoreFacts } from '@auricle/catalog'
import type { RecordingId, TenantId } from '@auricle/contract'
import type { ObjectFacts, ObjectStore } from '@auricle/objects'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import { VaultError } from '../error.ts'

/** What following needs of a store. */
export type FollowingStore = Pick<ObjectStore, 'head' | 'retain' | 'setHold'>

export interface FollowParts {
  readonly catalog: Pick<Catalog, 'followStore'>
  readonly objects: FollowingStore
  /** Null where none is configured: then copies are left as they are. */
  readonly recovery: FollowingStore | null
  readonly now?: () => Date
}

/**
 * `changed`: something is kept otherwise now. `gone`: there is no such recording any more. `busy`: somebody else follows
 * it. `later`: what is decided changes all the time, and it stays on the list.
 */
export type FollowOutcome = { readonly status: 'changed' | 'unchanged' | 'gone' | 'busy' | 'later' }

/** Less than the database lets a transaction wait for us; then the work stays on the list. */
const followMostMs = 45_000
const roundsMost = 5

/**
 * Throws what stood in the way of the first object that failed, when all others are done; `damaged` where one is not
 * there. Abort means: no further step begins, and what was done is found by the next run.
 */
export function follow(
  parts: FollowParts,
  tenantId: TenantId,
  recordingId: RecordingId,
  options: CallOptions,
): Promise<FollowOutcome> {
  return followSome(parts, { tenantId, recordingId, only: null }, options)
}

/** The same of one object in one store; without an event, which whoever asks for it has. */
export function followObject(
  parts: FollowParts,
  { tenantId, recordingId, ...only }: Omit<Which, 'only'> & Only,
  options: CallOptions,
): Promise<FollowOutcome> {
  return followSome(parts, { tenantId, recordingId, only }, options)
}

async function followSome(parts: FollowParts, which: Which, { signal }: CallOptions): Promise<FollowOutcome> {
  const inTime = AbortSignal.timeout(followMostMs)
  const options = { signal: signal === undefined ? inTime : AbortSignal.any([signal, inTime]) }
  let failure: { readonly cause: unknown } | null = null
  const outcome = await parts.catalog.followStore(
    which.tenantId,
    which.recordingId,
    async access => {
      const followed = await followAll(parts, access, which, options)
      failure = followed.failure
      return { status: followed.status }
    },
    options,
  )
  // Thrown only now: what was reached is written down.
  if (failure !== null) throw (failure as { readonly cause: unknown }).cause
  return outcome ?? { status: 'busy' }
}

interface Followed extends FollowOutcome {
  readonly failure: { readonly cause: unknown } | null
}

async function followAll(
  parts: FollowParts,
  access: StoreAccess,
  which: Which,
  options: CallOptions,
): Promise<Followed> {
  const now = parts.now?.() ?? new Date()
  const changes = new Set<Change>()
  for (let round = 1; ; round++) {
    const facts = await access.facts()
    if (facts === null) return { status: 'gone', failure: null }
    const places = placesOf(parts, facts, which.only)
    const failure = await bring(places, facts, { ...options, now, changes })
    const after = failure === null ? await access.facts() : facts
    if (!isDecidedSame(after, facts) && round < roundsMost) continue
    for (const { known, found } of places) if (found !== null) noteChanges(changes, known, found, facts)
    const isTold = changes.size > 0 && which.only === null
    const event = isTold ? await eventOf(which, [...changes].sort(), now) : null
    const isWhole = failure === null && which.only === null
    const isDone = await access.done(facts, keptNow(facts, places), { isWhole, event })
    if (failure !== null || (isWhole && !isDone)) return { status: 'later', failure }
    return { status: changes.size === 0 ? 'unchanged' : 'changed', failure: null }
  }
}

interface Only {
  readonly role: FollowedObject['role']
  readonly in: 'primary' | 'recovery'
}

interface Which {
  readonly tenantId: TenantId
  readonly recordingId: RecordingId
  /** Null for all of it. */
  readonly only: Only | null
}

type Change = 'held' | 'kept_longer' | 'released'

/** An object in one store. */
interface Place extends Only {
  readonly store: FollowingStore
  readonly key: string
  readonly known: KeptIn
  /** As the store told it last; null until it was reached. */
  found: ObjectFacts | null
}

function placesOf(
  { objects, recovery }: FollowParts,
  facts: StoreFacts,
  only: Only | null,
): readonly Place[] {
  const places: Place[] = []
  for (const object of facts.objects) {
    const { role, objectKey: key, primary, recovery: copy } = object
    if (!primary.isDestroyed) {
      places.push({ role, key, in: 'primary', store: objects, known: primary, found: null })
    }
    if (copy !== null && recovery !== null && !copy.isDestroyed) {
      places.push({ role, key, in: 'recovery', store: recovery, known: copy, found: null })
    }
  }
  return places.filter(place => only === null || (place.role === only.role && place.in === only.in))
}

interface Bringing extends CallOptions {
  readonly now: Date
  readonly changes: Set<Change>
}

/** Returns the first failure; the others are done all the same. */
async function bring(
  places: readonly Place[],
  { keepUntil, locked, held }: StoreFacts,
  { now, changes, signal }: Bringing,
): Promise<Followed['failure']> {
  const failed = new Set<Place>()
  let failure: Followed['failure'] = null
  const each = async (step: (place: Place, found: ObjectFacts | null) => Promise<ObjectFacts>) => {
    for (const place of places) {
      if (failed.has(place)) continue
      try {
        place.found = await step(place, place.found)
      } catch (cause) {
        signal?.throwIfAborted()
        failed.add(place)
        failure ??= { cause }
      }
    }
  }
  const change = async (what: Change, call: Promise<ObjectFacts>): Promise<ObjectFacts> => {
    const found = await call
    changes.add(what)
    return found
  }

  await each(async ({ store, key, known }) => {
    const found = await store.head(key, { signal })
    if (found?.generation === known.generation) return found
    throw new VaultError('damaged', 'A stored object is not there to be kept')
  })
  await each(async ({ store, key, known: { generation } }, found) => {
    if (found !== null && (found.held || !held)) return found
    return change('held', store.setHold(key, true, { generation, signal }))
  })
  await each(async ({ store, key, known: { generation } }, found) => {
    const isLongEnough = found?.retainUntil != null && found.retainUntil >= keepUntil
    if (found !== null && (isLongEnough || keepUntil <= now)) return found
    // Where it need not be for good, the store says what it is.
    const lock = locked || undefined
    return change('kept_longer', store.retain(key, keepUntil, { generation, lock, signal }))
  })
  await each(async ({ store, key, known: { generation } }, found) => {
    if (found !== null && (held || !found.held)) return found
    return change('released', store.setHold(key, false, { generation, signal }))
  })
  return failure
}

function isDecidedSame(after: StoreFacts | null, before: StoreFacts): boolean {
  return (
    after !== null &&
    after.held === before.held &&
    after.locked === before.locked &&
    after.keepUntil.getTime() === before.keepUntil.getTime()
  )
}

/** Also what an earlier run did, which died before it could write it down. */
function noteChanges(changes: Set<Change>, known: KeptIn, found: ObjectFacts, { held }: StoreFacts): void {
  if (found.held !== known.held && found.held === held) changes.add(held ? 'held' : 'released')
  const { retainUntil } = found
  if (known.until !== null && retainUntil !== null && retainUntil > known.until) changes.add('kept_longer')
}

function keptNow({ objects }: StoreFacts, places: readonly Place[]): readonly KeptNow[] {
  return objects.map(({ role }) => {
    const keptIn = (where: Place['in']): KeptNow['primary'] => {
      const found = places.find(place => place.role === role && place.in === where)?.found ?? null
      return found === null ? null : { until: found.retainUntil, held: found.held }
    }
    return { role, primary: keptIn('primary'), recovery: keptIn('recovery') }
  })
}

const eventOf = ({ tenantId, recordingId }: Which, reasons: readonly Change[], now: Date) =>
  auditRecord(
    {
      tenantId,
      action: 'store.followed',
      outcome: 'allowed',
      actor: { type: 'system', name: 'worker' },
      object: { type: 'recording', id: recordingId, version: null },
      reasons,
      request: null,
    },
    null,
    now,
  )
