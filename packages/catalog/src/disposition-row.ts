// What dispositions are, as rows: their states, their recordings, what people said of them.
import { DispositionId, RecordingId, RuleId, type TenantId, UserId } from '@auricle/contract'
import { z } from 'zod'
import type { ColumnKeys } from './column-keys.ts'
import { bytes, flag, integer, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'
import { openColumn } from './sealed-column.ts'

export const DispositionState = z.enum(['proposed', 'waiting', 'destroying', 'done', 'rejected', 'cancelled'])
export type DispositionState = z.infer<typeof DispositionState>
/** `automatic`: by a rule that two people stand behind. `review`: people look at it. */
export const DispositionKind = z.enum(['automatic', 'review'])
export type DispositionKind = z.infer<typeof DispositionKind>
export const ItemState = z.enum(['listed', 'destroying', 'destroyed', 'kept', 'stopped'])
export type ItemState = z.infer<typeof ItemState>
const Verdict = z.enum(['approve', 'reject'])

export interface DispositionRow {
  readonly id: DispositionId
  readonly state: DispositionState
  readonly kind: DispositionKind
  readonly proposedAt: Date
  readonly proposedBy: UserId | null
  readonly stages: number
  readonly readyAt: Date | null
  readonly endedAt: Date | null
  readonly endedBy: UserId | null
  /** How many of its recordings are in each state. */
  readonly counts: Readonly<Record<ItemState, number>>
}

export interface DispositionReviewRow {
  readonly stage: number
  readonly by: UserId
  readonly at: Date
  readonly verdict: z.infer<typeof Verdict>
  readonly note: string | null
}

export interface DispositionItemRow {
  readonly recordingId: RecordingId
  readonly state: ItemState
  readonly reason: string | null
  readonly ruleId: RuleId
  readonly ruleVersion: number
  readonly keepUntil: Date
  readonly dueAt: Date
  readonly changedAt: Date
  readonly attempts: number
  readonly nextAttemptAt: Date | null
  readonly bytes: number
  /** Whether a hold covers it now. */
  readonly held: boolean
}

export const dispositionColumns = `d.id, d.state, d.kind, d.proposed_at, d.proposed_by, d.stages, d.ready_at, d.ended_at,
  d.ended_by, n.*`
export const itemCounts = `cross join lateral (
  select ${ItemState.options.map(state => `count(*) filter (where i.state = '${state}') as ${state}`).join(', ')}
  from auricle.disposition_item i where i.tenant_id = d.tenant_id and i.disposition_id = d.id
) n`

/** Whether an active hold covers the recording whose id the expression names. */
export const heldNow = (recordingId: string) => `exists (
  select from auricle.hold_cover c
  join auricle.legal_hold h on h.tenant_id = c.tenant_id and h.id = c.hold_id and h.released_at is null
  where c.tenant_id = $1 and c.recording_id = ${recordingId} and c.released_at is null
)`

export function readDisposition(row: Row): DispositionRow {
  return {
    id: parsed(row, 'id', DispositionId),
    state: parsed(row, 'state', DispositionState),
    kind: parsed(row, 'kind', DispositionKind),
    proposedAt: time(row, 'proposed_at'),
    proposedBy: parsedOrNull(row, 'proposed_by', UserId),
    stages: integer(row, 'stages'),
    readyAt: orNull(row, 'ready_at', time),
    endedAt: orNull(row, 'ended_at', time),
    endedBy: parsedOrNull(row, 'ended_by', UserId),
    counts: {
      listed: integer(row, 'listed'),
      destroying: integer(row, 'destroying'),
      destroyed: integer(row, 'destroyed'),
      kept: integer(row, 'kept'),
      stopped: integer(row, 'stopped'),
    },
  }
}

export function readReview(
  row: Row,
  tenantId: TenantId,
  id: DispositionId,
  columns: ColumnKeys,
): DispositionReviewRow {
  const stage = integer(row, 'stage')
  const place = { tenantId, table: 'disposition_review', column: 'note', rowId: `${id}/${stage}` }
  const sealed = orNull(row, 'note', bytes)
  return {
    stage,
    by: parsed(row, 'reviewed_by', UserId),
    at: time(row, 'reviewed_at'),
    verdict: parsed(row, 'verdict', Verdict),
    note: sealed === null ? null : openColumn(columns, place, sealed),
  }
}

export function readItem(row: Row): DispositionItemRow {
  return {
    recordingId: parsed(row, 'recording_id', RecordingId),
    state: parsed(row, 'state', ItemState),
    reason: orNull(row, 'reason', text),
    ruleId: parsed(row, 'rule_id', RuleId),
    ruleVersion: integer(row, 'rule_version'),
    keepUntil: time(row, 'keep_until'),
    dueAt: time(row, 'due_at'),
    changedAt: time(row, 'changed_at'),
    attempts: integer(row, 'attempts'),
    nextAttemptAt: orNull(row, 'next_attempt_at', time),
    bytes: integer(row, 'bytes'),
    held: flag(row, 'held'),
  }
}
