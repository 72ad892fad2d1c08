// The api service as a process of its own.
import { runProcess } from '@auricle/runtime'
import { createEventWriter } from '@auricle/vault'
import { startApi } from './service.ts'

await runProcess(
  'api',
  process,
  () => createEventWriter({ name: 'api' }),
  async (parts, options) => {
    // The worker has no door to be asked at; where it shares this process, it tells this itself.
    if (parts.recovery !== null) parts.metrics.gaugeReplication(() => parts.catalog.replicationBacklog())
    const listening = await startApi(parts, options)
    parts.logger.info('Listening', { host: listening.host, port: listening.port })
    return listening
  },
)
