// People: their accounts, what sign-in checks, and what a sign-in leaves behind.
import { newGrantId, TenantId, UserId } from '@auricle/contract'
import { z } from 'zod'
import { insertAlert } from './alerts.ts'
import type { Catalog, UserCredentials, UserRow } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { bytes, firstOrNull, integer, orNull, parsed, type Row, text, texts, time } from './row.ts'
import { type ColumnPlace, openColumn, sealColumn } from './sealed-column.ts'
import { insertToken } from './tokens.ts'

const UserKind = z.enum(['person', 'service'])

type Users = Pick<
  Catalog,
  | 'createUser'
  | 'listUsers'
  | 'findUserByLogin'
  | 'findCredentials'
  | 'findCredentialsById'
  | 'commitSignIn'
  | 'commitSignInFailure'
>

/** Of `app_user u`; roles as they are in force at the time that is bound as the parameter named. */
export const userColumns = (
  at: string,
) => `u.tenant_id, u.id, u.login, u.name, u.kind, u.created_at, u.disabled_at,
  array(
    select distinct g.role::text from auricle.role_grant g
    where g.tenant_id = u.tenant_id and g.user_id = u.id and g.revoked_at is null and (g.until is null or g.until > ${at})
    order by 1
  ) as roles`

const selectCredentials = `select ${userColumns('$3')}, u.password_hash, u.totp_secret, u.totp_last_step,
    u.failed_attempts, u.locked_until
  from auricle.app_user u`

export function createUsers(database: Database, now: () => Date): Users {
  return {
    /** Roles that are given here are those of the operator. */
    createUser: (user, secrets, keys, event, options) => {
      const totpSecret =
        secrets.totpSecret === null
          ? null
          : sealColumn(keys, totpPlace(user.tenantId, user.id), secrets.totpSecret)
      return database.inTenant(
        user.tenantId,
        async session => {
          await session.write({
            text: `insert into auricle.app_user
                     (tenant_id, id, login, name, kind, created_at, disabled_at, password_hash, totp_secret)
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
            values: [
              user.tenantId,
              user.id,
              user.login,
              user.name,
              user.kind,
              user.createdAt,
              user.disabledAt,
              secrets.passwordHash,
              totpSecret,
            ],
          })
          await session.write({
            text: `insert into auricle.role_grant (tenant_id, id, user_id, role, source, granted_at)
                   select $1, g.id, $2, g.role, 'operator', $5
                   from unnest($3::text[], $4::text[]) g (id, role)`,
            values: [user.tenantId, user.id, user.roles.map(() => newGrantId()), user.roles, user.createdAt],
          })
          await insertEvent(session, event)
        },
        options,
      )
    },

    async listUsers(tenantId, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select ${userColumns('$2')} from auricle.app_user u where u.tenant_id = $1 order by u.login`,
            values: [tenantId, now()],
          })
        },
        options,
      )
      return found.map(readUser)
    },

    async findUserByLogin(tenantId, login, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select ${userColumns('$3')} from auricle.app_user u where u.tenant_id = $1 and u.login = $2`,
            values: [tenantId, login, now()],
          })
        },
        options,
      )
      return firstOrNull(found, readUser)
    },

    async findCredentials(tenantId, login, keys, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `${selectCredentials} where u.tenant_id = $1 and u.login = $2`,
            values: [tenantId, login, now()],
          })
        },
        options,
      )
      return firstOrNull(found, row => readCredentials(row, keys))
    },

    async findCredentialsById(tenantId, userId, keys, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `${selectCredentials} where u.tenant_id = $1 and u.id = $2`,
            values: [tenantId, userId, now()],
          })
        },
        options,
      )
      return firstOrNull(found, row => readCredentials(row, keys))
    },

    /** The update is what spends the step: of several at once, it finds the step unspent for one. */
    commitSignIn: ({ token, totpStep, passwordHash }, event, options) => {
      return database.inTenant(
        token.tenantId,
        async session => {
          const spent = await session.write({
            text: `update auricle.app_user set totp_last_step = $3, failed_attempts = 0, locked_until = null
                   where tenant_id = $1 and id = $2 and disabled_at is null
                     and (totp_last_step is null or totp_last_step < $3)
                     and password_hash = $4 and totp_secret is not null`,
            values: [token.tenantId, token.userId, totpStep, passwordHash],
          })
          if (spent === 0) return false
          await insertToken(session, token)
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    /** The first update holds the row, so of several failures at once each counts the ones before it. */
    commitSignInFailure: ({ tenantId, userId, lockout, raised }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const counted = await session.rows({
            text: `update auricle.app_user set failed_attempts = failed_attempts + 1
                   where tenant_id = $1 and id = $2 returning failed_attempts`,
            values: [tenantId, userId],
          })
          const failures = firstOrNull(counted, row => integer(row, 'failed_attempts'))
          const lockedUntil = failures === null ? null : lockout(failures)
          if (lockedUntil !== null) {
            await session.write({
              text: 'update auricle.app_user set locked_until = $3 where tenant_id = $1 and id = $2',
              values: [tenantId, userId, lockedUntil],
            })
          }
          await insertEvent(session, event)
          // Once for a row of failures: the waits that follow are of the same story.
          const begins = lockedUntil !== null && failures !== null && lockout(failures - 1) === null
          if (begins) await insertAlert(session, raised)
          return begins
        },
        options,
      )
    },
  }
}

/**
 * Holds the row of a user who is not disabled until the transaction ends; false where there is none. Before whatever else of
 * theirs is written, so that no two transactions wait for each other.
 */
export async function holdUser(tenantId: TenantId, userId: UserId, session: Session): Promise<boolean> {
  const found = await session.rows({
    text: `select from auricle.app_user where tenant_id = $1 and id = $2 and disabled_at is null
           for no key update`,
    values: [tenantId, userId],
  })
  return found.length > 0
}

export function readUser(row: Row): UserRow {
  return {
    id: parsed(row, 'id', UserId),
    tenantId: parsed(row, 'tenant_id', TenantId),
    login: text(row, 'login'),
    name: text(row, 'name'),
    kind: parsed(row, 'kind', UserKind),
    roles: texts(row, 'roles'),
    createdAt: time(row, 'created_at'),
    disabledAt: orNull(row, 'disabled_at', time),
  }
}

function readCredentials(row: Row, keys: ColumnKeys): UserCredentials {
  const user = readUser(row)
  return {
    user,
    passwordHash: orNull(row, 'password_hash', text),
    totpSecret: orNull(row, 'totp_secret', (sealed, column) =>
      openColumn(keys, totpPlace(user.tenantId, user.id), bytes(sealed, column)),
    ),
    totpLastStep: orNull(row, 'totp_last_step', integer),
    failedAttempts: integer(row, 'failed_attempts'),
    lockedUntil: orNull(row, 'locked_until', time),
  }
}

export function totpPlace(tenantId: string, rowId: string): ColumnPlace {
  return { tenantId, table: 'app_user', column: 'totp_secret', rowId }
}
