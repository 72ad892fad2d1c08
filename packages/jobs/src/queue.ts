// Typed jobs over a queue that may forget: whoever enqueues must be able to enqueue again.
import type { Job } from '@auricle/contract'

export interface JobQueue extends AsyncDisposable {
  /**
   * Hands a job over within `timeoutMs` or throws `JobError('unavailable')`. `jobId` deduplicates while an earlier
   * one waits or runs; it holds no colon and is not all digits.
   */
  enqueue(
    job: Job,
    options: { readonly jobId: string; readonly signal?: AbortSignal | undefined },
  ): Promise<void>
  /** Jobs waiting, running, delayed and failed, for metrics and `doctor`. */
  counts(): Promise<{ waiting: number; active: number; delayed: number; failed: number }>
}

/** Does one job. May run twice at once and again after success: it must be idempotent. Throwing means retry. */
export type JobHandler = (job: Job, options: { readonly signal: AbortSignal }) => Promise<void>
