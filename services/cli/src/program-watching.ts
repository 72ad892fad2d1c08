// The commands that watch a vault from outside its administrators' reach: the witness, and the monitor.
import { join } from 'node:path'
import { type Config, describeError, type Logger, type ProcessHandle, runService } from '@auricle/runtime'
import { type Command, InvalidArgumentError } from 'commander'
import { runWitness } from './commands/witness.ts'
import { UsageError } from './error.ts'

export interface WatchingRunners {
  readonly context: () => { readonly config: Config; readonly logger: Logger }
  readonly process: ProcessHandle
}

const witnessPortDefault = 8483
const portMost = 65_535

export function addWatching(program: Command, runners: WatchingRunners): void {
  addWitness(program, runners)
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
