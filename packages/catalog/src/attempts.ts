// What was asked of somebody and waits for the answer: a challenge, a new secret that is still to be proved.
//
// An attempt is spent once, by one update: of several answers at once it finds the attempt unspent for one.
import { type AttemptId, TenantId, UserId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { bytes, firstOrNull, parsedOrNull, type Row } from './row.ts'
import { type ColumnPlace, openColumn, sealColumn } from './sealed-column.ts'

export interface NewAttempt {
  readonly id: AttemptId
  readonly tenantId: TenantId
  /** What it is for; an answer to one kind is none to another. */
  readonly kind: string
  /** Null where it is not known yet who will answer. */
  readonly userId: UserId | null
  /** What the answer is checked against; kept sealed. */
  readonly data: string
  readonly createdAt: Date
  /** Exclusive. */
  readonly expiresAt: Date
}

/** Which attempt is answered, and as what. */
export type AttemptKey = Pick<NewAttempt, 'id' | 'tenantId' | 'kind'>
/** What an attempt was made with. */
export type OpenAttempt = Pick<NewAttempt, 'userId' | 'data'>

export interface AttemptCatalog {
  addAttempt(attempt: NewAttempt, columns: ColumnKeys, options?: QueryOptions): Promise<void>
  /** The directory: whose attempt it is, spent or not; null where there is none. */
  tenantOfAttempt(attemptId: AttemptId, options?: QueryOptions): Promise<TenantId | null>
  /** Null where there is none of that kind, or it was spent, or is over. Spends nothing. */
  findAttempt(key: AttemptKey, columns: ColumnKeys, options?: QueryOptions): Promise<OpenAttempt | null>
  /** As `findAttempt`, and spends it: it is given to one caller. */
  spendAttempt(key: AttemptKey, columns: ColumnKeys, options?: QueryOptions): Promise<OpenAttempt | null>
}

export function createAttempts(database: Database, now: () => Date): AttemptCatalog {
  return {
    addAttempt: (attempt, columns, options) =>
      database.inTenant(
        attempt.tenantId,
        async session => {
          await session.write({
            text: `insert into auricle.attempt (tenant_id, id, kind, user_id, data, created_at, expires_at)
                   values ($1, $2, $3, $4, $5, $6, $7)`,
            values: [
              attempt.tenantId,
              attempt.id,
              attempt.kind,
              attempt.userId,
              sealColumn(columns, placeOf(attempt), attempt.data),
              attempt.createdAt,
              attempt.expiresAt,
            ],
          })
        },
        options,
      ),

    async tenantOfAttempt(attemptId, options) {
      const found = await database.once(
        { text: 'select auricle.tenant_of_attempt($1) as tenant_id', values: [attemptId] },
        options,
      )
      return firstOrNull(found, row => parsedOrNull(row, 'tenant_id', TenantId))
    },

    async findAttempt(key, columns, options) {
      const found = await database.inTenant(
        key.tenantId,
        session =>
          session.rows({
            text: `select user_id, data from auricle.attempt
                   where tenant_id = $1 and id = $2 and kind = $3 and used_at is null and expires_at > $4`,
            values: [key.tenantId, key.id, key.kind, now()],
          }),
        options,
      )
      return firstOrNull(found, row => readAttempt(row, key, columns))
    },

    spendAttempt: (key, columns, options) =>
      database.inTenant(key.tenantId, session => spendAttempt(key, columns, now(), session), options),
  }
}

/** Spends an attempt within a transaction; null where it is no longer there to be spent. */
export async function spendAttempt(
  key: AttemptKey,
  columns: ColumnKeys,
  at: Date,
  session: Session,
): Promise<OpenAttempt | null> {
  const spent = await session.rows({
    text: `update auricle.attempt set used_at = $4
           where tenant_id = $1 and id = $2 and kind = $3 and used_at is null and expires_at > $4
           returning user_id, data`,
    values: [key.tenantId, key.id, key.kind, at],
  })
  return firstOrNull(spent, row => readAttempt(row, key, columns))
}

function readAttempt(row: Row, key: AttemptKey, columns: ColumnKeys): OpenAttempt {
  return {
    userId: parsedOrNull(row, 'user_id', UserId),
    data: openColumn(columns, placeOf(key), bytes(row, 'data')),
  }
}

const placeOf = ({ tenantId, id }: AttemptKey): ColumnPlace => ({
  tenantId,
  table: 'attempt',
  column: 'data',
  rowId: id,
})
