// By what a tenant counts years, how many people look at a disposition, how long each step waits.
import type { AuditRecord } from '@auricle/audit'
import { RetentionSettings, type TenantId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { firstOrNull, integer, parsed, type Row, text } from './row.ts'

export interface RetentionSettingsRow extends RetentionSettings {
  /** Of the policy: rules and zone; grows whenever they say something else. */
  readonly revision: number
}

export interface RetentionSettingsCatalog {
  /** Null where there is no such tenant. */
  findRetentionSettings(tenantId: TenantId, options?: QueryOptions): Promise<RetentionSettingsRow | null>
  /**
   * What it was before, of which the event is made; null where there is no such tenant. Another zone makes every decision
   * due again.
   */
  changeRetentionSettings(
    tenantId: TenantId,
    settings: RetentionSettings,
    eventOf: (before: RetentionSettingsRow) => Promise<AuditRecord>,
    options?: QueryOptions,
  ): Promise<RetentionSettingsRow | null>
}

const settingsColumns = `retention_zone, disposition_stages, waiting_days, shortening_days, storage_price,
  policy_revision`

export function createRetentionSettings(database: Database): RetentionSettingsCatalog {
  return {
    findRetentionSettings: (tenantId, options) =>
      database.inTenant(tenantId, session => readSettings(session, tenantId, 'look'), options),

    changeRetentionSettings: (tenantId, settings, eventOf, options) =>
      database.inTenant(
        tenantId,
        async session => {
          const before = await readSettings(session, tenantId, 'lock')
          if (before === null) return null
          const { zone, stages, waitingDays, shorteningDays, storagePrice } = settings
          await session.write({
            text: `update auricle.tenant set retention_zone = $2, disposition_stages = $3, waiting_days = $4,
                     shortening_days = $5, storage_price = $6,
                     policy_revision = policy_revision + (retention_zone <> $2)::integer
                   where id = $1`,
            values: [
              ...[tenantId, zone, stages, waitingDays, shorteningDays],
              storagePrice === null ? null : JSON.stringify(storagePrice),
            ],
          })
          await insertEvent(session, await eventOf(before))
          return before
        },
        options,
      ),
  }
}

/** `lock` makes whoever else changes rules or settings of the tenant wait for the transaction's end; readers do not. */
export async function readSettings(
  session: Session,
  tenantId: TenantId,
  how: 'look' | 'lock',
): Promise<RetentionSettingsRow | null> {
  const rows = await session.rows({
    text: `select ${settingsColumns} from auricle.tenant where id = $1
           ${how === 'lock' ? 'for no key update' : ''}`,
    values: [tenantId],
  })
  return firstOrNull(rows, readRow)
}

function readRow(row: Row): RetentionSettingsRow {
  return {
    zone: text(row, 'retention_zone'),
    stages: integer(row, 'disposition_stages'),
    waitingDays: integer(row, 'waiting_days'),
    shorteningDays: integer(row, 'shortening_days'),
    storagePrice: parsed(row, 'storage_price', RetentionSettings.shape.storagePrice),
    revision: integer(row, 'policy_revision'),
  }
}
