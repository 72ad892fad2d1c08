// All recordings that are not destroyed, page by page, as rules see them, and what each weighs.
import { RecordingId, type TenantId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database } from './database.ts'
import { type RetentionFactsRow, readRetentionFacts } from './retention-facts.ts'
import { integer, parsed } from './row.ts'

export interface WeighedFacts extends RetentionFactsRow {
  /** Sealed, of every role. */
  readonly bytes: number
}

export interface RetentionPageCatalog {
  /** By id, those after `afterId`. */
  listRetentionFacts(
    tenantId: TenantId,
    page: { readonly afterId: RecordingId | null; readonly limit: number },
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<readonly WeighedFacts[]>
  countRetained(tenantId: TenantId, options?: QueryOptions): Promise<number>
}

export function createRetentionPages(database: Database): RetentionPageCatalog {
  return {
    listRetentionFacts: (tenantId, { afterId, limit }, columns, options) =>
      database.inTenant(
        tenantId,
        async session => {
          const rows = await session.rows({
            text: `select r.id, coalesce(sum(o.sealed_bytes), 0)::bigint as bytes
                   from (
                     select tenant_id, id from auricle.recording
                     where tenant_id = $1 and id > $2 and destroyed_at is null order by id limit $3
                   ) r
                   left join auricle.recording_object o on o.tenant_id = r.tenant_id and o.recording_id = r.id
                   group by r.id`,
            values: [tenantId, afterId ?? '', limit],
          })
          const weights = new Map(
            rows.map(row => [parsed(row, 'id', RecordingId), integer(row, 'bytes')] as const),
          )
          const facts = await readRetentionFacts(session, tenantId, [...weights.keys()], columns)
          return facts.map(row => ({ ...row, bytes: weights.get(row.recordingId) ?? 0 }))
        },
        options,
      ),

    async countRetained(tenantId, options) {
      const [row] = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select count(*) as count from auricle.recording where tenant_id = $1 and destroyed_at is null`,
            values: [tenantId],
          }),
        options,
      )
      return row === undefined ? 0 : integer(row, 'count')
    },
  }
}
