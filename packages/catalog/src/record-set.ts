// Whether recordings are part of the designated record set: decided by mailbox or one by one, and what nobody decided.
import type { AuditRecord } from '@auricle/audit'
import {
  MailboxId,
  RecordingId,
  RecordSet,
  RecordSetDecisionId,
  type TenantId,
  UserId,
} from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database } from './database.ts'
import { insertEvent } from './events.ts'
import { markStale } from './retention-facts.ts'
import { bytes, integer, parsed, parsedOrNull, type Row, text, time } from './row.ts'
import { openColumn, sealColumn } from './sealed-column.ts'

export interface RecordSetRow {
  readonly tenantId: TenantId
  readonly id: RecordSetDecisionId
  readonly subject: { readonly mailboxId: MailboxId } | { readonly recordingId: RecordingId }
  readonly decision: RecordSet
  /** In somebody's own words; sealed. */
  readonly rationale: string
  readonly decidedAt: Date
  readonly decidedBy: UserId | null
}

export interface RecordSetMailbox {
  /** Null: recordings that came to none. */
  readonly mailbox: { readonly id: MailboxId; readonly address: string; readonly name: string } | null
  readonly recordings: number
  readonly undecided: number
}

export interface RecordSetCatalog {
  /** Ends the decision before it. Throws `not_found` where mailbox or recording are not the tenant's. */
  decideRecordSet(
    decision: RecordSetRow,
    columns: ColumnKeys,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<void>
  /** Those that hold, by mailbox; all of them. */
  listRecordSetOfMailboxes(
    tenantId: TenantId,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<readonly RecordSetRow[]>
  /** Those that hold, of single recordings, newest first. */
  listRecordSetOfRecordings(
    tenantId: TenantId,
    page: { readonly beforeId: RecordSetDecisionId | null; readonly limit: number },
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<readonly RecordSetRow[]>
  /** Every mailbox and what came to none, by address. Destroyed recordings do not count. */
  countRecordSet(tenantId: TenantId, options?: QueryOptions): Promise<readonly RecordSetMailbox[]>
}

export function createRecordSet(database: Database): RecordSetCatalog {
  return {
    decideRecordSet: (decision, columns, event, options) => {
      const { tenantId, id, subject, decidedAt, decidedBy } = decision
      const [column, subjectId] =
        'mailboxId' in subject ? ['mailbox_id', subject.mailboxId] : ['recording_id', subject.recordingId]
      return database.inTenant(
        tenantId,
        async session => {
          // Two at once: the second waits here until the first has committed, and ends it.
          await session.write({
            text: `select pg_advisory_xact_lock(hashtextextended('auricle.record_set/' || $1, 0))`,
            values: [subjectId],
          })
          await session.write({
            text: `update auricle.record_set_decision set superseded_at = $3
                   where tenant_id = $1 and ${column} = $2 and superseded_at is null`,
            values: [tenantId, subjectId, decidedAt],
          })
          await session.write({
            text: `insert into auricle.record_set_decision
                     (tenant_id, id, ${column}, decision, rationale, decided_at, decided_by)
                   values ($1, $2, $3, $4, $5, $6, $7)`,
            values: [
              ...[tenantId, id, subjectId, decision.decision],
              sealColumn(columns, rationalePlace(tenantId, id), decision.rationale),
              ...[decidedAt, decidedBy],
            ],
          })
          await markStale(session, tenantId, subject)
          await insertEvent(session, event)
        },
        options,
      )
    },

    async listRecordSetOfMailboxes(tenantId, columns, options) {
      const rows = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select * from auricle.record_set_decision
                   where tenant_id = $1 and mailbox_id is not null and superseded_at is null order by mailbox_id`,
            values: [tenantId],
          }),
        options,
      )
      return rows.map(row => readDecision(row, tenantId, columns))
    },

    async listRecordSetOfRecordings(tenantId, { beforeId, limit }, columns, options) {
      const rows = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select * from auricle.record_set_decision
                   where tenant_id = $1 and recording_id is not null and superseded_at is null
                     and ($2::text is null or id < $2)
                   order by id desc limit $3`,
            values: [tenantId, beforeId, limit],
          }),
        options,
      )
      return rows.map(row => readDecision(row, tenantId, columns))
    },

    async countRecordSet(tenantId, options) {
      const rows = await database.inTenant(
        tenantId,
        session => session.rows({ text: countText, values: [tenantId] }),
        options,
      )
      return rows.map(row => {
        const id = parsedOrNull(row, 'id', MailboxId)
        return {
          mailbox: id === null ? null : { id, address: text(row, 'address'), name: text(row, 'name') },
          recordings: integer(row, 'recordings'),
          undecided: integer(row, 'undecided'),
        }
      })
    },
  }
}

const countText = `
  with counted as (
    select r.mailbox_id, count(*) as recordings,
      count(*) filter (where coalesce(own.decision, mailbox.decision, 'undecided') = 'undecided') as undecided
    from auricle.recording r
    left join auricle.record_set_decision own
      on own.tenant_id = r.tenant_id and own.recording_id = r.id and own.superseded_at is null
    left join auricle.record_set_decision mailbox
      on mailbox.tenant_id = r.tenant_id and mailbox.mailbox_id = r.mailbox_id and mailbox.superseded_at is null
    where r.tenant_id = $1 and r.destroyed_at is null
    group by r.mailbox_id
  )
  select m.id, m.address, m.name, coalesce(c.recordings, 0) as recordings, coalesce(c.undecided, 0) as undecided
  from auricle.mailbox m left join counted c on c.mailbox_id = m.id
  where m.tenant_id = $1
  union all
  select null, null, null, c.recordings, c.undecided from counted c where c.mailbox_id is null
  order by address nulls last`

const rationalePlace = (tenantId: TenantId, rowId: string) => {
  return { tenantId, table: 'record_set_decision', column: 'rationale', rowId }
}

function readDecision(row: Row, tenantId: TenantId, columns: ColumnKeys): RecordSetRow {
  const id = parsed(row, 'id', RecordSetDecisionId)
  const mailboxId = parsedOrNull(row, 'mailbox_id', MailboxId)
  return {
    tenantId,
    id,
    subject: mailboxId === null ? { recordingId: parsed(row, 'recording_id', RecordingId) } : { mailboxId },
    decision: parsed(row, 'decision', RecordSet),
    rationale: openColumn(columns, rationalePlace(tenantId, id), bytes(row, 'rationale')),
    decidedAt: time(row, 'decided_at'),
    decidedBy: parsedOrNull(row, 'decided_by', UserId),
  }
}
