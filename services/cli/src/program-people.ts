// The commands about people: their accounts, roles and teams, and the report of who may what.
import { Role } from '@auricle/contract'
import { type Command, InvalidArgumentError } from 'commander'
import { grantRole, listRoles, recertify, revokeRole } from './commands/role.ts'
import { addMember, addTeam, listTeams, removeMember, shareMailbox } from './commands/team.ts'
import { addUser, disableUser, enableUser, inviteUser, listUserRoles, listUsers } from './commands/user.ts'
import type { Operator } from './operator.ts'
import type { Output } from './output.ts'
import { readStandardInput } from './prompt.ts'

type WithOperator = (work: (operator: Operator, output: Output) => Promise<void>) => Promise<void>

const ofTenant = ['--tenant <name>', 'short name of the tenant; needed where there are several'] as const

export function addPeople(program: Command, withOperator: WithOperator): void {
  addUsers(program, withOperator)
  addRoles(program, withOperator)
  addTeams(program, withOperator)
}

function addUsers(program: Command, withOperator: WithOperator): void {
  const user = program.command('user').description('the people of a tenant')
  user
    .command('create')
    .description('make a user, and show their secrets once')
    .argument('<login>')
    .requiredOption('--name <name>')
    .option(
      '--role <role>',
      `may be repeated; default: clinician. One of ${Role.options.join(', ')}`,
      gatherRole,
    )
    .option('--password-stdin', 'read the password from standard input; default: make one up and show it')
    .option(...ofTenant)
    .action((login, { role = ['clinician'], passwordStdin, ...options }) =>
      withOperator(async (operator, out) => {
        const password = passwordStdin === true ? await readStandardInput() : null
        await addUser(operator, out, { ...options, login, roles: role, password })
      }),
    )
  user
    .command('invite')
    .description(
      'make a user who chooses their own secrets, or let one choose anew; show the invitation once',
    )
    .argument('<login>')
    .option(
      '--name <name>',
      'of somebody new; without it, whoever has that login loses what they sign in with',
    )
    .option(...ofTenant)
    .action((login, options) =>
      withOperator((operator, out) => inviteUser(operator, out, { ...options, login })),
    )
  user
    .command('disable')
    .description('end everything that somebody has open, at once')
    .argument('<login>')
    .option(...ofTenant)
    .action((login, { tenant }) =>
      withOperator((operator, out) => disableUser(operator, out, { tenant, login })),
    )
  user
    .command('enable')
    .description('let somebody in again; what was ended stays ended')
    .argument('<login>')
    .option(...ofTenant)
    .action((login, { tenant }) =>
      withOperator((operator, out) => enableUser(operator, out, { tenant, login })),
    )
  user
    .command('roles')
    .description('which roles somebody has, and how they came by them')
    .argument('<login>')
    .option(...ofTenant)
    .action((login, { tenant }) =>
      withOperator((operator, out) => listUserRoles(operator, out, { tenant, login })),
    )
  user
    .command('list')
    .description('all users')
    .option(...ofTenant)
    .action(({ tenant }) => withOperator((operator, out) => listUsers(operator, out, tenant)))
}

function addRoles(program: Command, withOperator: WithOperator): void {
  const role = program.command('role').description('what people may do, granted at this console')
  role
    .command('grant')
    .description('give a role without an approval; it is logged as the operator’s')
    .argument('<login>')
    .argument('<role>', Role.options.join(', '), parseRole)
    .option('--until <time>', 'when it ends by itself, RFC 3339 UTC', parseTime)
    .option(...ofTenant)
    .action((login, word, options) =>
      withOperator((operator, out) => grantRole(operator, out, { ...options, login, role: word })),
    )
  role
    .command('revoke')
    .description('take a role away at once, wherever it came from')
    .argument('<login>')
    .argument('<role>', Role.options.join(', '), parseRole)
    .option(...ofTenant)
    .action((login, word, { tenant }) =>
      withOperator((operator, out) => revokeRole(operator, out, { tenant, login, role: word })),
    )
  role
    .command('list')
    .description('who has which role')
    .option(...ofTenant)
    .action(({ tenant }) => withOperator((operator, out) => listRoles(operator, out, tenant)))
  program
    .command('recertify')
    .description('the report of all roles, for whoever reviews them')
    .option('--csv', 'for a spreadsheet', false)
    .option('--ended-since <time>', 'also those that ended since then, RFC 3339 UTC', parseTime)
    .option(...ofTenant)
    .action(options => withOperator((operator, out) => recertify(operator, out, options)))
}

function addTeams(program: Command, withOperator: WithOperator): void {
  const team = program.command('team').description('people who share mailboxes')
  team
    .command('create')
    .description('make a team')
    .argument('<name>')
    .option(...ofTenant)
    .action((name, { tenant }) => withOperator((operator, out) => addTeam(operator, out, { tenant, name })))
  team
    .command('add')
    .description('put somebody into a team')
    .argument('<team>')
    .argument('<login>')
    .option('--supervises', 'as somebody who supervises its mailboxes', false)
    .option(...ofTenant)
    .action((name, login, options) =>
      withOperator((operator, out) => addMember(operator, out, { ...options, team: name, login })),
    )
  team
    .command('remove')
    .description('take somebody out of a team')
    .argument('<team>')
    .argument('<login>')
    .option(...ofTenant)
    .action((name, login, { tenant }) =>
      withOperator((operator, out) => removeMember(operator, out, { tenant, team: name, login })),
    )
  for (const isShared of [true, false]) {
    team
      .command(isShared ? 'share' : 'unshare')
      .description(isShared ? 'share a mailbox with a team' : 'take a mailbox from a team')
      .argument('<team>')
      .argument('<address>')
      .option(...ofTenant)
      .action((name, address, { tenant }) =>
        withOperator((operator, out) =>
          shareMailbox(operator, out, { tenant, team: name, address, isShared }),
        ),
      )
  }
  team
    .command('list')
    .description('all teams')
    .option(...ofTenant)
    .action(({ tenant }) => withOperator((operator, out) => listTeams(operator, out, tenant)))
}

function parseRole(text: string): Role {
  const role = Role.safeParse(text)
  if (!role.success) throw new InvalidArgumentError(`one of ${Role.options.join(', ')} is needed`)
  return role.data
}

const gatherRole = (text: string, before: readonly Role[] = []) => [...before, parseRole(text)]

function parseTime(text: string): Date {
  const time = new Date(text)
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) || Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('a time like 2026-11-30T07:00:00Z is needed')
  return time
}
