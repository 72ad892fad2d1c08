// What there is of a recording in the stores: found by listing alone, so whoever destroys it need not be able to read it.
import type { DestroyedObject } from '@auricle/catalog'
import type { DestroyedRole, RecordingId, StoreName, TenantId } from '@auricle/contract'
import type { GoneObject, ObjectFacts, ObjectStore } from '@auricle/objects'
import type { CallOptions } from '@auricle/sealed'
import { recordingFolder } from '../object-key.ts'

export type DisposalStore = Pick<ObjectStore, 'list' | 'delete' | 'restorable' | 'listGone'>

export interface DisposalStores {
  readonly primary: DisposalStore
  /** Null where none is configured. */
  readonly recovery: DisposalStore | null
}

/** What a recording's name in the stores is made of. */
export interface RecordingName {
  readonly tenantId: TenantId
  readonly recordingId: RecordingId
  /** Where its delivery lay, if it lay anywhere. */
  readonly intakeKey: string | null
}

/** One store, with what it is asked for of a recording. */
export interface DisposalPlace {
  readonly name: StoreName
  readonly store: DisposalStore
}

/** The second copies first: of what is played from, nothing is missing while they go. */
export function placesOf({ primary, recovery }: DisposalStores): readonly DisposalPlace[] {
  const first = { name: 'primary', store: primary } as const
  return recovery === null ? [first] : [{ name: 'recovery', store: recovery }, first]
}

/** Objects under its name, with the role of those that no row knows. */
export async function* listRemains(
  { name, store }: DisposalPlace,
  recording: RecordingName,
  options: CallOptions,
): AsyncGenerator<{
  readonly role: Extract<DestroyedRole, 'intake' | 'stray'>
  readonly facts: ObjectFacts
}> {
  for (const { prefix, role } of prefixesOf(name, recording)) {
    for await (const facts of store.list(prefix, options)) {
      if (role === 'stray' || facts.key === prefix) yield { role, facts }
    }
  }
}

/** Objects that had its name, are deleted, and can still be brought back. */
export async function* listRestorable(
  { name, store }: DisposalPlace,
  recording: RecordingName,
  options: CallOptions,
): AsyncGenerator<DestroyedObject> {
  for (const { prefix, role } of prefixesOf(name, recording)) {
    for await (const gone of store.listGone(prefix, options)) {
      if (role === 'stray' || gone.key === prefix) yield destroyedOf(name, gone, role)
    }
  }
}

/** Null where it cannot be; `days` from now where the store does not tell exactly. */
export async function restorableUntil(
  store: DisposalStore,
  { key, generation }: Pick<ObjectFacts, 'key' | 'generation'>,
  { days, now }: { readonly days: number; readonly now: Date },
  options: CallOptions,
): Promise<Date | null> {
  if (days === 0) return null
  for await (const gone of store.listGone(key, options)) {
    if (gone.key === key && gone.generation === generation) return gone.restorableUntil
  }
  return new Date(now.getTime() + days * dayMs)
}

const dayMs = 24 * 60 * 60_000

function prefixesOf(name: StoreName, { tenantId, recordingId, intakeKey }: RecordingName) {
  const folder = { prefix: recordingFolder(tenantId, recordingId), role: 'stray' } as const
  return name === 'recovery' || intakeKey === null
    ? [folder]
    : [folder, { prefix: intakeKey, role: 'intake' } as const]
}

function destroyedOf(store: StoreName, gone: GoneObject, role: DestroyedRole): DestroyedObject {
  const { key, generation, sizeBytes, deletedAt, restorableUntil: until } = gone
  return {
    ...{ store, key, generation, role, sealedBytes: sizeBytes },
    ...{ destroyedAt: deletedAt, restorableUntil: until },
  }
}
