// Dispositions until they are decided: what is due, proposed, reviewed, taken out, waiting, cancelled.
//
// Every change takes the disposition's lock first, so that of two people, or of a person and the worker, the second finds
// what the first has done.
import type { AuditRecord } from '@auricle/audit'
import {
  DispositionId,
  MailboxId,
  RecordingId,
  RecordingKind,
  RuleId,
  type TenantId,
  UserId,
} from '@auricle/contract'
import { z } from 'zod'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import {
  bytes,
  firstOrNull,
  flag,
  integer,
  orNull,
  parsed,
  parsedOrNull,
  type Row,
  text,
  time,
} from './row.ts'
import { openColumn, sealColumn } from './sealed-column.ts'

export const DispositionState = z.enum(['proposed', 'waiting', 'destroying', 'done', 'rejected', 'cancelled'])
export type DispositionState = z.infer<typeof DispositionState>
/** `automatic`: by a rule that two people stand behind. `review`: people look at it. */
export const DispositionKind = z.enum(['automatic', 'review'])
export type DispositionKind = z.infer<typeof DispositionKind>
const ItemState = z.enum(['listed', 'destroying', 'destroyed', 'kept', 'stopped'])
type ItemState = z.infer<typeof ItemState>
const Verdict = z.enum(['approve', 'reject'])

/** A recording whose time is over by the decision that the catalog has of it. */
export interface DueRecording {
  readonly recordingId: RecordingId
  readonly dueAt: Date
  readonly keepUntil: Date
  readonly disposal: 'automatic' | 'review'
  readonly kind: RecordingKind
  readonly mailboxId: MailboxId | null
  /** Of all its objects, sealed. */
  readonly bytes: number
}

export interface DueQuery {
  readonly now: Date
  /** Only what was due before then. Default: `now`. */
  readonly dueBefore?: Date | undefined
  readonly disposal?: 'automatic' | 'review' | undefined
  readonly kind?: RecordingKind | undefined
  readonly mailboxId?: MailboxId | undefined
  readonly ruleId?: RuleId | undefined
  /** Only these. */
  readonly recordingIds?: readonly RecordingId[] | undefined
  /** Also what a person took out of a disposition since the rules last decided on it. */
  readonly alsoKept: boolean
  readonly after: Pick<DueRecording, 'dueAt' | 'recordingId'> | null
  readonly limit: number
}

export interface NewDisposition {
  readonly id: DispositionId
  readonly tenantId: TenantId
  readonly kind: DispositionKind
  readonly at: Date
  /** Null: by the vault. */
  readonly by: UserId | null
}

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

export interface DispositionCatalog {
  /**
   * What is due by the decisions as they stand, in that order: not held, not in an open disposition, not being destroyed.
   */
  listDue(tenantId: TenantId, query: DueQuery, options?: QueryOptions): Promise<readonly DueRecording[]>
  /** When the vault itself last proposed something for review; null where it never did. */
  lastProposedByVault(tenantId: TenantId, options?: QueryOptions): Promise<Date | null>
  /**
   * Opens it over those of the recordings that are due by a decision that is not to be made again, and against which nothing
   * stands: no hold, no other disposition. Returns them; none, and nothing is written, where none
   * is left. `record` is told how many there are.
   */
  openDisposition(
    disposition: NewDisposition,
    recordingIds: readonly RecordingId[],
    record: (count: number) => Promise<AuditRecord>,
    options?: QueryOptions,
  ): Promise<readonly RecordingId[]>
  /** One stage. Any other status than `reviewed`: nothing was written. */
  reviewDisposition(
    review: NewDispositionReview,
    columns: ColumnKeys,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<ReviewOutcome>
  /** Ends it before anything of it is destroyed. */
  cancelDisposition(
    cancelling: {
      readonly tenantId: TenantId
      readonly id: DispositionId
      readonly by: UserId
      readonly at: Date
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<'cancelled' | 'absent' | 'too_late'>
  /** Newest first. */
  listDispositions(
    tenantId: TenantId,
    filter: {
      readonly state?: DispositionState | undefined
      readonly beforeId: DispositionId | null
      readonly limit: number
    },
    options?: QueryOptions,
  ): Promise<readonly DispositionRow[]>
  findDisposition(
    tenantId: TenantId,
    id: DispositionId,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<(DispositionRow & { readonly reviews: readonly DispositionReviewRow[] }) | null>
  /** By recording. */
  listDispositionItems(
    tenantId: TenantId,
    id: DispositionId,
    filter: {
      readonly state?: ItemState | undefined
      readonly afterId: RecordingId | null
      readonly limit: number
    },
    options?: QueryOptions,
  ): Promise<readonly DispositionItemRow[]>
}

/** Of items that a person took out. */
const byPerson = `('reviewer', 'rejected', 'cancelled')`

/** Whether an active hold covers the recording whose id the expression names. */
const heldNow = (recordingId: string) => `exists (
  select from auricle.hold_cover c
  join auricle.legal_hold h on h.tenant_id = c.tenant_id and h.id = c.hold_id and h.released_at is null
  where c.tenant_id = $1 and c.recording_id = ${recordingId} and c.released_at is null
)`

const dispositionColumns = `d.id, d.state, d.kind, d.proposed_at, d.proposed_by, d.stages, d.ready_at, d.ended_at,
  d.ended_by, n.*`
const itemCounts = `cross join lateral (
  select ${ItemState.options.map(state => `count(*) filter (where i.state = '${state}') as ${state}`).join(', ')}
  from auricle.disposition_item i where i.tenant_id = d.tenant_id and i.disposition_id = d.id
) n`

export function createDispositions(database: Database): DispositionCatalog {
  return {
    async listDue(tenantId, query, options) {
      const values: unknown[] = [tenantId]
      const bind = (value: unknown): string => `$${values.push(value)}`
      const dueBefore =
        query.dueBefore === undefined || query.dueBefore > query.now ? query.now : query.dueBefore
      const conditions = [
        'd.tenant_id = $1 and d.superseded_at is null',
        // As the index on what is due has it.
        `d.due_at is not null and d.due_at <= ${bind(dueBefore)}`,
        `d.status = 'kept' and d.disposal <> 'none'`,
        'r.destroying_at is null and r.destroyed_at is null',
        `not exists (
          select from auricle.disposition_item i
          where i.tenant_id = $1 and i.recording_id = d.recording_id and i.state in ('listed', 'destroying')
        )`,
        `not ${heldNow('d.recording_id')}`,
      ]
      if (!query.alsoKept) {
        conditions.push(`not exists (
          select from auricle.disposition_item i
          where i.tenant_id = $1 and i.recording_id = d.recording_id and i.state = 'kept'
            and i.changed_at >= d.decided_at and i.reason in ${byPerson}
        )`)
      }
      if (query.disposal !== undefined) conditions.push(`d.disposal = ${bind(query.disposal)}`)
      if (query.kind !== undefined) conditions.push(`r.kind = ${bind(query.kind)}`)
      if (query.mailboxId !== undefined) conditions.push(`r.mailbox_id = ${bind(query.mailboxId)}`)
      if (query.ruleId !== undefined) conditions.push(`d.rule_id = ${bind(query.ruleId)}`)
      if (query.recordingIds !== undefined)
        conditions.push(`d.recording_id = any (${bind(query.recordingIds)}::text[])`)
      if (query.after !== null)
        conditions.push(
          `(d.due_at, d.recording_id) > (${bind(query.after.dueAt)}, ${bind(query.after.recordingId)})`,
        )
      const statement = {
        text: `select d.recording_id, d.due_at, d.keep_until, d.disposal, r.kind, r.mailbox_id,
                 (select coalesce(sum(b.sealed_bytes), 0)::bigint from auricle.recording_object b
                  where b.tenant_id = $1 and b.recording_id = d.recording_id) as bytes
               from auricle.retention_decision d
               join auricle.recording r on r.tenant_id = d.tenant_id and r.id = d.recording_id
               where ${conditions.join(' and ')}
               order by d.due_at, d.recording_id limit ${bind(query.limit)}`,
        values,
      }
      const found = await database.inTenant(tenantId, session => session.rows(statement), options)
      return found.map(readDue)
    },

    async lastProposedByVault(tenantId, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select max(proposed_at) as at from auricle.disposition
                   where tenant_id = $1 and kind = 'review' and proposed_by is null`,
            values: [tenantId],
          })
        },
        options,
      )
      return firstOrNull(found, row => orNull(row, 'at', time))
    },

    async openDisposition(disposition, recordingIds, record, options) {
      try {
        return await database.inTenant(
          disposition.tenantId,
          async session => {
            const listed = await insertDisposition(session, disposition, recordingIds)
            if (listed.length === 0) throw new NothingListed()
            await insertEvent(session, await record(listed.length))
            return listed
          },
          options,
        )
      } catch (error) {
        if (error instanceof NothingListed) return []
        throw error
      }
    },

    reviewDisposition: (review, columns, event, options) => {
      return database.inTenant(
        review.tenantId,
        async session => {
          const outcome = await writeReview(session, review, columns)
          if (outcome.status === 'reviewed') await insertEvent(session, event)
          return outcome
        },
        options,
      )
    },

    cancelDisposition: ({ tenantId, id, by, at }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const found = await lockDisposition(session, tenantId, id)
          if (found === null) return 'absent'
          if (found.state !== 'proposed' && found.state !== 'waiting') return 'too_late'
          await end(session, { tenantId, id, by, at, state: 'cancelled' })
          await insertEvent(session, event)
          return 'cancelled'
        },
        options,
      )
    },

    async listDispositions(tenantId, { state, beforeId, limit }, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select ${dispositionColumns} from (
                     select * from auricle.disposition p
                     where p.tenant_id = $1 and ($2::text is null or p.id < $2) and ($3::text is null or p.state = $3)
                     order by p.id desc limit $4
                   ) d ${itemCounts} order by d.id desc`,
            values: [tenantId, beforeId, state ?? null, limit],
          })
        },
        options,
      )
      return found.map(readDisposition)
    },

    findDisposition: (tenantId, id, columns, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const [row] = await session.rows({
            text: `select ${dispositionColumns} from auricle.disposition d ${itemCounts}
                   where d.tenant_id = $1 and d.id = $2`,
            values: [tenantId, id],
          })
          if (row === undefined) return null
          const reviews = await session.rows({
            text: `select stage, reviewed_by, reviewed_at, verdict, note from auricle.disposition_review
                   where tenant_id = $1 and disposition_id = $2 order by stage`,
            values: [tenantId, id],
          })
          return {
            ...readDisposition(row),
            reviews: reviews.map(review => readReview(review, tenantId, id, columns)),
          }
        },
        options,
      )
    },

    async listDispositionItems(tenantId, id, { state, afterId, limit }, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select i.*, ${heldNow('i.recording_id')} as held,
                     (select coalesce(sum(b.sealed_bytes), 0)::bigint from auricle.recording_object b
                      where b.tenant_id = $1 and b.recording_id = i.recording_id) as bytes
                   from auricle.disposition_item i
                   where i.tenant_id = $1 and i.disposition_id = $2 and ($3::text is null or i.recording_id > $3)
                     and ($4::text is null or i.state = $4)
                   order by i.recording_id limit $5`,
            values: [tenantId, id, afterId, state ?? null, limit],
          })
        },
        options,
      )
      return found.map(readItem)
    },
  }
}

/** Rolls back a disposition without items. */
class NothingListed extends Error {}

/** What others have done meanwhile is left out: the rows say so, whatever the caller thought. */
async function insertDisposition(
  session: Session,
  { tenantId, id, kind, at, by }: NewDisposition,
  recordingIds: readonly RecordingId[],
): Promise<readonly RecordingId[]> {
  await session.rows({ text: 'select auricle.share_holds($1)', values: [tenantId] })
  await session.write({
    text: `insert into auricle.disposition (tenant_id, id, state, kind, proposed_at, proposed_by, stages, ready_at)
           select t.id, $2, case when $3::text = 'automatic' then 'waiting' else 'proposed' end, $3::text,
             $4::timestamptz, $5::text,
             case when $3::text = 'automatic' then 0
               -- By the vault: two different people all the same.
               when $5::text is null then greatest(t.disposition_stages, 2) else t.disposition_stages end,
             case when $3::text = 'automatic' then $4::timestamptz + make_interval(days => t.waiting_days) end
           from auricle.tenant t where t.id = $1`,
    values: [tenantId, id, kind, at, by],
  })
  const listed = await session.rows({
    text: `insert into auricle.disposition_item (
             tenant_id, disposition_id, recording_id, state, rule_id, rule_version, keep_until, due_at, changed_at
           )
           select $1, $2, d.recording_id, 'listed', d.rule_id, d.rule_version, d.keep_until, d.due_at, $4::timestamptz
           from auricle.retention_decision d
           join auricle.recording r on r.tenant_id = d.tenant_id and r.id = d.recording_id
             and r.destroying_at is null and r.destroyed_at is null
           where d.tenant_id = $1 and d.recording_id = any ($5) and d.superseded_at is null
             and d.status = 'kept' and d.keep_until <= $4::timestamptz and d.due_at <= $4::timestamptz
             and (d.disposal = 'automatic' or (d.disposal = 'review' and $3::text = 'review'))
             and d.revision >= 0
             and not ${heldNow('d.recording_id')}
           on conflict do nothing
           returning recording_id`,
    values: [tenantId, id, kind, at, recordingIds],
  })
  return listed.map(row => parsed(row, 'recording_id', RecordingId))
}

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

async function writeReview(
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
    await end(session, { tenantId, id, by, at, state: 'rejected' })
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

async function end(
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

function readDue(row: Row): DueRecording {
  return {
    recordingId: parsed(row, 'recording_id', RecordingId),
    dueAt: time(row, 'due_at'),
    keepUntil: time(row, 'keep_until'),
    disposal: parsed(row, 'disposal', DispositionKind),
    kind: parsed(row, 'kind', RecordingKind),
    mailboxId: parsedOrNull(row, 'mailbox_id', MailboxId),
    bytes: integer(row, 'bytes'),
  }
}

function readDisposition(row: Row): DispositionRow {
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

function readReview(
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

function readItem(row: Row): DispositionItemRow {
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
