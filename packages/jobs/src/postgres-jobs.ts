// The queue on PostgreSQL. It may forget: whoever enqueues must be able to enqueue again, and does so from a row.
import { randomUUID } from 'node:crypto'
import type { Job } from '@auricle/contract'
import {
  createPostgresBackend,
  type PgPool,
  type PostgresConnectionOptions,
  type PostgresQueueBackend,
  Queue,
} from 'bullmq'
import { createQueuePool, isOutage, type JobsConnection } from './connection.ts'
import { JobError } from './error.ts'
import type { JobQueue } from './queue.ts'
import { startPostgresWorkers, type WorkerOptions } from './workers.ts'

export interface PostgresJobsOptions {
  readonly connection: JobsConnection
  /** Default 5000. How long handing a job over, or any other call, may take. */
  readonly timeoutMs?: number | undefined
  /** Trouble that no call reports: a lost database (once for each outage), a lock that could not be renewed. */
  readonly onError: (error: unknown) => void
  /** The database answers again after an outage. */
  readonly onRecovered?: (() => void) | undefined
}

export interface PostgresJobs extends JobQueue {
  /** Takes jobs until disposed. See `WorkerOptions`. */
  startWorkers(options: WorkerOptions): Promise<AsyncDisposable>
}

export const queueName = 'auricle'
const defaultTimeoutMs = 5000
/** Failed jobs are kept only to be counted and looked at; what happens next is decided by the intake's row. */
const failedKeptSeconds = 7 * 24 * 60 * 60
const failedKeptMost = 1000
const eventsKeptMost = 1000
const jobId = /^(?!\d+$)[A-Za-z0-9_-]{1,128}$/

/**
 * Connects to a queue that `migrateJobs` has made. Throws `JobError`: `unavailable`, or `bad_schema` where it has not.
 * Dispose of workers first, then of this, then stop the database.
 */
export async function createPostgresJobs(options: PostgresJobsOptions): Promise<PostgresJobs> {
  const { timeoutMs = defaultTimeoutMs, onError, onRecovered } = options
  await using opening = new AsyncDisposableStack()
  const pool = createQueuePool(options.connection, { lost: onError, back: () => onRecovered?.() })
  opening.defer(() => pool.end())
  const queue = opening.adopt(openQueue(pool), opened => opened.close())
  queue.on('error', error => {
    if (!isOutage(error)) onError(error)
  })
  // BullMQ remembers a failed first attempt for ever, so a queue whose database is down must not be kept.
  await answered(queue.waitUntilReady(), timeoutMs)
  const open = opening.move()

  return {
    async enqueue(job, { jobId: id, signal }) {
      if (!jobId.test(id)) {
        throw new JobError('bad_job', 'A job id holds letters, digits, _ and -, and not digits alone')
      }
      await answered(addOnce(queue, job, id), timeoutMs, signal)
    },
    async counts() {
      const counted = await answered(queue.getJobCounts('waiting', 'active', 'delayed', 'failed'), timeoutMs)
      const { waiting = 0, active = 0, delayed = 0, failed = 0 } = counted
      return { waiting, active, delayed, failed }
    },
    startWorkers: workerOptions => startPostgresWorkers({ pool, queueName, onError }, workerOptions),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

type BullQueue = Queue<Job, void, string, Job, void, string, PostgresQueueBackend, PostgresConnectionOptions>

function openQueue(pool: PgPool): BullQueue {
  return new Queue(
    queueName,
    { connection: pool, streams: { events: { maxLen: eventsKeptMost } } },
    createPostgresBackend,
  )
}

/**
 * Deduplication is by BullMQ's deduplication key and not by its job id: the key goes when the job has ended in any
 * way, while a failed job that is kept would block its own id. One attempt: trying again is the intake row's to say.
 */
async function addOnce(queue: BullQueue, job: Job, id: string): Promise<void> {
  await queue.add(job.type, job, {
    jobId: `${id}-${randomUUID()}`,
    deduplication: { id },
    attempts: 1,
    removeOnComplete: true,
    removeOnFail: { age: failedKeptSeconds, count: failedKeptMost },
    stackTraceLimit: 0,
  })
}

/** Waits for the queue no longer than `timeoutMs`. Abort means: stop waiting; what was asked for may still happen. */
async function answered<Result>(
  call: Promise<Result>,
  timeoutMs: number,
  signal?: AbortSignal | undefined,
): Promise<Result> {
  const timeout = AbortSignal.timeout(timeoutMs)
  const given = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
  using listening = new DisposableStack()
  const ended = new Promise<never>((_resolve, reject) => {
    const end = () => reject(given.reason)
    if (given.aborted) end()
    given.addEventListener('abort', end)
    listening.defer(() => given.removeEventListener('abort', end))
  })
  try {
    return await Promise.race([call, ended])
  } catch (cause) {
    if (signal?.aborted === true && cause === signal.reason) throw cause
    if (cause instanceof Error && cause.name === 'SchemaMigrationRequiredError') {
      throw new JobError('bad_schema', 'The queue has no tables yet: the database must be migrated', {
        cause,
      })
    }
    if (cause instanceof Error && cause.name === 'SchemaVersionMismatchError') {
      throw new JobError('bad_schema', 'The queue was migrated by a newer version of Auricle', { cause })
    }
    throw new JobError('unavailable', 'The queue did not answer', { cause })
  }
}
