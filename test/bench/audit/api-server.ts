// The real API in a process of its own; told to, its events reach no database, and everything else is as ever.
import { startApi } from '@auricle/api-service'
import type { Catalog } from '@auricle/catalog'
import { createLogger, createMetrics, openAdapters, readConfig } from '@auricle/runtime'
import { createEventLog, createEventWriter } from '@auricle/vault'
import { serveParent } from '../system/child.ts'

/** What it says first. */
export interface ApiServer {
  readonly port: number
}

const isAppending = process.env['BENCH_APPEND'] === 'yes'
const { config, secrets } = readConfig(process.env)
const logger = createLogger({ ...config.log, level: 'error' })
const writer = createEventWriter({ name: 'bench', logName: config.logName })
const adapters = await openAdapters({ stamper: writer, config, secrets, logger, database: 'join' })
const { catalog, logStore } = adapters
const nowhere: Catalog = {
  ...catalog,
  async appendStamped(events) {
    for (const event of events) event.acknowledge()
  },
}
const log = createEventLog({ catalog: isAppending ? catalog : nowhere, writer, store: logStore })
const { signal } = new AbortController()
const listening = await startApi(
  { ...adapters, log, writer, config, logger, metrics: createMetrics() },
  { signal },
)

serveParent({ port: listening.port } satisfies ApiServer, () => Promise.resolve(null))
