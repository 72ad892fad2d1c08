// The worker service as a process of its own.
import { refuseUnfit, runProcess } from '@auricle/runtime'
import { createEventWriter } from '@auricle/vault'
import { openAudioTool } from './audio-tool.ts'
import { startWorker } from './service.ts'

await runProcess(
  'worker',
  process,
  () => createEventWriter({ name: 'worker' }),
  async (parts, options) => {
    const jobs = await parts.openJobs()
    await refuseUnfit([{ name: 'queue', inspect: jobs.inspect }], { logger: parts.logger, ...options })
    const audio = await openAudioTool(parts.config, parts.logger)
    const worker = await startWorker({ ...parts, jobs, audio }, options)
    parts.logger.info('Working', { concurrency: parts.config.worker.concurrency })
    return worker
  },
)
