// Opaque tokens: whose each is, by its id alone, and those that a person has made.
import type { AuditRecord } from '@auricle/audit'
import { TenantId, TokenId, UserId } from '@auricle/contract'
import { Scopes } from './access-facts.ts'
import type { QueryOptions, TokenRow } from './catalog.ts'
import type { Database } from './database.ts'
import { insertEvent } from './events.ts'
import { firstOrNull, parsed, type Row, text, time } from './row.ts'
import { insertToken } from './tokens.ts'
import { holdUser } from './users.ts'

/** A token of a program as its person sees it. */
export interface OwnTokenRow extends Pick<TokenRow, 'id' | 'createdAt' | 'expiresAt'> {
  readonly name: string | null
  readonly scopes: NonNullable<TokenRow['scopes']>
  /** When it was last used, to half a minute; when it was made, where it never was. */
  readonly seenAt: Date
}

export interface OwnTokenCatalog {
  /** The directory: whose opaque token it is, live or not. This never changes. */
  findTokenOwner(
    tokenId: TokenId,
    options?: QueryOptions,
  ): Promise<{ readonly tenantId: TenantId; readonly userId: UserId } | null>
  /** The live personal tokens of one person, oldest first. */
  listOwnTokens(tenantId: TenantId, userId: UserId, options?: QueryOptions): Promise<readonly OwnTokenRow[]>
  /** False, and nothing is added, where the person has `most` live ones. */
  addOwnToken(token: TokenRow, most: number, event: AuditRecord, options?: QueryOptions): Promise<boolean>
  /** False where the person has no such live token. */
  endOwnToken(
    token: Pick<TokenRow, 'tenantId' | 'userId' | 'id'>,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
}

const isLive = (at: string) => `t.tenant_id = $1 and t.user_id = $2 and t.purpose = 'personal'
  and auricle.holds(t, ${at})`

export function createOwnTokens(database: Database, now: () => Date): OwnTokenCatalog {
  return {
    async findTokenOwner(tokenId, options) {
      const found = await database.once(
        { name: 'token_owner', text: 'select * from auricle.token_owner($1)', values: [tokenId] },
        options,
      )
      return firstOrNull(found, row => ({
        tenantId: parsed(row, 'tenant_id', TenantId),
        userId: parsed(row, 'user_id', UserId),
      }))
    },

    async listOwnTokens(tenantId, userId, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select t.* from auricle.token t where ${isLive('$3')} order by t.created_at, t.id`,
            values: [tenantId, userId, now()],
          }),
        options,
      )
      return found.map(readOwnToken)
    },

    addOwnToken: (token, most, event, options) =>
      database.inTenant(
        token.tenantId,
        async session => {
          // Held by one of several at once, so that together they make no more than there may be.
          if (!(await holdUser(token.tenantId, token.userId, session))) return false
          const live = await session.rows({
            text: `select from auricle.token t where ${isLive('$3')}`,
            values: [token.tenantId, token.userId, token.createdAt],
          })
          if (live.length >= most) return false
          await insertToken(session, token)
          await insertEvent(session, event)
          return true
        },
        options,
      ),

    endOwnToken: ({ tenantId, userId, id }, event, options) =>
      database.inTenant(
        tenantId,
        async session => {
          const ended = await session.write({
            text: `update auricle.token t set revoked_at = $3, end_reason = 'ended_by_owner'
                   where ${isLive('$3')} and t.id = $4`,
            values: [tenantId, userId, now(), id],
          })
          if (ended === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      ),
  }
}

function readOwnToken(row: Row): OwnTokenRow {
  return {
    id: parsed(row, 'id', TokenId),
    name: row['name'] === null ? null : text(row, 'name'),
    scopes: parsed(row, 'scopes', Scopes),
    createdAt: time(row, 'created_at'),
    expiresAt: time(row, 'expires_at'),
    seenAt: time(row, 'seen_at'),
  }
}
