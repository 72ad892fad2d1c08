// Dispositions until they are decided: what is due, proposed, reviewed, taken out, waiting, cancelled.
//
// Every change takes the disposition's lock first, so that of two people, or of a person and the worker, the second finds
// what the first has done.
import type { AuditRecord } from '@auricle/audit'
import { type DispositionId, RecordingId, type TenantId, type UserId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import {
  endDisposition,
  lockDisposition,
  type NewDispositionReview,
  type ReviewOutcome,
  writeReview,
} from './disposition-reviews.ts'
import {
  type DispositionItemRow,
  type DispositionKind,
  type DispositionReviewRow,
  type DispositionRow,
  type DispositionState,
  dispositionColumns,
  heldNow,
  type ItemState,
  itemCounts,
  readDisposition,
  readItem,
  readReview,
} from './disposition-row.ts'
import { createDueRecordings, type DueCatalog } from './due-recordings.ts'
import { insertEvent } from './events.ts'
import { parsed } from './row.ts'

export interface NewDisposition {
  readonly id: DispositionId
  readonly tenantId: TenantId
  readonly kind: DispositionKind
  readonly at: Date
  /** Null: by the vault. */
  readonly by: UserId | null
}

export interface DispositionCatalog extends DueCatalog {
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

export function createDispositions(database: Database): DispositionCatalog {
  return {
    ...createDueRecordings(database),

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
          await endDisposition(session, { tenantId, id, by, at, state: 'cancelled' })
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
