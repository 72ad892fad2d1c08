// The real API in a process of its own, with an object store that counts what is read from it.

import { startApi } from '@auricle/api-service'
import type { ObjectStore } from '@auricle/objects'
import { createLogger, createMetrics, openAdapters, readConfig } from '@auricle/runtime'
import { createEventLog, createEventWriter } from '@auricle/vault'
import { serveParent } from '../system/child.ts'

/** What was read since the question before. */
export interface ReadCounts {
  readonly bytes: number
  readonly reads: number
}

const { config, secrets } = readConfig(process.env)
const logger = createLogger({ ...config.log, level: 'error' })
const { signal } = new AbortController()
const writer = createEventWriter({ name: 'bench' })
const adapters = await openAdapters({
  stamper: writer,
  config,
  secrets,
  logger,
  database: 'join',
  signal,
})
const log = createEventLog({ ...adapters, writer, store: adapters.logStore })

let bytes = 0
let reads = 0
const counting: Pick<ObjectStore, 'read'> = {
  async *read(key, range, options) {
    reads++
    for await (const piece of adapters.objects.read(key, range, options)) {
      bytes += piece.length
      yield piece
    }
  },
}
const listening = await startApi(
  { ...adapters, log, writer, objects: counting, config, logger, metrics: createMetrics() },
  { signal },
)

serveParent(listening.port, async (): Promise<ReadCounts> => {
  const counts = { bytes, reads }
  bytes = 0
  reads = 0
  return counts
})
