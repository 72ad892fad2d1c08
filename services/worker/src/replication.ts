// The worker's part in the recovery store: replicate jobs, what follows their failure, and the search for what has none.
import { setTimeout as delay } from 'node:timers/promises'
import type { Catalog } from '@auricle/catalog'
import type { IntakeId, Job, TenantId } from '@auricle/contract'
import type { JobQueue } from '@auricle/jobs'
import type { ObjectStore } from '@auricle/objects'
import type { Logger, Metrics } from '@auricle/runtime'
import {
  attemptReplication,
  enqueueReplication,
  failReplication,
  type ReplicationAttempt,
  requeueUnreplicated,
} from '@auricle/vault'

export type ReplicateJob = Extract<Job, { type: 'replicate' }>

export interface ReplicationParts {
  readonly catalog: Catalog
  readonly objects: Pick<ObjectStore, 'head' | 'read'>
  /** Null: none is configured. Then nothing is marked, and what is archived goes on owing its copy. */
  readonly recovery: ObjectStore | null
  readonly jobs: Pick<JobQueue, 'enqueue'>
  readonly logger: Logger
  readonly metrics: Metrics
}

export interface Replication {
  run(job: ReplicateJob, options: { readonly signal: AbortSignal }): Promise<void>
  /** The process that ran it died, more than once. */
  abandoned(job: ReplicateJob, error: unknown): Promise<void>
  /** Enqueues the recording of an intake just archived; where that fails, the search finds it. */
  archived(
    tenantId: TenantId,
    intakeId: IntakeId,
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>
  /** Enqueues what owes a copy and was left alone, in batches with a pause between. */
  search(graceMs: number, options: { readonly signal: AbortSignal }): Promise<void>
}

/** Lets a batch be done before the next is put into the queue, in which deliveries wait too. */
const batchPauseMs = 5_000

/** Null where no recovery store is configured. */
export function createReplication(parts: ReplicationParts): Replication | null {
  const { catalog, objects, recovery, jobs, logger, metrics } = parts
  if (recovery === null) return null
  metrics.gaugeReplication(() => catalog.replicationBacklog())
  return {
    async run({ tenantId, recordingId }, { signal }) {
      const startedMs = performance.now()
      const outcome = await attemptReplication({ catalog, objects, recovery }, tenantId, recordingId, {
        signal,
      })
      const durationMs = performance.now() - startedMs
      metrics.observeReplication({ outcome: outcome.status, durationMs })
      logAttempt(logger, outcome, recordingId, durationMs)
    },

    async abandoned({ tenantId, recordingId }, error) {
      await failReplication({ catalog }, { tenantId, recordingId, errorCode: 'abandoned', cause: error }, {})
    },

    async archived(tenantId, intakeId, options) {
      try {
        const intake = await catalog.findIntake(tenantId, intakeId, options)
        if (intake !== null) await enqueueReplication(jobs, tenantId, intake.recordingId, options)
      } catch (error) {
        options.signal?.throwIfAborted()
        logger.warn('A replication could not be enqueued and will be found later', { intakeId, error })
      }
    },

    async search(graceMs, { signal }) {
      for (;;) {
        const { count, more } = await requeueUnreplicated({ catalog, jobs }, graceMs, { signal })
        if (count > 0) logger.info('Enqueued recordings that owe a copy to the recovery store', { count })
        if (!more) return
        await delay(batchPauseMs, undefined, { signal })
      }
    },
  }
}

function logAttempt(
  logger: Logger,
  outcome: ReplicationAttempt,
  recordingId: string,
  durationMs: number,
): void {
  const fields = { recordingId, durationMs: Math.round(durationMs) }
  switch (outcome.status) {
    case 'replicated':
      logger.info('Replicated', { ...fields, count: outcome.objects, bytes: outcome.bytes })
      return
    case 'gone':
      logger.debug('Nothing to replicate', fields)
      return
    case 'retry':
      logger.warn('A replication failed and will be tried again', {
        ...fields,
        code: outcome.errorCode,
        error: outcome.cause,
      })
      return
    case 'damaged':
      logger.error('An object or its copy in the recovery store is damaged', {
        ...fields,
        code: outcome.errorCode,
        error: outcome.cause,
      })
      return
    default:
      outcome satisfies never
  }
}
