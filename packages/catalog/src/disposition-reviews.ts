// What people do with a disposition: one stage of its review after the other, and its end before anything is destroyed.
import { type DispositionId, type RecordingId, type TenantId, UserId } from '@auricle/contract'
import type { ColumnKeys } from './column-keys.ts'
import type { Session } from './database.ts'
import { DispositionState } from './disposition-row.ts'
import { firstOrNull, integer, parsed, parsedOrNull, text } from './row.ts'
import { sealColumn } from './sealed-column.ts'

export interface NewDispositionReview {
  readonly tenantId: TenantId
  readonly id: DispositionId
  readonly by: UserId
  readonly at: Date
  readonly verdict: 'approve' | 'reject'
  /** Sealed. */
  readonly note: string | null
  /** Recordings to take out. */
  readonly keep: readonly RecordingId[]
}

/** `own`: they proposed it. `again`: they have reviewed it. `not_listed`: one to take out is not in it. */
export type ReviewRefusal = 'absent' | 'not_proposed' | 'own' | 'again' | 'not_listed' | 'nothing_left'
export type ReviewOutcome =
  | { readonly status: 'reviewed'; readonly stage: number; readonly state: DispositionState }
  | { readonly status: ReviewRefusal }

interface Locked {
  readonly state: DispositionState
  readonly proposedBy: UserId | null
  readonly stages: number
}

/** Before anything of its recordings: whoever destroys them takes the locks in that order too. */
export async function lockDisposition(
  session: Session,
  tenantId: TenantId,
  id: DispositionId,
): Promise<Locked | null> {
  const found = await session.rows({
    text: `select state, proposed_by, stages from auricle.disposition where tenant_id = $1 and id = $2 for update`,
    values: [tenantId, id],
  })
  return firstOrNull(found, row => ({
    state: parsed(row, 'state', DispositionState),
    proposedBy: parsedOrNull(row, 'proposed_by', UserId),
    stages: integer(row, 'stages'),
  }))
}

export async function writeReview(
  session: Session,
  { tenantId, id, by, at, verdict, note, keep }: NewDispositionReview,
  columns: ColumnKeys,
): Promise<ReviewOutcome> {
  const found = await lockDisposition(session, tenantId, id)
  if (found === null) return { status: 'absent' }
  if (found.state !== 'proposed') return { status: 'not_proposed' }
  if (found.proposedBy === by) return { status: 'own' }
  const before = await session.rows({
    text: 'select reviewed_by from auricle.disposition_review where tenant_id = $1 and disposition_id = $2',
    values: [tenantId, id],
  })
  if (before.some(row => text(row, 'reviewed_by') === by)) return { status: 'again' }
  const listed = await session.rows({
    text: `select recording_id from auricle.disposition_item
           where tenant_id = $1 and disposition_id = $2 and state = 'listed'`,
    values: [tenantId, id],
  })
  const known = new Set(listed.map(row => text(row, 'recording_id')))
  const taken = new Set<string>(keep)
  if (keep.some(recordingId => !known.has(recordingId))) return { status: 'not_listed' }
  if (verdict === 'approve' && taken.size === known.size) return { status: 'nothing_left' }
  const stage = before.length + 1
  const place = { tenantId, table: 'disposition_review', column: 'note', rowId: `${id}/${stage}` }
  await session.write({
    text: `insert into auricle.disposition_review
             (tenant_id, disposition_id, stage, reviewed_by, reviewed_at, verdict, note)
           values ($1, $2, $3, $4, $5, $6, $7)`,
    values: [
      ...[tenantId, id, stage, by, at, verdict],
      note === null ? null : sealColumn(columns, place, note),
    ],
  })
  if (verdict === 'reject') {
    await endDisposition(session, { tenantId, id, by, at, state: 'rejected' })
    return { status: 'reviewed', stage, state: 'rejected' }
  }
  await takeOut(session, { tenantId, id, at, reason: 'reviewer', recordingIds: keep })
  if (stage < found.stages) return { status: 'reviewed', stage, state: 'proposed' }
  await session.write({
    text: `update auricle.disposition d set state = 'waiting', ready_at = $3::timestamptz + make_interval(days => t.waiting_days)
           from auricle.tenant t where t.id = $1 and d.tenant_id = $1 and d.id = $2`,
    values: [tenantId, id, at],
  })
  return { status: 'reviewed', stage, state: 'waiting' }
}

export async function endDisposition(
  session: Session,
  ending: {
    readonly tenantId: TenantId
    readonly id: DispositionId
    readonly by: UserId
    readonly at: Date
    readonly state: 'rejected' | 'cancelled'
  },
): Promise<void> {
  const { tenantId, id, by, at, state } = ending
  await session.write({
    text: `update auricle.disposition set state = $3, ended_at = $4, ended_by = $5 where tenant_id = $1 and id = $2`,
    values: [tenantId, id, state, at, by],
  })
  await takeOut(session, { tenantId, id, at, reason: state, recordingIds: null })
}

/** Those of the recordings, or all, that are still listed. */
async function takeOut(
  session: Session,
  taking: {
    readonly tenantId: TenantId
    readonly id: DispositionId
    readonly at: Date
    readonly reason: string
    readonly recordingIds: readonly RecordingId[] | null
  },
): Promise<void> {
  const { tenantId, id, at, reason, recordingIds } = taking
  await session.write({
    text: `update auricle.disposition_item set state = 'kept', reason = $3, changed_at = $4
           where tenant_id = $1 and disposition_id = $2 and state = 'listed'
             and ($5::text[] is null or recording_id = any ($5))`,
    values: [tenantId, id, reason, at, recordingIds],
  })
}
