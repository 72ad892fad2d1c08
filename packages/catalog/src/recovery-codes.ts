// Recovery codes by their hashes: one set in force for a person, each code spent by one sign-in.
import type { AuditRecord } from '@auricle/audit'
import type { TenantId, UserId } from '@auricle/contract'
import type { QueryOptions, TokenRow } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { firstOrNull, integer } from './row.ts'
import { insertToken } from './tokens.ts'
import { holdUser } from './users.ts'

export interface RecoveryCodeCatalog {
  /** How many codes of the set in force are unused. */
  countRecoveryCodes(tenantId: TenantId, userId: UserId, options?: QueryOptions): Promise<number>
  /**
   * Records a sign-in by recovery code: resets the failures, spends the code, adds the token. Returns how many codes are
   * left; null, and nothing is changed, where the person has no such code, it was spent, or the password is another by now.
   */
  commitRecoverySignIn(
    signIn: { readonly token: TokenRow; readonly codeHash: Uint8Array; readonly passwordHash: string },
    events: readonly AuditRecord[],
    options?: QueryOptions,
  ): Promise<number | null>
}

export function createRecoveryCodes(database: Database): RecoveryCodeCatalog {
  return {
    countRecoveryCodes: (tenantId, userId, options) =>
      database.inTenant(tenantId, session => recoveryCodesLeft({ tenantId, userId }, session), options),

    commitRecoverySignIn: ({ token, codeHash: hash, passwordHash }, events, options) => {
      const { tenantId, userId, createdAt: at } = token
      return database.inTenant(
        tenantId,
        async session => {
          if (!(await holdUser(tenantId, userId, session))) return null
          if (!(await isPassword(token, passwordHash, session))) return null
          if (!(await spendRecoveryCode({ tenantId, userId, hash, at }, session))) return null
          await session.write({
            text: `update auricle.app_user set failed_attempts = 0, locked_until = null
                   where tenant_id = $1 and id = $2`,
            values: [tenantId, userId],
          })
          await insertToken(session, token)
          for (const event of events) await insertEvent(session, event)
          return recoveryCodesLeft({ tenantId, userId }, session)
        },
        options,
      )
    },
  }
}

/** Whether the password that was checked is still the one there is. */
async function isPassword(
  { tenantId, userId }: Owner,
  passwordHash: string,
  session: Session,
): Promise<boolean> {
  const found = await session.rows({
    text: 'select from auricle.app_user where tenant_id = $1 and id = $2 and password_hash = $3',
    values: [tenantId, userId, passwordHash],
  })
  return found.length > 0
}

interface Owner {
  readonly tenantId: TenantId
  readonly userId: UserId
}

/** Within a transaction, puts a new set in the place of whatever was there. */
export async function replaceRecoveryCodes(
  { tenantId, userId, hashes, at }: Owner & { readonly hashes: readonly Uint8Array[]; readonly at: Date },
  session: Session,
): Promise<void> {
  await session.write({
    text: `update auricle.recovery_code set removed_at = $3
           where tenant_id = $1 and user_id = $2 and removed_at is null`,
    values: [tenantId, userId, at],
  })
  await session.write({
    text: `insert into auricle.recovery_code (tenant_id, user_id, code_hash, created_at)
           select $1, $2, h, $4 from unnest($3::bytea[]) h`,
    values: [tenantId, userId, hashes, at],
  })
}

/** Spends a code within a transaction; false where the person has none of that hash, or it was spent. */
async function spendRecoveryCode(
  { tenantId, userId, hash, at }: Owner & { readonly hash: Uint8Array; readonly at: Date },
  session: Session,
): Promise<boolean> {
  const spent = await session.write({
    text: `update auricle.recovery_code set used_at = $4
           where tenant_id = $1 and user_id = $2 and code_hash = $3 and used_at is null and removed_at is null`,
    values: [tenantId, userId, hash, at],
  })
  return spent === 1
}

export async function recoveryCodesLeft({ tenantId, userId }: Owner, session: Session): Promise<number> {
  const found = await session.rows({
    text: `select count(*) as codes from auricle.recovery_code
           where tenant_id = $1 and user_id = $2 and used_at is null and removed_at is null`,
    values: [tenantId, userId],
  })
  return firstOrNull(found, row => integer(row, 'codes')) ?? 0
}
