// Passkeys, recovery codes, authenticator apps and passwords over HTTP, and what an attacker would make of them.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { problems, Session } from '@auricle/contract'
import { newTotp, totpCode } from '@auricle/identity'
import { z } from 'zod'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Authenticator, createAuthenticator, type Said } from '../../../test/authenticator.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { type Clinic, makeClinic, openTestVault, type Person, type TestVault } from '../../../test/vault.ts'
import { schemas } from './routes-table.ts'

const minuteMs = 60_000

let vault: TestVault
let clinic: Clinic
let front: Front
/** Of the service; moved by hand. */
let clock: Date
const pass = (ms: number) => {
  clock = new Date(clock.getTime() + ms)
}

before(async () => {
  vault = await openTestVault()
  clock = new Date()
  front = await openFront(vault, { now: () => clock })
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})
beforeEach(async () => {
  clinic = await makeClinic(vault)
  clock = new Date()
})

async function call(method: string, path: string, token: string | null, body?: unknown) {
  const response = await fetch(front.url + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? null : JSON.parse(text) }
}

type Problem = keyof typeof problems
async function refused(answering: ReturnType<typeof call>, problem: Problem): Promise<void> {
  const { status, body } = await answering
  assert.deepEqual(
    { status, type: body?.type },
    { status: problems[problem].status, type: problems[problem].type },
  )
}

async function did(answering: ReturnType<typeof call>, status: number) {
  const answer = await answering
  assert.equal(answer.status, status, JSON.stringify(answer.body))
  return answer.body
}

const sessionOf = async (person: Person) => (await front.sessionOf(person)).token
const holds = async (token: string) => (await call('GET', '/v1/me', token)).status === 200
const codeOf = ({ totpSecret }: Person) => totpCode(totpSecret, clock)
const signIn = (person: Person, proof: object) => {
  const { row, password } = person
  return call('POST', '/v1/sessions', null, {
    tenant: clinic.tenant.slug,
    login: row.login,
    password,
    ...proof,
  })
}

const here = () => ({ origin: `http://localhost:${front.port}`, rpId: 'localhost' })
const Asked = schemas.PasskeyRequest

async function addPasskey(token: string, device: Authenticator, more: object = {}) {
  const { attempt, options } = Asked.parse(await did(call('POST', '/v1/me/passkeys/options', token), 200))
  const response = device.register(options.challenge, here())
  const made = await did(
    call('POST', '/v1/me/passkeys', token, { attempt, response, name: 'A key', ...more }),
    201,
  )
  return schemas.OwnPasskey.parse(made)
}

const deviceOf = ({ row }: Person, options: { counts?: boolean } = {}) =>
  createAuthenticator('ES256', { userHandle: row.id, ...options })

async function begin(login?: string, tenant = clinic.tenant.slug) {
  const body = { tenant, ...(login === undefined ? {} : { login }) }
  return Asked.parse(await did(call('POST', '/v1/sessions/passkey/options', null, body), 200))
}

async function signInWith(device: Authenticator, lies: Partial<Said> = {}, login?: string) {
  const { attempt, options } = await begin(login)
  const response = device.assert(options.challenge, { ...here(), ...lies })
  return call('POST', '/v1/sessions/passkey', null, { attempt, response })
}

/** Sorted: those of one transaction may have one time, and then no order. */
const events = async () =>
  (await auditEvents(vault, clinic.tenant.id))
    .filter(({ action }) => /^(?:session|factor|token)\./.test(action))
    .map(({ action, outcome, reasons }) => [action, outcome, ...reasons].join(' '))
    .sort()

test('a passkey is added, signs in as its person alone, is renamed and removed', async () => {
  const token = await sessionOf(clinic.clinician)
  const device = deviceOf(clinic.clinician)
  const passkey = await addPasskey(token, device)
  const session = Session.parse(await did(signInWith(device), 201))
  assert.equal(session.user.id, clinic.clinician.row.id)
  assert.ok(await holds(session.token))
  const [row] = (await vault.catalog.listTokens(clinic.tenant.id)).filter(({ factors }) =>
    factors.includes('passkey'),
  )
  assert.deepEqual(
    { factors: row?.factors, verifiedAt: row?.verifiedAt },
    { factors: ['passkey'], verifiedAt: clock },
  )
  await did(call('PATCH', `/v1/me/passkeys/${passkey.id}`, token, { name: 'Blue key' }), 204)
  const shown = schemas.OwnFactors.parse(await did(call('GET', '/v1/me/factors', token), 200))
  assert.deepEqual(
    shown.passkeys.map(({ name, usedAt }) => ({ name, usedAt })),
    [{ name: 'Blue key', usedAt: clock.toISOString() }],
  )
  assert.deepEqual([shown.password, shown.totp, shown.recoveryCodesLeft], [true, true, 0])
  await did(call('DELETE', `/v1/me/passkeys/${passkey.id}`, token), 204)
  await refused(call('DELETE', `/v1/me/passkeys/${passkey.id}`, token), 'notFound')
  await refused(signInWith(device), 'badCredentials')
  assert.deepEqual(await events(), [
    'factor.added allowed own',
    'factor.changed allowed renamed own',
    'factor.removed allowed own',
    'session.ended allowed factor_changed',
    'session.opened allowed',
    'session.opened allowed passkey',
  ])
})

test('what is asked at sign-in is the same for people, for nobody and for no tenant', async () => {
  await addPasskey(await sessionOf(clinic.clinician), deviceOf(clinic.clinician))
  const shapes = new Set<string>()
  for (const asked of [
    await begin('clinician'),
    await begin('nobody'),
    await begin('x', 'nowhere'),
    await begin(),
  ]) {
    const { challenge, ...rest } = asked.options
    assert.match(challenge, /^[\w-]{43}$/)
    shapes.add(JSON.stringify(rest))
  }
  assert.equal(shapes.size, 1)
})

test('an answer signs in once, however many send it at the same time', async () => {
  const device = deviceOf(clinic.clinician, { counts: false })
  await addPasskey(await sessionOf(clinic.clinician), device)
  const { attempt, options } = await begin()
  const response = device.assert(options.challenge, { ...here(), signCount: 0 })
  const answer = () => call('POST', '/v1/sessions/passkey', null, { attempt, response })
  const statuses = (await Promise.all([answer(), answer(), answer(), answer()])).map(({ status }) => status)
  assert.deepEqual(statuses.sort(), [201, 401, 401, 401])
  await refused(answer(), 'badCredentials')
})

test('a passkey that was copied is refused: its count went back', async () => {
  const device = deviceOf(clinic.clinician)
  await addPasskey(await sessionOf(clinic.clinician), device)
  await did(signInWith(device, { signCount: 7 }), 201)
  for (const signCount of [7, 6, 0]) await refused(signInWith(device, { signCount }), 'badCredentials')
  await did(signInWith(device, { signCount: 8 }), 201)
  assert.equal((await events()).filter(event => event === 'session.refused denied bad_passkey').length, 3)
})

const liesOfPasskeys: Readonly<Record<string, () => Partial<Said>>> = {
  'another site': () => ({ origin: 'https://evil.example' }),
  'another port of this machine': () => ({ origin: 'http://localhost:1' }),
  'another relying party': () => ({ rpId: 'evil.example' }),
  'another challenge': () => ({ challenge: Buffer.alloc(32).toString('base64url') }),
  'no user verification': () => ({ flags: 1 }),
  'the handle of somebody else': () => ({ userHandle: clinic.stranger.row.id }),
}
for (const [name, lies] of Object.entries(liesOfPasskeys)) {
  test(`a passkey's answer with ${name} is refused, and in the log`, async () => {
    const device = deviceOf(clinic.clinician)
    await addPasskey(await sessionOf(clinic.clinician), device)
    await refused(signInWith(device, lies()), 'badCredentials')
    assert.ok((await events()).includes('session.refused denied bad_passkey'))
  })
}

test('one login is asked for and another comes; the person is disabled; the attempt is over', async () => {
  const device = deviceOf(clinic.clinician)
  await addPasskey(await sessionOf(clinic.clinician), device)
  await refused(signInWith(device, {}, 'stranger'), 'badCredentials')
  await did(signInWith(device, {}, 'clinician'), 201)
  const { attempt, options } = await begin()
  const response = device.assert(options.challenge, here())
  pass(5 * minuteMs)
  await refused(call('POST', '/v1/sessions/passkey', null, { attempt, response }), 'badCredentials')
  const { id } = clinic.clinician.row
  await vault.database.superuserPool.query('update auricle.app_user set disabled_at = now() where id = $1', [
    id,
  ])
  await refused(signInWith(device), 'badCredentials')
})

test('a passkey of one tenant opens nothing in another', async () => {
  const device = deviceOf(clinic.clinician)
  await addPasskey(await sessionOf(clinic.clinician), device)
  const other = await makeClinic(vault)
  const { attempt, options } = await begin(undefined, other.tenant.slug)
  const response = device.assert(options.challenge, here())
  await refused(call('POST', '/v1/sessions/passkey', null, { attempt, response }), 'badCredentials')
})

test('what no browser sends is malformed, for any attempt', async () => {
  const { attempt } = await begin()
  for (const response of [
    {},
    { id: 'x', response: {} },
    { id: '=', rawId: '=', type: 'public-key', response: {} },
  ])
    await refused(call('POST', '/v1/sessions/passkey', null, { attempt, response }), 'malformed')
})

test('a passkey is shown again: the session is fresh, and only that one', async () => {
  const device = deviceOf(clinic.clinician)
  const first = await sessionOf(clinic.clinician)
  await addPasskey(first, device)
  const second = await sessionOf(clinic.clinician)
  pass(6 * minuteMs)
  await refused(call('POST', '/v1/me/totp/options', first), 'stepUpRequired')
  const asked = Asked.parse(
    await did(call('POST', '/v1/sessions/current/verification/passkey/options', first), 200),
  )
  const answer = { attempt: asked.attempt, response: device.assert(asked.options.challenge, here()) }
  // Another session of the same person cannot finish what this one began.
  await refused(call('POST', '/v1/sessions/current/verification/passkey', second, answer), 'badCredentials')
  const verified = await did(call('POST', '/v1/sessions/current/verification/passkey', first, answer), 200)
  assert.equal(verified.verifiedAt, clock.toISOString())
  await did(call('POST', '/v1/me/totp/options', first), 200)
  await refused(call('POST', '/v1/me/totp/options', second), 'stepUpRequired')
  await refused(call('POST', '/v1/sessions/current/verification/passkey', first, answer), 'badCredentials')
  const without = await sessionOf(clinic.stranger)
  await refused(call('POST', '/v1/sessions/current/verification/passkey/options', without), 'conflict')
})

test('the attempt of one kind, or of somebody else, answers nothing of another', async () => {
  const mine = await sessionOf(clinic.clinician)
  const theirs = await sessionOf(clinic.stranger)
  const { attempt, options } = Asked.parse(await did(call('POST', '/v1/me/passkeys/options', mine), 200))
  const device = deviceOf(clinic.clinician)
  const registered = { attempt, response: device.register(options.challenge, here()), name: 'x' }
  await refused(call('POST', '/v1/me/passkeys', theirs, registered), 'badCredentials')
  const asserted = { attempt, response: device.assert(options.challenge, here()) }
  await refused(call('POST', '/v1/sessions/passkey', null, asserted), 'badCredentials')
  await refused(call('POST', '/v1/me/totp', mine, { attempt, code: '123456' }), 'badCredentials')
  await did(call('POST', '/v1/me/passkeys', mine, registered), 201)
  await refused(call('POST', '/v1/me/passkeys', mine, registered), 'badCredentials')
})

test('the last second factor of somebody with a password stays', async () => {
  const token = await sessionOf(clinic.clinician)
  const first = await addPasskey(token, deviceOf(clinic.clinician))
  const second = await addPasskey(token, deviceOf(clinic.clinician))
  const { id } = clinic.clinician.row
  await vault.database.superuserPool.query('update auricle.app_user set totp_secret = null where id = $1', [
    id,
  ])
  const remove = (passkey: string) => call('DELETE', `/v1/me/passkeys/${passkey}`, token)
  // Of two that go at once, one stays.
  const statuses = (await Promise.all([remove(first.id), remove(second.id)])).map(({ status }) => status)
  assert.deepEqual(statuses.sort(), [204, 409])
  const left = schemas.OwnFactors.parse(await did(call('GET', '/v1/me/factors', token), 200))
  assert.equal(left.passkeys.length, 1)
})

test('a recovery code signs in once, in any spelling, and the answer says how many are left', async () => {
  const token = await sessionOf(clinic.clinician)
  const { codes } = await did(call('POST', '/v1/me/recovery-codes', token, {}), 201)
  assert.equal(new Set(codes).size, 10)
  const [first = '', second = ''] = codes
  const tries = await Promise.all([1, 2, 3].map(() => signIn(clinic.clinician, { recoveryCode: first })))
  assert.deepEqual(tries.map(({ status }) => status).sort(), [201, 401, 401])
  const session = Session.parse(tries.find(({ status }) => status === 201)?.body)
  assert.equal(session.recoveryCodesLeft, 9)
  const typed = ` ${second.toLowerCase().replaceAll('-', ' ')} `
  assert.equal((await did(signIn(clinic.clinician, { recoveryCode: typed }), 201)).recoveryCodesLeft, 8)
  const row = (await vault.catalog.listTokens(clinic.tenant.id)).at(-1)
  assert.deepEqual(row?.factors, ['pwd', 'recovery_code'])
  const log = await events()
  assert.equal(log.filter(event => event === 'factor.used allowed recovery_code').length, 2)
  assert.equal(log.filter(event => event === 'session.opened allowed password_and_recovery_code').length, 2)
  // New ones take the place of all.
  await did(call('POST', '/v1/me/recovery-codes', token, {}), 201)
  await refused(signIn(clinic.clinician, { recoveryCode: codes[2] }), 'badCredentials')
})

test("nobody's recovery codes are those of somebody else, and either proof is needed, not both", async () => {
  const { codes } = await did(
    call('POST', '/v1/me/recovery-codes', await sessionOf(clinic.clinician), {}),
    201,
  )
  const [code] = codes
  await refused(signIn(clinic.stranger, { recoveryCode: code }), 'badCredentials')
  await refused(signIn(clinic.stranger, {}), 'malformed')
  await refused(signIn(clinic.clinician, { recoveryCode: code, code: codeOf(clinic.clinician) }), 'malformed')
  const wrongPassword = { ...clinic.clinician, password: 'another long passphrase' }
  await refused(signIn(wrongPassword, { recoveryCode: code }), 'badCredentials')
  await did(signIn(clinic.clinician, { recoveryCode: code }), 201)
})

test('six bad sign-ins are six events and a lockout, whichever proof was wrong', async () => {
  const { codes } = await did(
    call('POST', '/v1/me/recovery-codes', await sessionOf(clinic.clinician), {}),
    201,
  )
  const wrong = [
    { recoveryCode: '0123-4567-89AB-CDEF' },
    { recoveryCode: 'no code at all' },
    { code: codeOf(clinic.clinician) === '000000' ? '000001' : '000000' },
    { recoveryCode: 'ZZZZ-ZZZZ-ZZZZ-ZZZZ' },
    { recoveryCode: '0123-4567-89AB-CDEF' },
  ]
  for (const proof of wrong) await refused(signIn(clinic.clinician, proof), 'badCredentials')
  await refused(signIn(clinic.clinician, { recoveryCode: codes[0] }), 'tooManyAttempts')
  const denied = (await events()).filter(event => event.startsWith('session.refused'))
  assert.deepEqual(denied, [
    ...wrong.map(() => 'session.refused denied bad_credentials'),
    'session.refused denied locked',
  ])
  // It was refused unread, so it is not spent.
  pass(minuteMs)
  await did(signIn(clinic.clinician, { recoveryCode: codes[0] }), 201)
})

test('an authenticator app takes the place of another once a code proves it, and every other session ends', async () => {
  const token = await sessionOf(clinic.clinician)
  const other = await sessionOf(clinic.clinician)
  const program = await front.tokenOf(clinic.clinician)
  const start = schemas.TotpStart.parse(await did(call('POST', '/v1/me/totp/options', token), 200))
  assert.match(start.uri, /^otpauth:\/\/totp\//)
  const { attempt, secret } = start
  const foreign = newTotp({ issuer: 'x', account: 'x' }).secret
  await refused(
    call('POST', '/v1/me/totp', token, { attempt, code: totpCode(foreign, clock) }),
    'badCredentials',
  )
  await did(signIn(clinic.clinician, { code: codeOf(clinic.clinician) }), 201)
  const prove = () => call('POST', '/v1/me/totp', token, { attempt, code: totpCode(secret, clock) })
  const statuses = (await Promise.all([prove(), prove()])).map(({ status }) => status)
  assert.deepEqual(statuses.sort(), [204, 401])
  assert.deepEqual([await holds(token), await holds(other), await holds(program)], [true, false, true])
  // The code that proved it is spent with it.
  await refused(signIn(clinic.clinician, { code: totpCode(secret, clock) }), 'badCredentials')
  pass(minuteMs)
  await refused(signIn(clinic.clinician, { code: codeOf(clinic.clinician) }), 'badCredentials')
  await did(signIn(clinic.clinician, { code: totpCode(secret, clock) }), 201)
})

test('a password is changed by whoever knows it; programs end where that is asked for', async () => {
  const token = await sessionOf(clinic.clinician)
  const other = await sessionOf(clinic.clinician)
  const program = await front.tokenOf(clinic.clinician)
  const stranger = await sessionOf(clinic.stranger)
  const { password: current } = clinic.clinician
  const change = (body: object) => call('PUT', '/v1/me/password', token, body)
  await refused(
    change({ current: 'another long passphrase', next: 'six brown mugs in summer' }),
    'badCredentials',
  )
  await refused(change({ current, next: 'Password2026!!' }), 'malformed')
  assert.ok(await holds(other))
  const next = 'six brown mugs in summer'
  const changes = await Promise.all([
    change({ current, next }),
    change({ current, next: 'seven red cups in spring' }),
  ])
  assert.equal(changes.filter(({ status }) => status === 204).length, 1)
  assert.deepEqual([await holds(token), await holds(other), await holds(program)], [true, false, true])
  await refused(signIn(clinic.clinician, { code: codeOf(clinic.clinician) }), 'badCredentials')
  const now = changes[0]?.status === 204 ? next : 'seven red cups in spring'
  await did(change({ current: now, next: 'eight green bowls in autumn', tokens: true }), 204)
  assert.deepEqual([await holds(program), await holds(stranger)], [false, true])
  const log = await events()
  assert.ok(log.includes('factor.changed denied bad_credentials'))
  assert.ok(log.includes('session.ended allowed factor_changed'))
})

test('wrong current passwords count as failed sign-ins', async () => {
  const token = await sessionOf(clinic.clinician)
  const guess = { current: 'another long passphrase', next: 'six brown mugs in summer' }
  for (let failure = 0; failure < 5; failure++)
    await refused(call('PUT', '/v1/me/password', token, guess), 'badCredentials')
  const right = { ...guess, current: clinic.clinician.password }
  await refused(call('PUT', '/v1/me/password', token, right), 'tooManyAttempts')
})

const secured: readonly (readonly [string, string, unknown])[] = [
  ['POST', '/v1/me/passkeys/options', undefined],
  ['POST', '/v1/me/recovery-codes', {}],
  ['POST', '/v1/me/totp/options', undefined],
  ['PUT', '/v1/me/password', { current: 'x', next: 'six brown mugs in summer' }],
  ['POST', '/v1/me/tokens', { name: 'x', scopes: ['recordings.read'] }],
]
for (const [method, path, body] of secured) {
  test(`${method} ${path} takes a session whose second factor was shown lately`, async () => {
    const token = await sessionOf(clinic.clinician)
    await refused(call(method, path, await front.tokenOf(clinic.clinician), body), 'denied')
    pass(6 * minuteMs)
    await refused(call(method, path, token, body), 'stepUpRequired')
  })
}

const Refusal = z.looseObject({ detail: z.string() })
test('twenty passkeys are the most', async () => {
  const token = await sessionOf(clinic.clinician)
  for (let made = 0; made < 20; made++) await addPasskey(token, deviceOf(clinic.clinician))
  const { attempt, options } = Asked.parse(await did(call('POST', '/v1/me/passkeys/options', token), 200))
  const response = deviceOf(clinic.clinician).register(options.challenge, here())
  const full = await did(call('POST', '/v1/me/passkeys', token, { attempt, response, name: 'x' }), 409)
  assert.match(Refusal.parse(full).detail, /remove one first/)
})
