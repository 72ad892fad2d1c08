// Puts the worker together: archives what was received, copies it to the recovery store, relays the outbox, brings back
// what was forgotten, sweeps, keeps the audit log.
import { type AudioTool, sniffAudio, sniffBytes } from '@auricle/audio'
import type { Catalog } from '@auricle/catalog'
import type { RecordingId } from '@auricle/contract'
import { retentionReportPdf } from '@auricle/documents'
import type { Jobs } from '@auricle/jobs'
import { guardKeys, type KeyService, type OnKeyUse } from '@auricle/keys'
import type { Mailer } from '@auricle/mail'
import type { ObjectStore } from '@auricle/objects'
import { createFetcher } from '@auricle/pbx'
import { apiUrl, type Config, type Logger, type Metrics } from '@auricle/runtime'
import {
  type AttemptOutcome,
  applyPolicy,
  createLateReconciler,
  createTenantSecrets,
  type EventAppender,
  failAttempt,
  isDurable,
  namePatients,
  type OnAlert,
  relayOutbox,
  requeueStalled,
  runReports,
  sweepBreakGlass,
  sweepIntakeObjects,
  sweepReviews,
  type TenantSecretsCache,
} from '@auricle/vault'
import { archiveJob } from './archive-job.ts'
import { certificateWork } from './certificates.ts'
import { createDisposition } from './disposition.ts'
import { startLogKeeping } from './log-keeping.ts'
import { type Loop, startLoop } from './loop.ts'
import { createReplication } from './replication.ts'
import { createStores } from './stores.ts'

export interface WorkerParts {
  readonly config: Pick<Config, 'worker' | 'logName' | 'witnesses' | 'backupDays' | 'api'>
  readonly catalog: Catalog
  readonly log: EventAppender
  readonly objects: ObjectStore
  /** Where the log is published, and where events are that the database could not have. */
  readonly logStore: ObjectStore
  /** Removes what crashed writers left in the stores. */
  readonly sweepTemporary: (options: {
    readonly olderThanMs: number
    readonly signal?: AbortSignal | undefined
  }) => Promise<number>
  /** Null where none is configured: then nothing is replicated. */
  readonly recovery: ObjectStore | null
  /** Where reports on a schedule are stored, and who tells of them; null where none is configured. */
  readonly reportStore: ObjectStore | null
  readonly mailer: Mailer | null
  /** Guarded before a use case gets it. */
  readonly keys: Pick<KeyService, 'ensure' | 'key' | 'signer'>
  readonly noteKeyUse: OnKeyUse
  readonly jobs: Jobs
  /** Null where the machine has no ffmpeg. */
  readonly audio: AudioTool | null
  readonly logger: Logger
  readonly metrics: Metrics
}

const relayPauseMs = 250
const stalledPauseMs = 10_000
/** What is due and was left alone for this long has no job any more. */
const stalledGraceMs = 60_000
const sweepPauseMs = 10 * 60_000
const breakGlassPauseMs = 60_000
const reviewPauseMs = 10 * 60_000
const latePauseMs = 30_000
const decidePauseMs = 10_000
const certificatePauseMs = 30_000
const duePauseMs = 60 * 60_000
const destroyPauseMs = 60_000
const followPauseMs = 1_000
/** Looks whether the day is over. */
const driftPauseMs = 10 * 60_000
const namePatientsPauseMs = 10 * 60_000
const reportPauseMs = 60_000
/** Longer than any delivery takes: its object is stored before its row is. */
const sweepMinimumAgeMs = 24 * 60 * 60_000
/** A writer that has written nothing for this long is gone. */
const temporaryAgeMs = 60 * 60_000

/** Disposing lets the archives under way end; an abort sends them back to the queue. */
export async function startWorker(
  parts: WorkerParts,
  { signal }: { readonly signal: AbortSignal },
): Promise<AsyncDisposable> {
  const { catalog, objects, jobs, logger, metrics } = parts
  await using opening = new AsyncDisposableStack()
  const keys = guardKeys(parts.keys, { isDurable, onUse: parts.noteKeyUse })
  const secrets = createTenantSecrets({ ...parts, keys })
  const loop = (work: Parameters<typeof startLoop>[0], pauseMs: number, failed: string): Loop =>
    opening.use(startLoop(work, { pauseMs, onError: error => logger.warn(failed, { error }) }))
  const { disposition: place } = parts.config.worker
  const disposition = createDisposition({ ...parts, secrets })
  if (place !== 'apart') loop(disposition.destroy, destroyPauseMs, 'What is ready could not be destroyed')
  if (place === 'only') return opening.move()
  loop(disposition.propose, duePauseMs, 'What is due could not be proposed')
  const fetcher = createFetcher()
  const replication = createReplication(parts)
  const archive = archiveJob(
    {
      ...parts,
      keys,
      secrets,
      sniff: sniffAudio,
      sniffBytes,
      fetchAudio: fetcher.fetchAudio,
    },
    {
      async attempted(outcome, job, durationMs) {
        metrics.observeArchive({ outcome: outcome.status, durationMs })
        logAttempt(logger, outcome, job.intakeId, durationMs)
        if (outcome.status === 'archived') await replication?.archived(job.tenantId, job.intakeId, { signal })
      },
    },
  )
  const workers = await jobs.startWorkers({
    async handler(job, options) {
      if (job.type === 'archive') await archive(job, options)
      // Enqueued by a worker that has a recovery store; it stays due there.
      else await replication?.run(job, options)
    },
    concurrency: parts.config.worker.concurrency,
    signal,
    async onFailure({ reason, job, error }) {
      const ids = job?.type === 'replicate' ? { recordingId: job.recordingId } : { intakeId: job?.intakeId }
      logger.error('A job failed', { kind: reason, ...ids, error })
      if (reason !== 'abandoned' || job === null) return
      if (job.type === 'replicate') await replication?.abandoned(job, error)
      // An archive that takes its process down with it counts as a failed attempt, or it would be tried for ever.
      else await failAttempt({ catalog }, { ...job, errorCode: 'abandoned', cause: error }, {})
    },
  })
  opening.use(workers)
  opening.use(startLogKeeping(parts))
  loop(options => relayOutbox({ catalog, jobs }, options), relayPauseMs, 'The outbox could not be relayed')
  loop(
    async options => {
      const count = await requeueStalled({ catalog, jobs }, stalledGraceMs, options)
      if (count > 0) logger.info('Enqueued forgotten intakes again', { count })
    },
    stalledPauseMs,
    'Forgotten intakes could not be looked for',
  )
  if (replication !== null) {
    loop(
      options => replication.search(stalledGraceMs, options),
      stalledPauseMs,
      'Recordings without a copy could not be looked for',
    )
  }
  const stores = createStores(parts)
  loop(stores.follow, followPauseMs, 'What is decided could not be brought to the stores')
  loop(stores.drift, driftPauseMs, 'The stores could not be held against what is decided')
  const late = createLateReconciler({
    ...{ catalog, store: parts.logStore, by: 'worker' },
    onAltered: ({ tenantId, eventId }) =>
      logger.error('A late event is not one that the vault wrote', { tenantId, eventId }),
  })
  loop(
    async options => {
      const count = await late.run(options)
      if (count > 0) logger.warn('Brought late events into the audit log', { count })
    },
    latePauseMs,
    'Late events could not be looked for',
  )
  metrics.gaugeAlerts(() => catalog.countOpenAlerts())
  const onAlert: OnAlert = ({ id, kind }) => {
    logger.warn('Alert raised', { kind, alertId: id })
    metrics.countAlert(kind)
  }
  loop(
    async options => {
      const { ended } = await sweepBreakGlass({ catalog, onAlert }, options)
      if (ended > 0) logger.info('Emergency access ran out', { count: ended })
    },
    breakGlassPauseMs,
    'Emergency access could not be looked after',
  )
  loop(
    async options => {
      const { opened } = await sweepReviews({ catalog, secrets, onAlert }, options)
      if (opened > 0) logger.info('Opened weekly reviews of activity', { count: opened })
    },
    reviewPauseMs,
    'The weekly review of activity could not be opened',
  )
  loop(options => decideStale(parts, secrets, options), decidePauseMs, 'Rules could not be applied')
  loop(certificateWork(parts), certificatePauseMs, 'Certificates could not be issued')
  loop(
    async options => {
      const { sent, failed } = await runReports(
        {
          ...{ ...parts, renderPdf: retentionReportPdf, apiUrl: apiUrl(parts.config) },
          onFailure: ({ id: runId, attempts }, error) =>
            logger.warn('A scheduled report could not be delivered', { runId, attempts, error }),
        },
        options,
      )
      if (sent > 0) logger.info('Delivered scheduled reports', { count: sent })
      if (failed > 0) logger.error('Gave up on scheduled reports', { count: failed })
    },
    reportPauseMs,
    'Scheduled reports could not be looked for',
  )
  loop(
    async options => {
      const { named, damaged } = await namePatients({ catalog, secrets }, options)
      if (named > 0) logger.info('Gave names to the patients of recordings', { count: named })
      if (damaged > 0) logger.error('References of patients do not open', { count: damaged })
    },
    namePatientsPauseMs,
    'Patients without a name could not be looked for',
  )
  loop(
    async options => {
      await parts.sweepTemporary({ olderThanMs: temporaryAgeMs, ...options })
      const { unclaimed, archived } = await sweepIntakeObjects(
        { catalog, objects },
        sweepMinimumAgeMs,
        options,
      )
      if (unclaimed + archived > 0) logger.info('Swept intake objects', { count: unclaimed + archived })
    },
    sweepPauseMs,
    'Intake objects could not be swept',
  )
  return opening.move()
}

/** Brings decisions to what rules and facts say by now. */
async function decideStale(
  { catalog, logger, metrics }: WorkerParts,
  secrets: TenantSecretsCache,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  const startedMs = performance.now()
  const onFailure = (recordingId: RecordingId, error: unknown) =>
    logger.error('What is known of a recording does not say how long to keep it', { recordingId, error })
  const { versions, decided, changed, failed } = await applyPolicy({ catalog, secrets, onFailure }, options)
  metrics.countDecisions('changed', changed)
  metrics.countDecisions('same', decided - changed)
  metrics.countDecisions('failed', failed)
  if (versions > 0) logger.info('Versions of retention rules came into force', { count: versions })
  const durationMs = Math.round(performance.now() - startedMs)
  if (decided > 0) logger.info('Decided recordings again', { count: decided, durationMs })
}

function logAttempt(logger: Logger, outcome: AttemptOutcome, intakeId: string, durationMs: number): void {
  const fields = { intakeId, durationMs: Math.round(durationMs) }
  switch (outcome.status) {
    case 'archived':
      logger.info('Archived', { ...fields, state: outcome.audioState, bytes: outcome.bytes })
      return
    case 'gone':
      logger.debug('Nothing to archive', fields)
      return
    case 'retry':
      logger.warn('An archive failed and will be tried again', {
        ...fields,
        code: outcome.errorCode,
        error: outcome.cause,
      })
      return
    case 'quarantined':
      logger.error('An intake is in quarantine', { ...fields, code: outcome.errorCode, error: outcome.cause })
      return
    default:
      outcome satisfies never
  }
}
