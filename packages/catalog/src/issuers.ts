// Issuers whose tokens a tenant takes from programs, as whom their subjects act, and the token row of each such token.
import type { AuditRecord } from '@auricle/audit'
import { IssuerId, IssuerSettings, Scope, TenantId, UserId } from '@auricle/contract'
import { z } from 'zod'
import type { QueryOptions, TokenRow } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { firstOrNull, orNull, parsed, type Row, text, time } from './row.ts'
import { insertTokenOnce } from './tokens.ts'

export interface IssuerRow {
  readonly tenantId: TenantId
  readonly id: IssuerId
  readonly name: string
  /** As its tokens spell it. */
  readonly issuer: string
  readonly audience: string
  readonly settings: IssuerSettings
  readonly createdAt: Date
  readonly disabledAt: Date | null
}

export interface IssuerSubjectRow {
  readonly tenantId: TenantId
  readonly issuerId: IssuerId
  readonly subject: string
  readonly userId: UserId
  /** What its tokens may be used for at most. */
  readonly scopes: readonly Scope[]
}

export interface IssuerCatalog {
  /**
   * Live ones of any tenant that call themselves so, of these audiences: of the directory, since a token names no tenant.
   * Together the two are one tenant's, so there is at most one for each audience.
   */
  issuersOf(
    claimed: { readonly issuer: string; readonly audiences: readonly string[] },
    options?: QueryOptions,
  ): Promise<readonly { readonly tenantId: TenantId; readonly id: IssuerId }[]>
  /** Throws `taken` where a live one has issuer and audience, with whichever tenant. */
  createIssuer(issuer: IssuerRow, event: AuditRecord, options?: QueryOptions): Promise<void>
  listIssuers(tenantId: TenantId, options?: QueryOptions): Promise<readonly IssuerRow[]>
  findIssuer(tenantId: TenantId, id: IssuerId, options?: QueryOptions): Promise<IssuerRow | null>
  /** False where there is no such live issuer. */
  changeIssuer(
    issuer: Pick<IssuerRow, 'tenantId' | 'id' | 'settings'>,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** Ends its tokens, too. False where there is no such live issuer. */
  disableIssuer(
    issuer: Pick<IssuerRow, 'tenantId' | 'id'> & { readonly at: Date },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** By subject, from the one after `after`. */
  listIssuerSubjects(
    page: {
      readonly tenantId: TenantId
      readonly issuerId: IssuerId
      readonly after: string | null
      readonly limit: number
    },
    options?: QueryOptions,
  ): Promise<readonly IssuerSubjectRow[]>
  findIssuerSubject(
    subject: Omit<IssuerSubjectRow, 'userId' | 'scopes'>,
    options?: QueryOptions,
  ): Promise<(IssuerSubjectRow & { readonly kind: 'person' | 'service' }) | null>
  /**
   * Adds a subject, changes its scopes, or has it back; where they change, tokens it has used end. `other_user` where the subject is
   * somebody else's already, for good. Throws `not_found` where issuer or user are not the tenant's.
   */
  putIssuerSubject(
    subject: IssuerSubjectRow & { readonly at: Date },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<'put' | 'other_user'>
  /** Ends its tokens, too. False where there is no such subject. */
  removeIssuerSubject(
    subject: Omit<IssuerSubjectRow, 'userId' | 'scopes'> & { readonly at: Date },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** The row of a token that is shown for the first time; `event` says so. Whoever comes later changes nothing. */
  addForeignToken(
    token: TokenRow & { readonly issuerId: IssuerId; readonly subject: string },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<void>
}

const UserKind = z.enum(['person', 'service'])
const Scopes = z.array(Scope)

export function createIssuers(database: Database): IssuerCatalog {
  return {
    async issuersOf({ issuer, audiences }, options) {
      const found = await database.once(
        {
          name: 'issuer_of',
          text: 'select tenant_id, id from auricle.issuer_of($1) where audience = any ($2)',
          values: [issuer, audiences],
        },
        options,
      )
      return found.map(row => ({
        tenantId: parsed(row, 'tenant_id', TenantId),
        id: parsed(row, 'id', IssuerId),
      }))
    },

    createIssuer: (issuer, event, options) => {
      return database.inTenant(
        issuer.tenantId,
        async session => {
          await session.write({
            text: `insert into auricle.token_issuer
                     (tenant_id, id, name, issuer, audience, settings, created_at, disabled_at)
                   values ($1, $2, $3, $4, $5, $6, $7, $8)`,
            values: [
              issuer.tenantId,
              issuer.id,
              issuer.name,
              issuer.issuer,
              issuer.audience,
              JSON.stringify(issuer.settings),
              issuer.createdAt,
              issuer.disabledAt,
            ],
          })
          await insertEvent(session, event)
        },
        options,
      )
    },

    async listIssuers(tenantId, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: 'select * from auricle.token_issuer where tenant_id = $1 order by created_at, id',
            values: [tenantId],
          })
        },
        options,
      )
      return found.map(readIssuer)
    },

    async findIssuer(tenantId, id, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: 'select * from auricle.token_issuer where tenant_id = $1 and id = $2',
            values: [tenantId, id],
          })
        },
        options,
      )
      return firstOrNull(found, readIssuer)
    },

    changeIssuer: ({ tenantId, id, settings }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const changed = await session.write({
            text: `update auricle.token_issuer set settings = $3
                   where tenant_id = $1 and id = $2 and disabled_at is null`,
            values: [tenantId, id, JSON.stringify(settings)],
          })
          if (changed === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    disableIssuer: ({ tenantId, id, at }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const disabled = await session.write({
            text: `update auricle.token_issuer set disabled_at = $3
                   where tenant_id = $1 and id = $2 and disabled_at is null`,
            values: [tenantId, id, at],
          })
          if (disabled === 0) return false
          await endTokens(session, { tenantId, issuerId: id, subject: null, at, why: 'issuer_disabled' })
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    async listIssuerSubjects({ tenantId, issuerId, after, limit }, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select * from auricle.issuer_subject
                   where tenant_id = $1 and issuer_id = $2 and removed_at is null and subject > $3
                   order by subject limit $4`,
            values: [tenantId, issuerId, after ?? '', limit],
          })
        },
        options,
      )
      return found.map(readSubject)
    },

    async findIssuerSubject({ tenantId, issuerId, subject }, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select s.*, u.kind from auricle.issuer_subject s
                   join auricle.app_user u on u.tenant_id = s.tenant_id and u.id = s.user_id
                   where s.tenant_id = $1 and s.issuer_id = $2 and s.subject = $3 and s.removed_at is null`,
            values: [tenantId, issuerId, subject],
          })
        },
        options,
      )
      return firstOrNull(found, row => ({ ...readSubject(row), kind: parsed(row, 'kind', UserKind) }))
    },

    putIssuerSubject: ({ tenantId, issuerId, subject, userId, scopes, at }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const [before] = await session.rows({
            text: `select * from auricle.issuer_subject
                   where tenant_id = $1 and issuer_id = $2 and subject = $3 and removed_at is null for update`,
            values: [tenantId, issuerId, subject],
          })
          const put = await session.write({
            text: `insert into auricle.issuer_subject (tenant_id, issuer_id, subject, user_id, scopes, created_at)
                   values ($1, $2, $3, $4, $5, $6)
                   on conflict (tenant_id, issuer_id, subject) do update set scopes = $5, removed_at = null
                     where issuer_subject.user_id = $4`,
            values: [tenantId, issuerId, subject, userId, scopes, at],
          })
          if (put === 0) return 'other_user'
          const isSame = before !== undefined && areSame(readSubject(before).scopes, scopes)
          if (!isSame) await endTokens(session, { tenantId, issuerId, subject, at, why: 'scopes_changed' })
          await insertEvent(session, event)
          return 'put'
        },
        options,
      )
    },

    removeIssuerSubject: ({ tenantId, issuerId, subject, at }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const removed = await session.write({
            text: `update auricle.issuer_subject set removed_at = $4
                   where tenant_id = $1 and issuer_id = $2 and subject = $3 and removed_at is null`,
            values: [tenantId, issuerId, subject, at],
          })
          if (removed === 0) return false
          await endTokens(session, { tenantId, issuerId, subject, at, why: 'subject_removed' })
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    addForeignToken: ({ issuerId, subject, ...token }, event, options) => {
      return database.inTenant(
        token.tenantId,
        async session => {
          const of = { providerId: issuerId, providerSession: subject }
          if (await insertTokenOnce(session, token, of)) await insertEvent(session, event)
        },
        options,
      )
    },
  }
}

const areSame = (some: readonly Scope[], others: readonly Scope[]) =>
  new Set([...some, ...others]).size === new Set(some).size && new Set(some).size === new Set(others).size

/** A null subject: of all. */
async function endTokens(
  session: Session,
  of: {
    readonly tenantId: TenantId
    readonly issuerId: IssuerId
    readonly subject: string | null
    readonly at: Date
    readonly why: 'issuer_disabled' | 'scopes_changed' | 'subject_removed'
  },
): Promise<void> {
  await session.write({
    text: `update auricle.token set revoked_at = $4, end_reason = $5
           where tenant_id = $1 and provider_id = $2 and ($3::text is null or provider_session = $3)
             and revoked_at is null`,
    values: [of.tenantId, of.issuerId, of.subject, of.at, of.why],
  })
}

function readIssuer(row: Row): IssuerRow {
  return {
    tenantId: parsed(row, 'tenant_id', TenantId),
    id: parsed(row, 'id', IssuerId),
    name: text(row, 'name'),
    issuer: text(row, 'issuer'),
    audience: text(row, 'audience'),
    settings: parsed(row, 'settings', IssuerSettings),
    createdAt: time(row, 'created_at'),
    disabledAt: orNull(row, 'disabled_at', time),
  }
}

function readSubject(row: Row): IssuerSubjectRow {
  return {
    tenantId: parsed(row, 'tenant_id', TenantId),
    issuerId: parsed(row, 'issuer_id', IssuerId),
    subject: text(row, 'subject'),
    userId: parsed(row, 'user_id', UserId),
    scopes: parsed(row, 'scopes', Scopes),
  }
}
