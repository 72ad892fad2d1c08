// The ingest service as a process of its own.
import { eventLogHooks, runProcess } from '@auricle/runtime'
import { createEventLog, createEventWriter } from '@auricle/vault'
import { startIngest } from './service.ts'

const openWriter = () => createEventWriter({ name: 'ingest' })

await runProcess('ingest', process, openWriter, async (parts, options) => {
  await using opening = new AsyncDisposableStack()
  const log = opening.use(createEventLog({ ...parts, store: parts.logStore, ...eventLogHooks(parts) }))
  const listening = opening.use(await startIngest({ ...parts, log }, options))
  parts.logger.info('Listening', { host: listening.host, port: listening.port })
  return opening.move()
})
