// The worker's part in the end of recordings: what is due is proposed, what is ready is destroyed.
import type { Catalog } from '@auricle/catalog'
import type { ObjectStore } from '@auricle/objects'
import type { Config, Logger, Metrics } from '@auricle/runtime'
import { type Destruction, destroyReady, sweepDue, type TenantSecretsCache } from '@auricle/vault'

export interface DispositionWorkParts {
  readonly config: Pick<Config, 'backupDays'>
  readonly catalog: Catalog
  readonly objects: ObjectStore
  /** Null where none is configured. */
  readonly recovery: ObjectStore | null
  readonly secrets: TenantSecretsCache
  readonly logger: Logger
  readonly metrics: Metrics
}

export interface DispositionWork {
  propose(options: { readonly signal: AbortSignal }): Promise<void>
  destroy(options: { readonly signal: AbortSignal }): Promise<void>
}

export function createDisposition(parts: DispositionWorkParts): DispositionWork {
  const { config, catalog, objects: primary, recovery, secrets, logger, metrics } = parts
  return {
    async propose(options) {
      const { dispositions, recordings } = await sweepDue(
        {
          ...{ catalog, secrets },
          onFailure: (recordingId, error) =>
            logger.error('What is known of a recording does not say how long to keep it', {
              recordingId,
              error,
            }),
        },
        options,
      )
      if (dispositions > 0) logger.info('Proposed what is due', { count: dispositions, recordings })
    },

    async destroy(options) {
      await destroyReady(
        {
          ...{ catalog, secrets, stores: { primary, recovery }, backupDays: config.backupDays },
          onOutcome(outcome, { recordingId }) {
            metrics.countDestruction(outcome.status)
            logOutcome(logger, outcome, recordingId)
          },
        },
        options,
      )
    },
  }
}

function logOutcome(logger: Logger, outcome: Destruction, recordingId: string): void {
  switch (outcome.status) {
    case 'destroyed':
      logger.info('Destroyed', { recordingId, count: outcome.objects, bytes: outcome.bytes })
      return
    case 'taken_out':
      logger.info('Kept: taken out of its disposition', { recordingId, code: outcome.reason })
      return
    case 'postponed':
      logger.warn('A recording could not be destroyed and will be tried again', {
        recordingId,
        code: outcome.reason,
        error: outcome.cause,
      })
      return
    case 'gone':
      logger.debug('Nothing to destroy', { recordingId })
      return
    default:
      outcome satisfies never
  }
}
