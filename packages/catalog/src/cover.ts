// Cover: a mailbox that somebody else hears until a time, for one who owns it.
import type { AuditRecord } from '@auricle/audit'
import { DelegationId, MailboxId, TenantId, UserId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { Database } from './database.ts'
import { insertEvent } from './events.ts'
import { firstOrNull, orNull, parsed, parsedOrNull, type Row, time } from './row.ts'

export interface DelegationRow {
  readonly id: DelegationId
  readonly tenantId: TenantId
  readonly mailboxId: MailboxId
  /** Who is covered for. */
  readonly fromUserId: UserId
  readonly toUserId: UserId
  readonly createdBy: UserId
  readonly createdAt: Date
  readonly startsAt: Date
  /** Exclusive. */
  readonly until: Date
  readonly endedAt: Date | null
  readonly endedBy: UserId | null
}

export interface CoverCatalog {
  /**
   * False, and nothing written, where the one who is covered for does not own the mailbox, or either of the two is
   * disabled or not there.
   */
  createDelegation(
    delegation: Omit<DelegationRow, 'endedAt' | 'endedBy'>,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** Newest first; of one person given and received, or of all. */
  listDelegations(
    tenantId: TenantId,
    filter: {
      readonly userId: UserId | null
      readonly beforeId: DelegationId | null
      readonly limit: number
    },
    options?: QueryOptions,
  ): Promise<readonly DelegationRow[]>
  findDelegation(tenantId: TenantId, id: DelegationId, options?: QueryOptions): Promise<DelegationRow | null>
  /** False where it has ended. */
  endDelegation(
    ending: {
      readonly tenantId: TenantId
      readonly id: DelegationId
      readonly by: UserId
      readonly at: Date
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
}

export function createCover(database: Database): CoverCatalog {
  return {
    createDelegation: (delegation, event, options) => {
      return database.inTenant(
        delegation.tenantId,
        async session => {
          const made = await session.write({
            text: `insert into auricle.delegation
                     (tenant_id, id, mailbox_id, from_user_id, to_user_id, created_by, created_at, starts_at, until)
                   select $1, $2, $3, $4, $5, $6, $7, $8, $9
                   from auricle.mailbox_owner o
                   join auricle.app_user f on f.tenant_id = o.tenant_id and f.id = o.user_id and f.disabled_at is null
                   join auricle.app_user t on t.tenant_id = o.tenant_id and t.id = $5 and t.disabled_at is null
                     and t.kind = 'person'
                   where o.tenant_id = $1 and o.mailbox_id = $3 and o.user_id = $4`,
            values: [
              delegation.tenantId,
              delegation.id,
              delegation.mailboxId,
              delegation.fromUserId,
              delegation.toUserId,
              delegation.createdBy,
              delegation.createdAt,
              delegation.startsAt,
              delegation.until,
            ],
          })
          if (made === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    async listDelegations(tenantId, { userId, beforeId, limit }, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select * from auricle.delegation d
                   where d.tenant_id = $1 and ($2::text is null or d.from_user_id = $2 or d.to_user_id = $2)
                     and ($3::text is null or d.id < $3)
                   order by d.id desc limit $4`,
            values: [tenantId, userId, beforeId, limit],
          })
        },
        options,
      )
      return found.map(readDelegation)
    },

    async findDelegation(tenantId, id, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: 'select * from auricle.delegation where tenant_id = $1 and id = $2',
            values: [tenantId, id],
          })
        },
        options,
      )
      return firstOrNull(found, readDelegation)
    },

    endDelegation: ({ tenantId, id, by, at }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const ended = await session.write({
            text: `update auricle.delegation set ended_at = $4, ended_by = $3
                   where tenant_id = $1 and id = $2 and ended_at is null and until > $4`,
            values: [tenantId, id, by, at],
          })
          if (ended === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },
  }
}

function readDelegation(row: Row): DelegationRow {
  return {
    id: parsed(row, 'id', DelegationId),
    tenantId: parsed(row, 'tenant_id', TenantId),
    mailboxId: parsed(row, 'mailbox_id', MailboxId),
    fromUserId: parsed(row, 'from_user_id', UserId),
    toUserId: parsed(row, 'to_user_id', UserId),
    createdBy: parsed(row, 'created_by', UserId),
    createdAt: time(row, 'created_at'),
    startsAt: time(row, 'starts_at'),
    until: time(row, 'until'),
    endedAt: orNull(row, 'ended_at', time),
    endedBy: parsedOrNull(row, 'ended_by', UserId),
  }
}
