// Teams: people who share mailboxes, and those who supervise them.
import type { AuditRecord } from '@auricle/audit'
import { MailboxId, ProviderId, TeamId, TenantId, UserId } from '@auricle/contract'
import { z } from 'zod'
import type { QueryOptions } from './catalog.ts'
import type { Database } from './database.ts'
import { insertEvent } from './events.ts'
import { firstOrNull, parsed, type Row, text, time } from './row.ts'

export interface TeamRow {
  readonly id: TeamId
  readonly tenantId: TenantId
  readonly name: string
  readonly createdAt: Date
  readonly members: readonly {
    readonly userId: UserId
    readonly supervises: boolean
    /** The provider whose groups say so; null where a person put them there. */
    readonly providerId: ProviderId | null
  }[]
  readonly mailboxIds: readonly MailboxId[]
}

/** Within a team, somebody or something of it. */
interface InTeam {
  readonly tenantId: TenantId
  readonly teamId: TeamId
}

/** What is so already stays so. A member is written again, with an event; a mailbox is not. */
export interface TeamCatalog {
  /** Throws `taken` where the tenant has a team of that name. */
  createTeam(
    team: Omit<TeamRow, 'members' | 'mailboxIds'>,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<void>
  listTeams(tenantId: TenantId, options?: QueryOptions): Promise<readonly TeamRow[]>
  findTeam(tenantId: TenantId, id: TeamId, options?: QueryOptions): Promise<TeamRow | null>
  /** Throws `not_found` where the tenant has not both. */
  setTeamMember(
    member: InTeam & { readonly userId: UserId; readonly supervises: boolean },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<void>
  /** False where they were not in it. */
  removeTeamMember(
    member: InTeam & { readonly userId: UserId },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** Throws `not_found` where the tenant has not both. */
  addTeamMailbox(
    shared: InTeam & { readonly mailboxId: MailboxId },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<void>
  /** False where it was not theirs. */
  removeTeamMailbox(
    shared: InTeam & { readonly mailboxId: MailboxId },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
}

const Members = z.array(
  z.strictObject({ userId: UserId, supervises: z.boolean(), providerId: ProviderId.nullable() }),
)
const MailboxIds = z.array(MailboxId)

const select = `
  select t.tenant_id, t.id, t.name, t.created_at,
    (
      select coalesce(jsonb_agg(jsonb_build_object(
        'userId', m.user_id, 'supervises', m.supervises, 'providerId', m.provider_id) order by m.user_id), '[]'::jsonb)
      from auricle.team_member m where m.tenant_id = t.tenant_id and m.team_id = t.id
    ) as members,
    array(
      select b.mailbox_id::text from auricle.team_mailbox b
      where b.tenant_id = t.tenant_id and b.team_id = t.id order by b.mailbox_id
    ) as mailbox_ids
  from auricle.team t`

export function createTeams(database: Database): TeamCatalog {
  /** A change that commits with its event; false, and no event, where it changed no row. */
  const change = (
    tenantId: TenantId,
    statement: { readonly text: string; readonly values: readonly unknown[] },
    event: AuditRecord,
    options: QueryOptions | undefined,
  ) =>
    database.inTenant(
      tenantId,
      async session => {
        if ((await session.write(statement)) === 0) return false
        await insertEvent(session, event)
        return true
      },
      options,
    )

  return {
    async createTeam({ tenantId, id, name, createdAt }, event, options) {
      const statement = {
        text: 'insert into auricle.team (tenant_id, id, name, created_at) values ($1, $2, $3, $4)',
        values: [tenantId, id, name, createdAt],
      }
      await change(tenantId, statement, event, options)
    },

    async listTeams(tenantId, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({ text: `${select} where t.tenant_id = $1 order by t.name`, values: [tenantId] }),
        options,
      )
      return found.map(readTeam)
    },

    async findTeam(tenantId, id, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({ text: `${select} where t.tenant_id = $1 and t.id = $2`, values: [tenantId, id] }),
        options,
      )
      return firstOrNull(found, readTeam)
    },

    /** Whoever a person puts there stays, whatever the groups of a provider say later. */
    async setTeamMember({ tenantId, teamId, userId, supervises }, event, options) {
      const statement = {
        text: `insert into auricle.team_member (tenant_id, team_id, user_id, supervises) values ($1, $2, $3, $4)
               on conflict (tenant_id, team_id, user_id)
               do update set supervises = excluded.supervises, provider_id = null`,
        values: [tenantId, teamId, userId, supervises],
      }
      await change(tenantId, statement, event, options)
    },

    removeTeamMember: ({ tenantId, teamId, userId }, event, options) => {
      const statement = {
        text: 'delete from auricle.team_member where tenant_id = $1 and team_id = $2 and user_id = $3',
        values: [tenantId, teamId, userId],
      }
      return change(tenantId, statement, event, options)
    },

    async addTeamMailbox({ tenantId, teamId, mailboxId }, event, options) {
      const statement = {
        text: `insert into auricle.team_mailbox (tenant_id, team_id, mailbox_id) values ($1, $2, $3)
               on conflict do nothing`,
        values: [tenantId, teamId, mailboxId],
      }
      await change(tenantId, statement, event, options)
    },

    removeTeamMailbox: ({ tenantId, teamId, mailboxId }, event, options) => {
      const statement = {
        text: 'delete from auricle.team_mailbox where tenant_id = $1 and team_id = $2 and mailbox_id = $3',
        values: [tenantId, teamId, mailboxId],
      }
      return change(tenantId, statement, event, options)
    },
  }
}

function readTeam(row: Row): TeamRow {
  return {
    id: parsed(row, 'id', TeamId),
    tenantId: parsed(row, 'tenant_id', TenantId),
    name: text(row, 'name'),
    createdAt: time(row, 'created_at'),
    members: parsed(row, 'members', Members),
    mailboxIds: parsed(row, 'mailbox_ids', MailboxIds),
  }
}
