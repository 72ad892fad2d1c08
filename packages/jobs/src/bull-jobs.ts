// What both queues share: how a job is handed over, counted and taken. Where it is kept is the backend's to say.
import { randomUUID } from 'node:crypto'
import type { Finding, Job } from '@auricle/contract'
import type { JobsOptions as BullJobsOptions } from 'bullmq'
import { answered } from './answered.ts'
import { JobError } from './error.ts'
import type { Jobs } from './jobs.ts'
import { type BullWorker, startWorkers, type TakeJob, type WorkerSettings } from './workers.ts'

export const queueName = 'auricle'
export const defaultTimeoutMs = 5000
/** Failed jobs are kept only to be counted and looked at; what happens next is decided by the intake's row. */
const failedKeptSeconds = 7 * 24 * 60 * 60
const failedKeptMost = 1000
const eventsKeptMost = 1000
const jobId = /^(?!\d+$)[A-Za-z0-9_-]{1,128}$/

/** Of BullMQ's events only the newest, which nobody reads but somebody who looks for a fault. */
export const queueSettings = { streams: { events: { maxLen: eventsKeptMost } } }

/** BullMQ's queue, whatever it is kept in. */
interface BullQueue {
  waitUntilReady(): Promise<void>
  add(name: string, data: Job, options: BullJobsOptions): Promise<unknown>
  getJobCounts(...states: ('waiting' | 'active' | 'delayed' | 'failed')[]): Promise<Record<string, number>>
  on(event: 'error', listener: (error: Error) => void): unknown
}

export interface BullJobsParts {
  readonly queue: BullQueue
  readonly createWorker: (take: TakeJob, settings: WorkerSettings) => BullWorker
  readonly isOutage: (error: unknown) => boolean
  readonly timeoutMs: number
  readonly onError: (error: unknown) => void
  /** What the connection said last. */
  readonly lastError?: (() => unknown) | undefined
  readonly inspect: () => Promise<readonly Finding[]>
  readonly close: () => Promise<void>
}

/** Throws `JobError` unless the queue answers in time: BullMQ would remember a failed first attempt for ever. */
export async function openBullJobs(parts: BullJobsParts): Promise<Jobs> {
  const { queue, timeoutMs, lastError } = parts
  const onError = (error: unknown) => {
    if (!parts.isOutage(error)) parts.onError(error)
  }
  queue.on('error', onError)
  await answered(queue.waitUntilReady(), { timeoutMs, lastError })
  const counts = async () => {
    const counted = await answered(queue.getJobCounts('waiting', 'active', 'delayed', 'failed'), {
      timeoutMs,
      lastError,
    })
    const { waiting = 0, active = 0, delayed = 0, failed = 0 } = counted
    return { waiting, active, delayed, failed }
  }

  return {
    async enqueue(job, { jobId: id, signal }) {
      if (!jobId.test(id)) {
        throw new JobError('bad_job', 'A job id holds letters, digits, _ and -, and not digits alone')
      }
      signal?.throwIfAborted()
      await answered(addOnce(queue, job, id), { timeoutMs, signal, lastError })
    },
    counts,
    startWorkers: options => startWorkers({ ...parts, onError }, options),
    async inspect({ signal } = {}) {
      try {
        const [{ waiting, active, failed }, findings] = await Promise.all([
          counts(),
          answered(parts.inspect(), { timeoutMs, signal, lastError }),
        ])
        const found = `${waiting} jobs wait, ${active} run, ${failed} failed in the last week`
        return [{ name: 'queue', state: 'ok', found, mend: null }, ...findings]
      } catch (error) {
        if (!(error instanceof JobError)) throw error
        const mend = 'Start the server that holds the queue, or correct its address and password.'
        return [{ name: 'queue', state: 'away', found: `${error.message}.`, mend }]
      }
    },
    [Symbol.asyncDispose]: () => parts.close(),
  }
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
