// Reading the sealed log: searched, followed, shown, its logs and signed roots; and the one thing that may go, a private part.
//
// Nothing here is believed that a leaf does not say: rows come with the leaf and the hash that was sealed, and whoever
// reads them compares.
import type { AuditEvent, AuditRecord } from '@auricle/audit'
import { EventId, type TenantId } from '@auricle/contract'
import { type AuditFilter, auditQuery, type LogPosition, sealColumns, withEvents } from './audit-query.ts'
import type { QueryOptions } from './catalog.ts'
import type { Database } from './database.ts'
import { insertEvent } from './events.ts'
import { isUnderHold } from './hold-cover.ts'
import { type CheckpointRow, readCheckpoint } from './log-reading.ts'
import { bytes, firstOrNull, integer, orNull, parsed, type Row, text, time } from './row.ts'

/** What the index of the log says of a leaf, and its event as it is stored. */
export interface SealedRow extends LogPosition {
  readonly id: EventId
  readonly leafHash: Uint8Array
  readonly at: Date
  readonly action: string
  readonly outcome: string
  readonly actorId: string
  readonly objectId: string | null
  /** Null where the event is not there any more. */
  readonly stored: StoredEvent | null
}

export interface StoredEvent {
  readonly leaf: Uint8Array
  readonly sealedPrivate: Uint8Array | null
  readonly receivedAt: Date
}

/** A log of a tenant with its newest signed root; null before the first. */
export interface AuditLogRow {
  readonly year: number
  readonly origin: string
  readonly size: number
  readonly openedAt: Date
  readonly closedAt: Date | null
  readonly checkpoint: CheckpointRow | null
  /** Size of the newest root that is in write-once storage with all that it stands on. */
  readonly publishedSize: number
}

export interface AuditSearchCatalog {
  /** Newest first. */
  searchAudit(tenantId: TenantId, filter: AuditFilter, options?: QueryOptions): Promise<readonly SealedRow[]>
  /** In the order of the logs, those after a position; from the first where there is none. */
  followAudit(
    tenantId: TenantId,
    page: { readonly after: LogPosition | null; readonly limit: number },
    options?: QueryOptions,
  ): Promise<readonly SealedRow[]>
  /** Whether something was sealed after a position that is none of these actions. */
  hasAuditNews(
    tenantId: TenantId,
    query: { readonly after: LogPosition | null; readonly quiet: readonly string[] },
    options?: QueryOptions,
  ): Promise<boolean>
  /** `seal` is null for an event that no tree holds yet; null where the tenant has neither. */
  findAudit(
    tenantId: TenantId,
    id: EventId,
    options?: QueryOptions,
  ): Promise<{ readonly seal: SealedRow | null; readonly stored: StoredEvent | null } | null>
  /** Oldest year first. */
  listAuditLogs(tenantId: TenantId, options?: QueryOptions): Promise<readonly AuditLogRow[]>
  /** When the oldest event was stored that no tree holds yet; null without one. */
  findUnsealedSince(tenantId: TenantId, options?: QueryOptions): Promise<Date | null>
  /**
   * Commits with its event. Nothing is written where a legal hold covers what the event is `about`, or where the event has
   * no private part any more.
   */
  dropPrivatePart(
    tenantId: TenantId,
    dropped: { readonly id: EventId; readonly about: AuditEvent['object'] },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<'dropped' | 'held' | 'none'>
}

const beforeAll: LogPosition = { year: 0, seq: 0 }

export function createAuditSearch(database: Database): AuditSearchCatalog {
  return {
    async searchAudit(tenantId, filter, options) {
      const statement = auditQuery(tenantId, filter)
      const found = await database.inTenant(tenantId, session => session.rows(statement), options)
      return found.map(readSealed)
    },

    async followAudit(tenantId, { after, limit }, options) {
      const { year, seq } = after ?? beforeAll
      const seals = `select ${sealColumns} from auricle.audit_seal s
        where s.tenant_id = $1 and (s.year, s.seq) > ($2, $3) order by s.year, s.seq limit $4`
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: withEvents(seals, 'order by s.year, s.seq'),
            values: [tenantId, year, seq, limit],
          }),
        options,
      )
      return found.map(readSealed)
    },

    async hasAuditNews(tenantId, { after, quiet }, options) {
      const { year, seq } = after ?? beforeAll
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select from auricle.audit_seal
                   where tenant_id = $1 and (year, seq) > ($2, $3) and action <> all ($4::text[])
                   order by year, seq limit 1`,
            values: [tenantId, year, seq, quiet],
          }),
        options,
      )
      return found.length > 0
    },

    async findAudit(tenantId, id, options) {
      const [events, seals] = await database.inTenant(
        tenantId,
        async session => [
          await session.rows({
            text: `select leaf, sealed_private, recorded_at from auricle.audit_event
                   where tenant_id = $1 and id = $2`,
            values: [tenantId, id],
          }),
          await session.rows({
            text: withEvents(
              `select ${sealColumns} from auricle.audit_seal s where s.tenant_id = $1 and s.event_id = $2`,
              '',
            ),
            values: [tenantId, id],
          }),
        ],
        options,
      )
      const found = { seal: firstOrNull(seals, readSealed), stored: firstOrNull(events, readStored) }
      return found.seal === null && found.stored === null ? null : found
    },

    async listAuditLogs(tenantId, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select l.year, l.origin, l.size as log_size, l.opened_at, l.closed_at,
                     c.size, c.root, c.note, c.sealed_at as at, c.published_at, coalesce(p.size, 0) as published_size
                   from auricle.audit_log l
                   left join lateral (
                     select * from auricle.audit_checkpoint c where c.tenant_id = $1 and c.year = l.year
                     order by c.size desc limit 1
                   ) c on true
                   left join lateral (
                     select c.size from auricle.audit_checkpoint c
                     where c.tenant_id = $1 and c.year = l.year and c.published_at is not null
                     order by c.size desc limit 1
                   ) p on true
                   where l.tenant_id = $1 order by l.year`,
            values: [tenantId],
          }),
        options,
      )
      return found.map(readLog)
    },

    async findUnsealedSince(tenantId, options) {
      const found = await database.inTenant(
        tenantId,
        async session => {
          const [log] = await session.rows({
            text: `select cursor_xid::text as xid, cursor_id as id from auricle.audit_log
                   where tenant_id = $1 order by year desc limit 1`,
            values: [tenantId],
          })
          return session.rows({
            text: `select e.recorded_at from auricle.audit_event e
                   where e.tenant_id = $1 and (e.xid, e.id) > ($2::xid8, $3)
                     and not exists (select from auricle.audit_seal s where s.tenant_id = $1 and s.event_id = e.id)
                   order by e.xid, e.id limit 1`,
            values: [tenantId, log?.['xid'] ?? '0', log?.['id'] ?? ''],
          })
        },
        options,
      )
      return firstOrNull(found, row => time(row, 'recorded_at'))
    },

    dropPrivatePart: (tenantId, { id, about }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          if (about !== null && (await isUnderHold(session, tenantId, about))) return 'held'
          const [row] = await session.rows({
            text: 'select auricle.drop_private_part($1, $2) as dropped',
            values: [tenantId, id],
          })
          if (row?.['dropped'] !== true) return 'none'
          await insertEvent(session, event)
          return 'dropped'
        },
        options,
      )
    },
  }
}

function readSealed(row: Row): SealedRow {
  return {
    year: integer(row, 'year'),
    seq: integer(row, 'seq'),
    id: parsed(row, 'event_id', EventId),
    leafHash: bytes(row, 'leaf_hash'),
    at: time(row, 'at'),
    action: text(row, 'action'),
    outcome: text(row, 'outcome'),
    actorId: text(row, 'actor_id'),
    objectId: orNull(row, 'object_id', text),
    stored: row['leaf'] === null ? null : readStored(row),
  }
}

function readStored(row: Row): StoredEvent {
  return {
    leaf: bytes(row, 'leaf'),
    sealedPrivate: orNull(row, 'sealed_private', bytes),
    receivedAt: time(row, 'recorded_at'),
  }
}

function readLog(row: Row): AuditLogRow {
  return {
    year: integer(row, 'year'),
    origin: text(row, 'origin'),
    size: integer(row, 'log_size'),
    openedAt: time(row, 'opened_at'),
    closedAt: orNull(row, 'closed_at', time),
    checkpoint: row['note'] === null ? null : readCheckpoint(row),
    publishedSize: integer(row, 'published_size'),
  }
}
