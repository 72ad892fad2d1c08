// Changes of somebody's own factors, and sign-in by a passkey: each one transaction with its attempt and its events.
//
// The person's row is locked first, so that of two removals at once the second sees what the first has left.
import type { AuditRecord } from '@auricle/audit'
import type { PasskeyId, TenantId, TokenId, UserId } from '@auricle/contract'
import { type AttemptAnswer, takeAttempt } from './attempts.ts'
import type { QueryOptions, TokenRow } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { insertPasskey, notePasskeyUse, type PasskeyRow, type PasskeyUse } from './passkeys.ts'
import { recoveryCodesLeft, replaceRecoveryCodes } from './recovery-codes.ts'
import { firstOrNull, type Row } from './row.ts'
import { sealColumn } from './sealed-column.ts'
import { endTokensOf, insertToken, markTokenVerified } from './tokens.ts'
import { orUndone, Undone, type UndoneOutcome } from './undone.ts'
import { holdUser, totpPlace } from './users.ts'

/** Which ways in somebody has. */
export interface OwnFactors {
  readonly hasPassword: boolean
  readonly hasTotp: boolean
  /** Whether a provider of identity knows them. */
  readonly hasProvider: boolean
  readonly recoveryCodesLeft: number
}

export type FactorChange =
  | { readonly type: 'add_passkey'; readonly passkey: PasskeyRow; readonly most: number }
  | { readonly type: 'remove_passkey'; readonly passkeyId: PasskeyId }
  | { readonly type: 'replace_recovery_codes'; readonly hashes: readonly Uint8Array[] }
  /** `step` is the one whose code proved it, and is spent. */
  | { readonly type: 'replace_totp'; readonly secret: string; readonly step: number }
  /** `from` is the hash that was checked: where it is another by now, nothing is changed. */
  | { readonly type: 'replace_password'; readonly from: string; readonly hash: string }

export interface FactorCommit {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly change: FactorChange
  /** Spent with the change; null where none was asked for. */
  readonly attempt: AttemptAnswer | null
  /** The session that goes on, while all others of the person end. */
  readonly keptTokenId: TokenId
  /** Whether tokens of programs end too. */
  readonly endsPrograms: boolean
  readonly at: Date
}

/** `ended` is written only where sessions ended. */
export interface FactorEvents {
  readonly changed: AuditRecord
  readonly ended: AuditRecord
}

/**
 * `spent`: the attempt is over, or the password changed meanwhile. `last`: without it the person would have no second
 * factor. `full`: they have as many as there may be. Nothing is changed by any of these.
 */
export type FactorOutcome = UndoneOutcome | 'done'

export interface FactorCatalog {
  /** Null where the tenant has no such user. */
  findOwnFactors(tenantId: TenantId, userId: UserId, options?: QueryOptions): Promise<OwnFactors | null>
  commitFactorChange(
    commit: FactorCommit,
    events: FactorEvents,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<FactorOutcome>
  /** False, and nothing is changed, where the attempt or the sign count was overtaken, or the person is disabled. */
  commitPasskeySignIn(
    signIn: { readonly token: TokenRow; readonly attempt: AttemptAnswer; readonly use: PasskeyUse },
    event: AuditRecord,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<boolean>
  /** The same for a session that goes on: its person has shown a passkey again. */
  commitPasskeyStepUp(
    stepUp: {
      readonly userId: UserId
      readonly tokenId: TokenId
      readonly attempt: AttemptAnswer
      readonly use: PasskeyUse
      readonly at: Date
    },
    event: AuditRecord,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<boolean>
}

export function createFactors(database: Database): FactorCatalog {
  return {
    findOwnFactors: (tenantId, userId, options) =>
      database.inTenant(tenantId, session => readFactors(tenantId, userId, session), options),

    commitFactorChange: (commit, events, columns, options) => {
      const { tenantId, userId, attempt, at } = commit
      const work = database.inTenant(
        tenantId,
        async session => {
          if (!(await holdUser(tenantId, userId, session))) throw new Undone('not_found')
          if (attempt !== null) {
            const spent = await takeAttempt(attempt, columns, session)
            if (spent?.userId !== userId) throw new Undone('spent')
          }
          await applyChange(commit, columns, session)
          await insertEvent(session, events.changed)
          const scope = { reason: 'factor_changed', now: at, except: commit.keptTokenId }
          const only = commit.endsPrograms ? undefined : 'session'
          const ended = await endTokensOf(tenantId, userId, { ...scope, only }, session)
          if (ended.length > 0) await insertEvent(session, events.ended)
        },
        options,
      )
      return orUndone(work)
    },

    commitPasskeySignIn: async ({ token, attempt, use }, event, columns, options) => {
      const { tenantId, userId, createdAt: at } = token
      const work = database.inTenant(
        tenantId,
        async session => {
          if (!(await holdUser(tenantId, userId, session))) throw new Undone('not_found')
          if ((await takeAttempt(attempt, columns, session)) === null) throw new Undone('spent')
          if (!(await notePasskeyUse({ tenantId, userId, ...use, at }, session))) throw new Undone('spent')
          await insertToken(session, token)
          await insertEvent(session, event)
        },
        options,
      )
      return (await orUndone(work)) === 'done'
    },

    commitPasskeyStepUp: async ({ userId, tokenId, attempt, use, at }, event, columns, options) => {
      const { tenantId } = attempt
      const work = database.inTenant(
        tenantId,
        async session => {
          if (!(await holdUser(tenantId, userId, session))) throw new Undone('not_found')
          const spent = await takeAttempt(attempt, columns, session)
          if (spent?.userId !== userId) throw new Undone('spent')
          if (!(await notePasskeyUse({ tenantId, userId, ...use, at }, session))) throw new Undone('spent')
          const verification = { tenantId, tokenId, factors: ['passkey'] as const, at }
          if (!(await markTokenVerified(verification, session))) throw new Undone('not_found')
          await insertEvent(session, event)
        },
        options,
      )
      return (await orUndone(work)) === 'done'
    },
  }
}

async function applyChange(
  { tenantId, userId, change, at }: FactorCommit,
  columns: ColumnKeys,
  session: Session,
): Promise<void> {
  switch (change.type) {
    case 'add_passkey': {
      if ((await passkeysOf(tenantId, userId, session)) >= change.most) throw new Undone('full')
      return insertPasskey(session, change.passkey)
    }
    case 'remove_passkey': {
      const removed = await session.write({
        text: `update auricle.passkey set removed_at = $4
               where tenant_id = $1 and user_id = $2 and id = $3 and removed_at is null`,
        values: [tenantId, userId, change.passkeyId, at],
      })
      if (removed === 0) throw new Undone('not_found')
      if ((await passkeysOf(tenantId, userId, session)) > 0) return
      const left = await readFactors(tenantId, userId, session)
      if (!canStillSignIn(left)) throw new Undone('last')
      return
    }
    case 'replace_recovery_codes':
      return replaceRecoveryCodes({ tenantId, userId, hashes: change.hashes, at }, session)
    case 'replace_totp': {
      const secret = sealColumn(columns, totpPlace(tenantId, userId), change.secret)
      await session.write({
        text: 'update auricle.app_user set totp_secret = $3, totp_last_step = $4 where tenant_id = $1 and id = $2',
        values: [tenantId, userId, secret, change.step],
      })
      return
    }
    case 'replace_password': {
      const replaced = await session.write({
        text: `update auricle.app_user set password_hash = $4
               where tenant_id = $1 and id = $2 and password_hash = $3`,
        values: [tenantId, userId, change.from, change.hash],
      })
      if (replaced === 0) throw new Undone('spent')
      return
    }
    default:
      change satisfies never
  }
}

/** Without any passkey: by password and one-time code, or through a provider where there is no password. */
function canStillSignIn(left: OwnFactors | null): boolean {
  if (left === null) return false
  return left.hasPassword ? left.hasTotp : left.hasProvider
}

async function passkeysOf(tenantId: TenantId, userId: UserId, session: Session): Promise<number> {
  const found = await session.rows({
    text: 'select from auricle.passkey where tenant_id = $1 and user_id = $2 and removed_at is null',
    values: [tenantId, userId],
  })
  return found.length
}

async function readFactors(tenantId: TenantId, userId: UserId, session: Session): Promise<OwnFactors | null> {
  const found = await session.rows({
    text: `select u.password_hash is not null as has_password, u.totp_secret is not null as has_totp,
             exists (
               select from auricle.external_identity e where e.tenant_id = u.tenant_id and e.user_id = u.id
             ) as has_provider
           from auricle.app_user u where u.tenant_id = $1 and u.id = $2`,
    values: [tenantId, userId],
  })
  const left = await recoveryCodesLeft({ tenantId, userId }, session)
  return firstOrNull(found, (row: Row) => ({
    hasPassword: row['has_password'] === true,
    hasTotp: row['has_totp'] === true,
    hasProvider: row['has_provider'] === true,
    recoveryCodesLeft: left,
  }))
}
