// One archive job: an attempt, and what the log and the metrics say of it.
import type { Job } from '@auricle/contract'
import { type AttemptOutcome, type AttemptParts, attemptArchive } from '@auricle/vault'

export interface ArchiveObserver {
  attempted(outcome: AttemptOutcome, job: Job, durationMs: number): void
}

export function archiveJob(parts: AttemptParts, observer: ArchiveObserver) {
  return async (job: Job, { signal }: { readonly signal: AbortSignal }): Promise<void> => {
    const startedMs = performance.now()
    const outcome = await attemptArchive(parts, job.tenantId, job.intakeId, { signal })
    observer.attempted(outcome, job, performance.now() - startedMs)
  }
}
