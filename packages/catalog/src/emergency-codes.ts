// Emergency codes: issued to a person, revoked, and the sign-in that spends one.
import type { AuditRecord } from '@auricle/audit'
import { EmergencyCodeId, TenantId, UserId } from '@auricle/contract'
import { insertAlert, type RaisedAlert } from './alerts.ts'
import { insertBreakGlass, type Opened, type OpeningBreakGlass } from './break-glass.ts'
import type { QueryOptions, TokenRow, UserRow } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database } from './database.ts'
import { insertEvent } from './events.ts'
import { firstOrNull, orNull, parsed, type Row, time } from './row.ts'
import { insertToken } from './tokens.ts'

export interface EmergencyCodeRow {
  readonly id: EmergencyCodeId
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly issuedBy: UserId
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly usedAt: Date | null
  readonly revokedAt: Date | null
}

/** What decides whether somebody can be given emergency codes. */
export interface EmergencyHolder {
  readonly kind: UserRow['kind']
  readonly isDisabled: boolean
  readonly hasTotp: boolean
}

/** All that a sign-in with an emergency code leaves behind. */
export interface EmergencySignInRecord {
  readonly token: TokenRow
  readonly totpStep: number
  readonly codeId: EmergencyCodeId
  readonly events: readonly AuditRecord[]
  readonly raised: RaisedAlert
  readonly opening: OpeningBreakGlass
}

export interface EmergencyCodeCatalog {
  /** Null where the tenant has no such person. */
  findEmergencyHolder(
    tenantId: TenantId,
    userId: UserId,
    options?: QueryOptions,
  ): Promise<EmergencyHolder | null>
  /** All or none. */
  addEmergencyCodes(
    codes: readonly {
      readonly row: Omit<EmergencyCodeRow, 'usedAt' | 'revokedAt'>
      readonly hash: Uint8Array
      readonly event: AuditRecord
    }[],
    options?: QueryOptions,
  ): Promise<void>
  /** Newest first. */
  listEmergencyCodes(
    tenantId: TenantId,
    userId: UserId,
    options?: QueryOptions,
  ): Promise<readonly EmergencyCodeRow[]>
  /** False, and nothing written, where it was used or revoked before. */
  revokeEmergencyCode(
    revocation: {
      readonly tenantId: TenantId
      readonly userId: UserId
      readonly id: EmergencyCodeId
      readonly at: Date
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** The person's code with that hash that still holds; null without one. */
  findEmergencyCode(
    query: {
      readonly tenantId: TenantId
      readonly userId: UserId
      readonly hash: Uint8Array
      readonly now: Date
    },
    options?: QueryOptions,
  ): Promise<EmergencyCodeId | null>
  /**
   * The commit point of a sign-in with an emergency code: TOTP step and code spent, failures forgotten, token added,
   * emergency access opened. Null, and nothing written, where another sign-in was first; `open` where the person's
   * emergency access was open already and goes on.
   */
  commitEmergencySignIn(
    record: EmergencySignInRecord,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<Opened | null>
}

export function createEmergencyCodes(database: Database): EmergencyCodeCatalog {
  return {
    async findEmergencyHolder(tenantId, userId, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select kind, disabled_at is not null as is_disabled, totp_secret is not null as has_totp
                   from auricle.app_user where tenant_id = $1 and id = $2`,
            values: [tenantId, userId],
          })
        },
        options,
      )
      return firstOrNull(found, row => ({
        kind: row['kind'] === 'person' ? ('person' as const) : ('service' as const),
        isDisabled: row['is_disabled'] === true,
        hasTotp: row['has_totp'] === true,
      }))
    },

    async addEmergencyCodes(codes, options) {
      const [first] = codes
      if (first === undefined) return
      await database.inTenant(
        first.row.tenantId,
        async session => {
          for (const { row, hash, event } of codes) {
            await session.write({
              text: `insert into auricle.emergency_code
                       (tenant_id, id, user_id, code_hash, issued_by, created_at, expires_at)
                     values ($1, $2, $3, $4, $5, $6, $7)`,
              values: [row.tenantId, row.id, row.userId, hash, row.issuedBy, row.createdAt, row.expiresAt],
            })
            await insertEvent(session, event)
          }
        },
        options,
      )
    },

    async listEmergencyCodes(tenantId, userId, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select * from auricle.emergency_code where tenant_id = $1 and user_id = $2 order by id desc limit 200`,
            values: [tenantId, userId],
          })
        },
        options,
      )
      return found.map(readCode)
    },

    revokeEmergencyCode: ({ tenantId, userId, id, at }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const changed = await session.write({
            text: `update auricle.emergency_code set revoked_at = $4
                   where tenant_id = $1 and user_id = $2 and id = $3 and used_at is null and revoked_at is null`,
            values: [tenantId, userId, id, at],
          })
          if (changed === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    async findEmergencyCode({ tenantId, userId, hash, now }, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select id from auricle.emergency_code
                   where tenant_id = $1 and user_id = $2 and code_hash = $3
                     and used_at is null and revoked_at is null and expires_at > $4`,
            values: [tenantId, userId, hash, now],
          })
        },
        options,
      )
      return firstOrNull(found, row => parsed(row, 'id', EmergencyCodeId))
    },

    /** The person's row is locked first, so that of several at once one goes on and the others find step and code spent. */
    commitEmergencySignIn: ({ token, totpStep, codeId, events, raised, opening }, columns, options) => {
      const { tenantId, userId } = token
      return database.inTenant(
        tenantId,
        async session => {
          const free = await session.rows({
            text: `select from auricle.app_user
                   where tenant_id = $1 and id = $2 and disabled_at is null
                     and (totp_last_step is null or totp_last_step < $3)
                   for update`,
            values: [tenantId, userId, totpStep],
          })
          if (free.length === 0) return null
          const spent = await session.write({
            text: `update auricle.emergency_code set used_at = $4
                   where tenant_id = $1 and user_id = $2 and id = $3
                     and used_at is null and revoked_at is null and expires_at > $4`,
            values: [tenantId, userId, codeId, token.createdAt],
          })
          if (spent === 0) return null
          await session.write({
            text: `update auricle.app_user set totp_last_step = $3, failed_attempts = 0, locked_until = null
                   where tenant_id = $1 and id = $2`,
            values: [tenantId, userId, totpStep],
          })
          await insertToken(session, token)
          for (const event of events) await insertEvent(session, event)
          await insertAlert(session, raised)
          return insertBreakGlass(session, opening, columns)
        },
        options,
      )
    },
  }
}

function readCode(row: Row): EmergencyCodeRow {
  return {
    id: parsed(row, 'id', EmergencyCodeId),
    tenantId: parsed(row, 'tenant_id', TenantId),
    userId: parsed(row, 'user_id', UserId),
    issuedBy: parsed(row, 'issued_by', UserId),
    createdAt: time(row, 'created_at'),
    expiresAt: time(row, 'expires_at'),
    usedAt: orNull(row, 'used_at', time),
    revokedAt: orNull(row, 'revoked_at', time),
  }
}
