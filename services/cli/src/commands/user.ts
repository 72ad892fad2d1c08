// `auricle user`: the people of a tenant. Secrets are shown once, when a person is made, and never again.
import { randomInt } from 'node:crypto'
import { Login, Name } from '@auricle/contract'
import { createPasswords, newInvitation, newTotp } from '@auricle/identity'
import {
  createUser,
  disableAtConsole,
  enableAtConsole,
  grantViewOf,
  inviteAgainAtConsole,
  inviteAtConsole,
  parseRoles,
} from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatTime } from '../format.ts'
import { findTenant, findUser, type Operator, unlessTaken } from '../operator.ts'
import type { Output } from '../output.ts'
import { grantColumns, type OfUser } from './role.ts'

export interface NewPerson {
  readonly tenant: string | undefined
  readonly login: string
  readonly name: string
  readonly roles: readonly string[]
  /** Null: one is made up and shown. */
  readonly password: string | null
}

const passwordCharacters = 'abcdefghijkmnpqrstuvwxyz23456789'
const passwordGroups = 5
const passwordGroupLength = 4

/** 100 bits, in groups that can be read over a telephone. */
function newPassword(): string {
  const character = () => passwordCharacters.charAt(randomInt(passwordCharacters.length))
  const group = () => Array.from({ length: passwordGroupLength }, character).join('')
  return Array.from({ length: passwordGroups }, group).join('-')
}

export interface MadePerson {
  readonly id: string
  readonly tenant: string
  readonly login: string
  readonly password: string | null
  readonly totpSecret: string
  readonly totpUri: string
}

export async function makePerson(operator: Operator, person: NewPerson): Promise<MadePerson> {
  const tenant = await findTenant(operator, person.tenant)
  const password = person.password ?? newPassword()
  const passwordHash = await createPasswords().hashPassword(password, person.login, operator)
  const totp = newTotp({ issuer: `Auricle ${tenant.slug}`, account: person.login })
  const roles = parseRoles(person.roles)
  const { login, name } = person
  const facts = { tenantId: tenant.id, login, name, roles, passwordHash, totpSecret: totp.secret }
  const user = await unlessTaken(
    createUser(operator, facts, operator),
    `Tenant ${tenant.slug} has a user "${login}" already`,
  )
  return {
    id: user.id,
    tenant: tenant.slug,
    login: user.login,
    password: person.password === null ? password : null,
    totpSecret: totp.secret,
    totpUri: totp.uri,
  }
}

export async function addUser(operator: Operator, output: Output, person: NewPerson): Promise<void> {
  const made = await makePerson(operator, person)
  const lines = [
    `Made user ${made.login} (${made.id}) of tenant ${made.tenant}. This is shown once:`,
    ...(made.password === null ? [] : [`  password           ${made.password}`]),
    `  authenticator key  ${made.totpSecret}`,
    `  or as a link       ${made.totpUri}`,
  ]
  output.value(made, lines.join('\n'))
}

/** With a name, somebody new; without one, whoever has that login chooses anew what they sign in with. */
export async function inviteUser(
  operator: Operator,
  output: Output,
  { tenant: slug, login: typed, name }: OfUser & { readonly name?: string },
): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const parts = { ...operator, newInvitation }
  const { id, login, token, expiresAt } =
    name === undefined
      ? await inviteAgainAtConsole(parts, await findUser(operator, tenant, typed), operator)
      : await unlessTaken(
          inviteAtConsole(parts, { tenant, ...called(typed, name) }, operator),
          `Tenant ${tenant.slug} has a user "${typed}" already; without --name they are invited again`,
        )
  const lines = [
    `Invited ${login} (${id}) of tenant ${tenant.slug}, until ${formatTime(expiresAt)}. This is shown once:`,
    token,
  ]
  output.value({ id, tenant: tenant.slug, login, token, expiresAt }, lines.join('\n'))
}

function called(typed: string, typedName: string) {
  const [login, name] = [Login.safeParse(typed), Name.safeParse(typedName)]
  if (!login.success || !name.success)
    throw new UsageError(
      'A login has letters, digits and . _ @ + -, a name is one line; each has at most 128',
    )
  return { login: login.data, name: name.data }
}

export async function disableUser(
  operator: Operator,
  output: Output,
  { tenant: slug, login }: OfUser,
): Promise<void> {
  const user = await findUser(operator, await findTenant(operator, slug), login)
  const isNew = await disableAtConsole(operator, user, operator)
  const sentence = isNew
    ? `${login} is disabled, and all they had open has ended`
    : `${login} was disabled before`
  output.value({ id: user.id, login, state: 'disabled' }, sentence)
}

export async function enableUser(
  operator: Operator,
  output: Output,
  { tenant: slug, login }: OfUser,
): Promise<void> {
  const user = await findUser(operator, await findTenant(operator, slug), login)
  const isNew = await enableAtConsole(operator, user, operator)
  output.value(
    { id: user.id, login, state: 'active' },
    isNew ? `${login} may sign in again` : `${login} is not disabled`,
  )
}

export async function listUserRoles(
  operator: Operator,
  output: Output,
  { tenant: slug, login }: OfUser,
): Promise<void> {
  const user = await findUser(operator, await findTenant(operator, slug), login)
  const query = { now: new Date(), endedSince: new Date(0), userId: user.id }
  const grants = await operator.catalog.listGrants(user.tenantId, query, operator)
  output.rows(grants.map(grantViewOf), grantColumns, `${login} has no role, and never had one`)
}

export async function listUsers(operator: Operator, output: Output, slug: string | undefined): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const users = await operator.catalog.listUsers(tenant.id, operator)
  output.rows(
    users.map(({ id, login, name, roles, createdAt, disabledAt }) => ({
      id,
      login,
      name,
      roles,
      createdAt,
      disabledAt,
    })),
    [
      { title: 'login', cell: row => row.login },
      { title: 'name', cell: row => row.name },
      { title: 'roles', cell: row => row.roles.join(', ') },
      { title: 'made', cell: row => formatTime(row.createdAt) },
      { title: 'state', cell: row => (row.disabledAt === null ? 'active' : 'disabled') },
      { title: 'id', cell: row => row.id },
    ],
    `Tenant ${tenant.slug} has no users yet: make one with \`auricle user create\``,
  )
}
