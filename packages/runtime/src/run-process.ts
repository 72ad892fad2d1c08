// A service as a process of its own: configuration read, core dumps off, adapters opened, one thing started on them.
import { type Adapters, type OpenAdapters, openAdapters } from './adapters/adapters.ts'
import { refuseUnfit } from './adapters/fitness.ts'
import { type Config, readConfig } from './config.ts'
import { disableCoreDumps } from './core-dumps.ts'
import { RuntimeError } from './error.ts'
import { createLogger, type Logger } from './logger.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { type ProcessHandle, runService } from './run-service.ts'

type Stamper = OpenAdapters['stamper']

export interface ServiceParts<Writer extends Stamper> extends Omit<Adapters, typeof Symbol.asyncDispose> {
  readonly config: Config
  readonly logger: Logger
  readonly metrics: Metrics
  /** Who numbers the events of this process. */
  readonly writer: Writer
}

/** `main.ts` hands its `process` over; nothing else touches it. */
export type MainProcess = ProcessHandle & Pick<NodeJS.Process, 'env' | 'pid' | 'stderr'>

const failureExitCode = 1

/**
 * Runs until told to stop, as `runService` does. The adapters are closed after what `start` returned. A configuration
 * that is wrong is said in its own sentences, without a stack, and the exit code is 1.
 */
export async function runProcess<Writer extends Stamper>(
  service: string,
  host: MainProcess,
  openWriter: (config: Config) => Writer,
  start: (parts: ServiceParts<Writer>, options: { readonly signal: AbortSignal }) => Promise<AsyncDisposable>,
): Promise<void> {
  const settings = readSettings(host)
  if (settings === null) return
  const { config, secrets } = settings
  const logger = createLogger(config.log).with({ service })
  await disableCoreDumps(host)
  await runService({
    process: host,
    logger,
    shutdownGraceMs: config.shutdownGraceMs,
    start: async ({ signal }) => {
      await using opening = new AsyncDisposableStack()
      const writer = openWriter(config)
      const options = { config, secrets, logger, stamper: writer, database: 'join', signal } as const
      const adapters = opening.use(await openAdapters(options))
      await refuseUnfit(adapters.inspected, { logger, signal })
      opening.use(await start({ ...adapters, config, logger, metrics: createMetrics(), writer }, { signal }))
      return opening.move()
    },
  })
}

function readSettings(host: MainProcess): ReturnType<typeof readConfig> | null {
  try {
    return readConfig(host.env)
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error
    host.stderr.write(`auricle: ${error.message}\n`)
    host.exitCode = failureExitCode
    return null
  }
}
