// What a process measures about itself, in Prometheus' terms: names carry units, labels are few and never a patient's.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { createLogMetrics, type LogMetrics } from './log-metrics.ts'

const msPerSecond = 1000
/** Seconds. From a cached answer to an hour of audio played while it streams. */
const requestBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600]
const archiveBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900]
const appendBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

export interface Metrics {
  /** Of who keeps the audit log. */
  readonly log: LogMetrics
  /** Media type of `render()`. */
  readonly contentType: string
  /** All metrics in the Prometheus text format. Reads the gauges first; one that fails is left out. */
  render(): Promise<string>
  /** `route` is the pattern (`/v1/recordings/:id`), never the path. */
  observeRequest(request: {
    readonly service: string
    readonly method: string
    readonly route: string
    readonly status: number
    readonly durationMs: number
  }): void
  /** `outcome`: `committed`, `duplicate`, or the slug of the problem it was refused with. */
  countDelivery(delivery: { readonly connectorKind: string; readonly outcome: string }): void
  /** A delivery that was proven with the secret in use, or with the one before it, which still holds. */
  countSecretUse(use: { readonly connectorKind: string; readonly secret: 'current' | 'previous' }): void
  /** Bytes of audio: `in` as delivered, `out` as played. */
  countAudioBytes(direction: 'in' | 'out', bytes: number): void
  /** `reason`: why a request's token was refused, one of the words of docs/sessions.md. */
  countRefusedToken(reason: string): void
  observeArchive(archive: { readonly outcome: string; readonly durationMs: number }): void
  observeReplication(replication: { readonly outcome: string; readonly durationMs: number }): void
  /** Decisions about recordings made again; `outcome`: `changed`, `same`, or `failed`. */
  countDecisions(outcome: 'changed' | 'same' | 'failed', count: number): void
  /** `outcome`: `destroyed`, `taken_out`, `postponed`, or `gone` where another was quicker. */
  countDestruction(outcome: string): void
  observeAuditAppend(append: {
    readonly outcome: 'durable' | 'late' | 'failed'
    readonly durationMs: number
  }): void
  /** An alert for the compliance officer, as it is raised. */
  countAlert(kind: string): void
  /** How to read how many alerts of each kind wait to be acknowledged; called for each `render()`. */
  gaugeAlerts(read: () => Promise<Readonly<Record<string, number>>>): void
  /** How to read the number of jobs in each state; called for each `render()`. */
  gaugeQueue(read: () => Promise<Readonly<Record<string, number>>>): void
  /** How to read the number of intakes in quarantine; called for each `render()`. */
  gaugeQuarantine(read: () => Promise<number>): void
  /** How to read how many objects have no copy in the recovery store, and since when the oldest of them has had none. */
  gaugeReplication(read: () => Promise<{ readonly objects: number; readonly owedAt: Date | null }>): void
  /** One attempt to bring what the stores keep of a recording to what is decided. */
  countFollow(outcome: string): void
  /** What a look at the stores found to be different, by kind. */
  countDrift(findings: Readonly<Record<string, number>>): void
  /** How to read how many recordings the stores have still to follow, and since when the oldest of them waits. */
  gaugeStores(
    read: () => Promise<{
      readonly recordings: number
      readonly failing: number
      readonly askedAt: Date | null
    }>,
  ): void
  /** How to read what the monitor has open, by name, and how its last round went; called for each `render()`. */
  gaugeMonitor(read: () => MonitorGauge): void
}

export interface MonitorGauge {
  readonly findings: Readonly<Record<string, number>>
  /** When the last round ended in which every check could be made; null before one did. */
  readonly wholeRoundAt: Date | null
  /** Checks of the last round that could not be made. */
  readonly failedChecks: number
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]

  const requestSeconds = new Histogram({
    name: 'auricle_http_request_duration_seconds',
    help: 'Time from the request to the end of its answer',
    labelNames: ['service', 'method', 'route', 'status'],
    buckets: requestBuckets,
    registers,
  })
  const deliveries = new Counter({
    name: 'auricle_deliveries_total',
    help: 'Deliveries of recordings by what became of them',
    labelNames: ['connector_kind', 'outcome'],
    registers,
  })
  const secretUses = new Counter({
    name: 'auricle_connector_secret_uses_total',
    help: "Deliveries by which of their connector's secrets they were proven with",
    labelNames: ['connector_kind', 'secret'],
    registers,
  })
  const audioBytes = new Counter({
    name: 'auricle_audio_bytes_total',
    help: 'Audio taken in and played, in bytes of plaintext',
    labelNames: ['direction'],
    registers,
  })
  const refusedTokens = new Counter({
    name: 'auricle_refused_tokens_total',
    help: 'Requests whose token was refused, by why',
    labelNames: ['reason'],
    registers,
  })
  const archiveSeconds = new Histogram({
    name: 'auricle_archive_duration_seconds',
    help: 'Time one attempt to archive an intake took',
    labelNames: ['outcome'],
    buckets: archiveBuckets,
    registers,
  })
  const replicationSeconds = new Histogram({
    name: 'auricle_replication_duration_seconds',
    help: 'Time one attempt to replicate a recording took',
    labelNames: ['outcome'],
    buckets: archiveBuckets,
    registers,
  })
  const destructions = new Counter({
    name: 'auricle_destructions_total',
    help: 'Recordings taken up to be destroyed, by outcome',
    labelNames: ['outcome'],
    registers,
  })
  const decisions = new Counter({
    name: 'auricle_retention_decisions_total',
    help: 'Decisions about recordings that were made again since rules or facts changed',
    labelNames: ['outcome'],
    registers,
  })
  const follows = new Counter({
    name: 'auricle_store_follows_total',
    help: 'Attempts to bring what the stores keep of a recording to what is decided, by what came of them',
    labelNames: ['outcome'],
    registers,
  })
  const drifts = new Counter({
    name: 'auricle_store_drift_findings_total',
    help: 'Objects that the stores kept otherwise than is decided, as they were found, by kind',
    labelNames: ['kind'],
    registers,
  })
  const appendSeconds = new Histogram({
    name: 'auricle_audit_append_duration_seconds',
    help: 'Time until an audit event was durable, or known not to be',
    labelNames: ['outcome'],
    buckets: appendBuckets,
    registers,
  })
  const queueJobs = new Gauge({
    name: 'auricle_queue_jobs',
    help: 'Jobs by state',
    labelNames: ['state'],
    registers,
  })
  const quarantined = new Gauge({
    name: 'auricle_quarantined_intakes',
    help: 'Intakes that wait for a person to look at them',
    registers,
  })
  const raisedAlerts = new Counter({
    name: 'auricle_alerts_raised_total',
    help: 'Alerts for the compliance officer, raised by this process',
    labelNames: ['kind'],
    registers,
  })
  const failures = new Counter({
    name: 'auricle_gauge_failures_total',
    help: 'Gauges that could not be read for a scrape',
    labelNames: ['gauge'],
    registers,
  })
  const reads: { readonly gauge: string; readonly forget: () => void; readonly read: () => Promise<void> }[] =
    []

  return {
    log: createLogMetrics(registers, gauge => reads.push(gauge)),
    contentType: registry.contentType,
    async render() {
      for (const { gauge, read, forget } of reads) {
        // A scrape is for finding out what is wrong: a database that is down must not hide the other numbers.
        await read().catch(() => {
          forget()
          failures.inc({ gauge })
        })
      }
      return registry.metrics()
    },
    observeRequest({ service, method, route, status, durationMs }) {
      requestSeconds.observe({ service, method, route, status: String(status) }, durationMs / msPerSecond)
    },
    countDelivery({ connectorKind, outcome }) {
      deliveries.inc({ connector_kind: connectorKind, outcome })
    },
    countSecretUse({ connectorKind, secret }) {
      secretUses.inc({ connector_kind: connectorKind, secret })
    },
    countAudioBytes(direction, bytes) {
      audioBytes.inc({ direction }, bytes)
    },
    countRefusedToken(reason) {
      refusedTokens.inc({ reason })
    },
    observeArchive({ outcome, durationMs }) {
      archiveSeconds.observe({ outcome }, durationMs / msPerSecond)
    },
    observeReplication({ outcome, durationMs }) {
      replicationSeconds.observe({ outcome }, durationMs / msPerSecond)
    },
    countDestruction(outcome) {
      destructions.inc({ outcome })
    },
    countDecisions(outcome, count) {
      decisions.inc({ outcome }, count)
    },
    observeAuditAppend({ outcome, durationMs }) {
      appendSeconds.observe({ outcome }, durationMs / msPerSecond)
    },
    countAlert(kind) {
      raisedAlerts.inc({ kind })
    },
    gaugeAlerts(read) {
      const openAlerts = new Gauge({
        name: 'auricle_alerts_open',
        help: 'Alerts that nobody has acknowledged, of all tenants',
        labelNames: ['kind'],
        registers,
      })
      reads.push({
        gauge: 'alerts',
        forget: () => openAlerts.reset(),
        read: async () => {
          const counts = Object.entries(await read())
          // A kind of which none is open any more is not in the answer.
          openAlerts.reset()
          for (const [kind, count] of counts) openAlerts.set({ kind }, count)
        },
      })
    },
    gaugeQueue(read) {
      reads.push({
        gauge: 'queue',
        forget: () => queueJobs.reset(),
        read: async () => {
          for (const [state, count] of Object.entries(await read())) queueJobs.set({ state }, count)
        },
      })
    },
    gaugeQuarantine(read) {
      reads.push({
        gauge: 'quarantine',
        forget: () => quarantined.remove(),
        read: async () => quarantined.set(await read()),
      })
    },
    gaugeReplication(read) {
      // Made only now: a gauge that nobody sets says 0, and 0 would say that every object has its copy.
      const unreplicated = new Gauge({
        name: 'auricle_unreplicated_objects',
        help: 'Stored objects that have no copy in the recovery store',
        registers,
      })
      const unreplicatedAge = new Gauge({
        name: 'auricle_unreplicated_oldest_age_seconds',
        help: 'How long the oldest of them has been owing its copy; 0 without any',
        registers,
      })
      reads.push({
        gauge: 'replication',
        forget: () => {
          unreplicated.remove()
          unreplicatedAge.remove()
        },
        read: async () => {
          const { objects, owedAt } = await read()
          unreplicated.set(objects)
          const ageMs = owedAt === null ? 0 : Math.max(0, Date.now() - owedAt.getTime())
          unreplicatedAge.set(ageMs / msPerSecond)
        },
      })
    },
    countFollow(outcome) {
      follows.inc({ outcome })
    },
    countDrift(findings) {
      for (const [kind, count] of Object.entries(findings)) drifts.inc({ kind }, count)
    },
    gaugeStores(read) {
      const waiting = new Gauge({
        name: 'auricle_store_backlog_recordings',
        help: 'Recordings of which the stores have still to follow what is decided',
        registers,
      })
      const failing = new Gauge({
        name: 'auricle_store_failing_recordings',
        help: 'Those of them that failed, and are tried again',
        registers,
      })
      const age = new Gauge({
        name: 'auricle_store_backlog_oldest_age_seconds',
        help: 'How long the oldest of them has been waiting; 0 without any',
        registers,
      })
      reads.push({
        gauge: 'stores',
        forget: () => {
          for (const gauge of [waiting, failing, age]) gauge.remove()
        },
        read: async () => {
          const backlog = await read()
          waiting.set(backlog.recordings)
          failing.set(backlog.failing)
          const { askedAt } = backlog
          age.set(askedAt === null ? 0 : Math.max(0, Date.now() - askedAt.getTime()) / msPerSecond)
        },
      })
    },
    gaugeMonitor(read) {
      const findings = new Gauge({
        name: 'auricle_monitor_findings',
        help: 'What the monitor found and nobody has looked at, or still is so',
        labelNames: ['finding'],
        registers,
      })
      const wholeRound = new Gauge({
        name: 'auricle_monitor_whole_round_timestamp_seconds',
        help: 'When the monitor last made all of its checks',
        registers,
      })
      const failedChecks = new Gauge({
        name: 'auricle_monitor_failed_checks',
        help: 'Checks of the last round that could not be made',
        registers,
      })
      reads.push({
        gauge: 'monitor',
        forget: () => findings.reset(),
        read: async () => {
          const { findings: counts, wholeRoundAt, failedChecks: failed } = read()
          findings.reset()
          for (const [finding, count] of Object.entries(counts)) findings.set({ finding }, count)
          wholeRound.set(wholeRoundAt === null ? 0 : wholeRoundAt.getTime() / msPerSecond)
          failedChecks.set(failed)
        },
      })
    },
  }
}
