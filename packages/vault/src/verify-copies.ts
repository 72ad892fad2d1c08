// Which objects have a copy in the recovery store, and whether it still is the one that was archived.
import type { Catalog, KeptObject } from '@auricle/catalog'
import type { RecordingId, TenantId } from '@auricle/contract'
import type { ObjectStore } from '@auricle/objects'
import type { CallOptions } from '@auricle/sealed'
import { compareStored } from './copy.ts'
import { errorCode } from './error.ts'

const pageSize = 200

export interface VerifyCopiesParts {
  readonly catalog: Pick<Catalog, 'listAllRecordings'>
  /** Null to go by the catalog alone: then a copy that it knows of is `good`. */
  readonly recovery: Pick<ObjectStore, 'head' | 'read'> | null
}

/** `owed`: it has no copy yet. */
export type CopyFinding =
  | { readonly type: 'owed'; readonly recording: RecordingId; readonly role: string }
  | {
      readonly type: 'good'
      readonly recording: RecordingId
      readonly role: string
      /** Of the copy, sealed. */
      readonly bytes: number
    }
  | { readonly type: 'bad'; readonly recording: RecordingId; readonly role: string; readonly reason: string }

/** Yields a finding for every object of the tenant. Uses no key. */
export async function* verifyCopies(
  { catalog, recovery }: VerifyCopiesParts,
  tenantId: TenantId,
  options: CallOptions,
): AsyncGenerator<CopyFinding> {
  let after: RecordingId | null = null
  for (;;) {
    const page: Awaited<ReturnType<Catalog['listAllRecordings']>> = await catalog.listAllRecordings(
      tenantId,
      after,
      pageSize,
      options,
    )
    for (const { id: recording, objects } of page) {
      after = recording
      for (const object of objects) {
        const { role, copy, sealedBytes: bytes } = object
        if (copy === null) yield { type: 'owed', recording, role }
        else if (recovery === null) yield { type: 'good', recording, role, bytes }
        else yield await verifyCopy(recovery, recording, object, options)
      }
    }
    if (page.length < pageSize) return
  }
}

async function verifyCopy(
  recovery: Pick<ObjectStore, 'head' | 'read'>,
  recording: RecordingId,
  object: KeptObject,
  options: CallOptions,
): Promise<CopyFinding> {
  const { role, sealedBytes: bytes } = object
  try {
    const facts = await recovery.head(object.objectKey, options)
    const comparison = await compareStored(recovery, object, facts, options)
    return comparison === 'same'
      ? { type: 'good', recording, role, bytes }
      : { type: 'bad', recording, role, reason: comparison }
  } catch (error) {
    options.signal?.throwIfAborted()
    return { type: 'bad', recording, role, reason: errorCode(error) }
  }
}
