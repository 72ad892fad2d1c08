// The api service as a process of its own.
import {
  createLogger,
  createMetrics,
  disableCoreDumps,
  openAdapters,
  readConfig,
  runService,
} from '@auricle/runtime'
import { startApi } from './service.ts'

const { config, secrets } = readConfig(process.env)
const logger = createLogger(config.log).with({ service: 'api' })
await disableCoreDumps(process)

await runService({ start, process, logger, shutdownGraceMs: config.shutdownGraceMs })

async function start({ signal }: { readonly signal: AbortSignal }): Promise<AsyncDisposable> {
  await using opening = new AsyncDisposableStack()
  const adapters = opening.use(await openAdapters({ config, secrets, logger, database: 'join', signal }))
  const listening = opening.use(
    await startApi({ ...adapters, config, logger, metrics: createMetrics() }, { signal }),
  )
  logger.info('Listening', { host: listening.host, port: listening.port })
  return opening.move()
}
