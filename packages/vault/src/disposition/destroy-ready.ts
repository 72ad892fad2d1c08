// One round of destroying what is ready: every recording that can be taken up, one after the other. Safe to run in several
// workers at once, and to kill anywhere.
import type { Catalog, DestructionItem } from '@auricle/catalog'
import type { TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { nextAttempt } from '../archive-attempt.ts'
import { auditRecord } from '../audit-record.ts'
import { errorCode, isError } from '../error.ts'
import { type DestroyParts, type Destruction, destroyRecording, stopDestroying } from './destroy.ts'

export interface DestroyReadyParts extends DestroyParts {
  readonly catalog: DestroyParts['catalog'] &
    Pick<Catalog, 'listTenants' | 'takeDestruction' | 'failDestruction' | 'listHeldItems'>
  readonly onOutcome?: (outcome: Destruction, item: DestructionItem) => void
  readonly random?: () => number
}

export interface DestroyedCounts {
  readonly destroyed: number
  readonly takenOut: number
  readonly postponed: number
}

/** Longer than the steps of one recording take; who died in between is followed after it. */
const leaseMs = 10 * 60_000
const heldMost = 200

/** All tenants. Abort means: no further object is deleted. */
export async function destroyReady(parts: DestroyReadyParts, options: CallOptions): Promise<DestroyedCounts> {
  const counts = { destroyed: 0, takenOut: 0, postponed: 0 }
  for (const { id: tenantId } of await parts.catalog.listTenants(options)) {
    counts.takenOut += await takeOutHeld(parts, tenantId, options)
    for (;;) {
      options.signal?.throwIfAborted()
      const lease = { now: parts.now?.() ?? new Date(), leaseMs }
      const item = await parts.catalog.takeDestruction(tenantId, lease, options)
      if (item === null) break
      const outcome = await attempt(parts, item, options)
      if (outcome.status === 'destroyed') counts.destroyed += 1
      if (outcome.status === 'taken_out') counts.takenOut += 1
      if (outcome.status === 'postponed') counts.postponed += 1
      parts.onOutcome?.(outcome, item)
    }
  }
  return counts
}

/** Throws only what says nothing of this recording: an abort, or a database that cannot even record the failure. */
async function attempt(
  parts: DestroyReadyParts,
  item: DestructionItem,
  options: CallOptions,
): Promise<Destruction> {
  try {
    const outcome = await destroyRecording(parts, item, options)
    if (outcome.status === 'postponed') await postpone(parts, item, outcome, options)
    return outcome
  } catch (cause) {
    options.signal?.throwIfAborted()
    if (isError(cause, 'CatalogError', 'unavailable')) throw cause
    const outcome = {
      status: 'postponed',
      reason: errorCode(cause),
      refusedBy: null,
      cause,
      keptUntil: null,
    } as const
    await postpone(parts, item, outcome, options)
    return outcome
  }
}

/** A store that refuses is in the log: it keeps something longer than the vault knows of. */
async function postpone(
  parts: DestroyReadyParts,
  { attempts, ...item }: DestructionItem,
  { reason, refusedBy, keptUntil }: Extract<Destruction, { readonly status: 'postponed' }>,
  options: CallOptions,
): Promise<void> {
  const { tenantId, dispositionId, recordingId } = item
  const now = parts.now?.() ?? new Date()
  const step = {
    tenantId,
    dispositionId,
    recordingId,
    now,
    reason,
    nextAttemptAt: nextLook(now, nextAttempt(parts, attempts), keptUntil),
  }
  const event =
    refusedBy === null
      ? null
      : await auditRecord(
          {
            ...{ tenantId, action: 'store.refused', outcome: 'denied', request: null },
            actor: { type: 'system', name: 'worker' },
            object: { type: 'recording', id: recordingId, version: null },
            reasons: [reason, refusedBy],
          },
          null,
          now,
        )
  await parts.catalog.failDestruction(step, event, options)
}

/** A store that says until when is asked again then, or in a day: it may be let go sooner. */
function nextLook(now: Date, soon: Date, keptUntil: Date | null): Date {
  const dayMs = 24 * 60 * 60_000
  const laterMs = keptUntil === null ? 0 : Math.min(keptUntil.getTime(), now.getTime() + dayMs)
  return new Date(Math.max(soon.getTime(), laterMs))
}

/** What is held: neither the time of its disposition nor that of its next attempt need come for it to be taken out. */
async function takeOutHeld(
  parts: DestroyReadyParts,
  tenantId: TenantId,
  options: CallOptions,
): Promise<number> {
  let count = 0
  for (;;) {
    const held = await parts.catalog.listHeldItems(tenantId, heldMost, options)
    for (const item of held) {
      const outcome = await stopDestroying(parts, item, 'held', options)
      if (outcome.status === 'taken_out') count += 1
      parts.onOutcome?.(outcome, item)
    }
    if (held.length < heldMost) return count
  }
}
