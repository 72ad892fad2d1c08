// Passkeys: whose each is, and what of it changes whenever it signs. A removed one keeps its row.

import type { AuditRecord } from '@auricle/audit'
import { PasskeyId, TenantId, UserId } from '@auricle/contract'
import { z } from 'zod'
import type { QueryOptions, UserRow } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { bytes, firstOrNull, integer, orNull, parsed, type Row, text, texts, time } from './row.ts'
import { readUser, userColumns } from './users.ts'

/** Nothing of it is secret. */
export interface PasskeyRow {
  readonly id: PasskeyId
  readonly tenantId: TenantId
  readonly userId: UserId
  /** base64url. */
  readonly credentialId: string
  /** A COSE key. */
  readonly publicKey: Uint8Array
  readonly signCount: number
  readonly transports: readonly string[]
  readonly isMultiDevice: boolean
  readonly isBackedUp: boolean
  readonly aaguid: string
  /** What its person calls it. */
  readonly name: string
  readonly createdAt: Date
  readonly usedAt: Date | null
}

/** What a passkey that has just signed says of itself. */
export interface PasskeyUse {
  readonly id: PasskeyId
  readonly signCount: number
  readonly isBackedUp: boolean
}

export interface PasskeyCatalog {
  /** Those of a person that were not removed, oldest first. */
  listPasskeys(tenantId: TenantId, userId: UserId, options?: QueryOptions): Promise<readonly PasskeyRow[]>
  /** Whose passkey it is, disabled people among them; null where the tenant has none that was not removed. */
  findPasskey(
    tenantId: TenantId,
    credentialId: string,
    options?: QueryOptions,
  ): Promise<{ readonly passkey: PasskeyRow; readonly user: UserRow } | null>
  /** False where the person has no such passkey. */
  renamePasskey(
    passkey: Pick<PasskeyRow, 'tenantId' | 'userId' | 'id' | 'name'>,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
}

export function createPasskeyCatalog(database: Database, now: () => Date): PasskeyCatalog {
  return {
    async listPasskeys(tenantId, userId, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select p.* from auricle.passkey p
                   where p.tenant_id = $1 and p.user_id = $2 and p.removed_at is null order by p.created_at, p.id`,
            values: [tenantId, userId],
          }),
        options,
      )
      return found.map(readPasskey)
    },

    async findPasskey(tenantId, credentialId, options) {
      const { passkeys, users } = await database.inTenant(
        tenantId,
        async session => ({
          passkeys: await session.rows({
            text: `select p.* from auricle.passkey p
                   where p.tenant_id = $1 and p.credential_id = $2 and p.removed_at is null`,
            values: [tenantId, credentialId],
          }),
          users: await session.rows({
            text: `select ${userColumns('$3')} from auricle.passkey p
                   join auricle.app_user u on u.tenant_id = p.tenant_id and u.id = p.user_id
                   where p.tenant_id = $1 and p.credential_id = $2 and p.removed_at is null`,
            values: [tenantId, credentialId, now()],
          }),
        }),
        options,
      )
      const passkey = firstOrNull(passkeys, readPasskey)
      const user = firstOrNull(users, readUser)
      return passkey === null || user === null ? null : { passkey, user }
    },

    renamePasskey: ({ tenantId, userId, id, name }, event, options) =>
      database.inTenant(
        tenantId,
        async session => {
          const renamed = await session.write({
            text: `update auricle.passkey set name = $4
                   where tenant_id = $1 and user_id = $2 and id = $3 and removed_at is null`,
            values: [tenantId, userId, id, name],
          })
          if (renamed === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      ),
  }
}

/** Adds a passkey to a transaction. Throws `taken` where the tenant has that credential. */
export async function insertPasskey(session: Session, passkey: PasskeyRow): Promise<void> {
  await session.write({
    text: `insert into auricle.passkey
             (tenant_id, id, user_id, credential_id, public_key, sign_count, transports, is_multi_device, is_backed_up,
              aaguid, name, created_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    values: [
      passkey.tenantId,
      passkey.id,
      passkey.userId,
      passkey.credentialId,
      passkey.publicKey,
      passkey.signCount,
      passkey.transports,
      passkey.isMultiDevice,
      passkey.isBackedUp,
      passkey.aaguid,
      passkey.name,
      passkey.createdAt,
    ],
  })
}

/**
 * Notes a use within a transaction. False where the passkey was removed, or its count is not above the one that is
 * kept, unless both are 0: then another with the same key has signed meanwhile.
 */
export async function notePasskeyUse(
  { tenantId, userId, id, signCount, isBackedUp, at }: PasskeyUse & Owned & { readonly at: Date },
  session: Session,
): Promise<boolean> {
  const noted = await session.write({
    text: `update auricle.passkey set sign_count = $4, is_backed_up = $5, used_at = $6
           where tenant_id = $1 and user_id = $2 and id = $3 and removed_at is null
             and (sign_count < $4 or (sign_count = 0 and $4 = 0))`,
    values: [tenantId, userId, id, signCount, isBackedUp, at],
  })
  return noted === 1
}

interface Owned {
  readonly tenantId: TenantId
  readonly userId: UserId
}

function readPasskey(row: Row): PasskeyRow {
  return {
    id: parsed(row, 'id', PasskeyId),
    tenantId: parsed(row, 'tenant_id', TenantId),
    userId: parsed(row, 'user_id', UserId),
    credentialId: text(row, 'credential_id'),
    publicKey: bytes(row, 'public_key'),
    signCount: integer(row, 'sign_count'),
    transports: texts(row, 'transports'),
    isMultiDevice: parsed(row, 'is_multi_device', z.boolean()),
    isBackedUp: parsed(row, 'is_backed_up', z.boolean()),
    aaguid: text(row, 'aaguid'),
    name: text(row, 'name'),
    createdAt: time(row, 'created_at'),
    usedAt: orNull(row, 'used_at', time),
  }
}
