// Emergency access: opened once at a time, ended once, reviewed once, and what was asked for under it.
import type { AuditRecord, StoredRecord } from '@auricle/audit'
import {
  BreakGlassId,
  type BreakGlassState,
  type EventId,
  newEventId,
  TenantId,
  type TokenId,
  UserId,
  Verdict,
} from '@auricle/contract'
import { insertAlert, type RaisedAlert } from './alerts.ts'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { insertEvent, readEvent } from './events.ts'
import { bytes, firstOrNull, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'
import { type ColumnPlace, openColumn, sealColumn } from './sealed-column.ts'

export interface NewBreakGlass {
  readonly id: BreakGlassId
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly tokenId: TokenId
  /** In the person's own words; sealed. */
  readonly reason: string
  readonly startedAt: Date
  /** Exclusive. */
  readonly until: Date
  readonly reviewDueAt: Date
}

export interface BreakGlassRow extends Omit<NewBreakGlass, 'tokenId' | 'reason'> {
  readonly login: string
  readonly name: string
  /** Whether the token it was opened with was given for an emergency code. */
  readonly byEmergencyCode: boolean
  /** When it was ended, or its running out put on record; null before either. */
  readonly endedAt: Date | null
  readonly review: {
    readonly by: UserId
    readonly at: Date
    readonly verdict: Verdict
    readonly note: string
  } | null
}

/** Emergency access to be opened: its row, its event, and its alert. */
export interface OpeningBreakGlass {
  readonly row: NewBreakGlass
  readonly event: AuditRecord
  readonly raised: RaisedAlert
}

/** `open`: somebody's is open already, and nothing was written. */
export type Opened =
  | { readonly status: 'opened' }
  | { readonly status: 'open'; readonly id: BreakGlassId; readonly until: Date }

export interface BreakGlassFilter {
  /** Null: everybody's. */
  readonly userId: UserId | null
  readonly state?: BreakGlassState | undefined
  /** The last one of the page before. */
  readonly beforeId: BreakGlassId | null
  readonly limit: number
  readonly now: Date
}

export interface BreakGlassReference {
  readonly tenantId: TenantId
  readonly id: BreakGlassId
}

export interface BreakGlassCatalog {
  openBreakGlass(opening: OpeningBreakGlass, columns: ColumnKeys, options?: QueryOptions): Promise<Opened>
  /** Newest first. */
  listBreakGlass(
    tenantId: TenantId,
    filter: BreakGlassFilter,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<readonly BreakGlassRow[]>
  findBreakGlass(
    tenantId: TenantId,
    id: BreakGlassId,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<(BreakGlassRow & { readonly reason: string }) | null>
  /** False, and nothing written, where it is over. */
  endBreakGlass(
    end: BreakGlassReference & { readonly at: Date },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** Of any tenant: those that ran out, without their end on record. */
  listExpiredBreakGlass(
    now: Date,
    limit: number,
    options?: QueryOptions,
  ): Promise<readonly BreakGlassReference[]>
  /** Puts on record that it ran out. False, and nothing written, where its end is on record. */
  expireBreakGlass(
    expiry: BreakGlassReference & { readonly now: Date },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** Of any tenant: those whose review is late, without an alert that says so. */
  listOverdueReviews(
    now: Date,
    limit: number,
    options?: QueryOptions,
  ): Promise<readonly BreakGlassReference[]>
  /** False, and nothing written, where it was reviewed before. Throws `refused` for a review of one's own. */
  reviewBreakGlass(
    review: BreakGlassReference & {
      readonly by: UserId
      readonly at: Date
      readonly verdict: Verdict
      readonly note: string
    },
    columns: ColumnKeys,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /**
   * Events of somebody, in the order of their ids, whose leaf names emergency access: `after` and `before` bound the
   * time that their ids carry. Whoever reads them looks at what they say.
   */
  listEmergencyEvents(
    tenantId: TenantId,
    query: {
      readonly userId: UserId
      readonly after: Date
      readonly before: Date
      readonly afterId: EventId | null
      readonly limit: number
    },
    options?: QueryOptions,
  ): Promise<readonly Pick<StoredRecord, 'id' | 'leaf'>[]>
  /** Challenges and spent tokens that were over before `before`; how many were removed. */
  removeSpent(before: Date, options?: QueryOptions): Promise<number>
}

const columnsOf = `b.tenant_id, b.id, b.user_id, u.login, u.name, b.reason, b.started_at, b.until, b.ended_at,
  b.review_due_at, b.reviewed_by, b.reviewed_at, b.verdict, b.review_note,
  coalesce((select 'emergency_code' = any(t.factors) from auricle.token t
    where t.tenant_id = b.tenant_id and t.id = b.token_id), false) as by_emergency_code`
const joined = `auricle.break_glass b
  join auricle.app_user u on u.tenant_id = b.tenant_id and u.id = b.user_id`

/** In the words of the contract; $2 is now. */
const inState: Readonly<Record<BreakGlassState, string>> = {
  open: 'b.ended_at is null and b.until > $2',
  unreviewed: 'b.reviewed_at is null and (b.ended_at is not null or b.until <= $2) and b.review_due_at > $2',
  overdue: 'b.reviewed_at is null and (b.ended_at is not null or b.until <= $2) and b.review_due_at <= $2',
  reviewed: 'b.reviewed_at is not null',
}

export function createBreakGlass(database: Database): BreakGlassCatalog {
  return {
    openBreakGlass: (opening, columns, options) => {
      return database.inTenant(
        opening.row.tenantId,
        session => insertBreakGlass(session, opening, columns),
        options,
      )
    },

    async listBreakGlass(tenantId, { userId, state, beforeId, limit, now }, columns, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select ${columnsOf} from ${joined}
                   where b.tenant_id = $1 and $2::timestamptz is not null
                     and ($3::text is null or b.user_id = $3) and ($4::text is null or b.id < $4)
                     ${state === undefined ? '' : `and ${inState[state]}`}
                   order by b.id desc limit $5`,
            values: [tenantId, now, userId, beforeId, limit],
          })
        },
        options,
      )
      return found.map(row => readBreakGlass(row, columns))
    },

    async findBreakGlass(tenantId, id, columns, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select ${columnsOf} from ${joined} where b.tenant_id = $1 and b.id = $2`,
            values: [tenantId, id],
          })
        },
        options,
      )
      return firstOrNull(found, row => ({
        ...readBreakGlass(row, columns),
        reason: openColumn(columns, placeOf('reason', tenantId, id), bytes(row, 'reason')),
      }))
    },

    endBreakGlass: ({ tenantId, id, at }, event, options) => {
      return changeOnce(
        database,
        `update auricle.break_glass set ended_at = $3
         where tenant_id = $1 and id = $2 and ended_at is null and until > $3`,
        [tenantId, id, at],
        event,
        options,
      )
    },

    async listExpiredBreakGlass(now, limit, options) {
      const found = await database.once(
        { text: 'select * from auricle.expired_break_glass($1, $2)', values: [now, limit] },
        options,
      )
      return found.map(readReference)
    },

    expireBreakGlass: ({ tenantId, id, now }, event, options) => {
      return changeOnce(
        database,
        `update auricle.break_glass set ended_at = until
         where tenant_id = $1 and id = $2 and ended_at is null and until <= $3`,
        [tenantId, id, now],
        event,
        options,
      )
    },

    async listOverdueReviews(now, limit, options) {
      const found = await database.once(
        { text: 'select * from auricle.overdue_reviews($1, $2)', values: [now, limit] },
        options,
      )
      return found.map(readReference)
    },

    reviewBreakGlass: ({ tenantId, id, by, at, verdict, note }, columns, event, options) => {
      return changeOnce(
        database,
        `update auricle.break_glass set reviewed_by = $3, reviewed_at = $4, verdict = $5, review_note = $6
         where tenant_id = $1 and id = $2 and reviewed_at is null`,
        [tenantId, id, by, at, verdict, sealColumn(columns, placeOf('review_note', tenantId, id), note)],
        event,
        options,
      )
    },

    async listEmergencyEvents(tenantId, { userId, after, before, afterId, limit }, options) {
      const first = firstIdOf(after)
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select tenant_id, id, recorded_at, leaf, sealed_private from auricle.audit_event
                   where tenant_id = $1 and id > $2 and id < $3
                     and position('"break_glass"'::bytea in leaf) > 0 and position(convert_to($4, 'UTF8') in leaf) > 0
                   order by id limit $5`,
            values: [
              tenantId,
              afterId === null || afterId < first ? first : afterId,
              firstIdOf(before),
              `"id":"${userId}"`,
              limit,
            ],
          })
        },
        options,
      )
      return found.map(readEvent)
    },

    async removeSpent(before, options) {
      const [row] = await database.once(
        { text: 'select auricle.remove_spent($1) as removed', values: [before] },
        options,
      )
      return Number(row?.['removed'] ?? 0)
    },
  }
}

/** Adds emergency access to a transaction. The person's row is locked first: of two at once, one finds the other's. */
export async function insertBreakGlass(
  session: Session,
  { row, event, raised }: OpeningBreakGlass,
  columns: ColumnKeys,
): Promise<Opened> {
  await session.rows({
    text: 'select from auricle.app_user where tenant_id = $1 and id = $2 for update',
    values: [row.tenantId, row.userId],
  })
  const [open] = await session.rows({
    text: `select id, until from auricle.break_glass
           where tenant_id = $1 and user_id = $2 and ended_at is null and until > $3
           order by until desc limit 1`,
    values: [row.tenantId, row.userId, row.startedAt],
  })
  if (open !== undefined)
    return { status: 'open', id: parsed(open, 'id', BreakGlassId), until: time(open, 'until') }
  await session.write({
    text: `insert into auricle.break_glass
             (tenant_id, id, user_id, token_id, reason, started_at, until, review_due_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    values: [
      row.tenantId,
      row.id,
      row.userId,
      row.tokenId,
      sealColumn(columns, placeOf('reason', row.tenantId, row.id), row.reason),
      row.startedAt,
      row.until,
      row.reviewDueAt,
    ],
  })
  await insertEvent(session, event)
  await insertAlert(session, raised)
  return { status: 'opened' }
}

/** A change that only one of several can make: the update finds its row for one, whose event is written with it. */
function changeOnce(
  database: Database,
  update: string,
  values: readonly unknown[],
  event: AuditRecord,
  options: QueryOptions | undefined,
): Promise<boolean> {
  return database.inTenant(
    event.tenantId,
    async session => {
      if ((await session.write({ text: update, values })) === 0) return false
      await insertEvent(session, event)
      return true
    },
    options,
  )
}

function readBreakGlass(row: Row, columns: ColumnKeys): BreakGlassRow {
  const tenantId = parsed(row, 'tenant_id', TenantId)
  const id = parsed(row, 'id', BreakGlassId)
  const by = parsedOrNull(row, 'reviewed_by', UserId)
  return {
    id,
    tenantId,
    userId: parsed(row, 'user_id', UserId),
    login: text(row, 'login'),
    name: text(row, 'name'),
    byEmergencyCode: row['by_emergency_code'] === true,
    startedAt: time(row, 'started_at'),
    until: time(row, 'until'),
    endedAt: orNull(row, 'ended_at', time),
    reviewDueAt: time(row, 'review_due_at'),
    review:
      by === null
        ? null
        : {
            by,
            at: time(row, 'reviewed_at'),
            verdict: parsed(row, 'verdict', Verdict),
            note: openColumn(columns, placeOf('review_note', tenantId, id), bytes(row, 'review_note')),
          },
  }
}

/** The lowest id that an event of that millisecond can have. */
const firstIdOf = (at: Date): EventId =>
  newEventId({ now: () => at.getTime(), random: byteLength => new Uint8Array(byteLength) })

function readReference(row: Row): BreakGlassReference {
  return { tenantId: parsed(row, 'tenant_id', TenantId), id: parsed(row, 'id', BreakGlassId) }
}

function placeOf(column: 'reason' | 'review_note', tenantId: TenantId, rowId: BreakGlassId): ColumnPlace {
  return { tenantId, table: 'break_glass', column, rowId }
}
