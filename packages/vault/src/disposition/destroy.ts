// Destroys one recording of a disposition that is ready.
//
// Order: what its stores say, and decided anew by all rules and facts -> ONE transaction: marked, event
// `recording.destroying` -> object by object, by generation, of each the second copy before the first: waveform, rendition,
// original, what is left of its delivery, whatever else lies under its name -> nothing of it is found in any store -> ONE
// transaction: rows emptied, event `recording.disposed`, certificate.
// No byte is deleted before the first event is durable. Each object goes within a transaction that has just looked whether
// anything stands against it, and that keeps a hold, a rule or a fact waiting until it is gone; what was deleted is a row
// by then. A hold, or any other no, stops it there, and what is left is there again for whoever may see it.
// A crash leaves an object that is gone without its row, or the rows of a recording of which nothing is left. The next run
// deletes what is there and takes for deleted what is not, and ends the same; so do two runs at once.
import { type AuditEvent, disposedDetail, type EventDetail } from '@auricle/audit'
import type {
  Catalog,
  DestroyedObject,
  DestructionFacts,
  DestructionItem,
  DestructionStep,
} from '@auricle/catalog'
import { newCertificateId, type ObjectRole, type StoreName } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import { disposalClaims } from '../certificates/disposal-claims.ts'
import { errorCode } from '../error.ts'
import { intakeKey } from '../object-key.ts'
import { decideAgain } from '../retention/apply-policy.ts'
import type { TenantSecretsCache } from '../tenant-secrets.ts'
import {
  type DisposalPlace,
  type DisposalStores,
  listRemains,
  listRestorable,
  placesOf,
  type RecordingName,
  restorableUntil,
} from './remains.ts'

export interface DestroyParts {
  readonly catalog: Pick<
    Catalog,
    | 'findDestruction'
    | 'beginDestruction'
    | 'destroyObject'
    | 'noteCopies'
    | 'noteDestroyed'
    | 'noteFound'
    | 'stopDestruction'
    | 'endDestruction'
    | 'decideAgain'
    | 'findRetentionSettings'
    | 'listRuleVersions'
  >
  readonly secrets: TenantSecretsCache
  readonly stores: DisposalStores
  /** For how long copies of the database are kept. */
  readonly backupDays: number
  readonly now?: () => Date
}

/**
 * `gone`: it is in no open disposition any more, or somebody else destroyed it. `taken_out`: something keeps it.
 * `postponed`: to be tried again; `refusedBy` a store that would not delete it.
 */
export type Destruction =
  | { readonly status: 'destroyed'; readonly objects: number; readonly bytes: number }
  | { readonly status: 'taken_out'; readonly reason: string }
  | {
      readonly status: 'postponed'
      readonly reason: string
      readonly refusedBy: StoreName | null
      readonly cause: unknown
      /** Until when the store says that it keeps it; null where it does not. */
      readonly keptUntil: Date | null
    }
  | { readonly status: 'gone' }

type Postponed = Extract<Destruction, { readonly status: 'postponed' }>

/** Why it does not go on: a no, or not yet. */
type Obstacle = { readonly status: 'refused'; readonly reason: string } | Postponed

/** The steps of one destruction have these. */
interface Work {
  readonly parts: DestroyParts
  readonly item: DestructionItem
  readonly name: RecordingName
  readonly facts: DestructionFacts
  readonly options: CallOptions
}

/** The order in which objects go: what can be made again from the others first. */
const rolesInOrder: readonly ObjectRole[] = ['peaks', 'playback', 'original']
/**
 * One object has to be gone by then. Less than anybody waits for a lock of the database, so that whoever places a hold
 * meanwhile gets to place it.
 */
const deleteMostMs = 8_000
/** Not a no: it is decided anew, or looked at again, by the next attempt. */
const passing: ReadonlySet<string> = new Set(['stale', 'objects_left', 'not_begun'])

/** Abort means: no further object is begun; the next run goes on. Throws where the database cannot answer. */
export async function destroyRecording(
  parts: DestroyParts,
  item: DestructionItem,
  options: CallOptions,
): Promise<Destruction> {
  const { tenantId, recordingId } = item
  const first = await parts.catalog.findDestruction(tenantId, recordingId, options)
  if (first?.disposition.id !== item.dispositionId) return { status: 'gone' }
  try {
    const facts = await knowCopies(workOf(parts, item, first, options))
    if (facts === null) return { status: 'gone' }
    const work = workOf(parts, item, facts, options)
    const obstacle =
      (facts.isBegun ? null : await askStores(work)) ??
      (await begin(work)) ??
      (await deleteAll(work)) ??
      (await confirmAbsence(work))
    if (obstacle === null) return await end(work)
    return obstacle.status === 'postponed' ? obstacle : await takeOut(work, obstacle.reason)
  } catch (error) {
    if (error instanceof StoreFailure) return error.postponed
    throw error
  }
}

/** Takes it out where something is known to keep it, whether or not its time has come. */
export async function stopDestroying(
  parts: DestroyParts,
  item: DestructionItem,
  reason: string,
  options: CallOptions,
): Promise<Destruction> {
  const facts = await parts.catalog.findDestruction(item.tenantId, item.recordingId, options)
  if (facts?.disposition.id !== item.dispositionId) return { status: 'gone' }
  return takeOut(workOf(parts, item, facts, options), reason)
}

function workOf(
  parts: DestroyParts,
  item: DestructionItem,
  facts: DestructionFacts,
  options: CallOptions,
): Work {
  const { tenantId, recordingId } = item
  const { id, objectKey } = facts.intake
  return {
    parts,
    item,
    // A row that names anything else than where deliveries lie deletes nothing there.
    name: { tenantId, recordingId, intakeKey: objectKey === intakeKey(tenantId, id) ? objectKey : null },
    facts,
    options,
  }
}

/**
 * A copy whose row was not written is no stray: it has to be known before it goes, or a run that is killed after its
 * deletion leaves nothing to tell of it. Null where somebody else destroyed it meanwhile.
 */
async function knowCopies({ parts, item, name, facts, options }: Work): Promise<DestructionFacts | null> {
  const unknown = new Map<string, ObjectRole>()
  for (const { objectKey, role, copy } of facts.objects) if (copy === null) unknown.set(objectKey, role)
  const place = placesOf(parts.stores).find(({ name: where }) => where === 'recovery')
  if (place === undefined || unknown.size === 0) return facts
  const { tenantId, recordingId } = item
  const found = await gather(asking(place, listRemains(place, name, options)))
  const copies = found.flatMap(({ facts: { key, generation } }) => {
    const role = unknown.get(key)
    return role === undefined ? [] : [{ role, generation }]
  })
  if (copies.length === 0) return facts
  await parts.catalog.noteCopies(tenantId, recordingId, copies, nowOf(parts), options)
  return parts.catalog.findDestruction(tenantId, recordingId, options)
}

/** Before anything is begun: a store that would refuse an object half-way refuses it now. */
async function askStores({ parts, name, facts, options }: Work): Promise<Obstacle | null> {
  if (parts.stores.recovery === null && facts.objects.some(({ copy }) => copy !== null))
    return postponed('no_recovery_store', null)
  const at = nowOf(parts)
  for (const place of placesOf(parts.stores)) {
    for await (const { facts: found } of asking(place, listRemains(place, name, options))) {
      if (found.held) return postponed('store_held', place.name)
      if (found.retainUntil !== null && found.retainUntil > at)
        return postponed('store_retained', place.name, null, found.retainUntil)
    }
  }
  return null
}

async function begin({ parts, item, facts, options }: Work): Promise<Obstacle | null> {
  const { tenantId, recordingId } = item
  await decideAgain(parts, tenantId, [recordingId], { onlyStale: false }, options)
  const step = stepOf(parts, item)
  const copies = facts.objects.flatMap(({ copy, sealedBytes }) => (copy === null ? [] : [sealedBytes]))
  const bytes = [...facts.objects.map(({ sealedBytes }) => sealedBytes), ...copies]
  const event = await recordOf(parts, item, facts, 'recording.destroying', [], {
    ...disposalOf(facts),
    objects: bytes.length,
    bytes: bytes.reduce((sum, size) => sum + size, 0),
  })
  const outcome = await parts.catalog.beginDestruction(step, event, options)
  return outcome.status === 'refused' ? obstacleOf(outcome.reason) : null
}

async function deleteAll(work: Work): Promise<Obstacle | null> {
  const { parts, name, facts, options } = work
  const places = placesOf(parts.stores)
  const days = new Map<StoreName, number>()
  for (const place of places) {
    const { days: most } = await orFailure(place, place.store.restorable(options))
    days.set(place.name, most)
  }
  const isDestroyed = destroyedAmong(facts.destroyed)
  const remove = async (place: DisposalPlace, object: Omit<Doomed, 'store'>) => {
    options.signal?.throwIfAborted()
    return destroyOne(work, place, { ...object, store: place.name }, days.get(place.name) ?? 0)
  }
  for (const object of inOrder(facts.objects)) {
    const { objectKey: key, sealedBytes, role, copy } = object
    for (const place of places) {
      const generation = place.name === 'primary' ? object.generation : (copy?.generation ?? null)
      if (generation === null || isDestroyed({ store: place.name, key, generation })) continue
      const obstacle = await remove(place, { key, generation, role, sealedBytes })
      if (obstacle !== null) return obstacle
    }
  }
  for (const place of places) {
    const remains = await gather(asking(place, listRemains(place, name, options)))
    const found = remains.map(({ role, facts: { key, generation, sizeBytes } }) => {
      return { store: place.name, key, generation, role, sealedBytes: sizeBytes }
    })
    if (found.length > 0) await parts.catalog.noteFound(stepOf(parts, work.item), found, options)
    for (const { store: _, ...object } of found) {
      const obstacle = await remove(place, object)
      if (obstacle !== null) return obstacle
    }
  }
  return null
}

type Doomed = Omit<DestroyedObject, 'destroyedAt' | 'restorableUntil'>

async function destroyOne(
  { parts, item }: Work,
  place: DisposalPlace,
  doomed: Doomed,
  days: number,
): Promise<Obstacle | null> {
  const { key, generation } = doomed
  // Not the caller's signal: a lock that is given up while the store still works on the delete would keep nothing waiting.
  const remove = async (): Promise<DestroyedObject> => {
    const signal = AbortSignal.timeout(deleteMostMs)
    await orFailure(place, place.store.delete(key, { generation, signal }))
    const destroyedAt = nowOf(parts)
    const asked = { days, now: destroyedAt }
    const until = restorableUntil(place.store, { key, generation }, asked, { signal })
    return { ...doomed, destroyedAt, restorableUntil: await orFailure(place, until) }
  }
  const refusal = await parts.catalog.destroyObject(stepOf(parts, item), remove, {})
  return refusal === null ? null : obstacleOf(refusal)
}

/**
 * Also brings in what had its name, was deleted before, and can still be restored; and what was found by a run that died
 * after its deletion.
 */
async function confirmAbsence({ parts, item, name, options }: Work): Promise<Obstacle | null> {
  const { tenantId, recordingId } = item
  for (const place of placesOf(parts.stores)) {
    for await (const _ of asking(place, listRemains(place, name, options)))
      return postponed('objects_left', null)
    const restorable = await gather(asking(place, listRestorable(place, name, options)))
    await parts.catalog.noteDestroyed(tenantId, recordingId, restorable, options)
  }
  const facts = await parts.catalog.findDestruction(tenantId, recordingId, options)
  const gone = { destroyedAt: nowOf(parts), restorableUntil: null }
  const found = (facts?.found ?? []).map(object => ({ ...object, ...gone }))
  // What is noted already stays as it is.
  if (found.length > 0) await parts.catalog.noteDestroyed(tenantId, recordingId, found, options)
  return null
}

async function end(work: Work): Promise<Destruction> {
  const { parts, item, options } = work
  const { tenantId, recordingId } = item
  const facts = await parts.catalog.findDestruction(tenantId, recordingId, options)
  if (facts === null) return { status: 'gone' }
  const step = stepOf(parts, item)
  const { disposition, rule, destroyed, keptUntil, kind, receivedAt } = facts
  const claims = disposalClaims(
    {
      ...{ id: newCertificateId(), tenantId, recordingId, kind, receivedAt, rule, keptUntil, disposition },
      ...{ destroyedAt: step.now, holdsCheckedAt: step.now, objects: destroyed },
    },
    parts.backupDays,
  )
  const event = await recordOf(parts, item, facts, 'recording.disposed', [], disposedDetail(claims), step.now)
  const certificate = {
    ...{ tenantId, id: claims.jti, recordingId, dispositionId: disposition.id },
    ...{ eventId: event.id, claims },
  }
  const outcome = await parts.catalog.endDestruction(step, event, certificate, options)
  switch (outcome.status) {
    case 'done': {
      const bytes = destroyed.reduce((sum, { sealedBytes }) => sum + sealedBytes, 0)
      return { status: 'destroyed', objects: destroyed.length, bytes }
    }
    case 'before':
      return { status: 'gone' }
    case 'refused': {
      const obstacle = obstacleOf(outcome.reason)
      return obstacle.status === 'postponed' ? obstacle : takeOut(work, obstacle.reason)
    }
    default:
      return outcome satisfies never
  }
}

/** Something keeps it: what a run that was killed has deleted is noted first, so that nobody is offered it. */
async function takeOut({ parts, item, name, options }: Work, reason: string): Promise<Destruction> {
  const { tenantId, recordingId } = item
  const facts = await parts.catalog.findDestruction(tenantId, recordingId, options)
  if (facts === null) return { status: 'gone' }
  if (facts.isBegun) await noteMissing(parts, name, facts, options)
  const after = await parts.catalog.findDestruction(tenantId, recordingId, options)
  const reasons = [reason, extentOf(after ?? facts)]
  const event = await recordOf(parts, item, facts, 'disposition.stopped', reasons, {
    ...disposalOf(facts),
    objects: after?.destroyed.length ?? 0,
    bytes: after?.destroyed.reduce((sum, { sealedBytes }) => sum + sealedBytes, 0) ?? 0,
  })
  const step = { ...stepOf(parts, item), reason }
  const isOut = await parts.catalog.stopDestruction(step, event, options)
  return isOut ? { status: 'taken_out', reason } : { status: 'gone' }
}

/** A store that cannot be asked now does not hold up the stop: what it has deleted without a row is then offered. */
async function noteMissing(
  { catalog, stores, now }: DestroyParts,
  name: RecordingName,
  { objects, found, destroyed }: DestructionFacts,
  options: CallOptions,
): Promise<void> {
  const isDestroyed = destroyedAmong(destroyed)
  for (const place of placesOf(stores)) {
    const there = new Set<string>()
    try {
      for await (const { facts } of asking(place, listRemains(place, name, options)))
        there.add(`${facts.key} ${facts.generation}`)
    } catch (error) {
      if (error instanceof StoreFailure) continue
      throw error
    }
    const missing = objects.flatMap(({ objectKey: key, role, sealedBytes, copy, ...object }) => {
      const generation = place.name === 'primary' ? object.generation : copy?.generation
      if (generation === undefined || there.has(`${key} ${generation}`)) return []
      if (isDestroyed({ store: place.name, key, generation })) return []
      const doomed = { store: place.name, key, generation, role, sealedBytes }
      return { ...doomed, destroyedAt: nowOf({ now }), restorableUntil: null }
    })
    const gone = found.flatMap(object => {
      if (object.store !== place.name || there.has(`${object.key} ${object.generation}`)) return []
      return isDestroyed(object) ? [] : [{ ...object, destroyedAt: nowOf({ now }), restorableUntil: null }]
    })
    await catalog.noteDestroyed(name.tenantId, name.recordingId, [...missing, ...gone], options)
  }
}

/** How far it was, by what is left of the sound. */
function extentOf({ isBegun, objects, destroyed }: DestructionFacts): string {
  if (!isBegun) return 'not_begun'
  if (destroyed.length === 0) return 'nothing_deleted'
  const isDestroyed = destroyedAmong(destroyed)
  const isLeft = objects.some(({ role, objectKey: key, generation, copy }) => {
    if (role !== 'original') return false
    return (
      !isDestroyed({ store: 'primary', key, generation }) ||
      (copy !== null && !isDestroyed({ store: 'recovery', key, generation: copy.generation }))
    )
  })
  return isLeft ? 'original_left' : 'nothing_left'
}

type Placed = Pick<DestroyedObject, 'store' | 'key' | 'generation'>

function destroyedAmong(destroyed: readonly Placed[]): (object: Placed) => boolean {
  const known = new Set(destroyed.map(({ store, key, generation }) => `${store} ${key} ${generation}`))
  return ({ store, key, generation }) => known.has(`${store} ${key} ${generation}`)
}

function inOrder(objects: DestructionFacts['objects']): DestructionFacts['objects'] {
  const place = ({ role }: DestructionFacts['objects'][number]) => rolesInOrder.indexOf(role)
  return objects.toSorted((a, b) => place(a) - place(b))
}

function obstacleOf(reason: string): Obstacle {
  return passing.has(reason) ? postponed(reason, null) : { status: 'refused', reason }
}

function postponed(
  reason: string,
  refusedBy: StoreName | null,
  cause: unknown = null,
  keptUntil: Date | null = null,
): Postponed {
  return { status: 'postponed', reason, refusedBy, cause, keptUntil }
}

const nowOf = ({ now }: { readonly now?: DestroyParts['now'] | undefined }): Date => now?.() ?? new Date()

function stepOf(
  parts: DestroyParts,
  { tenantId, dispositionId, recordingId }: DestructionItem,
): DestructionStep {
  return { tenantId, dispositionId, recordingId, now: nowOf(parts) }
}

const disposalOf = ({ disposition, rule }: DestructionFacts) =>
  ({ kind: 'disposal', disposition: disposition.id, rule: rule.id, version: rule.version }) as const

function recordOf(
  parts: DestroyParts,
  { tenantId, recordingId }: DestructionItem,
  { objects, patientId }: DestructionFacts,
  action: AuditEvent['action'],
  reasons: readonly string[],
  detail: EventDetail,
  at: Date = nowOf(parts),
) {
  const original = objects.find(({ role }) => role === 'original')
  const version = original === undefined ? null : Buffer.from(original.fingerprint).toString('hex')
  return auditRecord(
    {
      ...{ tenantId, action, outcome: 'allowed', reasons, detail, request: null },
      actor: { type: 'system', name: 'worker' },
      object: { type: 'recording', id: recordingId, version },
      patients: patientId === null ? [] : [patientId],
    },
    null,
    at,
  )
}

/** A store that did not do what it was asked, and which. */
class StoreFailure extends Error {
  readonly postponed: Postponed
  constructor({ name }: DisposalPlace, cause: unknown) {
    super('A store did not do what it was asked', { cause })
    const code = errorCode(cause)
    this.postponed = postponed(`store_${code}`, refusals.has(code) ? name : null, cause)
  }
}

const refusals: ReadonlySet<string> = new Set(['retained', 'held', 'locked', 'denied'])

async function orFailure<Result>(place: DisposalPlace, call: Promise<Result>): Promise<Result> {
  try {
    return await call
  } catch (cause) {
    throw new StoreFailure(place, cause)
  }
}

/** Of one recording: few. */
async function gather<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const gathered: Item[] = []
  for await (const item of items) gathered.push(item)
  return gathered
}

async function* asking<Item>(place: DisposalPlace, items: AsyncIterable<Item>): AsyncGenerator<Item> {
  try {
    yield* items
  } catch (cause) {
    throw new StoreFailure(place, cause)
  }
}
