// Requests for roles: made by one, decided by another, and what approving them grants; every step keeps its row.
import type { AuditRecord } from '@auricle/audit'
import { type GrantId, RoleRequestId, TenantId, UserId } from '@auricle/contract'
import { z } from 'zod'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { replaceGrant } from './grants.ts'
import { bytes, firstOrNull, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'
import { type ColumnPlace, openColumn, sealColumn } from './sealed-column.ts'

const Outcome = z.enum(['approved', 'refused', 'withdrawn'])

export interface RoleRequestRow {
  readonly id: RoleRequestId
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly role: string
  readonly requestedBy: UserId
  readonly requestedAt: Date
  readonly reason: string
  /** Until when the role is to hold; null for as long as it is not taken away. */
  readonly until: Date | null
  readonly decidedBy: UserId | null
  readonly decidedAt: Date | null
  /** Null while it is open, or lapsed. */
  readonly outcome: z.infer<typeof Outcome> | null
}

export type NewRoleRequest = Omit<RoleRequestRow, 'decidedBy' | 'decidedAt' | 'outcome'>

/** Requests made at or before `openSince` lapsed. */
export interface RoleRequestFilter {
  readonly state: 'open' | 'lapsed' | z.infer<typeof Outcome> | null
  readonly openSince: Date
  readonly beforeId: RoleRequestId | null
  readonly limit: number
}

export interface RoleRequestCatalog {
  /** Throws `taken` where the same is asked for already, `not_found` for a user the tenant has not. */
  requestRole(
    request: NewRoleRequest,
    openSince: Date,
    columns: ColumnKeys,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<void>
  /** Newest first. */
  listRoleRequests(
    tenantId: TenantId,
    filter: RoleRequestFilter,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<readonly RoleRequestRow[]>
  findRoleRequest(
    tenantId: TenantId,
    id: RoleRequestId,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<RoleRequestRow | null>
  /**
   * Approves or refuses; approving grants the role, in place of what an earlier approval granted. Of several decisions
   * one is made. False, and nothing written, where the request is no longer open, or what it asks for would be over;
   * nothing is approved for or at the request of somebody disabled. Whoever was given new factors by somebody else at
   * `settledSince` or later approves nothing, and nothing they asked for is approved: whoever gave them may be them.
   */
  decideRole(
    decision: {
      readonly tenantId: TenantId
      readonly requestId: RoleRequestId
      readonly outcome: 'approved' | 'refused'
      readonly by: UserId
      readonly at: Date
      readonly openSince: Date
      readonly settledSince: Date
      readonly grantId: GrantId
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** By whoever made it. False where it is not open or not theirs. */
  withdrawRole(
    withdrawal: {
      readonly tenantId: TenantId
      readonly requestId: RoleRequestId
      readonly by: UserId
      readonly at: Date
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
}

export function createRoleRequests(database: Database): RoleRequestCatalog {
  return {
    requestRole: (request, openSince, columns, event, options) => {
      return database.inTenant(
        request.tenantId,
        async session => {
          // One that lapsed makes room.
          await session.write({
            text: `update auricle.role_request set outcome = 'withdrawn', decided_by = requested_by, decided_at = $4
                   where tenant_id = $1 and user_id = $2 and role = $3 and outcome is null and requested_at <= $5`,
            values: [request.tenantId, request.userId, request.role, request.requestedAt, openSince],
          })
          await insertRoleRequest(session, request, columns)
          await insertEvent(session, event)
        },
        options,
      )
    },

    async listRoleRequests(tenantId, { state, openSince, beforeId, limit }, columns, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select * from auricle.role_request r
                   where r.tenant_id = $1 and ($2::text is null or r.id < $2) and ($3::text is null or $3 =
                     coalesce(r.outcome, case when r.requested_at > $4 then 'open' else 'lapsed' end))
                   order by r.id desc limit $5`,
            values: [tenantId, beforeId, state, openSince, limit],
          })
        },
        options,
      )
      return found.map(row => readRequest(row, columns))
    },

    async findRoleRequest(tenantId, id, columns, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: 'select * from auricle.role_request where tenant_id = $1 and id = $2',
            values: [tenantId, id],
          })
        },
        options,
      )
      return firstOrNull(found, row => readRequest(row, columns))
    },

    decideRole: (decision, event, options) => {
      const { tenantId, requestId, outcome, by, at, openSince, settledSince, grantId } = decision
      return database.inTenant(
        tenantId,
        async session => {
          const decided = await session.rows({
            text: `update auricle.role_request r set outcome = $3, decided_by = $4, decided_at = $5
                   where r.tenant_id = $1 and r.id = $2 and r.outcome is null and r.requested_at > $6
                     and ($3 = 'refused' or ((r.until is null or r.until > $5) and not exists (
                       select from auricle.app_user u
                       where u.tenant_id = r.tenant_id and u.id in (r.user_id, r.requested_by)
                         and u.disabled_at is not null
                     ) and not exists (
                       select from auricle.invitation i
                       join auricle.app_user u on u.tenant_id = i.tenant_id and u.id = i.user_id
                       where i.tenant_id = r.tenant_id and i.user_id in ($4, r.requested_by)
                         and i.created_by is not null and i.created_at >= $7 and i.created_at > u.created_at
                     )))
                   returning r.user_id, r.role, r.until`,
            values: [tenantId, requestId, outcome, by, at, openSince, settledSince],
          })
          const [request] = decided
          if (request === undefined) return false
          if (outcome === 'approved') {
            await replaceGrant(session, {
              ...{ id: grantId, tenantId, source: 'approval', requestId, at, by },
              userId: parsed(request, 'user_id', UserId),
              role: text(request, 'role'),
              until: orNull(request, 'until', time),
            })
          }
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    withdrawRole: ({ tenantId, requestId, by, at }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const withdrawn = await session.write({
            text: `update auricle.role_request set outcome = 'withdrawn', decided_by = $3, decided_at = $4
                   where tenant_id = $1 and id = $2 and requested_by = $3 and outcome is null`,
            values: [tenantId, requestId, by, at],
          })
          if (withdrawn === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },
  }
}

/** Adds a request to a transaction. */
export async function insertRoleRequest(
  session: Session,
  request: NewRoleRequest,
  columns: ColumnKeys,
): Promise<void> {
  await session.write({
    text: `insert into auricle.role_request (tenant_id, id, user_id, role, requested_by, requested_at, reason, until)
           values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    values: [
      request.tenantId,
      request.id,
      request.userId,
      request.role,
      request.requestedBy,
      request.requestedAt,
      sealColumn(columns, reasonPlace(request.tenantId, request.id), request.reason),
      request.until,
    ],
  })
}

function readRequest(row: Row, columns: ColumnKeys): RoleRequestRow {
  const id = parsed(row, 'id', RoleRequestId)
  const tenantId = parsed(row, 'tenant_id', TenantId)
  return {
    id,
    tenantId,
    userId: parsed(row, 'user_id', UserId),
    role: text(row, 'role'),
    requestedBy: parsed(row, 'requested_by', UserId),
    requestedAt: time(row, 'requested_at'),
    reason: openColumn(columns, reasonPlace(tenantId, id), bytes(row, 'reason')),
    until: orNull(row, 'until', time),
    decidedBy: parsedOrNull(row, 'decided_by', UserId),
    decidedAt: orNull(row, 'decided_at', time),
    outcome: parsedOrNull(row, 'outcome', Outcome),
  }
}

function reasonPlace(tenantId: TenantId, rowId: RoleRequestId): ColumnPlace {
  return { tenantId, table: 'role_request', column: 'reason', rowId }
}
