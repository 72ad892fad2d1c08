// The api service as a process of its own.
import { runProcess } from '@auricle/runtime'
import { startApi } from './service.ts'

await runProcess('api', process, async (parts, options) => {
  const listening = await startApi(parts, options)
  parts.logger.info('Listening', { host: listening.host, port: listening.port })
  return listening
})
