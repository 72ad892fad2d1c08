// The api service as a process of its own.
import { type Config, eventLogHooks, logReceipts, runProcess } from '@auricle/runtime'
import { createEventLog, createEventWriter } from '@auricle/vault'
import { endorseOwnReceiptKey } from './endorse.ts'
import { startApi } from './service.ts'

const openWriter = ({ logName }: Config) => createEventWriter({ name: 'api', logName })

await runProcess('api', process, openWriter, async (parts, options) => {
  await using opening = new AsyncDisposableStack()
  // The worker has no door to be asked at; where it shares this process, it tells this itself.
  if (parts.recovery !== null) parts.metrics.gaugeReplication(() => parts.catalog.replicationBacklog())
  const log = opening.use(createEventLog({ ...parts, store: parts.logStore, ...eventLogHooks(parts) }))
  opening.use(logReceipts(parts))
  await endorseOwnReceiptKey(parts, options)
  const listening = opening.use(await startApi({ ...parts, log }, options))
  parts.logger.info('Listening', { host: listening.host, port: listening.port })
  return opening.move()
})
