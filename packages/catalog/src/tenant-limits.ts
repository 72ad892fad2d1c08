// A tenant's own limits and its name, changed. The database refuses what is laxer than the product allows.
import type { AuditRecord } from '@auricle/audit'
import type { TenantId } from '@auricle/contract'
import type { AccessLimits, QueryOptions, TenantRow } from './catalog.ts'
import type { Database } from './database.ts'
import { readTenant } from './directory.ts'
import { insertEvent } from './events.ts'
import { firstOrNull } from './row.ts'

/** What is absent stays. */
export type TenantChange = Partial<AccessLimits & Pick<TenantRow, 'name'>>

export interface TenantLimitsCatalog {
  /** The tenant as it is then; null where there is none. Throws `refused` for a limit out of bounds. */
  changeTenant(
    tenantId: TenantId,
    change: TenantChange,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<TenantRow | null>
}

export function createTenantLimits(database: Database): TenantLimitsCatalog {
  return {
    changeTenant: (tenantId, { name, idleMs, sessionMs, breakGlassMs, reviewMs }, event, options) =>
      database.inTenant(
        tenantId,
        async session => {
          const changed = await session.rows({
            text: `update auricle.tenant
                   set name = coalesce($2, name), idle_ms = coalesce($3, idle_ms), session_ms = coalesce($4, session_ms),
                     break_glass_ms = coalesce($5, break_glass_ms), review_ms = coalesce($6, review_ms)
                   where id = $1 returning *`,
            values: [
              tenantId,
              name ?? null,
              idleMs ?? null,
              sessionMs ?? null,
              breakGlassMs ?? null,
              reviewMs ?? null,
            ],
          })
          const tenant = firstOrNull(changed, readTenant)
          if (tenant !== null) await insertEvent(session, event)
          return tenant
        },
        options,
      ),
  }
}
