// One attempt to archive, and what follows when it fails: later again, or quarantine. Never nothing.
import type { Catalog } from '@auricle/catalog'
import type { IntakeId, TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
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
const permanent: ReadonlySet<string> = new Set(['empty_body', 'fetch_refused', 'not_audio', 'too_large'])

/**
 * What damage looks like. A byte that changed on its way from the store looks the same as one that changed in it, and
 * is right when it is read again; so damage is believed after this many attempts, if it was found in the last two.
 */
const damage: ReadonlySet<string> = new Set([
  'content_mismatch',
  'damaged',
  'malformed',
  'not_authentic',
  'unknown_version',
  'wrong_context',
])
const damagedAttemptsMost = 5

/**
 * Throws only what says nothing about this intake: an abort, or a database that cannot even record the failure.
 * Then the intake stays due and the sweeper brings it back.
 */
export async function attemptArchive(
  parts: AttemptParts,
  tenantId: TenantId,
  intakeId: IntakeId,
  { signal }: CallOptions,
): Promise<AttemptOutcome> {
  try {
    return await archive(parts, tenantId, intakeId, { signal })
  } catch (cause) {
    signal?.throwIfAborted()
    return failAttempt(parts, { tenantId, intakeId, errorCode: errorCode(cause), cause }, { signal })
  }
}

export interface FailedAttempt {
  readonly tenantId: TenantId
  readonly intakeId: IntakeId
  readonly errorCode: string
  readonly cause: unknown
}

/** Records that an attempt failed; also for one whose process died, which can record nothing itself. */
export async function failAttempt(
  parts: Pick<AttemptParts, 'catalog' | 'now' | 'random'>,
  { tenantId, intakeId, errorCode: code, cause }: FailedAttempt,
  options: CallOptions,
): Promise<AttemptOutcome> {
  const intake = await parts.catalog.findIntake(tenantId, intakeId, options)
  if (intake === null || intake.state !== 'received') return { status: 'gone' }
  if (intake.attempts + 1 < attemptsFor(code, cause, intake.lastErrorCode)) {
    const nextAttemptAt = nextAttempt(parts, intake.attempts)
    await parts.catalog.commitArchiveFailure({ tenantId, intakeId, errorCode: code, nextAttemptAt }, options)
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
  await parts.catalog.commitQuarantine(tenantId, intakeId, code, event, options)
  return { status: 'quarantined', errorCode: code, cause }
}

function attemptsFor(code: string, cause: unknown, lastCode: string | null): number {
  if (isTransient(cause)) return attemptsMost
  if (permanent.has(code)) return 1
  return damage.has(code) && damage.has(lastCode ?? '') ? damagedAttemptsMost : attemptsMost
}

function isTransient(cause: unknown): boolean {
  return cause instanceof Error && 'transient' in cause && cause.transient === true
}

/** Exponential, with full jitter over the upper half so that a mass failure does not come back as one wave. */
export function nextAttempt(parts: Pick<AttemptParts, 'now' | 'random'>, attempts: number): Date {
  const delayMs = Math.min(firstDelayMs * 2 ** attempts, delayMostMs)
  const now = parts.now?.() ?? new Date()
  return new Date(now.getTime() + delayMs * (0.5 + (parts.random ?? Math.random)() / 2))
}
