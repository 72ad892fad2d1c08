// Invitations as the invited see them: looked up by what was sent to them, accepted once.
import type { AuditRecord } from '@auricle/audit'
import { InvitationId, TenantId, UserId } from '@auricle/contract'
import { type AttemptAnswer, takeAttempt } from './attempts.ts'
import type { QueryOptions, TokenRow } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { insertPasskey, type PasskeyRow } from './passkeys.ts'
import { replaceRecoveryCodes } from './recovery-codes.ts'
import { firstOrNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'
import { sealColumn } from './sealed-column.ts'
import { endTokensOf, insertToken } from './tokens.ts'
import { orUndone, Undone } from './undone.ts'
import { holdUser, totpPlace } from './users.ts'

/** An invitation that holds. */
export interface OpenInvitation {
  readonly id: InvitationId
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly login: string
  readonly name: string
  readonly expiresAt: Date
}

/** What somebody signs in with from now on. */
export type FirstFactors =
  | {
      readonly type: 'password_and_totp'
      readonly passwordHash: string
      readonly totpSecret: string
      /** The step whose code proved it, and is spent. */
      readonly totpStep: number
    }
  | { readonly type: 'passkey'; readonly passkey: PasskeyRow }

export interface Acceptance {
  readonly invitationId: InvitationId
  readonly attempt: AttemptAnswer
  readonly factors: FirstFactors
  readonly recoveryCodeHashes: readonly Uint8Array[]
  /** The session that begins. */
  readonly token: TokenRow
}

export interface InvitationCatalog {
  /** By the hash of its text, whichever tenant's; null where none holds, or its person is disabled. */
  findInvitation(secretHash: Uint8Array, options?: QueryOptions): Promise<OpenInvitation | null>
  /**
   * Invitation and attempt are spent, the factors made, other invitations of the person withdrawn and their sessions
   * ended, the session added. False, and nothing is changed, where either was spent or does not hold any more.
   */
  acceptInvitation(
    acceptance: Acceptance,
    events: readonly AuditRecord[],
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<boolean>
}

export function createInvitations(database: Database, now: () => Date): InvitationCatalog {
  return {
    async findInvitation(secretHash, options) {
      const tenants = await database.once(
        { text: 'select auricle.tenant_of_invitation($1) as tenant_id', values: [secretHash] },
        options,
      )
      const tenantId = firstOrNull(tenants, row => parsedOrNull(row, 'tenant_id', TenantId))
      if (tenantId === null) return null
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select i.id, i.tenant_id, i.user_id, i.expires_at, u.login, u.name from auricle.invitation i
                   join auricle.app_user u on u.tenant_id = i.tenant_id and u.id = i.user_id
                   where i.tenant_id = $1 and i.secret_hash = $2 and i.used_at is null and i.revoked_at is null
                     and i.expires_at > $3 and u.disabled_at is null`,
            values: [tenantId, secretHash, now()],
          }),
        options,
      )
      return firstOrNull(found, readInvitation)
    },

    acceptInvitation: async (acceptance, events, columns, options) => {
      const { tenantId, userId } = acceptance.token
      const work = database.inTenant(
        tenantId,
        async session => {
          if (!(await holdUser(tenantId, userId, session))) throw new Undone('spent')
          await spendInvitation(acceptance, columns, session)
          await setFactors(acceptance, columns, session)
          for (const event of events) await insertEvent(session, event)
        },
        options,
      )
      return (await orUndone(work)) === 'done'
    },
  }
}

async function spendInvitation(
  { token, invitationId, attempt }: Acceptance,
  columns: ColumnKeys,
  session: Session,
): Promise<void> {
  const { tenantId, userId, createdAt: at } = token
  const spent = await session.write({
    text: `update auricle.invitation i set used_at = $4
           where i.tenant_id = $1 and i.id = $2 and i.user_id = $3 and i.used_at is null and i.revoked_at is null
             and i.expires_at > $4`,
    values: [tenantId, invitationId, userId, at],
  })
  if (spent === 0) throw new Undone('spent')
  const answered = await takeAttempt(attempt, columns, session)
  if (answered?.userId !== userId) throw new Undone('spent')
  await session.write({
    text: `update auricle.invitation set revoked_at = $3
           where tenant_id = $1 and user_id = $2 and used_at is null and revoked_at is null`,
    values: [tenantId, userId, at],
  })
}

async function setFactors(
  { token, factors, recoveryCodeHashes }: Acceptance,
  columns: ColumnKeys,
  session: Session,
): Promise<void> {
  const { tenantId, userId, createdAt: at } = token
  const isPassword = factors.type === 'password_and_totp'
  await session.write({
    text: `update auricle.app_user set failed_attempts = 0, locked_until = null,
             password_hash = coalesce($3, password_hash), totp_secret = coalesce($4, totp_secret),
             totp_last_step = coalesce($5, totp_last_step)
           where tenant_id = $1 and id = $2`,
    values: [
      tenantId,
      userId,
      isPassword ? factors.passwordHash : null,
      isPassword ? sealColumn(columns, totpPlace(tenantId, userId), factors.totpSecret) : null,
      isPassword ? factors.totpStep : null,
    ],
  })
  if (factors.type === 'passkey') await insertPasskey(session, factors.passkey)
  await replaceRecoveryCodes({ tenantId, userId, hashes: recoveryCodeHashes, at }, session)
  await endTokensOf(tenantId, userId, { only: 'session', reason: 'factor_changed', now: at }, session)
  await insertToken(session, token)
}

function readInvitation(row: Row): OpenInvitation {
  return {
    id: parsed(row, 'id', InvitationId),
    tenantId: parsed(row, 'tenant_id', TenantId),
    userId: parsed(row, 'user_id', UserId),
    login: text(row, 'login'),
    name: text(row, 'name'),
    expiresAt: time(row, 'expires_at'),
  }
}
