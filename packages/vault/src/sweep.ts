// Brings back what the queue forgot and removes what no delivery ever claimed. Safe to run in every worker at once.
import type { Catalog } from '@auricle/catalog'
import type { IntakeId, RecordingId, TenantId } from '@auricle/contract'
import type { JobQueue } from '@auricle/jobs'
import type { ObjectStore } from '@auricle/objects'
import type { CallOptions } from '@auricle/sealed'
import { intakePrefix, parseIntakeKey } from './object-key.ts'

const batch = 200

export interface RelayParts {
  readonly catalog: Pick<Catalog, 'drainOutbox'>
  readonly jobs: Pick<JobQueue, 'enqueue'>
}

/**
 * Hands committed deliveries to the queue. A row leaves the outbox only after its job is in the queue; killed
 * between the two, the job is enqueued twice under one id and done once.
 */
export async function relayOutbox({ catalog, jobs }: RelayParts, { signal }: CallOptions): Promise<number> {
  let total = 0
  for (;;) {
    const taken = await catalog.drainOutbox(
      batch,
      async rows => {
        for (const { tenantId, intakeId } of rows) {
          await enqueueArchive(jobs, tenantId, intakeId, signal)
        }
      },
      { signal },
    )
    total += taken
    if (taken < batch) return total
  }
}

export interface StalledParts {
  readonly catalog: Pick<Catalog, 'listStalledIntakes'>
  readonly jobs: Pick<JobQueue, 'enqueue'>
  readonly now?: () => Date
}

/** Enqueues intakes that are due and that nothing touched for `graceMs`. Returns how many. */
export async function requeueStalled(
  parts: StalledParts,
  graceMs: number,
  { signal }: CallOptions,
): Promise<number> {
  const now = parts.now?.() ?? new Date()
  const stalled = await parts.catalog.listStalledIntakes(new Date(now.getTime() - graceMs), batch, { signal })
  for (const { tenantId, intakeId } of stalled) await enqueueArchive(parts.jobs, tenantId, intakeId, signal)
  return stalled.length
}

/**
 * One id an intake: a job of it that waits in a long queue or runs is not enqueued beside itself, and one that ended
 * in any way stands in nobody's way.
 */
function enqueueArchive(
  jobs: Pick<JobQueue, 'enqueue'>,
  tenantId: TenantId,
  intakeId: IntakeId,
  signal: AbortSignal | undefined,
): Promise<void> {
  return jobs.enqueue({ type: 'archive', tenantId, intakeId }, { jobId: `archive-${intakeId}`, signal })
}

export interface UnreplicatedParts {
  readonly catalog: Pick<Catalog, 'listUnreplicated'>
  readonly jobs: Pick<JobQueue, 'enqueue'>
  readonly now?: () => Date
}

/**
 * Enqueues recordings that owe a copy since before `graceMs`, one batch at most, so that a flood of them neither fills
 * memory nor stands before what is delivered meanwhile. `more`: there may be others.
 */
export async function requeueUnreplicated(
  parts: UnreplicatedParts,
  graceMs: number,
  { signal }: CallOptions,
): Promise<{ readonly count: number; readonly more: boolean }> {
  const now = parts.now?.() ?? new Date()
  const owed = await parts.catalog.listUnreplicated(new Date(now.getTime() - graceMs), batch, { signal })
  for (const { tenantId, recordingId } of owed) {
    await enqueueReplication(parts.jobs, tenantId, recordingId, { signal })
  }
  return { count: owed.length, more: owed.length === batch }
}

/** One id a recording, as with archives. */
export function enqueueReplication(
  jobs: Pick<JobQueue, 'enqueue'>,
  tenantId: TenantId,
  recordingId: RecordingId,
  { signal }: CallOptions,
): Promise<void> {
  return jobs.enqueue(
    { type: 'replicate', tenantId, recordingId },
    { jobId: `replicate-${recordingId}`, signal },
  )
}

export interface IntakeSweepParts {
  readonly catalog: Pick<Catalog, 'findMissingIntakes' | 'findIntake'>
  readonly objects: Pick<ObjectStore, 'list' | 'delete'>
  readonly now?: () => Date
}

/**
 * Deletes intake objects older than `minimumAgeMs` that no row claims (their delivery never committed, and its
 * sender was told so) or whose recording is archived already. The age must exceed the longest delivery, since a
 * delivery stores its object before its row.
 */
export async function sweepIntakeObjects(
  parts: IntakeSweepParts,
  minimumAgeMs: number,
  { signal }: CallOptions,
): Promise<{ readonly unclaimed: number; readonly archived: number }> {
  const before = (parts.now?.() ?? new Date()).getTime() - minimumAgeMs
  const swept = { unclaimed: 0, archived: 0 }
  const groups = new Map<TenantId, Map<IntakeId, string>>()
  for await (const object of parts.objects.list(intakePrefix, { signal })) {
    const ids = parseIntakeKey(object.key)
    if (ids === null || object.createdAt.getTime() > before) continue
    const group = groups.get(ids.tenantId) ?? new Map<IntakeId, string>()
    groups.set(ids.tenantId, group.set(ids.intakeId, object.key))
    if (group.size >= batch) {
      groups.delete(ids.tenantId)
      await sweepGroup(parts, ids.tenantId, group, swept, { signal })
    }
  }
  for (const [tenantId, group] of groups) await sweepGroup(parts, tenantId, group, swept, { signal })
  return swept
}

async function sweepGroup(
  { catalog, objects }: IntakeSweepParts,
  tenantId: TenantId,
  group: ReadonlyMap<IntakeId, string>,
  swept: { unclaimed: number; archived: number },
  options: CallOptions,
): Promise<void> {
  const missing = new Set(await catalog.findMissingIntakes(tenantId, [...group.keys()], options))
  for (const [intakeId, key] of group) {
    const archived =
      !missing.has(intakeId) && (await catalog.findIntake(tenantId, intakeId, options))?.state === 'archived'
    if (!missing.has(intakeId) && !archived) continue
    if ((await objects.delete(key, options)) === 'absent') continue
    if (archived) swept.archived++
    else swept.unclaimed++
  }
}
