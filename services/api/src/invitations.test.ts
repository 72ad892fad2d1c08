// Invitations over HTTP: looked at, accepted once by whoever holds them, and nothing before that.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { newInvitationId, problems, type UserId } from '@auricle/contract'
import { newInvitation, totpCode } from '@auricle/identity'
import { createUser } from '@auricle/vault'
import { z } from 'zod'
import { auditEvents } from '../../../test/audit-log.ts'
import { createAuthenticator } from '../../../test/authenticator.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { type Clinic, makeClinic, openTestVault, type TestVault } from '../../../test/vault.ts'
import { schemas } from './routes-table.ts'

const password = 'six brown mugs in summer'
const dayMs = 24 * 60 * 60_000

let vault: TestVault
let clinic: Clinic
let front: Front

before(async () => {
  vault = await openTestVault()
  front = await openFront(vault)
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})
beforeEach(async () => {
  clinic = await makeClinic(vault)
})

const Body = z.record(z.string(), z.unknown())

async function call(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(front.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, headers: response.headers, body: Body.parse(await response.json()) }
}

async function refused(answering: ReturnType<typeof call>, name: keyof typeof problems): Promise<void> {
  const { status, body } = await answering
  assert.deepEqual(
    { status, type: body['type'] },
    { status: problems[name].status, type: problems[name].type },
  )
}

async function did(answering: ReturnType<typeof call>, status: number) {
  const answer = await answering
  assert.equal(answer.status, status, JSON.stringify(answer.body))
  return answer.body
}

interface Invited {
  readonly userId: UserId
  readonly login: string
  readonly text: string
}

async function invite(change: { expiresAt?: Date; userId?: UserId } = {}): Promise<Invited> {
  const login = `new-${randomBytes(4).toString('hex')}`
  const person = {
    tenantId: clinic.tenant.id,
    login,
    name: 'New',
    roles: [],
    passwordHash: null,
    totpSecret: null,
  }
  const userId = change.userId ?? (await createUser(vault, person, {})).id
  const { text, hash } = newInvitation()
  await vault.database.superuserPool.query(
    `insert into auricle.invitation (tenant_id, id, user_id, secret_hash, created_at, expires_at)
     values ($1, $2, $3, $4, now(), $5)`,
    [clinic.tenant.id, newInvitationId(), userId, hash, change.expiresAt ?? new Date(Date.now() + dayMs)],
  )
  return { userId, login, text }
}

const look = ({ text }: Invited) => call('/v1/invitations/look', { invitation: text })

async function beginByPassword({ text }: Invited) {
  const begun = schemas.InvitationBegun.parse(
    await did(call('/v1/invitations/accept', { invitation: text, password }), 200),
  )
  assert.ok(begun.type === 'password')
  return { attempt: begun.attempt, code: totpCode(begun.secret, new Date()), secret: begun.secret }
}

const complete = (answer: object, headers = {}) => call('/v1/invitations/complete', answer, headers)
const signIn = (login: string, proof: object) =>
  call('/v1/sessions', { tenant: clinic.tenant.slug, login, password, ...proof })

const isIn = async (token: string) => {
  const response = await fetch(`${front.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } })
  await response.arrayBuffer()
  return response.status === 200
}

const tokenOf = (joined: ReturnType<typeof schemas.Joined.parse>) => {
  assert.ok('token' in joined.session)
  return joined.session.token
}

test('password and authenticator app: nothing counts before the last step, then all of it at once', async () => {
  const invited = await invite()
  const view = schemas.InvitationView.parse(await did(look(invited), 200))
  assert.deepEqual(
    { ...view, expiresAt: null },
    {
      tenant: { slug: clinic.tenant.slug, name: 'A clinic' },
      login: invited.login,
      name: 'New',
      expiresAt: null,
    },
  )
  const { attempt, code, secret } = await beginByPassword(invited)
  await refused(signIn(invited.login, { code }), 'badCredentials')
  await refused(complete({ attempt, code: code === '000000' ? '000001' : '000000' }), 'badCredentials')
  const joined = schemas.Joined.parse(await did(complete({ attempt, code }), 201))
  assert.equal(joined.recoveryCodes.length, 10)
  assert.ok(await isIn(tokenOf(joined)))
  // The code that proved the secret is spent.
  await refused(signIn(invited.login, { code }), 'badCredentials')
  const later = totpCode(secret, new Date(Date.now() + 30_000))
  await did(signIn(invited.login, { code: later }), 201)
  const recovered = await did(signIn(invited.login, { recoveryCode: joined.recoveryCodes[3] }), 201)
  assert.equal(recovered['recoveryCodesLeft'], 9)
  await refused(look(invited), 'notFound')
  const log = (await auditEvents(vault, clinic.tenant.id)).filter(({ actor }) => actor.id === invited.userId)
  const opened = log
    .filter(({ reasons }) => reasons.includes('password_and_totp'))
    .map(({ action }) => action)
  assert.deepEqual(opened.sort(), ['session.opened', 'session.opened', 'user.joined'])
})

test('a passkey instead: it alone signs in from then on', async () => {
  const invited = await invite()
  const begun = schemas.InvitationBegun.parse(
    await did(call('/v1/invitations/accept', { invitation: invited.text }), 200),
  )
  assert.ok(begun.type === 'passkey')
  const device = createAuthenticator('EdDSA', { userHandle: invited.userId })
  const here = { origin: `http://localhost:${front.port}`, rpId: 'localhost' }
  const { attempt } = begun
  const wrong = device.register(begun.options.challenge, { ...here, origin: 'https://evil.example' })
  await refused(complete({ attempt, response: wrong, name: 'Key' }), 'malformed')
  await refused(complete({ attempt, code: '123456' }), 'badCredentials')
  const response = device.register(begun.options.challenge, here)
  const joined = schemas.Joined.parse(await did(complete({ attempt, response, name: 'Key' }), 201))
  assert.ok(await isIn(tokenOf(joined)))
  const asked = schemas.PasskeyRequest.parse(
    await did(call('/v1/sessions/passkey/options', { tenant: clinic.tenant.slug }), 200),
  )
  const signed = device.assert(asked.options.challenge, here)
  await did(call('/v1/sessions/passkey', { attempt: asked.attempt, response: signed }), 201)
  // Recovery codes stand beside a password, and there is none.
  assert.deepEqual(joined.recoveryCodes, [])
})

test('accepted once, however many try at the same time, with one attempt or several', async () => {
  const invited = await invite()
  const attempts = await Promise.all([beginByPassword(invited), beginByPassword(invited)])
  const tries = attempts.flatMap(({ attempt, code }) => [
    complete({ attempt, code }),
    complete({ attempt, code }),
  ])
  const statuses = (await Promise.all(tries)).map(({ status }) => status)
  assert.deepEqual(statuses.sort(), [201, 401, 401, 401])
  const rows = (await vault.catalog.listTokens(clinic.tenant.id)).filter(
    ({ userId }) => userId === invited.userId,
  )
  assert.equal(rows.length, 1)
  assert.equal(await vault.catalog.countRecoveryCodes(clinic.tenant.id, invited.userId), 10)
})

test('whoever was invited twice accepts one, and the other is withdrawn', async () => {
  const first = await invite()
  const second = await invite({ userId: first.userId })
  const waiting = await beginByPassword(second)
  const { attempt, code } = await beginByPassword(first)
  await did(complete({ attempt, code }), 201)
  await refused(look(second), 'notFound')
  await refused(complete({ attempt: waiting.attempt, code: waiting.code }), 'badCredentials')
})

test('one that is over, withdrawn or of somebody disabled is not found, nor one that never was', async () => {
  const over = await invite({ expiresAt: new Date(Date.now() - 1) })
  const withdrawn = await invite()
  const disabled = await invite()
  const began = await beginByPassword(disabled)
  const pool = vault.database.superuserPool
  await pool.query('update auricle.invitation set revoked_at = now() where user_id = $1', [withdrawn.userId])
  await pool.query('update auricle.app_user set disabled_at = now() where id = $1', [disabled.userId])
  const never = { ...over, text: newInvitation().text }
  const garbage = { ...over, text: `${over.text.slice(0, -1)}!` }
  const details = new Set<string>()
  for (const each of [over, withdrawn, disabled, never, garbage]) {
    const answer = await look(each)
    details.add(JSON.stringify({ ...answer.body, instance: null }))
    assert.equal(answer.status, 404)
    await refused(call('/v1/invitations/accept', { invitation: each.text, password }), 'notFound')
    await refused(call('/v1/invitations/accept', { invitation: each.text }), 'notFound')
  }
  assert.equal(details.size, 1)
  await refused(complete({ attempt: began.attempt, code: began.code }), 'badCredentials')
})

test('a password that is guessed first is refused, and the invitation holds', async () => {
  const invited = await invite()
  await refused(
    call('/v1/invitations/accept', { invitation: invited.text, password: 'Password2026!!' }),
    'malformed',
  )
  await did(look(invited), 200)
})

test('people who were never activated cannot sign in in any way', async () => {
  const { login } = await invite()
  await refused(signIn(login, { code: '123456' }), 'badCredentials')
  await refused(signIn(login, { recoveryCode: '0123-4567-89AB-CDEF' }), 'badCredentials')
})

test('a browser of ours gets a cookie and no token; another site gets neither', async () => {
  const invited = await invite()
  const { attempt, code } = await beginByPassword(invited)
  const answer = { attempt, code, cookie: true }
  await refused(complete(answer, { 'sec-fetch-site': 'cross-site' }), 'denied')
  const joined = await complete(answer, { 'sec-fetch-site': 'same-origin' })
  assert.equal(joined.status, 201)
  assert.match(joined.headers.get('set-cookie') ?? '', /^__Host-auricle=eyJ/)
  assert.deepEqual(Object.keys(schemas.Joined.parse(joined.body).session).sort(), ['expiresAt', 'user'])
})
