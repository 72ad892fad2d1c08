// The weekly review of activity: what a week held, what was found in it, and who signed that they looked.
import type { AuditRecord } from '@auricle/audit'
import {
  EventId,
  Label,
  RecordingId,
  ReviewId,
  type TenantId,
  UserId,
  type WorkingHours,
} from '@auricle/contract'
import { z } from 'zod'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { bytes, firstOrNull, integer, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'
import { openColumn, sealColumn } from './sealed-column.ts'

/** An event as search knows it. */
export interface ActivityRow {
  readonly id: EventId
  readonly at: Date
  readonly action: string
  readonly outcome: 'allowed' | 'denied' | 'failed'
  readonly actorId: string
  readonly objectId: string | null
}

export interface Week {
  readonly from: Date
  /** Exclusive. */
  readonly to: Date
}

export const ActivityVerdict = z.enum(['expected', 'follow_up'])
export type ActivityVerdict = z.infer<typeof ActivityVerdict>

export interface FindingRow {
  /** From 1. */
  readonly number: number
  /** A stable word. */
  readonly kind: string
  readonly actorId: string | null
  readonly eventIds: readonly EventId[]
  readonly eventCount: number
  readonly usual: number | null
  readonly verdict: ActivityVerdict | null
}

export interface ReviewRow extends Week {
  readonly id: ReviewId
  readonly openedAt: Date
  readonly dueAt: Date
  readonly findingCount: number
  readonly signature: { readonly by: UserId; readonly at: Date } | null
}

export interface NewReview extends Week {
  readonly id: ReviewId
  readonly tenantId: TenantId
  readonly openedAt: Date
  readonly dueAt: Date
  readonly findings: readonly Omit<FindingRow, 'number' | 'verdict'>[]
}

export interface ReviewSignature {
  readonly tenantId: TenantId
  readonly id: ReviewId
  readonly by: UserId
  readonly at: Date
  /** In the person's own words; sealed. */
  readonly note: string
  readonly verdicts: readonly { readonly number: number; readonly verdict: ActivityVerdict }[]
}

/** What decides whether an access is worth a look. */
export interface ReachedRecording {
  readonly id: RecordingId
  readonly labels: readonly Label[]
  readonly fromName: string | null
}

export interface ActivityReviewCatalog {
  /** Sealed events of a week in order of time, `limit` after the one given. */
  listActivity(
    tenantId: TenantId,
    query: Week & { readonly after: Pick<ActivityRow, 'at' | 'id'> | null; readonly limit: number },
    options?: QueryOptions,
  ): Promise<readonly ActivityRow[]>
  /** By person, how many recordings they heard in each week before `before`, of those with any, `weeks` at most. */
  countHeard(
    tenantId: TenantId,
    query: { readonly before: Date; readonly weeks: number },
    options?: QueryOptions,
  ): Promise<ReadonlyMap<string, readonly number[]>>
  listReached(
    tenantId: TenantId,
    ids: readonly RecordingId[],
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<readonly ReachedRecording[]>
  /** Names of people, by id. */
  listNames(
    tenantId: TenantId,
    ids: readonly string[],
    options?: QueryOptions,
  ): Promise<ReadonlyMap<string, string>>
  /** As they were stored (`WorkingHours`): whoever takes them checks them; null where there is no such tenant. */
  findWorkingHours(tenantId: TenantId, options?: QueryOptions): Promise<unknown>
  /** False where there is no such tenant. */
  changeWorkingHours(
    tenantId: TenantId,
    hours: WorkingHours,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** End of the newest week that was looked at; null before the first. */
  lastReviewedWeek(tenantId: TenantId, options?: QueryOptions): Promise<Date | null>
  /** False, and nothing written, where that week has its review. */
  openReview(review: NewReview, event: AuditRecord, options?: QueryOptions): Promise<boolean>
  /** Newest first; `isOpen` only those that nobody, or that somebody, signed. */
  listReviews(
    tenantId: TenantId,
    filter: {
      readonly isOpen?: boolean | undefined
      readonly beforeId: ReviewId | null
      readonly limit: number
    },
    options?: QueryOptions,
  ): Promise<readonly ReviewRow[]>
  findReview(
    tenantId: TenantId,
    id: ReviewId,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<(ReviewRow & { readonly note: string | null; readonly findings: readonly FindingRow[] }) | null>
  /** False, and nothing written, where it was signed before. */
  signReview(
    signature: ReviewSignature,
    columns: ColumnKeys,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** Unsigned after their time, without an alert that says so. */
  listLateReviews(
    tenantId: TenantId,
    now: Date,
    options?: QueryOptions,
  ): Promise<readonly { readonly id: ReviewId }[]>
}

const reviewColumns = `r.id, r.from_at, r.to_at, r.opened_at, r.due_at, r.signed_at, r.signed_by, r.note,
  (select count(*) from auricle.activity_finding f where f.tenant_id = r.tenant_id and f.review_id = r.id)
    as finding_count`
const weekMs = 7 * 24 * 3_600_000

export function createActivityReviews(database: Database): ActivityReviewCatalog {
  const rowsOf = (
    tenantId: TenantId,
    statement: Parameters<Session['rows']>[0],
    options: QueryOptions | undefined,
  ) => database.inTenant(tenantId, session => session.rows(statement), options)

  return {
    async listActivity(tenantId, { from, to, after, limit }, options) {
      const rows = await rowsOf(
        tenantId,
        {
          text: `select event_id, at, action, outcome, actor_id, object_id from auricle.audit_seal
                 where tenant_id = $1 and at >= $2 and at < $3 and (at, event_id) > ($4, $5)
                 order by at, event_id limit $6`,
          values: [tenantId, from, to, after?.at ?? from, after?.id ?? '', limit],
        },
        options,
      )
      return rows.map(readActivity)
    },

    async countHeard(tenantId, { before, weeks }, options) {
      const rows = await rowsOf(
        tenantId,
        {
          text: `select actor_id, floor(extract(epoch from $2::timestamptz - at) / 604800)::integer as week,
                   count(distinct object_id) as recordings
                 from auricle.audit_seal
                 where tenant_id = $1 and at < $2 and at >= $3 and outcome = 'allowed'
                   and action in ('recording.played', 'recording.exported')
                 group by 1, 2`,
          values: [tenantId, before, new Date(before.getTime() - weeks * weekMs)],
        },
        options,
      )
      const counts = new Map<string, number[]>()
      for (const row of rows) {
        const actor = text(row, 'actor_id')
        counts.set(actor, [...(counts.get(actor) ?? []), integer(row, 'recordings')])
      }
      return counts
    },

    async listReached(tenantId, ids, columns, options) {
      const rows = await rowsOf(
        tenantId,
        {
          text: 'select id, labels, from_name from auricle.recording where tenant_id = $1 and id = any($2)',
          values: [tenantId, ids],
        },
        options,
      )
      return rows.map(row => {
        const id = parsed(row, 'id', RecordingId)
        const place = { tenantId, table: 'recording', column: 'from_name', rowId: id }
        const sealed = orNull(row, 'from_name', bytes)
        const fromName = sealed === null ? null : openColumn(columns, place, sealed)
        return { id, labels: parsed(row, 'labels', z.array(Label)), fromName }
      })
    },

    async listNames(tenantId, ids, options) {
      const rows = await rowsOf(
        tenantId,
        {
          text: `select id, name from auricle.app_user
                 where tenant_id = $1 and id = any($2) and kind = 'person'`,
          values: [tenantId, ids],
        },
        options,
      )
      return new Map(rows.map(row => [text(row, 'id'), text(row, 'name')]))
    },

    async findWorkingHours(tenantId, options) {
      const rows = await rowsOf(
        tenantId,
        { text: 'select working_hours from auricle.tenant where id = $1', values: [tenantId] },
        options,
      )
      return rows[0]?.['working_hours'] ?? null
    },

    changeWorkingHours: (tenantId, hours, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const written = await session.write({
            text: 'update auricle.tenant set working_hours = $2 where id = $1',
            values: [tenantId, JSON.stringify(hours)],
          })
          if (written > 0) await insertEvent(session, event)
          return written > 0
        },
        options,
      )
    },

    async lastReviewedWeek(tenantId, options) {
      const rows = await rowsOf(
        tenantId,
        {
          text: 'select max(to_at) as until from auricle.activity_review where tenant_id = $1',
          values: [tenantId],
        },
        options,
      )
      return firstOrNull(rows, row => orNull(row, 'until', time))
    },

    openReview: (review, event, options) => {
      return database.inTenant(review.tenantId, session => insertReview(session, review, event), options)
    },

    async listReviews(tenantId, { isOpen, beforeId, limit }, options) {
      const rows = await rowsOf(
        tenantId,
        {
          text: `select ${reviewColumns} from auricle.activity_review r
                 where r.tenant_id = $1 and ($2::text is null or r.id < $2)
                   and ($3::boolean is null or (r.signed_at is null) = $3)
                 order by r.id desc limit $4`,
          values: [tenantId, beforeId, isOpen ?? null, limit],
        },
        options,
      )
      return rows.map(readReview)
    },

    findReview: (tenantId, id, columns, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const [row] = await session.rows({
            text: `select ${reviewColumns} from auricle.activity_review r where r.tenant_id = $1 and r.id = $2`,
            values: [tenantId, id],
          })
          if (row === undefined) return null
          const findings = await session.rows({
            text: `select number, kind, actor_id, event_ids, event_count, usual, verdict
                   from auricle.activity_finding where tenant_id = $1 and review_id = $2 order by number`,
            values: [tenantId, id],
          })
          const sealed = orNull(row, 'note', bytes)
          const note = sealed === null ? null : openColumn(columns, notePlace(tenantId, id), sealed)
          return { ...readReview(row), note, findings: findings.map(readFinding) }
        },
        options,
      )
    },

    signReview: (signature, columns, event, options) => {
      return database.inTenant(
        signature.tenantId,
        session => writeSignature(session, signature, columns, event),
        options,
      )
    },

    async listLateReviews(tenantId, now, options) {
      const rows = await rowsOf(
        tenantId,
        {
          text: `select r.id from auricle.activity_review r
                 where r.tenant_id = $1 and r.signed_at is null and r.due_at <= $2 and not exists (
                   select from auricle.alert a
                   where a.tenant_id = r.tenant_id and a.kind = 'activity_review_overdue' and a.subject_id = r.id
                 )
                 order by r.due_at, r.id`,
          values: [tenantId, now],
        },
        options,
      )
      return rows.map(row => ({ id: parsed(row, 'id', ReviewId) }))
    },
  }
}

/** Of several at once, one writes it. */
async function insertReview(session: Session, review: NewReview, event: AuditRecord): Promise<boolean> {
  const { tenantId, id, from, to, openedAt, dueAt, findings } = review
  const written = await session.write({
    text: `insert into auricle.activity_review (tenant_id, id, from_at, to_at, opened_at, due_at)
           values ($1, $2, $3, $4, $5, $6) on conflict (tenant_id, from_at) do nothing`,
    values: [tenantId, id, from, to, openedAt, dueAt],
  })
  if (written === 0) return false
  for (const [index, finding] of findings.entries()) {
    await session.write({
      text: `insert into auricle.activity_finding
               (tenant_id, review_id, number, kind, actor_id, event_ids, event_count, usual)
             values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      values: [
        ...[tenantId, id, index + 1, finding.kind, finding.actorId],
        ...[finding.eventIds, finding.eventCount, finding.usual],
      ],
    })
  }
  await insertEvent(session, event)
  return true
}

async function writeSignature(
  session: Session,
  { tenantId, id, by, at, note, verdicts }: ReviewSignature,
  columns: ColumnKeys,
  event: AuditRecord,
): Promise<boolean> {
  const written = await session.write({
    text: `update auricle.activity_review set signed_at = $3, signed_by = $4, note = $5
           where tenant_id = $1 and id = $2 and signed_at is null`,
    values: [tenantId, id, at, by, sealColumn(columns, notePlace(tenantId, id), note)],
  })
  if (written === 0) return false
  await session.write({
    text: `update auricle.activity_finding f set verdict = v.verdict
           from unnest($3::integer[], $4::text[]) v (number, verdict)
           where f.tenant_id = $1 and f.review_id = $2 and f.number = v.number`,
    values: [tenantId, id, verdicts.map(({ number }) => number), verdicts.map(({ verdict }) => verdict)],
  })
  await insertEvent(session, event)
  return true
}

const notePlace = (tenantId: TenantId, rowId: string) => {
  return { tenantId, table: 'activity_review', column: 'note', rowId }
}

function readActivity(row: Row): ActivityRow {
  return {
    id: parsed(row, 'event_id', EventId),
    at: time(row, 'at'),
    action: text(row, 'action'),
    outcome: parsed(row, 'outcome', z.enum(['allowed', 'denied', 'failed'])),
    actorId: text(row, 'actor_id'),
    objectId: orNull(row, 'object_id', text),
  }
}

function readReview(row: Row): ReviewRow {
  const at = orNull(row, 'signed_at', time)
  const by = parsedOrNull(row, 'signed_by', UserId)
  return {
    id: parsed(row, 'id', ReviewId),
    from: time(row, 'from_at'),
    to: time(row, 'to_at'),
    openedAt: time(row, 'opened_at'),
    dueAt: time(row, 'due_at'),
    findingCount: integer(row, 'finding_count'),
    signature: at === null || by === null ? null : { at, by },
  }
}

function readFinding(row: Row): FindingRow {
  return {
    number: integer(row, 'number'),
    kind: text(row, 'kind'),
    actorId: orNull(row, 'actor_id', text),
    eventIds: parsed(row, 'event_ids', z.array(EventId)),
    eventCount: integer(row, 'event_count'),
    usual: orNull(row, 'usual', integer),
    verdict: parsedOrNull(row, 'verdict', ActivityVerdict),
  }
}
