// The ingest service as a process of its own.
import { type Config, eventLogHooks, logReceipts, runProcess } from '@auricle/runtime'
import { createEventLog, createEventWriter } from '@auricle/vault'
import { startIngest } from './service.ts'

const openWriter = ({ logName }: Config) => createEventWriter({ name: 'ingest', logName })

await runProcess('ingest', process, openWriter, async (parts, options) => {
  await using opening = new AsyncDisposableStack()
  const log = opening.use(createEventLog({ ...parts, store: parts.logStore, ...eventLogHooks(parts) }))
  opening.use(logReceipts(parts))
  const listening = opening.use(await startIngest({ ...parts, log }, options))
  parts.logger.info('Listening', { host: listening.host, port: listening.port })
  return opening.move()
})
