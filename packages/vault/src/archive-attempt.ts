// One attempt to archive, and what follows when it fails: later again, or quarantine. Never nothing.
import type { Catalog } from '@auricle/catalog'
import type { IntakeId, TenantId } from '@auricle/contract'
import { type ArchiveOutcome, type ArchiveParts, archive } from './archive.ts'
import { auditRecord } from './audit-record.ts'
import { errorCode } from './error.ts'

export interface AttemptParts extends ArchiveParts {
  readonly catalog: ArchiveParts['catalog'] & Pick<Catalog, 'commitArchiveFailure' | 'commitQuarantine'>
  readonly random?: () => number
}

export type AttemptOutcome =
  | ArchiveOutcome
  | { readonly status: 'retry' | 'quarantined'; readonly errorCode: string; readonly cause: unknown }

/** Attempts before a person has to look; with the delays below they span about ten hours. */
const attemptsMost = 12
const firstDelayMs = 5_000
const delayMostMs = 2 * 60 * 60_000

/** Failures that no second attempt can mend. */
const permanent: ReadonlySet<string> = new Set([
  'content_mismatch',
  'damaged',
  'empty_body',
  'fetch_refused',
  'malformed',
  'not_audio',
  'not_authentic',
  'too_large',
  'unknown_version',
  'wrong_context',
])

/**
 * Throws only what says nothing about this intake: an abort, or a database that cannot even record the failure.
 * Then the intake stays due and the sweeper brings it back.
 */
export async function attemptArchive(
  parts: AttemptParts,
  tenantId: TenantId,
  intakeId: IntakeId,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<AttemptOutcome> {
  try {
    return await archive(parts, tenantId, intakeId, { signal })
  } catch (cause) {
    signal?.throwIfAborted()
    const code = errorCode(cause)
    const intake = await parts.catalog.findIntake(tenantId, intakeId, { signal })
    if (intake === null || intake.state !== 'received') return { status: 'gone' }
    const giveUp = permanent.has(code) || intake.attempts + 1 >= attemptsMost
    if (!giveUp) {
      const nextAttemptAt = nextAttempt(parts, intake.attempts)
      await parts.catalog.commitArchiveFailure(
        { tenantId, intakeId, errorCode: code, nextAttemptAt },
        { signal },
      )
      return { status: 'retry', errorCode: code, cause }
    }
    const event = await auditRecord(
      {
        tenantId,
        action: 'recording.quarantined',
        outcome: 'failed',
        actor: { type: 'system', name: 'worker' },
        object: { type: 'recording', id: intake.recordingId, version: null },
        reasons: [code],
        request: null,
      },
      null,
    )
    await parts.catalog.commitQuarantine(tenantId, intakeId, code, event, { signal })
    return { status: 'quarantined', errorCode: code, cause }
  }
}

/** Exponential, with full jitter over the upper half so that a mass failure does not come back as one wave. */
function nextAttempt(parts: AttemptParts, attempts: number): Date {
  const delayMs = Math.min(firstDelayMs * 2 ** attempts, delayMostMs)
  const now = parts.now?.() ?? new Date()
  return new Date(now.getTime() + delayMs * (0.5 + (parts.random ?? Math.random)() / 2))
}
