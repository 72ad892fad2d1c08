// The queue as a service opens it: jobs in, workers, and a look at its state.
import type { Finding } from '@auricle/contract'
import type { JobQueue } from './queue.ts'
import type { WorkerOptions } from './workers.ts'

/** The same whatever holds the queue; `@auricle/jobs/conformance` says what that means. */
export interface Jobs extends JobQueue {
  /** Takes jobs until disposed. See `WorkerOptions`. Throws `JobError('unavailable')` where the queue is away. */
  startWorkers(options: WorkerOptions): Promise<AsyncDisposable>
  /** What is wrong with the server that holds the queue; one that does not answer is a finding, not an error. */
  inspect(options?: { readonly signal?: AbortSignal | undefined }): Promise<readonly Finding[]>
}

export interface JobsOptions {
  /** Default 5000. How long handing a job over, or any other call, may take. */
  readonly timeoutMs?: number | undefined
  /** Trouble that no call reports: a lost server (once for each outage), a lock that could not be renewed. */
  readonly onError: (error: unknown) => void
  /** The server answers again after an outage. */
  readonly onRecovered?: (() => void) | undefined
}
