// What the keeper of the audit log measures: how old events get before they have a place, and checkpoints before they are
// out of reach.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

const msPerSecond = 1000
const ageBuckets = [0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 300]

export interface LogState {
  /** Since when the oldest event waits that no tree has; null without any. */
  readonly unsealedSince: Date | null
  /** Since when the oldest checkpoint waits that is not published; null without any. */
  readonly unpublishedSince: Date | null
  /** Of the newest logs of all tenants together. */
  readonly leaves: number
  readonly anchorLeaves: number
}

export interface LogMetrics {
  /** How long each event waited for its place, as it gets it. */
  observeSealed(agesMs: readonly number[]): void
  /** How long a checkpoint waited, as it is published. */
  observePublished(ageMs: number): void
  /** A log is not gone on with, or is again. `log`: `tenant` or `anchor`. */
  changeRefused(log: 'tenant' | 'anchor', by: 1 | -1): void
  /** `outcome`: what a witness did when it was asked. */
  countWitness(outcome: string): void
  /** Events that the sequencer could not have seen. */
  countStragglers(events: number): void
  /** How to read the state of the log; called for each `render()`. */
  gauge(read: () => Promise<LogState>): void
}

/** `addGauge` has them read for each scrape. */
export function createLogMetrics(
  registers: Registry[],
  addGauge: (gauge: {
    readonly gauge: string
    readonly forget: () => void
    readonly read: () => Promise<void>
  }) => void,
): LogMetrics {
  const sealSeconds = new Histogram({
    name: 'auricle_log_seal_age_seconds',
    help: 'Time from an event being recorded to its place in the log',
    buckets: ageBuckets,
    registers,
  })
  const publishSeconds = new Histogram({
    name: 'auricle_log_publish_age_seconds',
    help: "Time from a log's checkpoint being signed to its being published",
    buckets: ageBuckets,
    registers,
  })
  const refused = new Gauge({
    name: 'auricle_log_refused',
    help: 'Logs that are not gone on with, since what was published of them is not what the database has',
    labelNames: ['log'],
    registers,
  })
  const witnesses = new Counter({
    name: 'auricle_log_witness_requests_total',
    help: 'Times that a witness was asked to sign, by what it did',
    labelNames: ['outcome'],
    registers,
  })
  const stragglers = new Counter({
    name: 'auricle_log_stragglers_total',
    help: 'Events that were found without a place although the sequencer had passed them',
    registers,
  })
  return {
    observeSealed(agesMs) {
      for (const ageMs of agesMs) sealSeconds.observe(ageMs / msPerSecond)
    },
    observePublished: ageMs => publishSeconds.observe(ageMs / msPerSecond),
    changeRefused: (log, by) => refused.inc({ log }, by),
    countWitness: outcome => witnesses.inc({ outcome }),
    countStragglers: events => stragglers.inc(events),
    gauge(read) {
      // Made only now: a gauge that nobody sets says 0, and 0 would say that nothing waits.
      const age = (name: string, help: string) => new Gauge({ name, help, registers })
      const unsealed = age(
        'auricle_log_unsealed_age_seconds',
        'How long the oldest event has been without a place in the log; 0 without any',
      )
      const unpublished = age(
        'auricle_log_unpublished_age_seconds',
        'How long the oldest checkpoint has been waiting to be published; 0 without any',
      )
      const leaves = new Gauge({
        name: 'auricle_log_leaves',
        help: "Leaves of the tenants' newest logs together, and of the log over all logs",
        labelNames: ['log'],
        registers,
      })
      addGauge({
        gauge: 'log',
        forget: () => {
          unsealed.remove()
          unpublished.remove()
          leaves.reset()
        },
        read: async () => {
          const state = await read()
          unsealed.set(ageOf(state.unsealedSince))
          unpublished.set(ageOf(state.unpublishedSince))
          leaves.set({ log: 'tenant' }, state.leaves)
          leaves.set({ log: 'anchor' }, state.anchorLeaves)
        },
      })
    },
  }
}

const ageOf = (since: Date | null): number =>
  since === null ? 0 : Math.max(0, Date.now() - since.getTime()) / msPerSecond
