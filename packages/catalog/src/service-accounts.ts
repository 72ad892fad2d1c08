// Service accounts: users that are machines. They have tokens and no way to sign in, and neither is ever deleted.
import type { AuditRecord } from '@auricle/audit'
import type { TenantId, TokenId, UserId } from '@auricle/contract'
import type { QueryOptions, TokenRow, UserRow } from './catalog.ts'
import type { Database } from './database.ts'
import { insertEvent } from './events.ts'
import { firstOrNull, orNull, time } from './row.ts'
import { endTokensOf, insertToken, readToken } from './tokens.ts'
import { readUser, userColumns } from './users.ts'

export interface ServiceTokenRow extends TokenRow {
  readonly revokedAt: Date | null
  /** When it was last used, to half a minute; when it was made, where it never was. */
  readonly seenAt: Date
}

interface Account {
  readonly tenantId: TenantId
  readonly userId: UserId
}

export interface ServiceAccountCatalog {
  /** Oldest first, the disabled ones too. */
  listServiceAccounts(tenantId: TenantId, options?: QueryOptions): Promise<readonly UserRow[]>
  /** Null also for somebody who is a person. */
  findServiceAccount(tenantId: TenantId, userId: UserId, options?: QueryOptions): Promise<UserRow | null>
  /** Ends its tokens in the same transaction. False where it is disabled already. */
  disableServiceAccount(
    account: Account & { readonly at: Date },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** At most `limit`: those that hold before those that ended, newest first. */
  listServiceTokens(
    tenantId: TenantId,
    userId: UserId,
    limit: number,
    options?: QueryOptions,
  ): Promise<readonly ServiceTokenRow[]>
  /** False, and nothing is added, where the account is disabled or has `most` live tokens. */
  addServiceToken(token: TokenRow, most: number, event: AuditRecord, options?: QueryOptions): Promise<boolean>
  /** False where the account has no such live token. */
  endServiceToken(
    token: Account & { readonly tokenId: TokenId; readonly at: Date },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
}

export function createServiceAccounts(database: Database, now: () => Date): ServiceAccountCatalog {
  return {
    async listServiceAccounts(tenantId, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select ${userColumns('$2')} from auricle.app_user u
                   where u.tenant_id = $1 and u.kind = 'service' order by u.created_at, u.id`,
            values: [tenantId, now()],
          }),
        options,
      )
      return found.map(readUser)
    },

    async findServiceAccount(tenantId, userId, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select ${userColumns('$3')} from auricle.app_user u
                   where u.tenant_id = $1 and u.id = $2 and u.kind = 'service'`,
            values: [tenantId, userId, now()],
          }),
        options,
      )
      return firstOrNull(found, readUser)
    },

    disableServiceAccount: ({ tenantId, userId, at }, event, options) =>
      database.inTenant(
        tenantId,
        async session => {
          const disabled = await session.write({
            text: `update auricle.app_user set disabled_at = $3
                   where tenant_id = $1 and id = $2 and kind = 'service' and disabled_at is null`,
            values: [tenantId, userId, at],
          })
          if (disabled === 0) return false
          await endTokensOf(tenantId, userId, { reason: 'disabled', now: at }, session)
          await insertEvent(session, event)
          return true
        },
        options,
      ),

    async listServiceTokens(tenantId, userId, limit, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select t.* from auricle.token t where t.tenant_id = $1 and t.user_id = $2
                   order by auricle.holds(t, $4) desc, t.created_at desc, t.id desc limit $3`,
            values: [tenantId, userId, limit, now()],
          }),
        options,
      )
      return found.map(row => ({
        ...readToken(row),
        revokedAt: orNull(row, 'revoked_at', time),
        seenAt: time(row, 'seen_at'),
      }))
    },

    addServiceToken: (token, most, event, options) =>
      database.inTenant(
        token.tenantId,
        async session => {
          // Held by one of several at once: they make no more than there may be, and none after the account's end.
          const account = await session.rows({
            text: `select from auricle.app_user
                   where tenant_id = $1 and id = $2 and kind = 'service' and disabled_at is null for no key update`,
            values: [token.tenantId, token.userId],
          })
          if (account.length === 0) return false
          const live = await session.rows({
            text: `select from auricle.token t
                   where t.tenant_id = $1 and t.user_id = $2 and auricle.holds(t, $3) limit $4`,
            values: [token.tenantId, token.userId, token.createdAt, most],
          })
          if (live.length >= most) return false
          await insertToken(session, token)
          await insertEvent(session, event)
          return true
        },
        options,
      ),

    endServiceToken: ({ tenantId, userId, tokenId, at }, event, options) =>
      database.inTenant(
        tenantId,
        async session => {
          const ended = await session.write({
            text: `update auricle.token t set revoked_at = $4, end_reason = 'ended_by_administrator'
                   where t.tenant_id = $1 and t.user_id = $2 and t.id = $3 and t.purpose = 'service'
                     and auricle.holds(t, $4)`,
            values: [tenantId, userId, tokenId, at],
          })
          if (ended === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      ),
  }
}
