// What a process tells of its way into the audit log: a time for each flush, a line for each sink that failed.
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'

interface Flush {
  readonly sink: 'database' | 'store' | 'none'
  readonly durationMs: number
}

/** A flush that takes longer is told in the log as well. */
const slowMs = 250
const outcomes = { database: 'durable', store: 'late', none: 'failed' } as const

export function eventLogHooks({
  logger,
  metrics,
}: {
  readonly logger: Pick<Logger, 'warn'>
  readonly metrics: Pick<Metrics, 'observeAuditAppend'>
}) {
  return {
    onFlush({ sink, durationMs }: Flush): void {
      const outcome = outcomes[sink]
      metrics.observeAuditAppend({ outcome, durationMs })
      if (durationMs < slowMs && sink === 'database') return
      logger.warn('The audit log was slow', { outcome, durationMs: Math.round(durationMs) })
    },
    onTrouble(error: unknown): void {
      logger.warn('The audit log could not be written to', { error })
    },
  }
}
