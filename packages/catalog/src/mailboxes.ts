// Mailboxes and who owns them.
import { MailboxId, TenantId, UserId } from '@auricle/contract'
import { z } from 'zod'
import type { Catalog, MailboxRow } from './catalog.ts'
import type { Database } from './database.ts'
import { insertEvent } from './events.ts'
import { firstOrNull, parsed, type Row, text } from './row.ts'

type Mailboxes = Pick<
  Catalog,
  | 'createMailbox'
  | 'addMailboxOwner'
  | 'removeMailboxOwner'
  | 'listMailboxes'
  | 'findMailbox'
  | 'findMailboxByAddress'
>

const UserIds = z.array(UserId)

const select = `
  select m.tenant_id, m.id, m.address, m.name,
    array(
      select o.user_id::text from auricle.mailbox_owner o
      where o.tenant_id = m.tenant_id and o.mailbox_id = m.id order by o.user_id
    ) as owner_ids
  from auricle.mailbox m`

export function createMailboxes(database: Database): Mailboxes {
  return {
    createMailbox: (mailbox, event, options) => {
      return database.inTenant(
        mailbox.tenantId,
        async session => {
          await session.write({
            text: 'insert into auricle.mailbox (tenant_id, id, address, name) values ($1, $2, $3, $4)',
            values: [mailbox.tenantId, mailbox.id, mailbox.address, mailbox.name],
          })
          await insertEvent(session, event)
        },
        options,
      )
    },

    /** The foreign keys, which name the tenant too, say `not_found`. An owner already there leaves no second event. */
    addMailboxOwner: (tenantId, mailboxId, userId, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const added = await session.write({
            text: `insert into auricle.mailbox_owner (tenant_id, mailbox_id, user_id) values ($1, $2, $3)
                   on conflict do nothing`,
            values: [tenantId, mailboxId, userId],
          })
          if (added > 0) await insertEvent(session, event)
        },
        options,
      )
    },

    removeMailboxOwner: (tenantId, mailboxId, userId, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const removed = await session.write({
            text: `delete from auricle.mailbox_owner where tenant_id = $1 and mailbox_id = $2 and user_id = $3`,
            values: [tenantId, mailboxId, userId],
          })
          if (removed === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    async listMailboxes(tenantId, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({ text: `${select} where m.tenant_id = $1 order by m.address`, values: [tenantId] }),
        options,
      )
      return found.map(readMailbox)
    },

    async findMailbox(tenantId, id, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `${select} where m.tenant_id = $1 and m.id = $2`,
            values: [tenantId, id],
          })
        },
        options,
      )
      return firstOrNull(found, readMailbox)
    },

    async findMailboxByAddress(tenantId, address, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `${select} where m.tenant_id = $1 and m.address = $2`,
            values: [tenantId, address],
          })
        },
        options,
      )
      return firstOrNull(found, readMailbox)
    },
  }
}

function readMailbox(row: Row): MailboxRow {
  return {
    id: parsed(row, 'id', MailboxId),
    tenantId: parsed(row, 'tenant_id', TenantId),
    address: text(row, 'address'),
    name: text(row, 'name'),
    ownerIds: parsed(row, 'owner_ids', UserIds),
  }
}
