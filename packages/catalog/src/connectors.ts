// Connectors: what may deliver, and within which limits.
import { ConnectorId, MailboxId, TenantId } from '@auricle/contract'
import { z } from 'zod'
import type { Catalog, ConnectorRow } from './catalog.ts'
import type { Database } from './database.ts'
import { insertEvent } from './events.ts'
import { bytes, firstOrNull, integer, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'

type Connectors = Pick<Catalog, 'findConnector' | 'createConnector' | 'listConnectors'>

const AllowedHosts = z.array(z.strictObject({ origin: z.string(), privateCidr: z.string().nullable() }))

export function createConnectors(database: Database): Connectors {
  return {
    async findConnector(id, options) {
      const found = await database.once(
        { name: 'find_connector', text: 'select * from auricle.find_connector($1)', values: [id] },
        options,
      )
      return firstOrNull(found, readConnector)
    },

    createConnector: (connector, event, options) => {
      return database.inTenant(
        connector.tenantId,
        async session => {
          await session.write({
            text: `insert into auricle.connector
                     (tenant_id, id, kind, name, default_mailbox_id, max_bytes, idle_timeout_ms, allowed_hosts,
                      sealed_secrets, created_at, disabled_at)
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
            values: [
              connector.tenantId,
              connector.id,
              connector.kind,
              connector.name,
              connector.defaultMailboxId,
              connector.maxBytes,
              connector.idleTimeoutMs,
              JSON.stringify(connector.allowedHosts),
              connector.sealedSecrets,
              connector.createdAt,
              connector.disabledAt,
            ],
          })
          await insertEvent(session, event)
        },
        options,
      )
    },

    async listConnectors(tenantId, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: 'select * from auricle.connector where tenant_id = $1 order by created_at, id',
            values: [tenantId],
          })
        },
        options,
      )
      return found.map(readConnector)
    },
  }
}

export function readConnector(row: Row): ConnectorRow {
  const previousUntil = orNull(row, 'previous_until', time)
  return {
    id: parsed(row, 'id', ConnectorId),
    tenantId: parsed(row, 'tenant_id', TenantId),
    kind: text(row, 'kind'),
    name: text(row, 'name'),
    defaultMailboxId: parsedOrNull(row, 'default_mailbox_id', MailboxId),
    maxBytes: integer(row, 'max_bytes'),
    idleTimeoutMs: integer(row, 'idle_timeout_ms'),
    allowedHosts: parsed(row, 'allowed_hosts', AllowedHosts),
    sealedSecrets: bytes(row, 'sealed_secrets'),
    firstSealedSecrets: orNull(row, 'first_sealed_secrets', bytes),
    previous:
      previousUntil === null
        ? null
        : { sealedSecrets: bytes(row, 'previous_sealed_secrets'), until: previousUntil },
    previousUsedAt: orNull(row, 'previous_used_at', time),
    createdAt: time(row, 'created_at'),
    disabledAt: orNull(row, 'disabled_at', time),
  }
}
