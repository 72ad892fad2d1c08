// Takes jobs from the queue and hands them to their handler, through kills, restarts and outages of what holds the queue.
import { Job } from '@auricle/contract'
import { type Job as BullJob, UnrecoverableError, WaitingError } from 'bullmq'
import { answered } from './answered.ts'
import { JobError } from './error.ts'
import type { JobHandler } from './queue.ts'

/**
 * `handler`: it threw. `abandoned`: the processes that ran the job ended in the middle of it, more often than chance
 * explains. `unreadable`: what the queue holds is no job of ours.
 */
export interface JobFailure {
  readonly reason: 'handler' | 'abandoned' | 'unreadable'
  /** Null where it is unreadable. */
  readonly job: Job | null
  readonly error: unknown
}

export interface WorkerOptions {
  readonly handler: JobHandler
  /** Jobs at a time in this process, 1 or more. */
  readonly concurrency: number
  /** Aborts running handlers; their jobs go back to the queue. Disposing alone lets them finish. */
  readonly signal?: AbortSignal | undefined
  /**
   * A job ended without success and leaves the queue; whoever keeps the row decides what becomes of it. What it
   * throws is reported as an error and changes nothing.
   */
  readonly onFailure: (failure: JobFailure) => Promise<void> | void
  readonly timing?: Partial<WorkerTiming> | undefined
}

/**
 * A job whose process dies runs again after at most `lockMs` + 2 * `stalledCheckMs`: 35 seconds. Locks are renewed
 * every half of their time, so an event loop may be blocked for 7 seconds before a healthy job is taken away.
 */
export interface WorkerTiming {
  /** Default 15000. How long a job belongs to a worker that no longer says so. */
  readonly lockMs: number
  /** Default 10000. How often anybody looks for jobs whose worker is gone; each is seen twice before it moves. */
  readonly stalledCheckMs: number
  /** Default 1000. Pause before the server that holds the queue is tried again. */
  readonly retryMs: number
}

const defaultTiming: WorkerTiming = { lockMs: 15_000, stalledCheckMs: 10_000, retryMs: 1000 }
/** Restarts are routine, so one or two mean nothing; a job that outlives this many of its processes may be the cause. */
const abandonedMost = 3
/** What BullMQ fails such a job with (0002_functions.sql and moveStalledJobsToWait-9.lua, 6.7). */
const abandonedMessage = 'job stalled more than allowable limit'
/** New jobs are announced; this is how long a lost announcement can delay one. */
const pollSeconds = 5

/** What BullMQ calls with each job. It gives a signal only to a function that declares three parameters (6.7). */
export type TakeJob = (
  job: BullJob<unknown, void>,
  token: string | undefined,
  lost: AbortSignal | undefined,
) => Promise<void>

/** What a worker is told, whatever its queue is kept in. */
export interface WorkerSettings {
  readonly concurrency: number
  readonly lockDuration: number
  readonly stalledInterval: number
  readonly maxStalledCount: number
  readonly runRetryDelay: number
  readonly drainDelay: number
}

/** BullMQ's worker, whatever its queue is kept in. */
export interface BullWorker {
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'lockRenewalFailed', listener: (jobIds: string[]) => void): unknown
  on(event: 'failed', listener: (job: BullJob<unknown, void> | undefined, error: Error) => void): unknown
  cancelJob(jobId: string, reason?: string): boolean
  waitUntilReady(): Promise<void>
  close(force?: boolean): Promise<void>
}

export interface WorkerParts {
  readonly createWorker: (take: TakeJob, settings: WorkerSettings) => BullWorker
  readonly timeoutMs: number
  readonly lastError?: (() => unknown) | undefined
  readonly onError: (error: unknown) => void
}

/** Disposing stops taking jobs and waits for those that run. */
export async function startWorkers(parts: WorkerParts, options: WorkerOptions): Promise<AsyncDisposable> {
  const { onError } = parts
  const { handler, concurrency, signal, onFailure } = options
  const timing = { ...defaultTiming, ...options.timing }
  const reports = new Set<Promise<void>>()

  const worker = parts.createWorker(
    async (bullJob, token, lost) => {
      const stop = AbortSignal.any([signal, lost].filter(given => given !== undefined))
      await runJob(bullJob, handler, stop, { token, isStopping: () => signal?.aborted === true })
    },
    {
      concurrency,
      lockDuration: timing.lockMs,
      stalledInterval: timing.stalledCheckMs,
      maxStalledCount: abandonedMost,
      runRetryDelay: timing.retryMs,
      drainDelay: pollSeconds,
    },
  )
  worker.on('error', onError)
  // Whoever lost a job's lock must stop: somebody else may run it already.
  worker.on('lockRenewalFailed', jobIds => {
    for (const id of jobIds) worker.cancelJob(id, 'lost')
  })
  worker.on('failed', (bullJob, error) => {
    const failure = toFailure(bullJob, error)
    if (failure === null) {
      onError(error)
      return
    }
    const report = Promise.resolve(failure)
      .then(onFailure)
      .catch(onError)
      .finally(() => reports.delete(report))
    reports.add(report)
  })
  try {
    await answered(worker.waitUntilReady(), parts)
  } catch (error) {
    await worker.close(true)
    throw error
  }

  return {
    async [Symbol.asyncDispose]() {
      await worker.close()
      await Promise.all(reports)
    },
  }
}

interface Run {
  readonly token: string | undefined
  readonly isStopping: () => boolean
}

/** Why a run ended, for `failed`, which gets the error object that the processor threw. */
class FailedRun extends UnrecoverableError {
  readonly failure: JobFailure
  constructor(failure: JobFailure) {
    // The queue stores this text in clear.
    super(failure.reason)
    this.failure = failure
  }
}

async function runJob(bullJob: BullJob<unknown, void>, handler: JobHandler, signal: AbortSignal, run: Run) {
  const parsed = Job.safeParse(bullJob.data)
  if (!parsed.success) {
    const error = new JobError('bad_job', 'The queue holds something that is no job of ours')
    throw new FailedRun({ reason: 'unreadable', job: null, error })
  }
  try {
    signal.throwIfAborted()
    await handler(parsed.data, { signal })
  } catch (error) {
    if (run.isStopping()) {
      await bullJob.moveToWait(run.token)
      throw new WaitingError()
    }
    throw new FailedRun({ reason: 'handler', job: parsed.data, error })
  }
}

/** Null where the run itself did not fail, but what BullMQ did after it. */
function toFailure(bullJob: BullJob<unknown, void> | undefined, error: Error): JobFailure | null {
  if (error instanceof FailedRun) return error.failure
  if (error.message !== abandonedMessage) return null
  const parsed = Job.safeParse(bullJob?.data)
  return { reason: 'abandoned', job: parsed.success ? parsed.data : null, error }
}
