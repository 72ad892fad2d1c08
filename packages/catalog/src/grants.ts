// Roles that people hold or held: granted until a time, replaced, taken away at once, and reported; a grant keeps its row.
import type { AuditRecord } from '@auricle/audit'
import { GrantId, RoleRequestId, type TenantId, UserId } from '@auricle/contract'
import { z } from 'zod'
import { type Ending, isLastAdministrator } from './administrators.ts'
import type { QueryOptions, UserRow } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'

const GrantSource = z.enum(['operator', 'approval', 'provider'])
const UserKind = z.enum(['person', 'service'])

/** A role that somebody has or had, with everything a reviewer asks of it. */
export interface GrantRow {
  readonly id: GrantId
  readonly user: Pick<UserRow, 'id' | 'login' | 'name' | 'kind' | 'disabledAt'>
  readonly role: string
  readonly source: z.infer<typeof GrantSource>
  /** Name of the provider whose groups gave it. */
  readonly provider: string | null
  readonly requestId: RoleRequestId | null
  /** Logins. */
  readonly requestedBy: string | null
  readonly approvedBy: string | null
  readonly grantedAt: Date
  readonly until: Date | null
  /** When it was taken away or ran out; null while it holds. */
  readonly endedAt: Date | null
  /** Login of who took it away; null where it ran out, or the operator or a provider did. */
  readonly endedBy: string | null
  readonly signedInAt: Date | null
}

export interface GrantCatalog {
  /** By the operator, in place of what an operator granted before. Throws `not_found` for an unknown user. */
  grantRole(
    grant: {
      readonly id: GrantId
      readonly tenantId: TenantId
      readonly userId: UserId
      readonly role: string
      readonly at: Date
      readonly until: Date | null
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<void>
  /** Ends a role from every source. `last_administrator` where nobody would be left to administer the tenant. */
  revokeRole(
    ending: Ending & { readonly role: string },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<'revoked' | 'none' | 'last_administrator'>
  /** Every grant that holds now, and those that ended at `endedSince` or later where one is given; by login and role. */
  listGrants(
    tenantId: TenantId,
    query: { readonly now: Date; readonly endedSince: Date | null; readonly userId?: UserId | undefined },
    options?: QueryOptions,
  ): Promise<readonly GrantRow[]>
}

export function createGrants(database: Database): GrantCatalog {
  return {
    grantRole: (grant, event, options) => {
      return database.inTenant(
        grant.tenantId,
        async session => {
          await replaceGrant(session, { ...grant, source: 'operator', requestId: null, by: null })
          await insertEvent(session, event)
        },
        options,
      )
    },

    revokeRole: (ending, event, options) => {
      const { tenantId, userId, role, by, at } = ending
      return database.inTenant(
        tenantId,
        async session => {
          if (role === 'administrator' && (await isLastAdministrator(session, ending)))
            return 'last_administrator'
          const revoked = await session.write({
            text: `update auricle.role_grant set revoked_at = $4, revoked_by = $5
                   where tenant_id = $1 and user_id = $2 and role = $3 and revoked_at is null
                     and (until is null or until > $4)`,
            values: [tenantId, userId, role, at, by],
          })
          if (revoked === 0) return 'none'
          await insertEvent(session, event)
          return 'revoked'
        },
        options,
      )
    },

    async listGrants(tenantId, { now, endedSince, userId }, options) {
      const found = await database.inTenant(
        tenantId,
        session => session.rows({ text: selectGrants, values: [tenantId, now, endedSince, userId ?? null] }),
        options,
      )
      return found.map(readGrant)
    },
  }
}

/** `least` takes no notice of nulls. */
const selectGrants = `
  select g.id, g.role, g.source, p.name as provider, g.request_id, g.granted_at, g.until,
    case when least(g.revoked_at, g.until) <= $2 then least(g.revoked_at, g.until) end as ended_at,
    case when g.revoked_at <= coalesce(g.until, g.revoked_at) then e.login end as ended_by,
    u.id as user_id, u.login, u.name, u.kind, u.disabled_at, a.login as requested_by, d.login as approved_by,
    s.signed_in_at
  from auricle.role_grant g
  join auricle.app_user u on u.tenant_id = g.tenant_id and u.id = g.user_id
  left join auricle.role_request q on q.tenant_id = g.tenant_id and q.id = g.request_id
  left join auricle.app_user a on a.tenant_id = g.tenant_id and a.id = q.requested_by
  left join auricle.app_user d on d.tenant_id = g.tenant_id and d.id = q.decided_by
  left join auricle.app_user e on e.tenant_id = g.tenant_id and e.id = g.revoked_by
  left join auricle.identity_provider p on p.tenant_id = g.tenant_id and p.id = g.provider_id
  left join lateral (
    select max(t.created_at) as signed_in_at from auricle.token t
    where t.tenant_id = g.tenant_id and t.user_id = g.user_id and t.purpose = 'session'
  ) s on true
  where g.tenant_id = $1 and ($4::text is null or g.user_id = $4)
    and (least(g.revoked_at, g.until) is null or least(g.revoked_at, g.until) > $2
      or least(g.revoked_at, g.until) >= $3::timestamptz)
  order by u.login, g.role, g.granted_at, g.id`

interface NewGrant {
  readonly id: GrantId
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly role: string
  readonly source: 'operator' | 'approval'
  readonly requestId: RoleRequestId | null
  readonly by: UserId | null
  readonly at: Date
  readonly until: Date | null
}

/** The one before it from the same source ends, also where it has run out and was never taken away. */
export async function replaceGrant(session: Session, grant: NewGrant): Promise<void> {
  const { id, tenantId, userId, role, source, requestId, by, at, until } = grant
  await session.write({
    text: `update auricle.role_grant set revoked_at = $5, revoked_by = $6
           where tenant_id = $1 and user_id = $2 and role = $3 and source = $4 and revoked_at is null`,
    values: [tenantId, userId, role, source, at, by],
  })
  await session.write({
    text: `insert into auricle.role_grant (tenant_id, id, user_id, role, source, request_id, granted_at, until)
           values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    values: [tenantId, id, userId, role, source, requestId, at, until],
  })
}

function readGrant(row: Row): GrantRow {
  return {
    id: parsed(row, 'id', GrantId),
    user: {
      id: parsed(row, 'user_id', UserId),
      login: text(row, 'login'),
      name: text(row, 'name'),
      kind: parsed(row, 'kind', UserKind),
      disabledAt: orNull(row, 'disabled_at', time),
    },
    role: text(row, 'role'),
    source: parsed(row, 'source', GrantSource),
    provider: orNull(row, 'provider', text),
    requestId: parsedOrNull(row, 'request_id', RoleRequestId),
    requestedBy: orNull(row, 'requested_by', text),
    approvedBy: orNull(row, 'approved_by', text),
    grantedAt: time(row, 'granted_at'),
    until: orNull(row, 'until', time),
    endedAt: orNull(row, 'ended_at', time),
    endedBy: orNull(row, 'ended_by', text),
    signedInAt: orNull(row, 'signed_in_at', time),
  }
}
