// Somebody's sessions and tokens as they themselves see and end them, and a factor that is shown again.
import type { AuditRecord } from '@auricle/audit'
import type { TenantId } from '@auricle/contract'
import { type Factor, TokenId, UserId } from '@auricle/contract'
import { z } from 'zod'
import { TokenPurpose } from './access-facts.ts'
import type { QueryOptions, TokenRow } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database } from './database.ts'
import { insertEvent } from './events.ts'
import { bytes, firstOrNull, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'
import { type ColumnPlace, openColumn, sealColumn } from './sealed-column.ts'
import { endTokensOf, Factors, markTokenVerified } from './tokens.ts'

/** Where a token was made: kept sealed. */
export interface TokenOrigin {
  readonly ip: string | null
  readonly userAgent: string | null
}

/** A token that holds. */
export interface SessionRow {
  readonly id: TokenId
  readonly kind: TokenRow['purpose']
  readonly name: string | null
  readonly createdAt: Date
  /** When it was last used, within half a minute. */
  readonly seenAt: Date
  readonly expiresAt: Date
  readonly factors: readonly Factor[]
  readonly origin: TokenOrigin | null
}

/** Whose a token is, and why it holds no longer; null while it does. */
export interface TokenState {
  readonly userId: UserId
  readonly ended: 'disabled' | 'revoked' | 'expired' | 'idle' | null
}

export interface SessionsCatalog {
  /** For `TokenRow.origin`. */
  sealOrigin(
    columns: ColumnKeys,
    token: { readonly tenantId: TenantId; readonly id: TokenId },
    origin: TokenOrigin,
  ): Uint8Array
  /** Those that hold at a time, newest first; at most `limit`. */
  listSessions(
    whose: {
      readonly tenantId: TenantId
      readonly userId: UserId
      readonly now: Date
      readonly limit: number
    },
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<readonly SessionRow[]>
  /** Ends one of somebody's tokens. False, and nothing is written, where they have no such live token. */
  endToken(
    token: {
      readonly tenantId: TenantId
      readonly userId: UserId
      readonly tokenId: TokenId
      readonly reason: string
      readonly now: Date
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** Ends somebody's sessions, but not the one that is excepted; the event is written also where there were none. */
  endSessions(
    whose: {
      readonly tenantId: TenantId
      readonly userId: UserId
      readonly except: TokenId | null
      readonly reason: string
      readonly now: Date
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<number>
  /** Null where the tenant has no such token. */
  findTokenState(
    tenantId: TenantId,
    tokenId: TokenId,
    now: Date,
    options?: QueryOptions,
  ): Promise<TokenState | null>
  /**
   * Notes that the person of a session showed a factor again. A TOTP step is spent with it and resets the failures.
   * False, without an event, where the step was spent already or the session holds no longer.
   */
  commitVerification(
    verification: {
      readonly tenantId: TenantId
      readonly userId: UserId
      readonly tokenId: TokenId
      readonly factors: readonly Factor[]
      readonly at: Date
      readonly totpStep: number | null
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
}

const Origin = z.strictObject({ ip: z.string().nullable(), userAgent: z.string().nullable() })
const Ended = z.enum(['disabled', 'revoked', 'expired', 'idle'])

export function createSessions(database: Database): SessionsCatalog {
  return {
    sealOrigin: (columns, { tenantId, id }, { ip, userAgent }) =>
      sealColumn(columns, originPlace(tenantId, id), JSON.stringify({ ip, userAgent })),

    async listSessions({ tenantId, userId, now, limit }, columns, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select t.id, t.purpose, t.name, t.created_at, t.seen_at, t.expires_at, t.factors, t.origin
                   from auricle.token t where t.tenant_id = $1 and t.user_id = $2 and auricle.holds(t, $3)
                   order by t.created_at desc, t.id desc limit $4`,
            values: [tenantId, userId, now, limit],
          }),
        options,
      )
      return found.map(row => readSession(row, tenantId, columns))
    },

    endToken: ({ tenantId, userId, tokenId, reason, now }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const ended = await session.write({
            text: `update auricle.token t set revoked_at = $4, end_reason = $5
                   where t.tenant_id = $1 and t.id = $2 and t.user_id = $3 and auricle.holds(t, $4)`,
            values: [tenantId, tokenId, userId, now, reason],
          })
          if (ended === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    endSessions: ({ tenantId, userId, except, reason, now }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const ended = await endTokensOf(tenantId, userId, { only: 'session', except, reason, now }, session)
          await insertEvent(session, event)
          return ended.length
        },
        options,
      )
    },

    async findTokenState(tenantId, tokenId, now, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select t.user_id, case when u.disabled_at is not null then 'disabled'
                     when t.revoked_at is not null then 'revoked' when t.expires_at <= $3 then 'expired'
                     when not auricle.holds(t, $3) then 'idle' end as ended
                   from auricle.token t join auricle.app_user u on u.tenant_id = t.tenant_id and u.id = t.user_id
                   where t.tenant_id = $1 and t.id = $2`,
            values: [tenantId, tokenId, now],
          }),
        options,
      )
      return firstOrNull(found, row => ({
        userId: parsed(row, 'user_id', UserId),
        ended: parsedOrNull(row, 'ended', Ended),
      }))
    },

    /** Person before token, as everywhere: whoever disables somebody takes the rows in the same order. */
    commitVerification: ({ totpStep, userId, ...verification }, event, options) => {
      const { tenantId } = verification
      return database.inTenant(
        tenantId,
        async session => {
          if (totpStep !== null) {
            const spent = await session.write({
              text: `update auricle.app_user set totp_last_step = $3, failed_attempts = 0, locked_until = null
                     where tenant_id = $1 and id = $2 and disabled_at is null
                       and (totp_last_step is null or totp_last_step < $3)`,
              values: [tenantId, userId, totpStep],
            })
            if (spent === 0) return false
          }
          if (!(await markTokenVerified(verification, session))) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },
  }
}

function readSession(row: Row, tenantId: TenantId, columns: ColumnKeys): SessionRow {
  const id = parsed(row, 'id', TokenId)
  return {
    id,
    kind: parsed(row, 'purpose', TokenPurpose),
    name: orNull(row, 'name', text),
    createdAt: time(row, 'created_at'),
    seenAt: time(row, 'seen_at'),
    expiresAt: time(row, 'expires_at'),
    factors: parsed(row, 'factors', Factors),
    origin: orNull(row, 'origin', (sealed, column) =>
      Origin.parse(JSON.parse(openColumn(columns, originPlace(tenantId, id), bytes(sealed, column)))),
    ),
  }
}

function originPlace(tenantId: TenantId, rowId: TokenId): ColumnPlace {
  return { tenantId, table: 'token', column: 'origin', rowId }
}
