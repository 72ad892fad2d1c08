// `auricle mailbox`: where recordings go, and who may hear them.
import { assignMailbox, createMailbox } from '@auricle/vault'
import { findMailbox, findTenant, findUser, type Operator, unlessTaken } from '../operator.ts'
import type { Output } from '../output.ts'

export interface NewMailbox {
  readonly tenant: string | undefined
  readonly address: string
  readonly name: string
  readonly owners: readonly string[]
}

export async function addMailbox(operator: Operator, output: Output, mailbox: NewMailbox): Promise<void> {
  const tenant = await findTenant(operator, mailbox.tenant)
  const owners = await Promise.all(mailbox.owners.map(login => findUser(operator, tenant, login)))
  const { address, name } = mailbox
  const { id } = await unlessTaken(
    createMailbox(operator, { tenantId: tenant.id, address, name }, operator),
    `Tenant ${tenant.slug} has a mailbox "${address}" already`,
  )
  for (const owner of owners) await assignMailbox(operator, { tenantId: tenant.id, id }, owner, operator)
  const whose =
    owners.length === 0 ? 'nobody hears it yet' : `heard by ${owners.map(({ login }) => login).join(', ')}`
  output.value(
    { id, address, name, owners: owners.map(({ id }) => id) },
    `Made mailbox ${address} (${id}); ${whose}`,
  )
}

export async function addOwner(
  operator: Operator,
  output: Output,
  {
    tenant: slug,
    address,
    login,
  }: { readonly tenant: string | undefined; readonly address: string; readonly login: string },
): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const mailbox = await findMailbox(operator, tenant, address)
  const user = await findUser(operator, tenant, login)
  await assignMailbox(operator, { tenantId: tenant.id, id: mailbox.id }, user, operator)
  output.value({ mailbox: mailbox.id, owner: user.id }, `${login} now hears mailbox ${address}`)
}

export async function listMailboxes(
  operator: Operator,
  output: Output,
  slug: string | undefined,
): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const users = await operator.catalog.listUsers(tenant.id, operator)
  const logins = new Map(users.map(({ id, login }) => [id, login]))
  const mailboxes = await operator.catalog.listMailboxes(tenant.id, operator)
  output.rows(
    mailboxes.map(({ id, address, name, ownerIds }) => ({
      id,
      address,
      name,
      owners: ownerIds.map(owner => logins.get(owner) ?? owner),
    })),
    [
      { title: 'address', cell: row => row.address },
      { title: 'name', cell: row => row.name },
      { title: 'heard by', cell: row => row.owners.join(', ') || 'nobody' },
      { title: 'id', cell: row => row.id },
    ],
    `Tenant ${tenant.slug} has no mailboxes yet: make one with \`auricle mailbox create\``,
  )
}
