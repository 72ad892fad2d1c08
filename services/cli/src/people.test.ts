// People at the console: a real process, a data folder of its own, from the first invitation to the report.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { type CommandFolder, openCommandFolder } from '../../../test/command.ts'

let place: CommandFolder

before(async () => {
  place = await openCommandFolder()
  await place.start(['start']).said('Ctrl-C stops it')
  await good('tenant', 'create', 'clinic', '--name', 'A clinic')
})
after(() => place[Symbol.asyncDispose]())

async function good(...args: readonly string[]): Promise<string> {
  const ran = await place.run(args)
  assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.stderr}`)
  assert.equal(ran.stderr, '', args.join(' '))
  return ran.stdout.toString()
}

async function bad(...args: readonly string[]): Promise<string> {
  const ran = await place.run(args)
  assert.notEqual(ran.code, 0, `${args.join(' ')}: ${ran.stdout}`)
  assert.match(ran.stderr, /^auricle: /, args.join(' '))
  assert.doesNotMatch(ran.stderr, /^ {4}at |node:internal/m)
  return ran.stderr
}

test('somebody is invited, again, disabled and enabled; the last administrator stays', async () => {
  const Invited = z.object({
    id: z.string(),
    login: z.string(),
    token: z.string(),
    expiresAt: z.iso.datetime(),
  })
  const invited = Invited.parse(
    JSON.parse(await good('user', 'invite', 'Dana', '--name', 'Dana Example', '--json')),
  )
  assert.equal(invited.login, 'dana')
  assert.match(invited.token, /^aur_inv_/)
  assert.match(await bad('user', 'invite', 'dana', '--name', 'Another'), /has a user "dana" already/)
  assert.match(await bad('user', 'invite', 'not a login', '--name', 'X'), /A login has letters/)
  const again = Invited.parse(JSON.parse(await good('user', 'invite', 'dana', '--json')))
  assert.equal(again.id, invited.id)
  assert.notEqual(again.token, invited.token)

  await good('role', 'grant', 'dana', 'administrator')
  assert.match(await bad('user', 'disable', 'dana'), /last who can administer/)
  assert.match(await bad('role', 'revoke', 'dana', 'administrator'), /last who can administer/)
  const roles = ['--role', 'administrator', '--role', 'clinician'] as const
  await good('user', 'create', 'erin', '--name', 'Erin', ...roles)
  assert.match(await good('user', 'disable', 'dana'), /^dana is disabled/)
  assert.match(await good('user', 'disable', 'dana'), /was disabled before/)
  assert.match(await bad('user', 'invite', 'dana'), /not disabled/)
  assert.match(await good('user', 'list'), /^dana +Dana Example +administrator +\S+ \S+ +disabled/m)
  assert.match(await good('user', 'enable', 'dana'), /may sign in again/)
})

test('roles are granted until a time, listed with where they came from, and taken away', async () => {
  await good('role', 'grant', 'erin', 'auditor', '--until', '2099-01-01T00:00:00Z')
  assert.match(await bad('role', 'grant', 'erin', 'king'), /one of clinician, supervisor/)
  assert.match(await bad('role', 'grant', 'erin', 'auditor', '--until', 'soon'), /a time like/)
  assert.match(await bad('role', 'grant', 'erin', 'auditor', '--until', '2020-01-01T00:00:00Z'), /to come/)
  assert.match(await bad('role', 'grant', 'nobody', 'auditor'), /has no user "nobody"/)
  const list = await good('role', 'list')
  assert.match(list, /^LOGIN +ROLE +BY +ASKED BY +SINCE +UNTIL +LAST SIGN-IN +STATE$/m)
  assert.match(list, /^erin +auditor +operator +\S+ \S+ +(?:2099-01-01|2098-12-31) \S+ +never +holds$/m)
  await good('role', 'revoke', 'erin', 'auditor')
  assert.match(await bad('role', 'revoke', 'erin', 'auditor'), /erin is not auditor/)
  assert.match(await good('user', 'roles', 'erin'), /^erin +auditor .* ended$/m)
  assert.doesNotMatch(await good('recertify'), /auditor/)
  const csv = await good('recertify', '--csv', '--ended-since', '2020-01-01T00:00:00Z')
  assert.match(csv, /^"login","name",.*\r\n/)
  assert.match(csv, /^"erin","Erin","person","","auditor","operator",.*\r\n/m)
  assert.match(await bad('recertify', '--csv', '--json'), /either --csv or --json/)
  const Grants = z.array(z.looseObject({ role: z.string() }))
  assert.equal(Grants.parse(JSON.parse(await good('recertify', '--json'))).length, 3)
})

test('a team shares a mailbox', async () => {
  assert.match(await good('team', 'list'), /make one with `auricle team create`/)
  await good('mailbox', 'create', '2001', '--name', 'Front desk')
  await good('team', 'create', 'Night shift')
  assert.match(await bad('team', 'create', 'Night shift'), /has a team "Night shift" already/)
  await good('team', 'add', 'Night shift', 'erin')
  await good('team', 'add', 'Night shift', 'dana', '--supervises')
  await good('team', 'share', 'Night shift', '2001')
  assert.match(await good('team', 'list'), /^Night shift +erin +dana +2001 +tea_/m)
  await good('team', 'unshare', 'Night shift', '2001')
  assert.match(await bad('team', 'unshare', 'Night shift', '2001'), /does not have mailbox 2001/)
  await good('team', 'remove', 'Night shift', 'erin')
  assert.match(await bad('team', 'remove', 'Night shift', 'erin'), /is not in Night shift/)
  assert.match(await bad('team', 'add', 'Day shift', 'erin'), /has no team "Day shift"/)
  assert.match(await good('team', 'list'), /^Night shift +nobody +dana +none +tea_/m)
})
