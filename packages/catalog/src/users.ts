// People: their accounts, what sign-in checks, and what a sign-in leaves behind.
import { TenantId, UserId } from '@auricle/contract'
import type { Catalog, UserCredentials, UserRow } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database } from './database.ts'
import { insertEvent } from './events.ts'
import { bytes, firstOrNull, integer, orNull, parsed, type Row, text, texts, time } from './row.ts'
import { type ColumnPlace, openColumn, sealColumn } from './sealed-column.ts'
import { insertToken } from './tokens.ts'

type Users = Pick<
  Catalog,
  'createUser' | 'listUsers' | 'findUserByLogin' | 'findCredentials' | 'commitSignIn' | 'commitSignInFailure'
>

const columns = 'tenant_id, id, login, name, roles, created_at, disabled_at'

export function createUsers(database: Database): Users {
  return {
    createUser: (user, secrets, keys, event, options) => {
      const totpSecret = sealColumn(keys, totpPlace(user.tenantId, user.id), secrets.totpSecret)
      return database.inTenant(
        user.tenantId,
        async session => {
          await session.write({
            text: `insert into auricle.app_user
                     (${columns}, password_hash, totp_secret)
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
            values: [
              user.tenantId,
              user.id,
              user.login,
              user.name,
              user.roles,
              user.createdAt,
              user.disabledAt,
              secrets.passwordHash,
              totpSecret,
            ],
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
            text: `select ${columns} from auricle.app_user where tenant_id = $1 order by login`,
            values: [tenantId],
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
            text: `select ${columns} from auricle.app_user where tenant_id = $1 and login = $2`,
            values: [tenantId, login],
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
            text: `select ${columns}, password_hash, totp_secret, totp_last_step, failed_attempts, locked_until
                   from auricle.app_user where tenant_id = $1 and login = $2`,
            values: [tenantId, login],
          })
        },
        options,
      )
      return firstOrNull(found, row => readCredentials(row, keys))
    },

    /** The update is what spends the step: of several at once, it finds the step unspent for one. */
    commitSignIn: ({ token, totpStep }, event, options) => {
      return database.inTenant(
        token.tenantId,
        async session => {
          const spent = await session.write({
            text: `update auricle.app_user set totp_last_step = $3, failed_attempts = 0, locked_until = null
                   where tenant_id = $1 and id = $2 and disabled_at is null
                     and (totp_last_step is null or totp_last_step < $3)`,
            values: [token.tenantId, token.userId, totpStep],
          })
          if (spent === 0) return false
          await insertToken(session, token)
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    commitSignInFailure: ({ tenantId, userId, lockAfter, lockedUntil }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `update auricle.app_user set failed_attempts = failed_attempts + 1,
                     locked_until = case when failed_attempts + 1 >= $3 then $4 else locked_until end
                   where tenant_id = $1 and id = $2`,
            values: [tenantId, userId, lockAfter, lockedUntil],
          })
          await insertEvent(session, event)
        },
        options,
      )
    },
  }
}

export function readUser(row: Row): UserRow {
  return {
    id: parsed(row, 'id', UserId),
    tenantId: parsed(row, 'tenant_id', TenantId),
    login: text(row, 'login'),
    name: text(row, 'name'),
    roles: texts(row, 'roles'),
    createdAt: time(row, 'created_at'),
    disabledAt: orNull(row, 'disabled_at', time),
  }
}

function readCredentials(row: Row, keys: ColumnKeys): UserCredentials {
  const user = readUser(row)
  return {
    user,
    passwordHash: text(row, 'password_hash'),
    totpSecret: openColumn(keys, totpPlace(user.tenantId, user.id), bytes(row, 'totp_secret')),
    totpLastStep: orNull(row, 'totp_last_step', integer),
    failedAttempts: integer(row, 'failed_attempts'),
    lockedUntil: orNull(row, 'locked_until', time),
  }
}

function totpPlace(tenantId: string, rowId: string): ColumnPlace {
  return { tenantId, table: 'app_user', column: 'totp_secret', rowId }
}
