// Brings a copy of every object of a recording into the recovery store: the sealed bytes as they are, under the same key.
//
// Order, an object at a time: a copy that is there already is taken up, else the object in the primary store is
// compared with the catalog -> streamed into the recovery store, created only if absent, kept as long -> the copy
// compared with the catalog -> kept longer where the primary is, held where it is to be. Then ONE transaction: every object marked with the
// generation of its copy, audit event.
// The transaction is the commit point. A crash before it leaves copies that no row knows of; the next run finds them,
// compares them like its own and ends the same. What stands under the key and is another object is never touched.
// No key is used, so whoever replicates need not be able to open anything.
import type { Catalog, KeptObject, MadeCopy, Wanted } from '@auricle/catalog'
import type { RecordingId, TenantId } from '@auricle/contract'
import type { ObjectFacts, ObjectStore } from '@auricle/objects'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from './audit-record.ts'
import { type Comparison, compareStored } from './copy.ts'
import { VaultError } from './error.ts'

export interface ReplicateParts {
  readonly catalog: Pick<Catalog, 'findReplication' | 'commitReplication'>
  readonly objects: Pick<ObjectStore, 'head' | 'read'>
  readonly recovery: Pick<ObjectStore, 'put' | 'head' | 'read' | 'retain' | 'setHold'>
  readonly now?: () => Date
}

/** `gone`: nothing of it owes a copy any more; somebody else made them, or there is no such recording. */
export type ReplicationOutcome =
  | { readonly status: 'replicated'; readonly objects: number; readonly bytes: number }
  | { readonly status: 'gone' }

/**
 * Throws whatever stood in the way (`replicate-attempt.ts`); `damaged` where the object or its copy is not the one
 * that was archived. Abort means: no further step begins, and what is copied so far is taken up by the next run.
 */
export async function replicate(
  parts: ReplicateParts,
  tenantId: TenantId,
  recordingId: RecordingId,
  options: CallOptions,
): Promise<ReplicationOutcome> {
  const facts = await parts.catalog.findReplication(tenantId, recordingId, options)
  const owed = facts?.objects.filter(({ copy }) => copy === null) ?? []
  if (facts === null || owed.length === 0) return { status: 'gone' }
  const copies: MadeCopy[] = []
  for (const object of owed) {
    const { generation, retainUntil: until, held } = await copyObject(parts, object, facts, options)
    copies.push({ role: object.role, generation, until, held })
  }
  const now = parts.now?.() ?? new Date()
  const event = await auditRecord(
    {
      tenantId,
      action: 'recording.replicated',
      outcome: 'allowed',
      actor: { type: 'system', name: 'worker' },
      object: { type: 'recording', id: recordingId, version: nameOf(facts.objects) },
      reasons: copies.map(({ role }) => role),
      request: null,
    },
    null,
    now,
  )
  const marked = await parts.catalog.commitReplication({ tenantId, recordingId, copies }, event, options)
  if (marked === 'already') return { status: 'gone' }
  const bytes = owed.reduce((sum, { sealedBytes }) => sum + sealedBytes, 0)
  return { status: 'replicated', objects: copies.length, bytes }
}

/** As the event of its archive names it: by the fingerprint of its original. */
function nameOf(objects: readonly KeptObject[]): string | null {
  const original = objects.find(({ role }) => role === 'original')
  return original === undefined ? null : Buffer.from(original.fingerprint).toString('hex')
}

async function copyObject(
  { objects, recovery }: ReplicateParts,
  object: KeptObject,
  { keepUntil, locked, held }: Wanted,
  options: CallOptions,
): Promise<ObjectFacts> {
  const { objectKey: key } = object
  const [primary, earlier] = await Promise.all([objects.head(key, options), recovery.head(key, options)])
  // The object may be kept longer than its row says: by a run whose rules were others, or since it was archived.
  const until = latest(keepUntil, primary?.retainUntil ?? null)
  // As the first one is, where that has a retention.
  const asFirst = primary?.retainUntil == null ? undefined : primary.locked
  const keep: Keep = { until, lock: locked || asFirst }
  const copy = earlier ?? (await putCopy({ objects, recovery }, object, primary, keep, options))
  refuse(await compareStored(recovery, object, copy, options), 'The copy in the recovery store')
  const { generation } = copy
  const isLongEnough = copy.retainUntil !== null && copy.retainUntil >= until
  const kept = isLongEnough
    ? copy
    : await recovery.retain(key, until, { generation, lock: keep.lock, ...options })
  // One that is there and held for no reason that stands is let go by whoever follows what is decided.
  return held && !kept.held ? recovery.setHold(key, true, { generation, ...options }) : kept
}

interface Keep {
  readonly until: Date
  /** Undefined: as the store is set. */
  readonly lock: boolean | undefined
}

/** The store checks what it was sent against what it holds; a source that breaks off leaves nothing there. */
async function putCopy(
  { objects, recovery }: Pick<ReplicateParts, 'objects' | 'recovery'>,
  object: KeptObject,
  primary: ObjectFacts | null,
  { until: retainUntil, lock }: Keep,
  options: CallOptions,
): Promise<ObjectFacts> {
  refuse(await compareStored(objects, object, primary, options), 'The stored object')
  // Asked for as a whole, since a store can check a whole object against its checksum and a range it cannot.
  const source = ofSize(objects.read(object.objectKey, null, options), object.sealedBytes)
  return (await recovery.put(object.objectKey, source, { retainUntil, lock, ...options })).facts
}

/** Throws before its end where there are more bytes or fewer, so that what reads it stores nothing. */
async function* ofSize(source: AsyncIterable<Uint8Array>, sizeBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const piece of source) {
    bytes += piece.length
    if (bytes > sizeBytes) refuse('other_size', 'The stored object')
    yield piece
  }
  if (bytes < sizeBytes) refuse('other_size', 'The stored object')
}

const differences: Readonly<Record<Exclude<Comparison, 'same'>, string>> = {
  missing: 'is missing',
  other_size: 'has another size than what was archived',
  other_object: 'is not the object that was archived',
}

function refuse(comparison: Comparison, what: string): void {
  if (comparison !== 'same') throw new VaultError('damaged', `${what} ${differences[comparison]}`)
}

function latest(time: Date, other: Date | null): Date {
  return other !== null && other > time ? other : time
}
