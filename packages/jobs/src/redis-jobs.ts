// The queue on Redis, which may be emptied or lost at any moment: whoever enqueued does so again, from a row.
import type { RedisSettings } from '@auricle/contract'
import { Queue, Worker } from 'bullmq'
import { defaultTimeoutMs, openBullJobs, queueName, queueSettings } from './bull-jobs.ts'
import type { Jobs, JobsOptions } from './jobs.ts'
import { createOutages } from './outage.ts'
import { isRedisOutage, openQueueClient, redisPrefix } from './redis-connection.ts'
import { inspectRedis } from './redis-inspect.ts'

export interface RedisJobsOptions extends JobsOptions {
  readonly connection: RedisSettings
}

/**
 * Connects to Redis. Throws `JobError('unavailable')` unless it answers within `timeoutMs`. Dispose of workers first,
 * then of this.
 */
export async function createRedisJobs(options: RedisJobsOptions): Promise<Jobs> {
  const { timeoutMs = defaultTimeoutMs, onError, onRecovered } = options
  await using opening = new AsyncDisposableStack()
  const outages = createOutages(isRedisOutage, { lost: onError, back: () => onRecovered?.() })
  const { client, lastError } = opening.use(openQueueClient(options.connection, outages))
  // The version is looked at by `inspect`; BullMQ would write its opinion of the server to the console.
  const settings = { connection: client, prefix: redisPrefix, skipVersionCheck: true }
  const queue = opening.adopt(new Queue(queueName, { ...queueSettings, ...settings }), opened =>
    opened.close(),
  )
  const jobs = await openBullJobs({
    queue,
    createWorker: (take, workerSettings) => new Worker(queueName, take, { ...workerSettings, ...settings }),
    isOutage: isRedisOutage,
    timeoutMs,
    onError,
    lastError,
    inspect: () => inspectRedis(client),
    close: () => open.disposeAsync(),
  })
  const open = opening.move()
  return jobs
}
