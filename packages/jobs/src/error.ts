// Failures of the queue that a caller can tell apart.

export type JobErrorCode =
  /** The queue cannot be reached, or did not answer in time. The job may have been taken nonetheless. */
  | 'unavailable'
  /** The job or its id is not one of ours. */
  | 'bad_job'
  /** The queue's tables are missing, or of another version. */
  | 'bad_schema'

export class JobError extends Error {
  override readonly name = 'JobError'
  readonly code: JobErrorCode
  /** Whether the same call may succeed later. */
  readonly transient: boolean
  constructor(code: JobErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.transient = code === 'unavailable'
  }
}
