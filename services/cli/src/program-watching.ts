// The commands that watch a vault from outside its administrators' reach: the witness, and the monitor.
import { join } from 'node:path'
import {
  type Config,
  describeError,
  type Logger,
  type ProcessHandle,
  runService,
  type Secrets,
} from '@auricle/runtime'
import { monitorTimes } from '@auricle/vault'
import { type Command, InvalidArgumentError } from 'commander'
import { type MonitorOptions, watch, watchOnce } from './commands/monitor.ts'
import { runWitness } from './commands/witness.ts'
import { UsageError } from './error.ts'
import type { Output } from './output.ts'

export interface WatchingRunners {
  readonly context: () => {
    readonly config: Config
    readonly secrets: Secrets
    readonly logger: Logger
  }
  readonly output: () => Output
  readonly signal: AbortSignal
  readonly process: ProcessHandle
}

const witnessPortDefault = 8483
const monitorPortDefault = 8484
/** Of `monitor --once`: something was found; not everything could be looked at. */
const exitCodes = { nothing: 0, found: 1, incomplete: 3 } as const
const portMost = 65_535

export function addWatching(program: Command, runners: WatchingRunners): void {
  addWitness(program, runners)
  addMonitor(program, runners)
}

function addWitness(program: Command, runners: WatchingRunners): void {
  const gather = (value: string, before: readonly string[]) => [...before, value]
  program
    .command('witness')
    .description('cosign checkpoints of a log, away from those who run it (docs/witness.md)')
    .option('--name <name>', 'what the witness is called, such as witness.example.org; for its first start')
    .option('--log <key>', 'verifier key of a log to cosign; may be repeated', gather, [])
    .option('--logs <file>', 'a file with such a key a line')
    .option('--state <folder>', 'where its key and what it cosigned are kept; default: in the data folder')
    .option('--port <port>', 'port to listen on', port, witnessPortDefault)
    .action(options => {
      const { config, logger } = runners.context()
      return serve(runners, config, logger, signal =>
        runWitness({
          folder: options.state ?? join(config.dataFolder, 'witness'),
          name: options.name ?? null,
          logs: options.log,
          logsFile: options.logs ?? null,
          host: config.ingest.host,
          port: options.port,
          shutdownGraceMs: config.shutdownGraceMs,
          logger,
          print,
          signal,
        }),
      )
    })
}

function addMonitor(program: Command, runners: WatchingRunners): void {
  const gather = (value: string, before: readonly string[]) => [...before, value]
  program
    .command('monitor')
    .description('hold the log against what is published of it, all the time (docs/monitor.md)')
    .option('--anchor-key <key>', 'verifier key of the log over all logs; may be repeated', gather, [])
    .option(
      '--key-uses <path>',
      'file or folder of key uses: of a keyring, or exported from Cloud Audit Logs',
    )
    .option('--receipts <path>', 'file or folder of log lines that hold receipts')
    .option('--state <folder>', 'where it keeps what it has seen; default: in the data folder')
    .option('--port <port>', 'port of its metrics', port, monitorPortDefault)
    .option('--round <ms>', 'from one round to the next, in milliseconds', wholeNumber, monitorTimes.roundMs)
    .option(
      '--once',
      'one round, and an exit code: 0 nothing, 1 found, 3 could not look at everything',
      false,
    )
    .action(async options => {
      const { config, secrets, logger } = runners.context()
      const asked: Omit<MonitorOptions, 'signal'> = {
        config,
        secrets,
        logger,
        folder: options.state ?? join(config.dataFolder, 'monitor'),
        anchorKeys: options.anchorKey,
        keyUses: options.keyUses ?? null,
        receipts: options.receipts ?? null,
        times: { ...monitorTimes, roundMs: options.round },
      }
      if (options.once) {
        runners.process.exitCode =
          exitCodes[await watchOnce({ ...asked, signal: runners.signal }, runners.output())]
        return
      }
      await serve(runners, config, logger, signal =>
        watch({ ...asked, signal }, { host: config.ingest.host, port: options.port, print }),
      )
    })
}

const print = (text: string) => globalThis.process.stdout.write(`${text}\n`)

/** Until it is told to stop. What a person has to mend is told in its sentence, with the exit code of a usage error. */
async function serve(
  { process: host }: WatchingRunners,
  { shutdownGraceMs }: Pick<Config, 'shutdownGraceMs'>,
  logger: Logger,
  start: (signal: AbortSignal) => Promise<AsyncDisposable>,
): Promise<void> {
  let usage: UsageError | null = null
  await runService({
    start: ({ signal }) => start(signal),
    process: host,
    logger,
    shutdownGraceMs,
    report: (message, error) => {
      if (error instanceof UsageError) usage = error
      else {
        const { message: sentence } = describeError(error)
        if (sentence === null) logger.error(message, { error })
        else globalThis.process.stderr.write(`auricle: ${sentence}\n`)
      }
    },
  })
  if (usage !== null) throw usage
}

function port(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0 || value > portMost)
    throw new InvalidArgumentError('a port from 0 to 65535 is needed')
  return value
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('a whole number from 1 is needed')
  return value
}
