// `auricle monitor`: watches the log under an identity of its own and says what does not fit, round after round or once.
import { AuditError, parseVerifierKey, type VerifierKey } from '@auricle/audit'
import {
  type Config,
  createHealth,
  createMetrics,
  disableCoreDumps,
  type Logger,
  listen,
  openMonitorAdapters,
  type Secrets,
} from '@auricle/runtime'
import {
  createMonitor,
  createPublished,
  findingNames,
  type Monitor,
  type MonitorTimes,
  type OpenFinding,
  type Round,
} from '@auricle/vault'
import { startLoop } from '@auricle/worker-service'
import { UsageError } from '../error.ts'
import { formatTime } from '../format.ts'
import { createLineFiles, noLineFiles } from '../monitor/line-files.ts'
import { openMonitorFolder } from '../monitor/state-folder.ts'
import { createWatchedWitness } from '../monitor/watched-witness.ts'
import type { Output } from '../output.ts'

export interface MonitorOptions {
  readonly config: Config
  readonly secrets: Secrets
  readonly logger: Logger
  /** Absolute. */
  readonly folder: string
  /** Verifier keys of the log over all logs. */
  readonly anchorKeys: readonly string[]
  /** A file or a folder of them; null: none are looked at. */
  readonly keyUses: string | null
  readonly receipts: string | null
  readonly times: MonitorTimes
  readonly signal: AbortSignal
}

interface OpenMonitor extends AsyncDisposable {
  readonly monitor: Monitor
  readonly open: readonly OpenFinding[]
}

async function openMonitor(options: MonitorOptions): Promise<OpenMonitor> {
  const { config, folder, keyUses, receipts, times } = options
  await using opening = new AsyncDisposableStack()
  const anchorKeys = options.anchorKeys.map(readKey)
  const kept = opening.use(await openMonitorFolder(folder))
  const adapters = opening.use(await openMonitorAdapters(options))
  const monitor = createMonitor(
    {
      watch: adapters.watch,
      published: createPublished(adapters.logStore),
      witnesses: config.witnesses.map(createWatchedWitness),
      anchorKeys,
      digests: kept.digests,
      keyUses: keyUses === null ? noLineFiles : createLineFiles(keyUses),
      receipts: receipts === null ? noLineFiles : createLineFiles(receipts),
      times,
      now: () => new Date(),
      save: kept.save,
    },
    kept.state,
  )
  const opened = opening.move()
  const open = kept.state.findings.filter(({ foundAt }) => foundAt !== null)
  return { monitor, open, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

function readKey(text: string): VerifierKey {
  try {
    return parseVerifierKey(text)
  } catch (error) {
    if (error instanceof AuditError)
      throw new UsageError(`The key of the log cannot be used: ${error.message}`, { cause: error })
    throw error
  }
}

/** One round. Resolves with how it ended: nothing found, something found, or not everything could be looked at. */
export async function watchOnce(
  options: MonitorOptions,
  output: Output,
): Promise<'nothing' | 'found' | 'incomplete'> {
  await using opened = await openMonitor(options)
  const round = await opened.monitor.round(options)
  tell(options.logger, { ...round, fresh: [] })
  output.rows(
    round.open.map(({ name, code, tenantId, year, seq, eventId, since }) => {
      return { finding: name, code, tenantId, year, seq, about: eventId, since }
    }),
    [
      { title: 'finding', cell: row => row.finding },
      { title: 'what', cell: row => row.code },
      { title: 'tenant', cell: row => row.tenantId ?? '' },
      { title: 'log', cell: row => (row.year === null ? '' : String(row.year)) },
      { title: 'number', cell: row => (row.seq === null ? '' : String(row.seq)) },
      { title: 'about', cell: row => row.about ?? '' },
      { title: 'since', cell: row => formatTime(row.since) },
    ],
    'Nothing was found.',
  )
  if (round.open.length > 0) return 'found'
  return round.failed.length > 0 ? 'incomplete' : 'nothing'
}

/** Round after round until disposed; `/metrics`, `/healthz` and `/readyz` on `port`. */
export async function watch(
  options: MonitorOptions,
  {
    host,
    port,
    print,
  }: { readonly host: string; readonly port: number; readonly print: (text: string) => void },
): Promise<AsyncDisposable> {
  const { logger, times, config, signal } = options
  await disableCoreDumps({ pid: process.pid })
  await using opening = new AsyncDisposableStack()
  const opened = opening.use(await openMonitor(options))
  const metrics = createMetrics()
  let open = opened.open
  let wholeRoundAt: Date | null = null
  let failedChecks = 0
  metrics.gaugeMonitor(() => ({ findings: countByName(open), wholeRoundAt, failedChecks }))
  const notReady = async () => {
    if (wholeRoundAt === null || failedChecks > 0)
      throw Object.assign(new Error('not every check was made'), { code: 'incomplete' })
  }
  const health = createHealth({ checks: { round: notReady }, metrics })
  const listening = opening.use(
    await listen(
      (request, response) =>
        health(request, response, () => {
          response.statusCode = 404
          response.end()
        }),
      { host, port, graceMs: config.shutdownGraceMs, signal },
    ),
  )
  opening.use(
    startLoop(
      async running => {
        const round = await opened.monitor.round(running)
        open = round.open
        failedChecks = round.failed.length
        if (failedChecks === 0) wholeRoundAt = new Date()
        tell(logger, round)
      },
      { pauseMs: times.roundMs, onError: error => logger.error('A round failed', { error }) },
    ),
  )
  print(`Watching; metrics on ${listening.url}/metrics`)
  return opening.move()
}

function tell(logger: Logger, { fresh, failed }: Round): void {
  for (const { name, code, tenantId, eventId, year, seq } of fresh)
    logger.error('The log is not as it must be', { kind: name, code, tenantId, eventId, year, seq })
  for (const { check, error } of failed) logger.warn('A check could not be made', { part: check, error })
}

function countByName(open: readonly OpenFinding[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    findingNames.map(name => [name, open.filter(finding => finding.name === name).length]),
  )
}
