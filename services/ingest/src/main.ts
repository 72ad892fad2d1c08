// The ingest service as a process of its own.
import { runProcess } from '@auricle/runtime'
import { createEventWriter } from '@auricle/vault'
import { startIngest } from './service.ts'

await runProcess(
  'ingest',
  process,
  () => createEventWriter({ name: 'ingest' }),
  async (parts, options) => {
    const listening = await startIngest(parts, options)
    parts.logger.info('Listening', { host: listening.host, port: listening.port })
    return listening
  },
)
