// The worker's part in what the stores keep: they follow what is decided, and once a day it is looked whether they do.
import type { Catalog } from '@auricle/catalog'
import type { ObjectStore } from '@auricle/objects'
import type { Logger, Metrics } from '@auricle/runtime'
import { type FollowAttempt, followWork, sweepDrift } from '@auricle/vault'

export interface StoresParts {
  readonly catalog: Catalog
  readonly objects: ObjectStore
  /** Null where none is configured. */
  readonly recovery: ObjectStore | null
  readonly logger: Logger
  readonly metrics: Metrics
}

export interface Stores {
  follow(options: { readonly signal: AbortSignal }): Promise<void>
  drift(options: { readonly signal: AbortSignal }): Promise<void>
}

export function createStores(parts: StoresParts): Stores {
  const { catalog, logger, metrics } = parts
  metrics.gaugeStores(() => catalog.storeBacklog())
  return {
    async follow(options) {
      const onAttempt = ({ recordingId }: { readonly recordingId: string }, attempt: FollowAttempt): void => {
        metrics.countFollow(attempt.status)
        logAttempt(logger, attempt, recordingId)
      }
      await followWork({ ...parts, onAttempt }, options)
    },

    drift: options =>
      sweepDrift(
        {
          ...parts,
          onRun(tenantId, { id, recordings, counts, mended }) {
            metrics.countDrift(counts)
            const count = Object.values(counts).reduce((sum, each) => sum + each, 0)
            const fields = { tenantId, driftRunId: id, recordings }
            if (count === 0) logger.info('The stores keep what they should', fields)
            else logger.warn('The stores differ from what is decided', { ...fields, count, mended })
          },
        },
        options,
      ),
  }
}

function logAttempt(logger: Logger, attempt: FollowAttempt, recordingId: string): void {
  switch (attempt.status) {
    case 'changed':
      logger.info('The stores keep a recording as is decided', { recordingId })
      return
    case 'retry':
      logger.warn('The stores could not be brought to what is decided, and will be tried again', {
        recordingId,
        code: attempt.errorCode,
        error: attempt.cause,
      })
      return
    case 'unchanged':
    case 'gone':
    case 'busy':
    case 'later':
      logger.debug('Nothing for the stores to follow', { recordingId, state: attempt.status })
      return
    default:
      attempt satisfies never
  }
}
