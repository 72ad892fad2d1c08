// People from their invitation to their end: what an administrator sees of them, and the changes that end access at once.
import type { AuditRecord } from '@auricle/audit'
import type { InvitationId, TenantId, UserId } from '@auricle/contract'
import { type Ending, isLastAdministrator } from './administrators.ts'
import { insertAlert, type RaisedAlert } from './alerts.ts'
import type { QueryOptions, UserRow } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { insertRoleRequest, type NewRoleRequest } from './role-requests.ts'
import { firstOrNull, flag, integer, orNull, type Row, time } from './row.ts'
import { endTokensOf } from './tokens.ts'
import { readUser, userColumns } from './users.ts'

/** Somebody, and what they can sign in with. */
export interface PersonRow extends UserRow {
  readonly signedInAt: Date | null
  /** Until when an invitation of theirs is open; null without one. */
  readonly invitedUntil: Date | null
  readonly factors: {
    readonly password: boolean
    readonly totp: boolean
    readonly passkeys: number
    readonly recoveryCodes: number
  }
}

export interface InvitationRow {
  readonly id: InvitationId
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly secretHash: Uint8Array
  /** Null: at the machine's console. */
  readonly createdBy: UserId | null
  readonly createdAt: Date
  readonly expiresAt: Date
}

export interface PeopleCatalog {
  /** By id, which is by age. */
  listPeople(
    tenantId: TenantId,
    page: { readonly afterId: UserId | null; readonly limit: number },
    options?: QueryOptions,
  ): Promise<readonly PersonRow[]>
  findPerson(tenantId: TenantId, userId: UserId, options?: QueryOptions): Promise<PersonRow | null>
  /** Somebody new, their invitation, and the roles asked for them. Throws `taken` where the tenant has that login. */
  invitePerson(
    invited: {
      readonly user: UserRow
      readonly invitation: InvitationRow
      readonly requests: readonly NewRoleRequest[]
    },
    columns: ColumnKeys,
    events: readonly AuditRecord[],
    options?: QueryOptions,
  ): Promise<void>
  /** False where there is nobody of that id. */
  renamePerson(
    named: { readonly tenantId: TenantId; readonly userId: UserId; readonly name: string },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /**
   * Ends somebody's access: sessions, tokens, cover given and received, open invitations, emergency codes and emergency
   * access, in one transaction. `already` where they are disabled; `last_administrator` where nobody would be left to
   * administer the tenant. Then nothing is written.
   */
  disablePerson(
    ending: Ending,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<'disabled' | 'already' | 'last_administrator'>
  /** Their roles count again; what was ended stays ended. False where they are not disabled. */
  enablePerson(
    person: { readonly tenantId: TenantId; readonly userId: UserId },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /**
   * Takes every factor of somebody away, and whatever was signed in or made with them, for an invitation, and raises an
   * alert. False where they are disabled or no person.
   */
  resetFactors(
    invitation: InvitationRow,
    raised: RaisedAlert,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
}

const personColumns = (at: string) => `${userColumns(at)},
  u.password_hash is not null as has_password, u.totp_secret is not null as has_totp,
  (select max(t.created_at) from auricle.token t
    where t.tenant_id = u.tenant_id and t.user_id = u.id and t.purpose = 'session') as signed_in_at,
  (select max(i.expires_at) from auricle.invitation i
    where i.tenant_id = u.tenant_id and i.user_id = u.id and i.used_at is null and i.revoked_at is null
      and i.expires_at > ${at}) as invited_until,
  (select count(*) from auricle.passkey k
    where k.tenant_id = u.tenant_id and k.user_id = u.id and k.removed_at is null) as passkeys,
  (select count(*) from auricle.recovery_code c
    where c.tenant_id = u.tenant_id and c.user_id = u.id and c.used_at is null and c.removed_at is null)
    as recovery_codes`

export function createPeople(database: Database, now: () => Date): PeopleCatalog {
  return {
    async listPeople(tenantId, { afterId, limit }, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select ${personColumns('$2')} from auricle.app_user u
                   where u.tenant_id = $1 and u.id > $3 order by u.id limit $4`,
            values: [tenantId, now(), afterId ?? '', limit],
          })
        },
        options,
      )
      return found.map(readPerson)
    },

    async findPerson(tenantId, userId, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select ${personColumns('$2')} from auricle.app_user u where u.tenant_id = $1 and u.id = $3`,
            values: [tenantId, now(), userId],
          })
        },
        options,
      )
      return firstOrNull(found, readPerson)
    },

    invitePerson: ({ user, invitation, requests }, columns, events, options) => {
      return database.inTenant(
        user.tenantId,
        async session => {
          await session.write({
            text: `insert into auricle.app_user (tenant_id, id, login, name, kind, created_at)
                   values ($1, $2, $3, $4, $5, $6)`,
            values: [user.tenantId, user.id, user.login, user.name, user.kind, user.createdAt],
          })
          await insertInvitation(session, invitation)
          for (const request of requests) await insertRoleRequest(session, request, columns)
          for (const event of events) await insertEvent(session, event)
        },
        options,
      )
    },

    renamePerson: ({ tenantId, userId, name }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const renamed = await session.write({
            text: 'update auricle.app_user set name = $3 where tenant_id = $1 and id = $2',
            values: [tenantId, userId, name],
          })
          if (renamed === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    disablePerson: (ending, event, options) => {
      const { tenantId, userId, at } = ending
      return database.inTenant(
        tenantId,
        async session => {
          if (await isLastAdministrator(session, ending)) return 'last_administrator'
          const disabled = await session.write({
            text: `update auricle.app_user set disabled_at = $3
                   where tenant_id = $1 and id = $2 and disabled_at is null`,
            values: [tenantId, userId, at],
          })
          if (disabled === 0) return 'already'
          await endTokensOf(tenantId, userId, { reason: 'disabled', now: at }, session)
          await endCover(session, ending)
          await revokeWaysIn(session, ending)
          await insertEvent(session, event)
          return 'disabled'
        },
        options,
      )
    },

    enablePerson: ({ tenantId, userId }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const enabled = await session.write({
            text: `update auricle.app_user set disabled_at = null, failed_attempts = 0, locked_until = null
                   where tenant_id = $1 and id = $2 and disabled_at is not null`,
            values: [tenantId, userId],
          })
          if (enabled === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    resetFactors: (invitation, raised, event, options) => {
      const { tenantId, userId, createdBy: by, createdAt: at } = invitation
      return database.inTenant(
        tenantId,
        async session => {
          const reset = await session.write({
            text: `update auricle.app_user
                   set password_hash = null, totp_secret = null, failed_attempts = 0, locked_until = null
                   where tenant_id = $1 and id = $2 and disabled_at is null and kind = 'person'`,
            values: [tenantId, userId],
          })
          if (reset === 0) return false
          for (const table of ['passkey', 'recovery_code']) {
            await session.write({
              text: `update auricle.${table} set removed_at = $3
                     where tenant_id = $1 and user_id = $2 and removed_at is null`,
              values: [tenantId, userId, at],
            })
          }
          await endTokensOf(tenantId, userId, { reason: 'factors_reset', now: at }, session)
          await revokeWaysIn(session, { tenantId, userId, by, at })
          await insertInvitation(session, invitation)
          await insertEvent(session, event)
          await insertAlert(session, raised)
          return true
        },
        options,
      )
    },
  }
}

async function endCover(session: Session, { tenantId, userId, by, at }: Ending): Promise<void> {
  await session.write({
    text: `update auricle.delegation set ended_at = $3, ended_by = $4
           where tenant_id = $1 and (from_user_id = $2 or to_user_id = $2) and ended_at is null and until > $3`,
    values: [tenantId, userId, at, by],
  })
}

/** What could still let them in: open invitations, emergency codes, emergency access. */
async function revokeWaysIn(session: Session, { tenantId, userId, at }: Ending): Promise<void> {
  for (const table of ['invitation', 'emergency_code']) {
    await session.write({
      text: `update auricle.${table} set revoked_at = $3
             where tenant_id = $1 and user_id = $2 and used_at is null and revoked_at is null`,
      values: [tenantId, userId, at],
    })
  }
  await session.write({
    text: `update auricle.break_glass set ended_at = $3
           where tenant_id = $1 and user_id = $2 and ended_at is null and until > $3`,
    values: [tenantId, userId, at],
  })
}

async function insertInvitation(session: Session, invitation: InvitationRow): Promise<void> {
  await session.write({
    text: `insert into auricle.invitation (tenant_id, id, user_id, secret_hash, created_by, created_at, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7)`,
    values: [
      invitation.tenantId,
      invitation.id,
      invitation.userId,
      invitation.secretHash,
      invitation.createdBy,
      invitation.createdAt,
      invitation.expiresAt,
    ],
  })
}

function readPerson(row: Row): PersonRow {
  return {
    ...readUser(row),
    signedInAt: orNull(row, 'signed_in_at', time),
    invitedUntil: orNull(row, 'invited_until', time),
    factors: {
      password: flag(row, 'has_password'),
      totp: flag(row, 'has_totp'),
      passkeys: integer(row, 'passkeys'),
      recoveryCodes: integer(row, 'recovery_codes'),
    },
  }
}
