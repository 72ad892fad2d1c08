// Recovery codes by their hashes: one set in force for a person, each code spent by one sign-in.
import type { TenantId, UserId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { firstOrNull, integer } from './row.ts'

export interface RecoveryCodeCatalog {
  /** How many codes of the set in force are unused. */
  countRecoveryCodes(tenantId: TenantId, userId: UserId, options?: QueryOptions): Promise<number>
}

export function createRecoveryCodes(database: Database): RecoveryCodeCatalog {
  return {
    countRecoveryCodes: (tenantId, userId, options) =>
      database.inTenant(tenantId, session => recoveryCodesLeft({ tenantId, userId }, session), options),
  }
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
export async function spendRecoveryCode(
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
