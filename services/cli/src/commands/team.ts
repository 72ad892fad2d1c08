// `auricle team`: people who share mailboxes.
import { createTeamAtConsole, setMemberAtConsole, shareAtConsole } from '@auricle/vault'
import { UsageError } from '../error.ts'
import { findMailbox, findTeam, findTenant, findUser, type Operator, unlessTaken } from '../operator.ts'
import type { Output } from '../output.ts'

interface OfTeam {
  readonly tenant: string | undefined
  readonly team: string
}

export async function addTeam(
  operator: Operator,
  output: Output,
  { tenant: slug, name }: { readonly tenant: string | undefined; readonly name: string },
): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const id = await unlessTaken(
    createTeamAtConsole(operator, { tenantId: tenant.id, name }, operator),
    `Tenant ${tenant.slug} has a team "${name}" already`,
  )
  output.value({ id, name }, `Made team ${name} (${id})`)
}

export async function addMember(
  operator: Operator,
  output: Output,
  {
    tenant: slug,
    team,
    login,
    supervises,
  }: OfTeam & { readonly login: string; readonly supervises: boolean },
): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const { id: teamId } = await findTeam(operator, tenant, team)
  const user = await findUser(operator, tenant, login)
  await setMemberAtConsole(operator, user, { teamId, supervises }, operator)
  output.value(
    { team: teamId, user: user.id, supervises },
    `${login} ${supervises ? 'supervises' : 'is in'} ${team}`,
  )
}

export async function removeMember(
  operator: Operator,
  output: Output,
  { tenant: slug, team, login }: OfTeam & { readonly login: string },
): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const { id: teamId } = await findTeam(operator, tenant, team)
  const user = await findUser(operator, tenant, login)
  if (!(await setMemberAtConsole(operator, user, { teamId, supervises: null }, operator)))
    throw new UsageError(`${login} is not in ${team}`)
  output.value({ team: teamId, user: user.id, state: 'removed' }, `${login} is no longer in ${team}`)
}

export async function shareMailbox(
  operator: Operator,
  output: Output,
  asked: OfTeam & { readonly address: string; readonly isShared: boolean },
): Promise<void> {
  const { team, address, isShared } = asked
  const tenant = await findTenant(operator, asked.tenant)
  const { id: teamId } = await findTeam(operator, tenant, team)
  const { id: mailboxId } = await findMailbox(operator, tenant, address)
  const shared = { tenantId: tenant.id, teamId, mailboxId }
  if (!(await shareAtConsole(operator, shared, isShared, operator)))
    throw new UsageError(`${team} does not have mailbox ${address}`)
  const sentence = isShared
    ? `${team} hears mailbox ${address}`
    : `${team} no longer hears mailbox ${address}`
  output.value({ team: teamId, mailbox: mailboxId, shared: isShared }, sentence)
}

export async function listTeams(operator: Operator, output: Output, slug: string | undefined): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const logins = new Map(
    (await operator.catalog.listUsers(tenant.id, operator)).map(({ id, login }) => [id, login]),
  )
  const addresses = new Map(
    (await operator.catalog.listMailboxes(tenant.id, operator)).map(({ id, address }) => [id, address]),
  )
  const teams = await operator.catalog.listTeams(tenant.id, operator)
  output.rows(
    teams.map(({ id, name, members, mailboxIds }) => {
      const named = (supervises: boolean) =>
        members
          .filter(member => member.supervises === supervises)
          .map(({ userId }) => logins.get(userId) ?? userId)
      return {
        ...{ id, name, members: named(false), supervisors: named(true) },
        mailboxes: mailboxIds.map(mailbox => addresses.get(mailbox) ?? mailbox),
      }
    }),
    [
      { title: 'team', cell: row => row.name },
      { title: 'members', cell: row => row.members.join(', ') || 'nobody' },
      { title: 'supervised by', cell: row => row.supervisors.join(', ') || 'nobody' },
      { title: 'mailboxes', cell: row => row.mailboxes.join(', ') || 'none' },
      { title: 'id', cell: row => row.id },
    ],
    `Tenant ${tenant.slug} has no teams yet: make one with \`auricle team create\``,
  )
}
