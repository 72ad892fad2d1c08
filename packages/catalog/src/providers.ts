// OpenID providers of a tenant: how they are reached, whose people they know, and what ends with them.
import type { AuditRecord } from '@auricle/audit'
import { ProviderId, ProviderSettings, Role, TenantId, TokenId, UserId } from '@auricle/contract'
import { insertAlert, type RaisedAlert } from './alerts.ts'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { bytes, firstOrNull, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'
import { type ColumnPlace, openColumn, sealColumn } from './sealed-column.ts'

export interface ProviderRow {
  readonly tenantId: TenantId
  readonly id: ProviderId
  readonly name: string
  /** What its metadata and tokens call it. */
  readonly issuer: string
  readonly clientId: string
  readonly settings: ProviderSettings
  readonly createdAt: Date
  readonly disabledAt: Date | null
}

export interface ProviderCatalog {
  /** Of the directory: a callback names its provider and no tenant. */
  tenantOfProvider(id: ProviderId, options?: QueryOptions): Promise<TenantId | null>
  /** Throws `taken` where a live one has that name. */
  createProvider(
    provider: ProviderRow,
    clientSecret: string,
    columns: ColumnKeys,
    change: ChangeOfRights,
    options?: QueryOptions,
  ): Promise<void>
  /** Disabled ones too, in the order they were made. */
  listProviders(tenantId: TenantId, options?: QueryOptions): Promise<readonly ProviderRow[]>
  findProvider(
    tenantId: TenantId,
    id: ProviderId,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<{ readonly provider: ProviderRow; readonly clientSecret: string } | null>
  /** What is left out stays. False where there is no such live provider. */
  changeProvider(
    provider: Pick<ProviderRow, 'tenantId' | 'id'> & Partial<Pick<ProviderRow, 'name' | 'settings'>>,
    clientSecret: string | undefined,
    columns: ColumnKeys,
    change: ChangeOfRights,
    options?: QueryOptions,
  ): Promise<boolean>
  /**
   * With it end the sessions it opened and the roles and teams it gave; `record` makes the events of it. False where
   * there is no such live provider.
   */
  disableProvider(
    provider: Pick<ProviderRow, 'tenantId' | 'id'> & { readonly at: Date },
    record: (ended: EndedWithProvider) => Promise<readonly AuditRecord[]>,
    options?: QueryOptions,
  ): Promise<boolean>
  /**
   * False where there is no such person; a service signs in nowhere. Throws `taken` where the subject is somebody
   * already, or the person somebody else there.
   */
  linkIdentity(
    identity: {
      readonly tenantId: TenantId
      readonly providerId: ProviderId
      readonly subject: string
      readonly userId: UserId
      readonly at: Date
    },
    change: ChangeOfRights,
    options?: QueryOptions,
  ): Promise<boolean>
}

/** What is done, and the alert about it where somebody else has to look at it; both commit with it. */
export interface ChangeOfRights {
  readonly event: AuditRecord
  readonly alert: RaisedAlert | null
}

export interface EndedWithProvider {
  readonly sessions: readonly { readonly userId: UserId; readonly tokenId: TokenId }[]
  readonly roles: readonly { readonly userId: UserId; readonly role: Role }[]
}

const columnsOfAll = 'tenant_id, id, name, issuer, client_id, settings, created_at, disabled_at'

export function createProviders(database: Database): ProviderCatalog {
  return {
    async tenantOfProvider(id, options) {
      const found = await database.once(
        {
          name: 'tenant_of_provider',
          text: 'select auricle.tenant_of_provider($1) as tenant_id',
          values: [id],
        },
        options,
      )
      return firstOrNull(found, row => parsedOrNull(row, 'tenant_id', TenantId))
    },

    createProvider: (provider, clientSecret, columns, change, options) => {
      return database.inTenant(
        provider.tenantId,
        async session => {
          await session.write({
            text: `insert into auricle.identity_provider
                     (tenant_id, id, name, issuer, client_id, client_secret, settings, created_at, disabled_at)
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
            values: [
              provider.tenantId,
              provider.id,
              provider.name,
              provider.issuer,
              provider.clientId,
              sealColumn(columns, secretPlace(provider), clientSecret),
              JSON.stringify(provider.settings),
              provider.createdAt,
              provider.disabledAt,
            ],
          })
          await insertChange(session, change)
        },
        options,
      )
    },

    async listProviders(tenantId, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select ${columnsOfAll} from auricle.identity_provider where tenant_id = $1 order by created_at, id`,
            values: [tenantId],
          })
        },
        options,
      )
      return found.map(readProvider)
    },

    async findProvider(tenantId, id, columns, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select ${columnsOfAll}, client_secret from auricle.identity_provider
                   where tenant_id = $1 and id = $2`,
            values: [tenantId, id],
          })
        },
        options,
      )
      return firstOrNull(found, row => {
        const provider = readProvider(row)
        const clientSecret = openColumn(columns, secretPlace(provider), bytes(row, 'client_secret'))
        return { provider, clientSecret }
      })
    },

    changeProvider: ({ tenantId, id, name, settings }, clientSecret, columns, change, options) => {
      const sealed =
        clientSecret === undefined ? null : sealColumn(columns, secretPlace({ tenantId, id }), clientSecret)
      return database.inTenant(
        tenantId,
        async session => {
          const changed = await session.write({
            text: `update auricle.identity_provider set name = coalesce($3, name),
                     settings = coalesce($4, settings), client_secret = coalesce($5, client_secret)
                   where tenant_id = $1 and id = $2 and disabled_at is null`,
            values: [
              tenantId,
              id,
              name ?? null,
              settings === undefined ? null : JSON.stringify(settings),
              sealed,
            ],
          })
          if (changed === 0) return false
          await insertChange(session, change)
          return true
        },
        options,
      )
    },

    disableProvider: ({ tenantId, id, at }, record, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const disabled = await session.write({
            text: `update auricle.identity_provider set disabled_at = $3
                   where tenant_id = $1 and id = $2 and disabled_at is null`,
            values: [tenantId, id, at],
          })
          if (disabled === 0) return false
          const ended = await endWhatItGave(session, tenantId, id, at)
          for (const event of await record(ended)) await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    linkIdentity: ({ tenantId, providerId, subject, userId, at }, change, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const linked = await session.write({
            text: `insert into auricle.external_identity (tenant_id, provider_id, subject, user_id, created_at)
                   select $1, $2, $3, u.id, $5 from auricle.app_user u
                   where u.tenant_id = $1 and u.id = $4 and u.kind = 'person'`,
            values: [tenantId, providerId, subject, userId, at],
          })
          if (linked === 0) return false
          await insertChange(session, change)
          return true
        },
        options,
      )
    },
  }
}

async function insertChange(session: Session, { event, alert }: ChangeOfRights): Promise<void> {
  await insertEvent(session, event)
  if (alert !== null) await insertAlert(session, alert)
}

async function endWhatItGave(
  session: Session,
  tenantId: TenantId,
  id: ProviderId,
  at: Date,
): Promise<EndedWithProvider> {
  const sessions = await session.rows({
    text: `update auricle.token set revoked_at = $3, end_reason = 'provider_disabled'
           where tenant_id = $1 and provider_id = $2 and revoked_at is null and expires_at > $3
           returning id, user_id`,
    values: [tenantId, id, at],
  })
  const roles = await session.rows({
    text: `update auricle.role_grant set revoked_at = $3
           where tenant_id = $1 and provider_id = $2 and revoked_at is null returning user_id, role`,
    values: [tenantId, id, at],
  })
  await session.write({
    text: 'delete from auricle.team_member where tenant_id = $1 and provider_id = $2',
    values: [tenantId, id],
  })
  const userIdOf = (row: Row) => parsed(row, 'user_id', UserId)
  return {
    sessions: sessions.map(row => ({ userId: userIdOf(row), tokenId: parsed(row, 'id', TokenId) })),
    roles: roles.map(row => ({ userId: userIdOf(row), role: parsed(row, 'role', Role) })),
  }
}

function readProvider(row: Row): ProviderRow {
  return {
    tenantId: parsed(row, 'tenant_id', TenantId),
    id: parsed(row, 'id', ProviderId),
    name: text(row, 'name'),
    issuer: text(row, 'issuer'),
    clientId: text(row, 'client_id'),
    settings: parsed(row, 'settings', ProviderSettings),
    createdAt: time(row, 'created_at'),
    disabledAt: orNull(row, 'disabled_at', time),
  }
}

const secretPlace = ({ tenantId, id }: Pick<ProviderRow, 'tenantId' | 'id'>): ColumnPlace => ({
  tenantId,
  table: 'identity_provider',
  column: 'client_secret',
  rowId: id,
})
