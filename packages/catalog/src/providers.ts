// OpenID providers of a tenant: how they are reached, whose people they know, and what ends with them.
import type { AuditRecord } from '@auricle/audit'
import { ProviderId, ProviderSettings, TenantId, type UserId } from '@auricle/contract'
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
    event: AuditRecord,
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
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** With it end the sessions it opened and the roles and teams it gave. False where there is no such live provider. */
  disableProvider(
    provider: Pick<ProviderRow, 'tenantId' | 'id'> & { readonly at: Date },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** Throws `taken` where the subject is somebody already, or the person somebody else there; `not_found`. */
  linkIdentity(
    identity: {
      readonly tenantId: TenantId
      readonly providerId: ProviderId
      readonly subject: string
      readonly userId: UserId
      readonly at: Date
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<void>
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

    createProvider: (provider, clientSecret, columns, event, options) => {
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
          await insertEvent(session, event)
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

    changeProvider: ({ tenantId, id, name, settings }, clientSecret, columns, event, options) => {
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
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    disableProvider: ({ tenantId, id, at }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const disabled = await session.write({
            text: `update auricle.identity_provider set disabled_at = $3
                   where tenant_id = $1 and id = $2 and disabled_at is null`,
            values: [tenantId, id, at],
          })
          if (disabled === 0) return false
          await endWhatItGave(session, tenantId, id, at)
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    /** The foreign keys, which name the tenant too, say `not_found`. */
    linkIdentity: ({ tenantId, providerId, subject, userId, at }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `insert into auricle.external_identity (tenant_id, provider_id, subject, user_id, created_at)
                   values ($1, $2, $3, $4, $5)`,
            values: [tenantId, providerId, subject, userId, at],
          })
          await insertEvent(session, event)
        },
        options,
      )
    },
  }
}

async function endWhatItGave(session: Session, tenantId: TenantId, id: ProviderId, at: Date): Promise<void> {
  await session.write({
    text: `update auricle.token set revoked_at = $3, end_reason = 'provider_disabled'
           where tenant_id = $1 and provider_id = $2 and revoked_at is null`,
    values: [tenantId, id, at],
  })
  await session.write({
    text: `update auricle.role_grant set revoked_at = $3
           where tenant_id = $1 and provider_id = $2 and revoked_at is null`,
    values: [tenantId, id, at],
  })
  await session.write({
    text: 'delete from auricle.team_member where tenant_id = $1 and provider_id = $2',
    values: [tenantId, id],
  })
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
