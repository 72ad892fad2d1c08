// Looks whether both stores keep what they should, as long as they should, and nothing that they should not.
//
// Of each store the list of what is there and the rows of what should be there are walked side by side, both in the order
// of their keys, so memory does not grow with either. What seems to differ is looked at once more, in the store and in
// the catalog, before it counts: the two were read at different times. What can be mended is, at once and one object at a
// time (`followObject`), or else asked of whoever follows, in the end. Findings are written as they come; the end of the run and its
// event are ONE transaction. A run that dies has no end, and the next one begins anew.
import type { Catalog, DriftFinding, KeptRow } from '@auricle/catalog'
import {
  type DriftKind,
  type DriftRunId,
  newDriftRunId,
  type RecordingId,
  type StoreName,
  type TenantId,
} from '@auricle/contract'
import type { ObjectFacts, ObjectStore } from '@auricle/objects'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import { recordingOfKey, tenantRecordingsPrefix } from '../object-key.ts'
import { type FollowingStore, followObject } from './follow.ts'
import { type Compared, judgeKept } from './judge-kept.ts'
import { keptRows } from './kept-rows.ts'

type DriftingStore = FollowingStore & Pick<ObjectStore, 'list'>

export interface DriftParts {
  readonly catalog: Pick<
    Catalog,
    | 'followStore'
    | 'listKept'
    | 'findKept'
    | 'isDestroyed'
    | 'askStore'
    | 'openDriftRun'
    | 'addDriftFindings'
    | 'endDriftRun'
  >
  readonly objects: DriftingStore
  /** Null where none is configured: then it is not looked at. */
  readonly recovery: DriftingStore | null
  readonly now?: () => Date
  /** Told of each object that was looked at. */
  readonly onObject?: () => void
}

export interface DriftOrders {
  /** Who asks for it. */
  readonly by: 'worker' | 'operator'
  /** Whether what can be mended is. */
  readonly mend: boolean
  /** Not where one was made since, or is under way; null: in any case. */
  readonly unless: { readonly endedSince: Date; readonly begunSince: Date } | null
}

export interface DriftReport {
  readonly id: DriftRunId
  readonly recordings: number
  readonly objects: number
  /** All of them, also those that are not written down one by one. */
  readonly counts: Readonly<Partial<Record<DriftKind, number>>>
  readonly mended: number
}

const findingsAtOnce = 100
/** More than anybody reads; the counts are of all. */
const findingsMost = 10_000
/** Longer than an archive takes, whose objects are stored before their rows. */
const orphanAgeMs = 24 * 3_600_000
const reasonsMost = 8

const mendable: ReadonlySet<DriftKind> = new Set(['shorter', 'not_held', 'held_for_nothing'])

/** Null where the orders say that none is due. Throws what keeps a store from being listed. */
export async function findDrift(
  parts: DriftParts,
  tenantId: TenantId,
  orders: DriftOrders,
  options: CallOptions,
): Promise<DriftReport | null> {
  const startedAt = parts.now?.() ?? new Date()
  const id = newDriftRunId()
  if (!(await parts.catalog.openDriftRun({ tenantId, id, startedAt }, orders.unless, options))) return null
  const run: Run = { ...parts, tenantId, id, mend: orders.mend, tally: newTally() }
  await lookThrough(run, 'primary', parts.objects, options)
  if (parts.recovery !== null) await lookThrough(run, 'recovery', parts.recovery, options)
  await writeFindings(run, options)
  const endedAt = parts.now?.() ?? new Date()
  const { recordings, objects, counts, mended, toAsk } = run.tally
  for (const recordingId of toAsk) await parts.catalog.askStore(tenantId, recordingId, endedAt, options)
  const event = run.tally.number === 0 ? null : await eventOf(run, orders.by, endedAt)
  await parts.catalog.endDriftRun(
    { tenantId, id, startedAt, endedAt, recordings, objects, counts },
    event,
    options,
  )
  return { id, recordings, objects, counts, mended }
}

interface Run extends DriftParts {
  readonly tenantId: TenantId
  readonly id: DriftRunId
  readonly mend: boolean
  readonly tally: Tally
}

interface Tally {
  recordings: number
  objects: number
  /** Of the last finding. */
  number: number
  mended: number
  readonly counts: Partial<Record<DriftKind, number>>
  /** Still to be written. */
  readonly unwritten: DriftFinding[]
  /** Recordings that could not be mended here. */
  readonly toAsk: Set<RecordingId>
}

const newTally = (): Tally => ({
  ...{ recordings: 0, objects: 0, number: 0, mended: 0, counts: {} },
  ...{ unwritten: [], toAsk: new Set() },
})

async function lookThrough(
  run: Run,
  name: StoreName,
  store: DriftingStore,
  options: CallOptions,
): Promise<void> {
  const { catalog, tenantId, tally } = run
  const listed = store.list(tenantRecordingsPrefix(tenantId), options)
  for await (const compared of sideBySide(keptRows(catalog, tenantId, options), listed)) {
    options.signal?.throwIfAborted()
    const { row, facts } = compared
    if (facts !== null) tally.objects++
    if (name === 'primary' && row?.role === 'original' && row.recording !== 'destroyed') tally.recordings++
    run.onObject?.()
    const now = run.now?.() ?? new Date()
    if (judgeKept(compared, name, now).length === 0) continue
    const key = row?.objectKey ?? facts?.key
    if (key !== undefined) await lookAgain(run, { name, store, key }, options)
  }
}

/** Each key that either has, once. */
async function* sideBySide(
  rows: AsyncGenerator<KeptRow>,
  listed: AsyncIterable<ObjectFacts>,
): AsyncGenerator<Compared> {
  const objects = listed[Symbol.asyncIterator]()
  try {
    let [row, object] = [await rows.next(), await objects.next()]
    while (row.done !== true || object.done !== true) {
      const order =
        row.done === true ? 1 : object.done === true ? -1 : compare(row.value.objectKey, object.value.key)
      yield {
        row: order <= 0 && row.done !== true ? row.value : null,
        facts: order >= 0 && object.done !== true ? object.value : null,
      }
      if (order <= 0) row = await rows.next()
      if (order >= 0) object = await objects.next()
    }
  } finally {
    await objects.return?.()
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

interface Place {
  readonly name: StoreName
  readonly store: DriftingStore
  readonly key: string
}

async function lookAgain(run: Run, place: Place, options: CallOptions): Promise<void> {
  const { compared, kinds } = await judged(run, place, options)
  if (kinds.length === 0) return
  const { row, facts } = compared
  const isMendable = run.mend && row !== null && kinds.some(kind => mendable.has(kind))
  const left = new Set(isMendable ? await mended(run, place, row, options) : kinds)
  const recordingId = row?.recordingId ?? recordingOfKey(facts?.key ?? '')
  for (const kind of kinds) {
    await note(
      run,
      { kind, store: place.name, recordingId, objectKey: place.key, mended: !left.has(kind) },
      options,
    )
  }
}

/** Of what is there now. */
async function judged(
  { catalog, tenantId, now }: Run,
  { name, store, key }: Place,
  options: CallOptions,
): Promise<{ readonly compared: Compared; readonly kinds: readonly DriftKind[] }> {
  // The row last: what was deleted in between is known to be.
  const facts = await store.head(key, options)
  const row = await catalog.findKept(tenantId, key, options)
  const at = now?.() ?? new Date()
  const kinds: DriftKind[] = []
  for (const kind of judgeKept({ row, facts }, name, at)) {
    if (kind !== 'unknown') {
      kinds.push(kind)
      continue
    }
    const recordingId = recordingOfKey(key)
    if (recordingId !== null && (await catalog.isDestroyed(tenantId, recordingId, options)))
      kinds.push('reappeared')
    else if (facts !== null && at.getTime() - facts.createdAt.getTime() >= orphanAgeMs) kinds.push('orphan')
  }
  return { compared: { row, facts }, kinds }
}

/** What is left after it. What could not be done here is asked of whoever follows. */
async function mended(
  run: Run,
  place: Place,
  { recordingId, role }: KeptRow,
  options: CallOptions,
): Promise<readonly DriftKind[]> {
  try {
    await followObject(run, { tenantId: run.tenantId, recordingId, role, in: place.name }, options)
  } catch {
    options.signal?.throwIfAborted()
    // Asked for now, its other objects would count as theirs to do. Of more than so many the next run will ask.
    if (run.tally.toAsk.size < findingsMost) run.tally.toAsk.add(recordingId)
  }
  return (await judged(run, place, options)).kinds
}

async function note(run: Run, finding: Omit<DriftFinding, 'number'>, options: CallOptions): Promise<void> {
  const { tally } = run
  tally.number++
  tally.counts[finding.kind] = (tally.counts[finding.kind] ?? 0) + 1
  if (finding.mended) tally.mended++
  if (tally.number <= findingsMost) tally.unwritten.push({ number: tally.number, ...finding })
  if (tally.unwritten.length >= findingsAtOnce) await writeFindings(run, options)
}

async function writeFindings({ catalog, tenantId, id, tally }: Run, options: CallOptions): Promise<void> {
  if (tally.unwritten.length === 0) return
  await catalog.addDriftFindings(tenantId, id, tally.unwritten, options)
  tally.unwritten.length = 0
}

const eventOf = ({ tenantId, id, tally }: Run, by: DriftOrders['by'], now: Date) =>
  auditRecord(
    {
      tenantId,
      action: 'store.drifted',
      outcome: 'allowed',
      actor: { type: 'system', name: by },
      object: { type: 'drift_run', id, version: null },
      reasons: Object.keys(tally.counts).slice(0, reasonsMost),
      detail: { kind: 'found', count: tally.number },
      request: null,
    },
    null,
    now,
  )
