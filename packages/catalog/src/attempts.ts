// What was asked of somebody and waits for the answer: kept sealed, taken once, and gone when nobody came.
//
// The update is what takes it: of several answers at once it finds the attempt unspent for one.
import { type AttemptId, TenantId, UserId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { bytes, firstOrNull, parsedOrNull, type Row } from './row.ts'
import { type ColumnPlace, openColumn, sealColumn } from './sealed-column.ts'

export interface AttemptRow {
  readonly tenantId: TenantId
  readonly id: AttemptId
  /** What it is an attempt at; an answer to another kind does not find it. */
  readonly kind: string
  /** Who has to answer. Default: null, it is not known yet. */
  readonly userId?: UserId | null
  /** What the answer is checked against. */
  readonly data: string
  readonly createdAt: Date
  /** Exclusive. */
  readonly expiresAt: Date
}

/** Which attempt is answered, as what, and when. */
export type AttemptAnswer = Pick<AttemptRow, 'tenantId' | 'id' | 'kind'> & { readonly now: Date }

export interface OpenAttempt {
  readonly userId: UserId | null
  readonly data: string
}

export interface AttemptCatalog {
  /** Throws `taken` where there is one of that id. */
  addAttempt(attempt: AttemptRow, columns: ColumnKeys, options?: QueryOptions): Promise<void>
  /** Its data; null where there is none, it has expired, or somebody took it before: of several at once, one gets it. */
  spendAttempt(answer: AttemptAnswer, columns: ColumnKeys, options?: QueryOptions): Promise<string | null>
  /** The same of one that is left to be taken, by the transaction of what the answer brings about. */
  findAttempt(answer: AttemptAnswer, columns: ColumnKeys, options?: QueryOptions): Promise<OpenAttempt | null>
  /** The directory: whose attempt it is, taken or not; null where there is none. */
  tenantOfAttempt(attemptId: AttemptId, options?: QueryOptions): Promise<TenantId | null>
}

export function createAttempts(database: Database): AttemptCatalog {
  return {
    addAttempt: (attempt, columns, options) => {
      const { tenantId, id, kind, userId = null, createdAt, expiresAt } = attempt
      const data = sealColumn(columns, placeOf(attempt), attempt.data)
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `insert into auricle.attempt (tenant_id, id, kind, user_id, data, created_at, expires_at)
                   values ($1, $2, $3, $4, $5, $6, $7)`,
            values: [tenantId, id, kind, userId, data, createdAt, expiresAt],
          })
        },
        options,
      )
    },

    async spendAttempt(answer, columns, options) {
      const spent = await database.inTenant(
        answer.tenantId,
        session => takeAttempt(answer, columns, session),
        options,
      )
      return spent?.data ?? null
    },

    async findAttempt(answer, columns, options) {
      const { tenantId, id, kind, now } = answer
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select user_id, data from auricle.attempt
                   where tenant_id = $1 and id = $2 and kind = $3 and used_at is null and expires_at > $4`,
            values: [tenantId, id, kind, now],
          }),
        options,
      )
      return firstOrNull(found, row => readAttempt(row, answer, columns))
    },

    async tenantOfAttempt(attemptId, options) {
      const found = await database.once(
        { text: 'select auricle.tenant_of_attempt($1) as tenant_id', values: [attemptId] },
        options,
      )
      return firstOrNull(found, row => parsedOrNull(row, 'tenant_id', TenantId))
    },
  }
}

/** Takes an attempt within a transaction; null where it is no longer there to be taken. */
export async function takeAttempt(
  answer: AttemptAnswer,
  columns: ColumnKeys,
  session: Session,
): Promise<OpenAttempt | null> {
  const { tenantId, id, kind, now } = answer
  const spent = await session.rows({
    text: `update auricle.attempt set used_at = $4
           where tenant_id = $1 and id = $2 and kind = $3 and used_at is null and expires_at > $4
           returning user_id, data`,
    values: [tenantId, id, kind, now],
  })
  return firstOrNull(spent, row => readAttempt(row, answer, columns))
}

function readAttempt(row: Row, answer: AttemptAnswer, columns: ColumnKeys): OpenAttempt {
  return {
    userId: parsedOrNull(row, 'user_id', UserId),
    data: openColumn(columns, placeOf(answer), bytes(row, 'data')),
  }
}

const placeOf = ({ tenantId, id }: Pick<AttemptRow, 'tenantId' | 'id'>): ColumnPlace => ({
  tenantId,
  table: 'attempt',
  column: 'data',
  rowId: id,
})
