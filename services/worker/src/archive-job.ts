// One archive job: an attempt, and what the log and the metrics say of it.
import type { Job } from '@auricle/contract'
import { type AttemptOutcome, type AttemptParts, attemptArchive } from '@auricle/vault'

export type ArchiveJob = Extract<Job, { type: 'archive' }>

export interface ArchiveObserver {
  /** What it throws fails the job, although the attempt stands. */
  attempted(outcome: AttemptOutcome, job: ArchiveJob, durationMs: number): Promise<void> | void
}

export function archiveJob(parts: AttemptParts, observer: ArchiveObserver) {
  return async (job: ArchiveJob, { signal }: { readonly signal: AbortSignal }): Promise<void> => {
    const startedMs = performance.now()
    const outcome = await attemptArchive(parts, job.tenantId, job.intakeId, { signal })
    await observer.attempted(outcome, job, performance.now() - startedMs)
  }
}
