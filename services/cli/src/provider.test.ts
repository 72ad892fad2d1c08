// `auricle provider` as an operator meets it: connected, listed, looked at while it answers and while it does not, disabled.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { type CommandFolder, openCommandFolder, type Ran } from '../../../test/command.ts'
import { type IdentityProvider, startIdentityProvider } from '../../../test/identity-provider.ts'

let place: CommandFolder
let provider: IdentityProvider
const secret = 'a client secret of the test'

before(async () => {
  place = await openCommandFolder()
  const client = { clientId: 'auricle', clientSecret: secret, redirectUris: ['http://127.0.0.1:1/callback'] }
  provider = await startIdentityProvider({ clients: [client], accounts: [] })
  const made = await place.run(['tenant', 'create', 'clinic', '--name', 'A clinic'])
  assert.equal(made.code, 0, made.stderr)
})
after(async () => {
  await provider[Symbol.asyncDispose]()
  await place[Symbol.asyncDispose]()
})

const add = (...args: readonly string[]) =>
  place.run(['provider', 'add', 'Work', '--issuer', provider.issuer, '--client-id', 'auricle', ...args], {
    input: `${secret}\n`,
  })
const textOf = ({ stdout }: Ran) => stdout.toString()
const Made = z.looseObject({
  id: z.string(),
  redirectUri: z.string(),
  settings: z.looseObject({
    requiredAmr: z.array(z.string()),
    provision: z.boolean(),
    groups: z.array(z.looseObject({ group: z.string(), roles: z.array(z.string()) })),
  }),
})

test('a provider from the first command to the last', async () => {
  const groups = ['--group', 'cn=nurses,dc=clinic=clinician', '--group', 'leads=clinician,supervisor']
  const ran = await add('--require-amr', 'mfa', '--provision', ...groups, '--json')
  assert.equal(ran.code, 0, ran.stderr)
  const made = Made.parse(JSON.parse(textOf(ran)))
  assert.match(made.redirectUri, new RegExp(`^http://127\\.0\\.0\\.1:\\d+/v1/sign-in/${made.id}/callback$`))
  assert.deepEqual(made.settings.requiredAmr, ['mfa'])
  assert.equal(made.settings.provision, true)
  assert.deepEqual(
    made.settings.groups.map(({ group, roles }) => [group, roles]),
    [
      ['cn=nurses,dc=clinic', ['clinician']],
      ['leads', ['clinician', 'supervisor']],
    ],
  )

  const again = await add('--require-amr', 'mfa')
  assert.equal(again.code, 2)
  assert.match(again.stderr, /^auricle: Tenant clinic has a provider "Work" already/)

  const list = await place.run(['provider', 'list'])
  assert.match(textOf(list), new RegExp(`Work +${provider.issuer} +active +${made.id}`))

  const good = await place.run(['provider', 'check', made.id])
  assert.deepEqual([good.code, textOf(good)], [0, 'It answers, and people can sign in there\n'])
  await provider.stop()
  const away = await place.run(['provider', 'check', made.id])
  assert.equal(away.code, 1)
  assert.match(textOf(away), /cannot be used: The identity provider cannot be asked just now/)
  await provider.start()

  const ended = await place.run(['provider', 'disable', made.id])
  assert.equal(ended.code, 0, ended.stderr)
  const twice = await place.run(['provider', 'disable', made.id])
  assert.match(twice.stderr, /^auricle: Tenant clinic has no active provider/)
  assert.match(textOf(await place.run(['provider', 'list'])), /disabled/)
  for (const { stdout, stderr } of [ran, again, list, good, away, ended])
    assert.ok(!`${stdout}${stderr}`.includes(secret))
})

test('what is no provider is said in a sentence', async () => {
  const wrong = [
    await add('--group', 'nurses'),
    await add('--group', 'nurses=king'),
    await add('--group', '=clinician'),
    await add('--require-amr', 'two words'),
    await place.run(['provider', 'add', 'x', '--issuer', 'id.example', '--client-id', 'y'], { input: 's' }),
    await place.run(['provider', 'add', 'x', '--issuer', 'http://id.example', '--client-id', 'y'], {
      input: 's',
    }),
    await place.run(['provider', 'add', 'x', '--issuer', 'https://id.example', '--client-id', 'y'], {
      input: '',
    }),
    await place.run(['provider', 'check', 'idp_1']),
  ]
  for (const { code, stderr } of wrong) {
    assert.equal(code, 2, stderr)
    assert.match(stderr, /^auricle: /)
    assert.doesNotMatch(stderr, /^ {4}at |\.ts:\d+/m)
  }
})
