// `auricle start`: ingest, api and worker in one process, on whatever the configuration names.

import { endorseOwnReceiptKey, startApi } from '@auricle/api-service'
import { startIngest } from '@auricle/ingest-service'
import {
  type Config,
  createMetrics,
  disableCoreDumps,
  eventLogHooks,
  type Logger,
  lockFolder,
  logReceipts,
  openAdapters,
  refuseUnfit,
  type Secrets,
} from '@auricle/runtime'
import { createEventLog, createEventWriter } from '@auricle/vault'
import { openAudioTool, startWorker } from '@auricle/worker-service'
import { banner } from '../demo/banner.ts'
import { type Access, makeDemo } from '../demo/demo.ts'
import { createOperator } from '../operator.ts'

export interface StartOptions {
  readonly config: Config
  readonly secrets: Secrets
  readonly logger: Logger
  /** Make a demo tenant and deliver the sample recordings where there is no tenant at all. */
  readonly demo: boolean
  readonly print: (text: string) => void
  readonly signal: AbortSignal
}

export async function start(options: StartOptions): Promise<AsyncDisposable> {
  const { config, secrets, logger, signal, print } = options
  await disableCoreDumps({ pid: process.pid })
  await using opening = new AsyncDisposableStack()
  opening.use(await lockFolder(config.dataFolder))
  print(`Auricle is starting on ${config.dataFolder}`)
  const writer = createEventWriter({ name: 'auricle', logName: config.logName })
  const opened = { config, secrets, logger, stamper: writer, database: 'start', signal } as const
  const adapters = opening.use(await openAdapters(opened))
  const jobs = await adapters.openJobs()
  const inspected = [...adapters.inspected, { name: 'queue', inspect: jobs.inspect }]
  await refuseUnfit(inspected, { logger, signal })
  const metrics = createMetrics()
  const hooks = eventLogHooks({ logger, metrics })
  const log = opening.use(createEventLog({ ...adapters, writer, store: adapters.logStore, ...hooks }))
  opening.use(logReceipts({ writer, logger }))
  await endorseOwnReceiptKey({ ...adapters, config, writer, logger }, { signal })
  metrics.gaugeQueue(async () => ({ ...(await jobs.counts()) }))
  const audio = await openAudioTool(config, logger)
  const parts = { ...adapters, config, log, writer, jobs, audio, metrics }
  opening.use(await startWorker({ ...parts, logger: logger.with({ service: 'worker' }) }, { signal }))
  const api = opening.use(await startApi({ ...parts, logger: logger.with({ service: 'api' }) }, { signal }))
  const ingest = opening.use(
    await startIngest({ ...parts, logger: logger.with({ service: 'ingest' }) }, { signal }),
  )

  const urls = { ingest: config.ingest.publicUrl ?? ingest.url, api: config.api.publicUrl ?? api.url }
  const operator = createOperator({ ...adapters, log, config: listeningConfig(config, urls), signal })
  const access: Access | null = options.demo ? await makeDemo(operator, { urls, print }) : null
  print(banner({ urls, access, config, hasAudioTool: audio !== null }))
  return opening.move()
}

function listeningConfig(config: Config, urls: { readonly ingest: string; readonly api: string }): Config {
  return {
    ...config,
    ingest: { ...config.ingest, publicUrl: urls.ingest },
    api: { ...config.api, publicUrl: urls.api },
  }
}
