// What was asked of somebody and waits for the answer: kept sealed, taken once, and gone when nobody came.
import type { AttemptId, TenantId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database } from './database.ts'
import { bytes, firstOrNull } from './row.ts'
import { type ColumnPlace, openColumn, sealColumn } from './sealed-column.ts'

export interface AttemptRow {
  readonly tenantId: TenantId
  readonly id: AttemptId
  /** What it is an attempt at; an answer to another kind does not find it. */
  readonly kind: string
  /** What the answer is checked against. */
  readonly data: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

export interface AttemptCatalog {
  /** Throws `taken` where there is one of that id. */
  addAttempt(attempt: AttemptRow, columns: ColumnKeys, options?: QueryOptions): Promise<void>
  /** Its data; null where there is none, it has expired, or somebody took it before: of several at once, one gets it. */
  spendAttempt(
    attempt: Pick<AttemptRow, 'tenantId' | 'id' | 'kind'> & { readonly now: Date },
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<string | null>
}

export function createAttempts(database: Database): AttemptCatalog {
  return {
    addAttempt: (attempt, columns, options) => {
      const { tenantId, id, kind, createdAt, expiresAt } = attempt
      const data = sealColumn(columns, place(tenantId, id), attempt.data)
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `insert into auricle.attempt (tenant_id, id, kind, data, created_at, expires_at)
                   values ($1, $2, $3, $4, $5, $6)`,
            values: [tenantId, id, kind, data, createdAt, expiresAt],
          })
        },
        options,
      )
    },

    async spendAttempt({ tenantId, id, kind, now }, columns, options) {
      const spent = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `update auricle.attempt set used_at = $4
                   where tenant_id = $1 and id = $2 and kind = $3 and used_at is null and expires_at > $4
                   returning data`,
            values: [tenantId, id, kind, now],
          })
        },
        options,
      )
      return firstOrNull(spent, row => openColumn(columns, place(tenantId, id), bytes(row, 'data')))
    },
  }
}

const place = (tenantId: TenantId, rowId: AttemptId): ColumnPlace => ({
  tenantId,
  table: 'attempt',
  column: 'data',
  rowId,
})
