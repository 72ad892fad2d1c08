// The log's rows: appended, listed, never changed.

import type { AuditRecord, RecordStamper, StampedRecord, StoredRecord } from '@auricle/audit'
import { EventId, TenantId } from '@auricle/contract'
import type { Catalog } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { bytes, orNull, parsed, type Row, time } from './row.ts'

type Log = Pick<Catalog, 'appendEvents' | 'listEvents'>

export function createLog(database: Database, stamper: RecordStamper): Log {
  return {
    async appendEvents(events, options) {
      if (events.length === 0) return
      let stamped: readonly StampedRecord[] = []
      await database.once(() => {
        stamped = stamper.stamp(events)
        return {
          name: 'append_events',
          text: 'select auricle.append_events($1, $2, $3, $4)',
          values: [
            stamped.map(event => event.tenantId),
            stamped.map(event => event.id),
            stamped.map(event => event.leaf),
            stamped.map(event => event.sealedPrivate),
          ],
        }
      }, options)
      for (const event of stamped) event.acknowledge()
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
  for (const { tenantId, id, leaf, sealedPrivate } of session.stamp([event])) {
    await session.write({
      name: 'insert_event',
      text: 'insert into auricle.audit_event (tenant_id, id, leaf, sealed_private) values ($1, $2, $3, $4)',
      values: [tenantId, id, leaf, sealedPrivate],
    })
  }
}

export function readEvent(row: Row): StoredRecord & { readonly recordedAt: Date } {
  return {
    tenantId: parsed(row, 'tenant_id', TenantId),
    id: parsed(row, 'id', EventId),
    leaf: bytes(row, 'leaf'),
    sealedPrivate: orNull(row, 'sealed_private', bytes),
    recordedAt: time(row, 'recorded_at'),
  }
}
