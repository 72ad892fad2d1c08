// The log's rows: appended, listed, never changed.

import type { AuditRecord } from '@auricle/audit'
import { EventId, TenantId } from '@auricle/contract'
import type { Catalog } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { bytes, orNull, parsed, type Row, time } from './row.ts'

type Log = Pick<Catalog, 'appendEvents' | 'listEvents'>

export function createLog(database: Database): Log {
  return {
    async appendEvents(events, options) {
      if (events.length === 0) return
      await database.once(
        {
          name: 'append_events',
          text: 'select auricle.append_events($1, $2, $3, $4)',
          values: [
            events.map(event => event.tenantId),
            events.map(event => event.id),
            events.map(event => event.leaf),
            events.map(event => event.sealedPrivate),
          ],
        },
        options,
      )
    },

    async listEvents(tenantId, { afterId, limit }, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select tenant_id, id, recorded_at, leaf, sealed_private from auricle.audit_event
                   where tenant_id = $1 and id > $2 order by id limit $3`,
            values: [tenantId, afterId ?? '', limit],
          })
        },
        options,
      )
      return found.map(readEvent)
    },
  }
}

/** Adds an event to a transaction; it commits with the rest, or not at all. */
export async function insertEvent(session: Session, event: AuditRecord): Promise<void> {
  await session.write({
    name: 'insert_event',
    text: 'insert into auricle.audit_event (tenant_id, id, leaf, sealed_private) values ($1, $2, $3, $4)',
    values: [event.tenantId, event.id, event.leaf, event.sealedPrivate],
  })
}

export function readEvent(row: Row): AuditRecord & { readonly recordedAt: Date } {
  return {
    tenantId: parsed(row, 'tenant_id', TenantId),
    id: parsed(row, 'id', EventId),
    leaf: bytes(row, 'leaf'),
    sealedPrivate: orNull(row, 'sealed_private', bytes),
    recordedAt: time(row, 'recorded_at'),
  }
}
