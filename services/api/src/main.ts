// The api service as a process of its own.
import { eventLogHooks, runProcess } from '@auricle/runtime'
import { createEventLog, createEventWriter } from '@auricle/vault'
import { startApi } from './service.ts'

const openWriter = () => createEventWriter({ name: 'api' })

await runProcess('api', process, openWriter, async (parts, options) => {
  await using opening = new AsyncDisposableStack()
  // The worker has no door to be asked at; where it shares this process, it tells this itself.
  if (parts.recovery !== null) parts.metrics.gaugeReplication(() => parts.catalog.replicationBacklog())
  const log = opening.use(createEventLog({ ...parts, store: parts.logStore, ...eventLogHooks(parts) }))
  const listening = opening.use(await startApi({ ...parts, log }, options))
  parts.logger.info('Listening', { host: listening.host, port: listening.port })
  return opening.move()
})
