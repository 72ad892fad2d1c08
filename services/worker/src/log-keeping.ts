// The worker's part in the audit log: seals, publishes and sweeps, and what logs and metrics say of it.
import type { Catalog } from '@auricle/catalog'
import type { KeyService } from '@auricle/keys'
import type { ObjectStore } from '@auricle/objects'
import type { Config, Logger, LogState, Metrics } from '@auricle/runtime'
import { createLogKeeper, createWitnesses, type LogKeeper, type LogWatch } from '@auricle/vault'
import { startLoop } from './loop.ts'

export interface LogKeepingParts {
  readonly config: Pick<Config, 'logName' | 'witnesses'>
  readonly catalog: Catalog
  readonly logStore: ObjectStore
  readonly keys: Pick<KeyService, 'ensure' | 'key' | 'signer'>
  readonly logger: Logger
  readonly metrics: Metrics
}

/** Half of the second within which an event that waits is in a checkpoint. */
const sealPauseMs = 500
const publishPauseMs = 10_000
/** Once a day, and first when the process has run for a while: it reads every event. */
const sweepPauseMs = 24 * 60 * 60_000
const firstSweepMs = 15 * 60_000
const sweepLookMs = 60_000

/** Of several workers one keeps the log; the others stand by. Throws `AuditError` for a witness whose key is none. */
export function startLogKeeping(parts: LogKeepingParts): AsyncDisposable {
  const { catalog, logger, metrics } = parts
  const witnesses = createWitnesses({
    witnesses: parts.config.witnesses,
    onOutcome(_name, outcome) {
      metrics.log.countWitness(outcome)
      if (outcome === 'conflict') logger.error('A witness has signed another log', { outcome })
      else if (outcome !== 'signed') logger.warn('A witness did not sign', { outcome })
    },
  })
  const keeper = createLogKeeper({
    ...{ catalog, witnesses, store: parts.logStore, keys: parts.keys, name: parts.config.logName },
    watch: watchOf(logger, metrics),
  })
  metrics.log.gauge(() => stateOf(catalog))
  const opening = new AsyncDisposableStack()
  opening.use(keeper)
  opening.use(
    startLoop(options => sealAll(keeper, options), {
      pauseMs: sealPauseMs,
      onError: error => logger.warn('The log could not be sealed', { error }),
    }),
  )
  opening.use(
    startLoop(options => keeper.publish(options), {
      pauseMs: publishPauseMs,
      onError: error => logger.warn('The log could not be published', { error }),
    }),
  )
  let dueMs = performance.now() + firstSweepMs
  opening.use(
    startLoop(
      async options => {
        if (performance.now() < dueMs) return
        dueMs = performance.now() + sweepPauseMs
        await keeper.sweep(options)
      },
      {
        pauseMs: sweepLookMs,
        onError: error => logger.warn('The log could not be swept', { error }),
      },
    ),
  )
  return opening
}

async function sealAll(keeper: LogKeeper, options: { readonly signal: AbortSignal }): Promise<void> {
  while (await keeper.seal(options)) options.signal.throwIfAborted()
}

function watchOf(logger: Logger, { log }: Metrics): LogWatch {
  const kindOf = (tenantId: string | null) => (tenantId === null ? 'anchor' : 'tenant')
  return {
    sealed: log.observeSealed,
    published: log.observePublished,
    refused(tenantId, code, error) {
      log.changeRefused(kindOf(tenantId), 1)
      logger.error('A log is not gone on with: somebody has to look', { tenantId, code, error })
    },
    restored(tenantId) {
      log.changeRefused(kindOf(tenantId), -1)
      logger.info('A log is gone on with again', { tenantId })
    },
    failed: (tenantId, error) => logger.warn('A log could not be published', { tenantId, error }),
    stragglers(tenantId, count) {
      log.countStragglers(count)
      logger.error('Events had no place in the log although it had passed them', { tenantId, count })
    },
    adopted: count => logger.info('The log counts by the transactions of this cluster', { count }),
  }
}

async function stateOf(catalog: Catalog): Promise<LogState> {
  const [unsealed, unpublished, heads, anchor] = await Promise.all([
    catalog.listUnsealed(),
    catalog.listUnpublished(),
    catalog.listLogHeads(),
    catalog.findAnchor(),
  ])
  return {
    unsealedSince: earliest(unsealed.map(({ oldest }) => oldest)),
    unpublishedSince: earliest(unpublished.map(({ oldest }) => oldest)),
    leaves: heads.reduce((sum, { size }) => sum + size, 0),
    anchorLeaves: anchor?.size ?? 0,
  }
}

const earliest = (times: readonly Date[]): Date | null =>
  times.reduce<Date | null>((first, time) => (first === null || time < first ? time : first), null)
