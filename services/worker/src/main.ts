// The worker service as a process of its own.
import {
  createLogger,
  createMetrics,
  disableCoreDumps,
  openAdapters,
  readConfig,
  runService,
} from '@auricle/runtime'
import { openAudioTool } from './audio-tool.ts'
import { startWorker } from './service.ts'

const { config, secrets } = readConfig(process.env)
const logger = createLogger(config.log).with({ service: 'worker' })
await disableCoreDumps(process)

await runService({ start, process, logger, shutdownGraceMs: config.shutdownGraceMs })

async function start({ signal }: { readonly signal: AbortSignal }): Promise<AsyncDisposable> {
  await using opening = new AsyncDisposableStack()
  const adapters = opening.use(await openAdapters({ config, secrets, logger, database: 'join', signal }))
  const jobs = await adapters.openJobs()
  const audio = await openAudioTool(config, logger)
  opening.use(
    await startWorker({ ...adapters, config, jobs, audio, logger, metrics: createMetrics() }, { signal }),
  )
  logger.info('Working', { concurrency: config.worker.concurrency })
  return opening.move()
}
