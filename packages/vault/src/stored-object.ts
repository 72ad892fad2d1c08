// Opening and storing one sealed object of a recording, the same way in every use case.
import type { NewObject, StoredObject } from '@auricle/catalog'
import type { ObjectRole, RecordingId, TenantId } from '@auricle/contract'
import type { ObjectFacts, ObjectStore } from '@auricle/objects'
import {
  type CallOptions,
  type OpenedObject,
  openSealed,
  type RecordingSecret,
  type SealedSource,
  startSeal,
} from '@auricle/sealed'
import type { DurableEvent } from './log/durable-event.ts'
import { recordingIdentity, sealContext } from './object-context.ts'
import { recordingKey } from './object-key.ts'
import type { Keeping } from './retention/decide-first.ts'
import type { VaultKeys } from './vault-keys.ts'

/** The stored bytes of one generation of an object, as the sealed format reads them. */
function storedSource(
  objects: Pick<ObjectStore, 'read'>,
  object: Pick<StoredObject, 'objectKey' | 'sealedBytes'>,
): SealedSource {
  return {
    sizeBytes: object.sealedBytes,
    read: (range, options) => objects.read(object.objectKey, range, options),
  }
}

export interface OpenParts {
  readonly objects: Pick<ObjectStore, 'read'>
  readonly keys: Pick<VaultKeys, 'opener'>
  /** The event that stands for this opening: without it the key opens nothing. */
  readonly event: DurableEvent
  /** The recording's secret where it is at hand, which spares the key service a call. Default: null. */
  readonly recordingSecret?: RecordingSecret | null | undefined
}

/** The caller disposes it, which wipes its key. */
export function openStored(
  parts: OpenParts,
  tenantId: TenantId,
  recordingId: RecordingId,
  role: ObjectRole | 'intake',
  object: Pick<StoredObject, 'objectKey' | 'sealedBytes' | 'wrap'>,
  { signal }: CallOptions,
): Promise<OpenedObject> {
  return openSealed(storedSource(parts.objects, object), {
    expect: recordingIdentity(tenantId, recordingId, role),
    unwrapper: parts.keys.opener({ purpose: 'recordings', tenantId }, parts.event),
    under: parts.recordingSecret,
    newerWraps: object.wrap === null ? [] : [object.wrap],
    signal,
  })
}

export interface StoreParts {
  readonly objects: Pick<ObjectStore, 'put'>
  readonly keys: Pick<VaultKeys, 'key'>
  /** Null for a recording that was received before recordings had a secret: its objects are wrapped one by one. */
  readonly recordingSecret: RecordingSecret | null
}

export interface ObjectToStore {
  readonly tenantId: TenantId
  readonly recordingId: RecordingId
  readonly role: ObjectRole
  readonly contentType: string
  readonly createdAt: Date
  readonly keeping: Keeping
}

/**
 * Seals and stores an object of a recording unless it is there already. `exists` means that an earlier run stored
 * it whole: `source` may not have been read, and the caller decides whether what is there is what it wants.
 */
export async function storeObject(
  parts: StoreParts,
  object: ObjectToStore,
  source: AsyncIterable<Uint8Array>,
  { signal }: CallOptions,
): Promise<{ readonly status: 'created' | 'exists'; readonly facts: ObjectFacts }> {
  const { tenantId, recordingId, role } = object
  const { recordingSecret } = parts
  const sealing = await startSeal({
    context: sealContext(
      recordingIdentity(tenantId, recordingId, role),
      object.contentType,
      object.createdAt,
    ),
    ...(recordingSecret === null
      ? { wrapper: parts.keys.key({ purpose: 'recordings', tenantId }) }
      : { under: recordingSecret }),
    signal,
  })
  const key = recordingKey(tenantId, recordingId, role)
  const { until: retainUntil, lock } = object.keeping
  const options = { retainUntil, lock: lock ?? undefined, signal }
  return parts.objects.put(key, sealing.seal(source, { signal }), options)
}

/** How the catalog keeps an object that was opened and found right, and how the store does. */
export function storedObject(role: ObjectRole, facts: ObjectFacts, opened: OpenedObject): NewObject {
  return {
    role,
    objectKey: facts.key,
    generation: facts.generation,
    sealedBytes: facts.sizeBytes,
    plaintextBytes: opened.plaintextBytes,
    contentType: opened.header.context.contentType,
    fingerprint: opened.fingerprint,
    wrap: null,
    storeUntil: facts.retainUntil,
    storeLocked: facts.locked,
  }
}

/** Reads a small object whole; `maxBytes` guards memory. */
export async function readWhole(
  opened: OpenedObject,
  maxBytes: number,
  { signal }: CallOptions,
): Promise<Buffer> {
  if (opened.plaintextBytes > maxBytes) throw new RangeError('object larger than its kind allows')
  const pieces: Uint8Array[] = []
  for await (const piece of opened.read(null, { signal })) pieces.push(piece)
  return Buffer.concat(pieces)
}
