// The queue on PostgreSQL. It may forget: whoever enqueues must be able to enqueue again, and does so from a row.
import { createPostgresBackend, type PgPool, Queue, Worker } from 'bullmq'
import { defaultTimeoutMs, openBullJobs, queueName, queueSettings } from './bull-jobs.ts'
import type { Jobs, JobsOptions } from './jobs.ts'
import { createQueuePool, isPostgresOutage, type JobsConnection } from './postgres-connection.ts'
import { inspectPostgres } from './postgres-inspect.ts'

export interface PostgresJobsOptions extends JobsOptions {
  readonly connection: JobsConnection
}

/**
 * Connects to a queue that `migrateJobs` has made. Throws `JobError`: `unavailable`, or `bad_schema` where it has not.
 * Dispose of workers first, then of this, then stop the database.
 */
export async function createPostgresJobs(options: PostgresJobsOptions): Promise<Jobs> {
  const { timeoutMs = defaultTimeoutMs, onError, onRecovered } = options
  await using opening = new AsyncDisposableStack()
  const pool = createQueuePool(options.connection, { lost: onError, back: () => onRecovered?.() })
  opening.defer(() => pool.end())
  const queue = opening.adopt(openQueue(pool), opened => opened.close())
  const jobs = await openBullJobs({
    queue,
    createWorker: (take, settings) =>
      new Worker(queueName, take, { ...settings, connection: pool }, createPostgresBackend),
    isOutage: isPostgresOutage,
    timeoutMs,
    onError,
    inspect: () => inspectPostgres(pool),
    close: () => open.disposeAsync(),
  })
  const open = opening.move()
  return jobs
}

function openQueue(pool: PgPool) {
  return new Queue(queueName, { ...queueSettings, connection: pool }, createPostgresBackend)
}
