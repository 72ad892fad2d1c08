// One attempt to replicate, and what follows when it fails: later again, however often. Never given up, never nothing.
import type { Catalog } from '@auricle/catalog'
import type { RecordingId, TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { nextAttempt } from './archive-attempt.ts'
import { errorCode } from './error.ts'
import { type ReplicateParts, type ReplicationOutcome, replicate } from './replicate.ts'

export interface ReplicationAttemptParts extends ReplicateParts {
  readonly catalog: ReplicateParts['catalog'] & Pick<Catalog, 'commitReplicationFailure'>
  readonly random?: () => number
}

/** `damaged`: an object or what stands for its copy is not the one that was archived; a person has to look at it. */
export type ReplicationAttempt =
  | ReplicationOutcome
  | { readonly status: 'retry' | 'damaged'; readonly errorCode: string; readonly cause: unknown }

/**
 * Throws only what says nothing about this recording: an abort, or a database that cannot even record the failure.
 * Then it stays due and the sweeper brings it back.
 */
export async function attemptReplication(
  parts: ReplicationAttemptParts,
  tenantId: TenantId,
  recordingId: RecordingId,
  { signal }: CallOptions,
): Promise<ReplicationAttempt> {
  try {
    return await replicate(parts, tenantId, recordingId, { signal })
  } catch (cause) {
    signal?.throwIfAborted()
    return failReplication(parts, { tenantId, recordingId, errorCode: errorCode(cause), cause }, { signal })
  }
}

export interface FailedReplication {
  readonly tenantId: TenantId
  readonly recordingId: RecordingId
  readonly errorCode: string
  readonly cause: unknown
}

/**
 * Records that an attempt failed; also for one whose process died, which can record nothing itself. What is damaged
 * is tried again too: whoever mends it need not know of anything else to do.
 */
export async function failReplication(
  parts: Pick<ReplicationAttemptParts, 'now' | 'random'> & {
    readonly catalog: Pick<Catalog, 'findReplication' | 'commitReplicationFailure'>
  },
  { tenantId, recordingId, errorCode: code, cause }: FailedReplication,
  options: CallOptions,
): Promise<ReplicationAttempt> {
  const facts = await parts.catalog.findReplication(tenantId, recordingId, options)
  if (facts === null || facts.objects.every(({ copy }) => copy !== null)) return { status: 'gone' }
  const nextAttemptAt = nextAttempt(parts, facts.attempts)
  await parts.catalog.commitReplicationFailure(
    { tenantId, recordingId, errorCode: code, nextAttemptAt },
    options,
  )
  return { status: code === 'damaged' ? 'damaged' : 'retry', errorCode: code, cause }
}
