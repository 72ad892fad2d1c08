// Waits for a queue no longer than it may take: BullMQ and its drivers wait for ever for a server that never was there.
import { JobError } from './error.ts'

export interface AnswerOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** What the connection said last; the cause where there is no answer at all. */
  readonly lastError?: (() => unknown) | undefined
}

/** Abort means: stop waiting; what was asked for may still happen. */
export async function answered<Result>(call: Promise<Result>, options: AnswerOptions): Promise<Result> {
  const { timeoutMs, signal, lastError } = options
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
  } catch (thrown) {
    if (signal?.aborted === true && thrown === signal.reason) throw thrown
    const cause = thrown === timeout.reason ? (lastError?.() ?? thrown) : thrown
    throw schemaError(cause) ?? new JobError('unavailable', 'The queue did not answer', { cause })
  }
}

function schemaError(cause: unknown): JobError | null {
  const name = cause instanceof Error ? cause.name : ''
  if (name === 'SchemaMigrationRequiredError') {
    return new JobError('bad_schema', 'The queue has no tables yet: the database must be migrated', { cause })
  }
  if (name === 'SchemaVersionMismatchError') {
    return new JobError('bad_schema', 'The queue was migrated by a newer version of Auricle', { cause })
  }
  return null
}
