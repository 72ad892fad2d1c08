// The log's rows: appended, listed, never changed.

import type { AuditRecord, RecordStamper, StampedRecord, StoredRecord } from '@auricle/audit'
import { EventId, TenantId } from '@auricle/contract'
import { byteaArray } from './binary-array.ts'
import type { Catalog, QueryOptions } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { bytes, orNull, parsed, type Row, time } from './row.ts'

type Log = Pick<Catalog, 'appendEvents' | 'appendStamped' | 'commitLate' | 'findMissingEvents' | 'listEvents'>

export function createLog(database: Database, stamper: RecordStamper): Log {
  async function append(stamp: () => readonly StampedRecord[], options?: QueryOptions): Promise<void> {
    let stamped: readonly StampedRecord[] = []
    await database.once(() => {
      stamped = stamp()
      return {
        name: 'append_events',
        text: 'select auricle.append_events($1, $2, $3, $4)',
        values: [stamped.map(event => event.tenantId), ...columnsOf(stamped)],
      }
    }, options)
    for (const event of stamped) event.acknowledge()
  }

  return {
    async appendEvents(events, options) {
      if (events.length > 0) await append(() => stamper.stamp(events), options)
    },

    async appendStamped(events, options) {
      if (events.length > 0) await append(() => events, options)
    },

    commitLate: (tenantId, events, reconciled, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const inserted = await session.rows({
            text: `insert into auricle.audit_event (tenant_id, id, leaf, sealed_private, late)
                   select $1, e.id, e.leaf, e.private, true
                   from unnest($2::text[], $3::bytea[], $4::bytea[]) e (id, leaf, private)
                   on conflict (tenant_id, id) do nothing
                   returning id`,
            values: [tenantId, ...columnsOf(events)],
          })
          const missing = inserted.map(row => parsed(row, 'id', EventId))
          if (missing.length > 0) await insertEvent(session, reconciled(missing))
          const others = await session.rows({
            text: `select e.id from unnest($2::text[], $3::bytea[]) e (id, leaf)
                   join auricle.audit_event a on a.tenant_id = $1 and a.id = e.id and a.leaf <> e.leaf`,
            values: [tenantId, events.map(({ id }) => id), byteaArray(events.map(({ leaf }) => leaf))],
          })
          return { missing, altered: others.map(row => parsed(row, 'id', EventId)) }
        },
        options,
      )
    },

    async findMissingEvents(tenantId, ids, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select wanted.id from unnest($2::text[]) wanted (id)
                   where not exists (
                     select from auricle.audit_event e where e.tenant_id = $1 and e.id = wanted.id
                   )`,
            values: [tenantId, ids],
          })
        },
        options,
      )
      return found.map(row => parsed(row, 'id', EventId))
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

/** Ids, leaves and sealed private parts, as the functions of the database take them. */
export const columnsOf = (events: readonly StoredRecord[]) => [
  events.map(({ id }) => id),
  byteaArray(events.map(({ leaf }) => leaf)),
  byteaArray(events.map(({ sealedPrivate }) => sealedPrivate)),
]

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
