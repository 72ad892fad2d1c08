// A connector after it was made: its secrets changed while the old ones still hold, and its end. No row is deleted.
import type { AuditRecord } from '@auricle/audit'
import type { ConnectorId, TenantId } from '@auricle/contract'
import type { ConnectorRow, QueryOptions } from './catalog.ts'
import { readConnector } from './connectors.ts'
import type { Database } from './database.ts'
import { insertEvent } from './events.ts'
import { firstOrNull } from './row.ts'

interface Changed {
  readonly tenantId: TenantId
  readonly id: ConnectorId
  readonly at: Date
}

export interface Rotation extends Changed {
  /** The secrets in use that the new ones take the place of. */
  readonly replaces: Uint8Array
  readonly sealedSecrets: Uint8Array
  /** Until when the replaced ones still hold; null for no longer. */
  readonly previousUntil: Date | null
  /** Whether to end an overlap that runs. */
  readonly endOverlap: boolean
}

export interface ConnectorChangeCatalog {
  findTenantConnector(
    tenantId: TenantId,
    id: ConnectorId,
    options?: QueryOptions,
  ): Promise<ConnectorRow | null>
  /**
   * False, and nothing is changed, where other secrets are in use by now, an overlap runs that is not to be ended, or the
   * connector is disabled: of two at once, one rotates.
   */
  rotateConnector(rotation: Rotation, event: AuditRecord, options?: QueryOptions): Promise<boolean>
  /** The old secrets hold no more. False where none do. */
  endConnectorOverlap(changed: Changed, event: AuditRecord, options?: QueryOptions): Promise<boolean>
  /** For good. False where it is disabled already. */
  disableConnector(changed: Changed, event: AuditRecord, options?: QueryOptions): Promise<boolean>
  /** Notes that a delivery was made with the old secrets. */
  notePreviousSecret(changed: Changed, options?: QueryOptions): Promise<void>
}

export function createConnectorChanges(database: Database): ConnectorChangeCatalog {
  /** Commits the event with the change, or neither. */
  const change = (
    { tenantId }: Changed,
    query: { readonly text: string; readonly values: readonly unknown[] },
    event: AuditRecord,
    options: QueryOptions | undefined,
  ) =>
    database.inTenant(
      tenantId,
      async session => {
        const changed = await session.write({ text: query.text, values: [...query.values] })
        if (changed === 0) return false
        await insertEvent(session, event)
        return true
      },
      options,
    )
  return {
    async findTenantConnector(tenantId, id, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: 'select * from auricle.connector where tenant_id = $1 and id = $2',
            values: [tenantId, id],
          }),
        options,
      )
      return firstOrNull(found, readConnector)
    },

    rotateConnector: (rotation, event, options) =>
      change(
        rotation,
        {
          text: `update auricle.connector
                 set sealed_secrets = $3,
                   first_sealed_secrets = coalesce(first_sealed_secrets, sealed_secrets),
                   previous_sealed_secrets = case when $5::timestamptz is null then null else sealed_secrets end,
                   previous_until = $5, previous_used_at = null
                 where tenant_id = $1 and id = $2 and disabled_at is null and sealed_secrets = $4
                   and ($6 or previous_until is null or previous_until <= $7)`,
          values: [
            rotation.tenantId,
            rotation.id,
            rotation.sealedSecrets,
            rotation.replaces,
            rotation.previousUntil,
            rotation.endOverlap,
            rotation.at,
          ],
        },
        event,
        options,
      ),

    endConnectorOverlap: (changed, event, options) =>
      change(
        changed,
        {
          text: `update auricle.connector set previous_sealed_secrets = null, previous_until = null
                 where tenant_id = $1 and id = $2 and previous_until > $3`,
          values: [changed.tenantId, changed.id, changed.at],
        },
        event,
        options,
      ),

    disableConnector: (changed, event, options) =>
      change(
        changed,
        {
          text: `update auricle.connector
                 set disabled_at = $3, previous_sealed_secrets = null, previous_until = null
                 where tenant_id = $1 and id = $2 and disabled_at is null`,
          values: [changed.tenantId, changed.id, changed.at],
        },
        event,
        options,
      ),

    notePreviousSecret: ({ tenantId, id, at }, options) =>
      database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `update auricle.connector set previous_used_at = greatest(previous_used_at, $3)
                   where tenant_id = $1 and id = $2 and previous_until is not null`,
            values: [tenantId, id, at],
          })
        },
        options,
      ),
  }
}
