// What still has to reach the queue, of all tenants: handed over at least once, by one caller at a time.
import { IntakeId, TenantId } from '@auricle/contract'
import type { Catalog, OutboxRow } from './catalog.ts'
import type { Database } from './database.ts'
import { integer, parsed, type Row } from './row.ts'

type Outbox = Pick<Catalog, 'drainOutbox' | 'listStalledIntakes'>

export function createOutbox(database: Database, now: () => Date): Outbox {
  return {
    /**
     * Order: lock, relay, remove, commit. Killed after the relay, the rows stay and are relayed again; a relay that
     * rejects leaves them, and its error reaches the caller as it is.
     */
    drainOutbox: (limit, relay, options) => {
      return database.transaction(async session => {
        const taken = await session.rows({ text: 'select * from auricle.take_outbox($1)', values: [limit] })
        if (taken.length === 0) return 0
        const rows = taken.map(readOutboxRow)
        await relay(rows)
        await session.rows({ text: 'select auricle.remove_outbox($1)', values: [rows.map(row => row.id)] })
        return rows.length
      }, options)
    },

    async listStalledIntakes(before, limit, options) {
      const found = await database.once(
        { text: 'select * from auricle.stalled_intakes($1, $2, $3)', values: [before, now(), limit] },
        options,
      )
      return found.map(row => {
        const intakeId = parsed(row, 'id', IntakeId)
        return { id: intakeId, tenantId: parsed(row, 'tenant_id', TenantId), intakeId }
      })
    },
  }
}

function readOutboxRow(row: Row): OutboxRow {
  return {
    id: String(integer(row, 'id')),
    tenantId: parsed(row, 'tenant_id', TenantId),
    intakeId: parsed(row, 'intake_id', IntakeId),
  }
}
