// Tenants, and how one is found before it is known which it is.
import { TenantId, Wrap } from '@auricle/contract'
import type { Catalog, TenantRow } from './catalog.ts'
import type { Database } from './database.ts'
import { insertEvent } from './events.ts'
import { firstOrNull, integer, parsed, type Row, text, time } from './row.ts'

type Directory = Pick<Catalog, 'findTenantBySlug' | 'listTenants' | 'createTenant' | 'findTenant'>

export function createDirectory(database: Database): Directory {
  return {
    async findTenantBySlug(slug, options) {
      const found = await database.once(
        {
          name: 'find_tenant_by_slug',
          text: 'select * from auricle.find_tenant_by_slug($1)',
          values: [slug],
        },
        options,
      )
      return firstOrNull(found, readTenant)
    },

    async listTenants(options) {
      const found = await database.once({ text: 'select * from auricle.list_tenants()', values: [] }, options)
      return found.map(readTenant)
    },

    async findTenant(tenantId, options) {
      const found = await database.inTenant(
        tenantId,
        session => session.rows({ text: 'select * from auricle.tenant where id = $1', values: [tenantId] }),
        options,
      )
      return firstOrNull(found, readTenant)
    },

    createTenant: (tenant, event, options) => {
      return database.inTenant(
        tenant.id,
        async session => {
          await session.write({
            text: `insert into auricle.tenant (id, slug, name, keep_days, column_secret, created_at,
                     idle_ms, session_ms, break_glass_ms, review_ms)
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
            values: [
              tenant.id,
              tenant.slug,
              tenant.name,
              tenant.keepDays,
              JSON.stringify(tenant.columnSecret),
              tenant.createdAt,
              tenant.access.idleMs,
              tenant.access.sessionMs,
              tenant.access.breakGlassMs,
              tenant.access.reviewMs,
            ],
          })
          await insertEvent(session, event)
        },
        options,
      )
    },
  }
}

export function readTenant(row: Row): TenantRow {
  return {
    id: parsed(row, 'id', TenantId),
    slug: text(row, 'slug'),
    name: text(row, 'name'),
    keepDays: integer(row, 'keep_days'),
    columnSecret: parsed(row, 'column_secret', Wrap),
    createdAt: time(row, 'created_at'),
    access: {
      idleMs: integer(row, 'idle_ms'),
      sessionMs: integer(row, 'session_ms'),
      breakGlassMs: integer(row, 'break_glass_ms'),
      reviewMs: integer(row, 'review_ms'),
    },
  }
}
