// Legal holds: placed, extended and released, each in one transaction with its event.
//
// Whoever changes what a hold covers has `lock_holds`, so that nothing is archived, relabelled or destroyed between the look
// and what follows from it.
import type { AuditRecord } from '@auricle/audit'
import type { HoldId, RecordingId, TenantId, UserId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { addToHold, type Covered, type HoldAdditions, releaseCovers } from './hold-cover.ts'
import { createHoldReading, type HoldReadingCatalog } from './hold-reading.ts'
import { holdPlace } from './hold-row.ts'
import { integer } from './row.ts'
import { sealColumn } from './sealed-column.ts'

export interface NewHoldRow extends HoldAdditions {
  readonly matter: string
  readonly notice: string | null
}

/** The event of a change, once it is known how many recordings it reaches. */
export type CountedEvent = (recordings: number) => Promise<AuditRecord>

export interface HoldCatalog extends HoldReadingCatalog {
  /** Throws `not_found`, and nothing is written, where a recording, mailbox, patient or person is not the tenant's. */
  placeHold(
    hold: NewHoldRow,
    columns: ColumnKeys,
    event: CountedEvent,
    options?: QueryOptions,
  ): Promise<Covered>
  /** Null, and nothing is written, where there is no such hold in force. Throws as `placeHold`. */
  extendHold(
    additions: HoldAdditions,
    columns: ColumnKeys,
    event: CountedEvent,
    options?: QueryOptions,
  ): Promise<Covered | null>
  /** Ends a hold and what it covers. Null where it is not in force; else how many recordings it covered. */
  releaseHold(
    release: {
      readonly tenantId: TenantId
      readonly id: HoldId
      readonly by: UserId
      readonly at: Date
      readonly reason: string
    },
    columns: ColumnKeys,
    event: CountedEvent,
    options?: QueryOptions,
  ): Promise<number | null>
  /** Takes one recording out of a hold. False where the hold does not cover it. */
  releaseCover(
    release: {
      readonly tenantId: TenantId
      readonly id: HoldId
      readonly recordingId: RecordingId
      readonly by: UserId
      readonly at: Date
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** False where they are no custodian of such a hold in force, or said so before. */
  acknowledgeNotice(
    read: {
      readonly tenantId: TenantId
      readonly id: HoldId
      readonly userId: UserId
      readonly at: Date
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
}

/** What covers a million recordings takes longer than other statements may. */
const longStatement = `select set_config('statement_timeout', '15min', true), set_config('lock_timeout', '2min', true)`

export function createHolds(database: Database): HoldCatalog {
  return {
    ...createHoldReading(database),

    placeHold: (hold, columns, event, options) => {
      const { tenantId, id, matter, notice, at, by } = hold
      return database.inTenant(
        tenantId,
        async session => {
          await lockHolds(session, tenantId)
          await session.write({
            text: `insert into auricle.legal_hold (tenant_id, id, matter, notice, placed_at, placed_by)
                   values ($1, $2, $3, $4, $5, $6)`,
            values: [
              ...[tenantId, id, sealColumn(columns, holdPlace(tenantId, 'matter', id), matter)],
              notice === null ? null : sealColumn(columns, holdPlace(tenantId, 'notice', id), notice),
              ...[at, by],
            ],
          })
          const covered = await addToHold(session, hold, 0, columns)
          await insertEvent(session, await event(covered.covered))
          return covered
        },
        options,
      )
    },

    extendHold: (additions, columns, event, options) => {
      const { tenantId, id } = additions
      return database.inTenant(
        tenantId,
        async session => {
          await lockHolds(session, tenantId)
          const clauses = await lockActive(session, tenantId, id)
          if (clauses === null) return null
          const covered = await addToHold(session, additions, clauses, columns)
          await insertEvent(session, await event(covered.covered))
          return covered
        },
        options,
      )
    },

    releaseHold: ({ tenantId, id, by, at, reason }, columns, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          await lockHolds(session, tenantId)
          const clauses = await lockActive(session, tenantId, id)
          if (clauses === null) return null
          await session.write({
            text: `update auricle.legal_hold set released_at = $3, released_by = $4, release_reason = $5
                   where tenant_id = $1 and id = $2`,
            values: [
              ...[tenantId, id, at, by],
              sealColumn(columns, holdPlace(tenantId, 'release_reason', id), reason),
            ],
          })
          const released = await releaseCovers(session, { tenantId, id, at, clauses })
          await insertEvent(session, await event(released))
          return released
        },
        options,
      )
    },

    releaseCover: ({ tenantId, id, recordingId, by, at }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const clauses = await lockActive(session, tenantId, id)
          if (clauses === null) return false
          const released = await session.write({
            text: `update auricle.hold_cover set released_at = $4, released_by = $5, released_after = $6
                   where tenant_id = $1 and hold_id = $2 and recording_id = $3 and released_at is null`,
            values: [tenantId, id, recordingId, at, by, clauses],
          })
          if (released === 0) return false
          // Also where another hold covers it: one that is released at this moment would leave it to this one to ask.
          await session.rows({
            text: 'select auricle.ask_store($1, $2, $3)',
            values: [tenantId, recordingId, at],
          })
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    acknowledgeNotice: ({ tenantId, id, userId, at }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const acknowledged = await session.write({
            text: `update auricle.hold_custodian p set acknowledged_at = $4
                   where p.tenant_id = $1 and p.hold_id = $2 and p.user_id = $3 and p.acknowledged_at is null
                     and exists (
                       select from auricle.legal_hold h
                       where h.tenant_id = p.tenant_id and h.id = p.hold_id and h.released_at is null
                     )`,
            values: [tenantId, id, userId, at],
          })
          if (acknowledged === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },
  }
}

async function lockHolds(session: Session, tenantId: TenantId): Promise<void> {
  await session.rows({ text: longStatement, values: [] })
  await session.rows({ text: 'select auricle.lock_holds($1)', values: [tenantId] })
}

/** How many clauses it has, its row locked; null where there is no such hold in force. */
async function lockActive(session: Session, tenantId: TenantId, id: HoldId): Promise<number | null> {
  const found = await session.rows({
    text: `select from auricle.legal_hold where tenant_id = $1 and id = $2 and released_at is null for update`,
    values: [tenantId, id],
  })
  if (found.length === 0) return null
  const [row] = await session.rows({
    text: `select coalesce(max(number), 0) as clauses from auricle.hold_clause where tenant_id = $1 and hold_id = $2`,
    values: [tenantId, id],
  })
  return row === undefined ? 0 : integer(row, 'clauses')
}
