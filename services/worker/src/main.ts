// The worker service as a process of its own.
import { type Config, eventLogHooks, logReceipts, refuseUnfit, runProcess } from '@auricle/runtime'
import { createEventLog, createEventWriter } from '@auricle/vault'
import { openAudioTool } from './audio-tool.ts'
import { startWorker } from './service.ts'

const openWriter = ({ logName }: Config) => createEventWriter({ name: 'worker', logName })

await runProcess('worker', process, openWriter, async (parts, options) => {
  await using opening = new AsyncDisposableStack()
  const jobs = await parts.openJobs()
  await refuseUnfit([{ name: 'queue', inspect: jobs.inspect }], { logger: parts.logger, ...options })
  const audio = await openAudioTool(parts.config, parts.logger)
  const log = opening.use(createEventLog({ ...parts, store: parts.logStore, ...eventLogHooks(parts) }))
  opening.use(logReceipts(parts))
  opening.use(await startWorker({ ...parts, log, jobs, audio }, options))
  parts.logger.info('Working', { concurrency: parts.config.worker.concurrency })
  return opening.move()
})
