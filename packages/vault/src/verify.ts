// Checks everything that is stored: each object is there, is the one that was archived, and opens byte for byte.
import type { Catalog, StoredObject } from '@auricle/catalog'
import type { RecordingId, TenantId } from '@auricle/contract'
import type { ObjectStore } from '@auricle/objects'
import type { CallOptions, OpenedObject, RecordingSecret } from '@auricle/sealed'
import { auditRecord } from './audit-record.ts'
import { errorCode } from './error.ts'
import type { DurableEvent, EventAppender } from './log/durable-event.ts'
import { recordingOfKey, tenantRecordingsPrefix } from './object-key.ts'
import { openStored } from './stored-object.ts'
import { operatorEvent } from './token.ts'
import type { VaultKeys } from './vault-keys.ts'

const pageSize = 200

export interface VerifyParts {
  readonly catalog: Pick<Catalog, 'listAllRecordings' | 'isEnding'>
  readonly log: EventAppender
  readonly objects: Pick<ObjectStore, 'head' | 'read' | 'list'>
  readonly keys: Pick<VaultKeys, 'opener'>
}

/** `stray`: an object of a recording that the catalog does not know (an archive that has not committed, perhaps). */
export type Finding =
  | { readonly type: 'good'; readonly recording: RecordingId; readonly role: string; readonly bytes: number }
  | { readonly type: 'bad'; readonly recording: RecordingId; readonly role: string; readonly reason: string }
  | { readonly type: 'stray'; readonly key: string }

/** Yields a finding for every object. Its event is durable before the first key is unwrapped. */
export async function* verifyTenant(
  parts: VerifyParts,
  tenantId: TenantId,
  options: CallOptions,
): AsyncGenerator<Finding> {
  const event = await operatorEvent(tenantId, 'vault.verified', { type: 'tenant', id: tenantId })
  await parts.log.append(event, options)
  const known = new Set<string>()
  let after: RecordingId | null = null
  for (;;) {
    const page: Awaited<ReturnType<Catalog['listAllRecordings']>> = await parts.catalog.listAllRecordings(
      tenantId,
      after,
      pageSize,
      options,
    )
    if (page.length === 0) break
    const event = await appendKeyUses(parts, tenantId, page.length, options)
    for (const { id, objects } of page) {
      after = id
      for (const { objectKey } of objects) known.add(objectKey)
      for await (const finding of verifyRecording({ ...parts, event }, tenantId, id, objects, options)) {
        // It may have come to its end since it was listed.
        const isGone = finding.type === 'bad' && (await parts.catalog.isEnding(tenantId, id, options))
        if (!isGone) yield finding
      }
    }
    if (page.length < pageSize) break
  }
  for await (const { key } of parts.objects.list(tenantRecordingsPrefix(tenantId), options)) {
    if (known.has(key)) continue
    const id = recordingOfKey(key)
    if (id !== null && (await parts.catalog.isEnding(tenantId, id, options))) continue
    yield { type: 'stray', key }
  }
}

/** One event for as many recordings as a page has, each of which is one use of the key. */
async function appendKeyUses(
  { log }: VerifyParts,
  tenantId: TenantId,
  count: number,
  options: CallOptions,
): Promise<DurableEvent> {
  const record = await auditRecord(
    {
      tenantId,
      action: 'key.used',
      outcome: 'allowed',
      actor: { type: 'system', name: 'operator' },
      object: { type: 'tenant', id: tenantId, version: null },
      reasons: ['verify'],
      detail: { kind: 'found', count },
      request: null,
    },
    null,
  )
  return log.append(record, options)
}

/** What opened one object of a recording opens the others too: one unwrap for all of them. */
async function* verifyRecording(
  parts: VerifyParts & { readonly event: DurableEvent },
  tenantId: TenantId,
  id: RecordingId,
  objects: readonly StoredObject[],
  options: CallOptions,
): AsyncGenerator<Finding> {
  using held = new DisposableStack()
  let recordingSecret: RecordingSecret | null = null
  const open = async (object: StoredObject) => {
    const keyed = { ...parts, recordingSecret }
    const opened = held.use(await openStored(keyed, tenantId, id, object.role, object, options))
    recordingSecret ??= opened.recordingSecret
    return opened
  }
  for (const object of objects) yield await verifyObject(parts, id, object, open, options)
}

async function verifyObject(
  parts: VerifyParts,
  recording: RecordingId,
  object: StoredObject,
  open: (object: StoredObject) => Promise<OpenedObject>,
  options: CallOptions,
): Promise<Finding> {
  const { role } = object
  const bad = (reason: string): Finding => ({ type: 'bad', recording, role, reason })
  try {
    const facts = await parts.objects.head(object.objectKey, options)
    if (facts === null) return bad('missing')
    if (facts.sizeBytes !== object.sealedBytes) return bad('other_size')
    const opened = await open(object)
    if (Buffer.compare(opened.fingerprint, object.fingerprint) !== 0) return bad('other_object')
    let bytes = 0
    for await (const piece of opened.read(null, options)) bytes += piece.length
    return bytes === object.plaintextBytes ? { type: 'good', recording, role, bytes } : bad('other_length')
  } catch (error) {
    options.signal?.throwIfAborted()
    return bad(errorCode(error))
  }
}
