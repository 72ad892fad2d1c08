// Bearer tokens as the database knows them: live until they expire or are revoked.
import { Factor, TenantId, TokenId, UserId } from '@auricle/contract'
import { z } from 'zod'
import { readAccess, readHeldToken, Scopes, TokenPurpose } from './access-facts.ts'
import type { Catalog, TokenRow } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { bytes, firstOrNull, integer, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'
import { readUser } from './users.ts'

type Tokens = Pick<Catalog, 'addToken' | 'revokeToken' | 'listTokens' | 'findBearer'>

export const Factors = z.array(Factor)

export function createTokens(database: Database, now: () => Date): Tokens {
  return {
    addToken: (token, event, options) => {
      return database.inTenant(
        token.tenantId,
        async session => {
          await insertToken(session, token)
          await insertEvent(session, event)
        },
        options,
      )
    },

    revokeToken: (tenantId, tokenId, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const revoked = await session.write({
            text: `update auricle.token set revoked_at = $3, end_reason = 'revoked'
                   where tenant_id = $1 and id = $2 and revoked_at is null and expires_at > $3`,
            values: [tenantId, tokenId, now()],
          })
          if (revoked === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    async listTokens(tenantId, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: 'select * from auricle.token where tenant_id = $1 order by created_at, id',
            values: [tenantId],
          })
        },
        options,
      )
      return found.map(row => ({ ...readToken(row), revokedAt: orNull(row, 'revoked_at', time) }))
    },

    async findBearer(tenantId, tokenId, at, options) {
      const found = await database.once(
        {
          name: 'find_bearer',
          text: 'select * from auricle.find_bearer($1, $2, $3)',
          values: [tenantId, tokenId, at],
        },
        options,
      )
      return firstOrNull(found, row => {
        return {
          user: readUser(row),
          access: readAccess(row),
          token: {
            ...readHeldToken(row),
            expiresAt: time(row, 'expires_at'),
            idleMs: orNull(row, 'idle_ms', integer),
          },
        }
      })
    },
  }
}

/** Which of somebody's tokens end, and how the rows say it. */
export interface TokensEnd {
  /** Default: all of them. */
  readonly only?: TokenRow['purpose'] | undefined
  readonly except?: TokenId | null | undefined
  /** A stable word, such as `disabled` or `signed_out_everywhere`. */
  readonly reason: string
  readonly now: Date
}

/** Ends tokens of one person within a transaction, and says which: those that had ended already are none of them. */
export async function endTokensOf(
  tenantId: TenantId,
  userId: UserId,
  { only, except, reason, now }: TokensEnd,
  session: Session,
): Promise<readonly TokenId[]> {
  const ended = await session.rows({
    text: `update auricle.token t set revoked_at = $3, end_reason = $4
           where t.tenant_id = $1 and t.user_id = $2 and t.revoked_at is null and t.expires_at > $3
             and ($5::text is null or t.purpose = $5) and ($6::text is null or t.id <> $6)
           returning t.id`,
    values: [tenantId, userId, now, reason, only ?? null, except ?? null],
  })
  return ended.map(row => parsed(row, 'id', TokenId))
}

/** What a person has just shown again. */
export interface Verification {
  readonly tenantId: TenantId
  readonly tokenId: TokenId
  readonly factors: readonly Factor[]
  readonly at: Date
}

/** Notes in a transaction that the person of a session showed a factor again. False where it holds no longer. */
export async function markTokenVerified(verification: Verification, session: Session): Promise<boolean> {
  const { tenantId, tokenId, factors, at } = verification
  const marked = await session.write({
    text: `update auricle.token t set verified_at = $3, seen_at = greatest(t.seen_at, $3),
             factors = array(select distinct f from unnest(t.factors || $4::text[]) f order by f)
           where t.tenant_id = $1 and t.id = $2 and t.purpose = 'session' and auricle.holds(t, $3)`,
    values: [tenantId, tokenId, at, factors],
  })
  return marked === 1
}

/** Where a token comes from that we did not decide to make ourselves. */
export interface TokenSource {
  /** The OpenID provider, or the foreign issuer. */
  readonly providerId: string
  /** The session there, or the subject. */
  readonly providerSession: string | null
}

/** Adds a token to a transaction. */
export async function insertToken(
  session: Session,
  token: TokenRow,
  source: TokenSource | null = null,
): Promise<void> {
  await session.write({ text: insertion, values: valuesOf(token, source) })
}

/** The same, unless there is one of that id. Returns whether it was added. */
export async function insertTokenOnce(
  session: Session,
  token: TokenRow,
  source: TokenSource,
): Promise<boolean> {
  const text = `${insertion} on conflict (tenant_id, id) do nothing`
  return (await session.write({ text, values: valuesOf(token, source) })) > 0
}

const insertion = `insert into auricle.token (tenant_id, id, user_id, purpose, created_at, expires_at, seen_at, idle_ms,
    scopes, name, secret_hash, factors, verified_at, origin, provider_id, provider_session)
  values ($1, $2, $3, $4, $5, $6, $5, $7, $8, $9, $10, $11, $12, $13, $14, $15)`

const valuesOf = (token: TokenRow, source: TokenSource | null) => [
  token.tenantId,
  token.id,
  token.userId,
  token.purpose,
  token.createdAt,
  token.expiresAt,
  token.idleMs,
  token.scopes,
  token.name,
  token.secretHash,
  token.factors,
  token.verifiedAt,
  token.origin ?? null,
  source?.providerId ?? null,
  source?.providerSession ?? null,
]

export function readToken(row: Row): TokenRow {
  return {
    id: parsed(row, 'id', TokenId),
    tenantId: parsed(row, 'tenant_id', TenantId),
    userId: parsed(row, 'user_id', UserId),
    purpose: parsed(row, 'purpose', TokenPurpose),
    createdAt: time(row, 'created_at'),
    expiresAt: time(row, 'expires_at'),
    idleMs: orNull(row, 'idle_ms', integer),
    scopes: parsedOrNull(row, 'scopes', Scopes),
    name: orNull(row, 'name', text),
    secretHash: orNull(row, 'secret_hash', bytes),
    factors: parsed(row, 'factors', Factors),
    verifiedAt: orNull(row, 'verified_at', time),
  }
}
