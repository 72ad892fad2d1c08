// Service accounts over HTTP: machines with tokens of their own that never sign in, hold no more than their scopes, and
// leave their ids and logins behind for good.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newBreakGlassId, newTokenId, newUserId, Scope, type TenantId, UserId } from '@auricle/contract'
import { type Action, can, type Resource, type UserActor } from '@auricle/identity'
import { z } from 'zod'
import { ask, problemOf } from '../../../test/ask.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { type Clinic, makeClinic, openTestVault, type Person, type TestVault } from '../../../test/vault.ts'
import { schemas } from './routes/service-accounts.ts'

const hourMs = 60 * 60_000

let vault: TestVault
let clinic: Clinic
let other: Clinic
let front: Front

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  other = await makeClinic(vault)
  front = await openFront(vault)
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const sessionOf = async (person: Person) => (await front.sessionOf(person)).token

async function asAdministrator(call: readonly [string, string], body?: unknown) {
  return ask(front.url, await sessionOf(clinic.administrator), call, body)
}

let accounts = 0

async function account(login = `machine-${++accounts}`) {
  const made = await asAdministrator(['POST', '/v1/service-accounts'], { login, name: 'A machine' })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  return schemas.ServiceAccount.parse(made.body)
}

async function tokenFor(id: string, scopes: readonly Scope[]) {
  const asked = { name: 'nightly', scopes, expiresInDays: 30 }
  const made = await asAdministrator(['POST', `/v1/service-accounts/${id}/tokens`], asked)
  assert.equal(made.status, 201, JSON.stringify(made.body))
  return schemas.MadeServiceToken.parse(made.body)
}

/** As it is done with people: asked for by one, approved by another. */
async function giveRole(user: string, role: string): Promise<void> {
  const asked = await asAdministrator(['POST', '/v1/role-requests'], { user, role, reason: 'it needs it' })
  assert.equal(asked.status, 201, JSON.stringify(asked.body))
  const { id } = z.looseObject({ id: z.string() }).parse(asked.body)
  const officer = await sessionOf(clinic.complianceOfficer)
  const decision = ['POST', `/v1/role-requests/${id}/decision`] as const
  const decided = await ask(front.url, officer, decision, { approve: true })
  assert.equal(decided.status, 200, JSON.stringify(decided.body))
}

const status = async (token: string, call: readonly [string, string], body?: unknown) =>
  (await ask(front.url, token, call, body)).status

test('an account gets a role from two people and a token, acts within both, and each step is logged', async () => {
  const { id, roles } = await account()
  assert.deepEqual(roles, [])
  const { id: tokenId, token } = await tokenFor(id, ['machines.read'])
  assert.match(token, /^aur_svc_/)
  assert.equal(await status(token, ['GET', '/v1/me']), 200)
  assert.equal(problemOf(await ask(front.url, token, ['GET', '/v1/connectors'])), 'denied')
  await giveRole(id, 'administrator')
  assert.equal(await status(token, ['GET', '/v1/connectors']), 200)
  assert.equal(problemOf(await ask(front.url, token, ['GET', '/v1/people'])), 'denied')

  const { body } = await asAdministrator(['GET', `/v1/service-accounts/${id}/tokens`])
  const { tokens } = schemas.ServiceTokenList.parse(body)
  assert.deepEqual(
    tokens.map(one => [one.id, one.name, one.scopes, one.revokedAt]),
    [[tokenId, 'nightly', ['machines.read'], null]],
  )
  assert.ok(!JSON.stringify(body).includes(token))
  assert.ok(!front.log.text().includes(token))
  const events = await auditEvents(vault, clinic.tenant.id)
  const logged = (action: string, object: string) =>
    events.filter(event => event.action === action && event.object?.id === object).length
  assert.equal(logged('user.created', id), 1)
  assert.equal(logged('token.issued', tokenId), 1)
  const acted = events.filter(({ actor }) => actor.id === id && actor.session === tokenId)
  assert.deepEqual(
    acted.map(({ action, outcome, reasons }) => [action, outcome, reasons[0]]),
    [
      ['connector.listed', 'denied', 'no_role'],
      ['connector.listed', 'allowed', 'administrator'],
      ['people.listed', 'denied', 'out_of_scope'],
    ],
  )
})

test('it does nothing that is for people: sign in, be let in again, decide, approve, break glass', async () => {
  const { id, login } = await account()
  const { slug } = clinic.tenant
  for (const password of ['', 'x', 'a long enough passphrase']) {
    const credentials = { tenant: slug, login, password: password || ' ', code: '123456' }
    const told = await ask(front.url, null, ['POST', '/v1/sessions'], credentials)
    assert.equal(problemOf(told), 'badCredentials')
  }
  assert.equal(problemOf(await asAdministrator(['POST', `/v1/people/${id}/factor-reset`])), 'conflict')
  await giveRole(id, 'administrator')
  await giveRole(id, 'compliance_officer')
  const { token } = await tokenFor(id, Scope.options)
  const forPeople = [
    ['GET', '/v1/me/factors'],
    ['POST', '/v1/me/recovery-codes'],
    ['POST', '/v1/me/passkeys/options'],
    ['POST', '/v1/me/tokens', { name: 'mine', scopes: ['machines.manage'], expiresInDays: 1 }],
    ['PATCH', '/v1/tenant', { idleMinutes: 5 }],
  ] as const
  for (const [method, path, body] of forPeople)
    assert.equal(problemOf(await ask(front.url, token, [method, path], body)), 'denied', path)

  const { body } = await asAdministrator(['POST', '/v1/role-requests'], {
    user: clinic.stranger.row.id,
    role: 'supervisor',
    reason: 'to see who may decide',
  })
  const request = z.looseObject({ id: z.string() }).parse(body)
  const decision = ['POST', `/v1/role-requests/${request.id}/decision`] as const
  assert.equal(problemOf(await ask(front.url, token, decision, { approve: true })), 'denied')
})

test('whatever roles and scopes it has, decisions that take a person are refused as such', () => {
  const tenantId: TenantId = clinic.tenant.id
  const machine: UserActor = {
    type: 'user',
    tenantId,
    userId: newUserId(),
    tokenId: newTokenId(),
    roles: ['administrator', 'compliance_officer', 'clinician', 'supervisor', 'auditor'],
    mailboxes: [],
    breakGlass: { id: newBreakGlassId(), until: new Date(Date.now() + hourMs) },
    token: { kind: 'service', scopes: Scope.options, verifiedAt: new Date() },
  }
  const tenant: Resource = { type: 'tenant', tenantId }
  const user = { tenantId, userId: newUserId() }
  const taken: readonly [Action, Resource][] = [
    ['role.decide', { type: 'role_request', ...user, requestedBy: newUserId() }],
    ['break_glass.start', tenant],
    ['break_glass.review', { type: 'break_glass', ...user }],
    ['emergency_code.issue', tenant],
    ['alert.acknowledge', tenant],
    ['provider.manage', tenant],
    ['tenant.manage', tenant],
    ['self.verify', tenant],
    ['self.manage', tenant],
    ['self.secure', tenant],
  ]
  for (const [action, resource] of taken) {
    const decision = can(machine, action, resource, { now: new Date(), purpose: 'emergency' })
    assert.deepEqual(decision, { allowed: false, reasons: ['needs_session'] }, action)
  }
})

test('a program hands on no scope that it lacks', async () => {
  const { id } = await account()
  await giveRole(id, 'administrator')
  const { token } = await tokenFor(id, ['machines.read', 'machines.manage'])
  const tokens = ['POST', `/v1/service-accounts/${id}/tokens`] as const
  const asked = (scopes: readonly Scope[]) => ({ name: 'wider', scopes, expiresInDays: 1 })
  for (const scope of Scope.options) {
    const isHeld = scope === 'machines.read' || scope === 'machines.manage'
    const told = await ask(front.url, token, tokens, asked([scope]))
    assert.equal(told.status, isHeld ? 201 : 403, scope)
  }
  const events = await auditEvents(vault, clinic.tenant.id)
  const refused = events.filter(({ action, outcome, actor }) => {
    return action === 'token.issued' && outcome === 'denied' && actor.id === id
  })
  assert.equal(refused.length, Scope.options.length - 2)
  assert.ok(refused.every(({ reasons }) => reasons[0] === 'out_of_scope'))
})

test('nobody else makes or sees one, and whoever manages shows a second factor first', async () => {
  const { id } = await account()
  const { id: tokenId } = await tokenFor(id, ['machines.read'])
  const calls = [
    ['GET', '/v1/service-accounts'],
    ['POST', '/v1/service-accounts', { login: 'another', name: 'Another' }],
    ['GET', `/v1/service-accounts/${id}/tokens`],
    ['POST', `/v1/service-accounts/${id}/tokens`, { name: 'x', scopes: ['machines.read'], expiresInDays: 1 }],
    ['DELETE', `/v1/service-accounts/${id}/tokens/${tokenId}`],
    ['DELETE', `/v1/service-accounts/${id}`],
  ] as const
  const clinician = await sessionOf(clinic.clinician)
  const foreign = await sessionOf(other.administrator)
  const stale = await front.sessionOf(clinic.administrator, { verifiedAt: new Date(Date.now() - hourMs) })
  for (const [method, path, body] of calls) {
    const denied = await ask(front.url, clinician, [method, path], body)
    assert.equal(problemOf(denied), 'denied', path)
    const unproven = await ask(front.url, stale.token, [method, path], body)
    if (method !== 'GET') assert.equal(problemOf(unproven), 'stepUpRequired', path)
    if (!path.includes(id)) continue
    // Another tenant's is not there, and neither are people by this way.
    assert.equal(problemOf(await ask(front.url, foreign, [method, path], body)), 'notFound', path)
    const person = path.replace(id, clinic.clinician.row.id)
    assert.equal(problemOf(await asAdministrator([method, person], body)), 'notFound', person)
  }
  const malformed = [
    { name: 'x', scopes: [], expiresInDays: 1 },
    { name: 'x', scopes: ['everything'], expiresInDays: 1 },
    { name: 'x', scopes: ['machines.read', 'machines.read'], expiresInDays: 1 },
    { name: 'x', scopes: ['machines.read'], expiresInDays: 367 },
    { name: 'x', scopes: ['machines.read'], expiresInDays: 0 },
  ]
  for (const body of malformed) {
    const told = await asAdministrator(['POST', `/v1/service-accounts/${id}/tokens`], body)
    assert.equal(problemOf(told), 'malformed', JSON.stringify(body))
  }
})

test('a token that is ended holds no more, and its end tells nothing of others', async () => {
  const { id } = await account()
  const one = await tokenFor(id, ['machines.read'])
  const two = await tokenFor(id, ['machines.read'])
  const elsewhere = await account()
  const end = (user: string, token: string) =>
    asAdministrator(['DELETE', `/v1/service-accounts/${user}/tokens/${token}`])
  assert.equal(problemOf(await end(elsewhere.id, one.id)), 'notFound')
  assert.equal((await end(id, one.id)).status, 204)
  assert.equal(problemOf(await end(id, one.id)), 'notFound')
  assert.equal(await status(one.token, ['GET', '/v1/me']), 401)
  assert.equal(await status(two.token, ['GET', '/v1/me']), 200)
  const { body } = await asAdministrator(['GET', `/v1/service-accounts/${id}/tokens`])
  const { tokens } = schemas.ServiceTokenList.parse(body)
  assert.deepEqual(
    tokens.map(token => [token.id, token.revokedAt === null]),
    [
      [two.id, true],
      [one.id, false],
    ],
  )
})

test('disabling ends every token at once, also those made in the same moment, and the login stays taken', async () => {
  const { id, login } = await account()
  const held = await tokenFor(id, ['machines.read'])
  const asked = { name: 'late', scopes: ['machines.read'], expiresInDays: 1 }
  const [disabled, ...made] = await Promise.all([
    asAdministrator(['DELETE', `/v1/service-accounts/${id}`]),
    ...Array.from({ length: 5 }, () => asAdministrator(['POST', `/v1/service-accounts/${id}/tokens`], asked)),
  ])
  assert.equal(disabled.status, 204)
  const tokens = made
    .filter(told => told.status === 201)
    .map(told => schemas.MadeServiceToken.parse(told.body))
  for (const { token } of [held, ...tokens]) assert.equal(await status(token, ['GET', '/v1/me']), 401)
  assert.equal(problemOf(await asAdministrator(['DELETE', `/v1/service-accounts/${id}`])), 'conflict')
  assert.equal(
    problemOf(await asAdministrator(['POST', `/v1/service-accounts/${id}/tokens`], asked)),
    'conflict',
  )

  const again = [
    ['POST', '/v1/service-accounts', { login, name: 'Once more' }],
    ['POST', '/v1/service-accounts', { login: login.toUpperCase(), name: 'Once more' }],
    ['POST', '/v1/people', { login, name: 'A person' }],
  ] as const
  for (const [method, path, body] of again)
    assert.equal(problemOf(await asAdministrator([method, path], body)), 'conflict', JSON.stringify(body))
  const { body } = await asAdministrator(['GET', '/v1/service-accounts'])
  const left = schemas.ServiceAccountList.parse(body).accounts.filter(one => one.login === login)
  assert.deepEqual(
    left.map(one => [UserId.parse(one.id), one.disabledAt !== null]),
    [[id, true]],
  )
  // No row of an account is ever removed, so that no id or login of the log comes to mean another.
  const removal = `delete from auricle.app_user where id = '${id}'`
  await assert.rejects(vault.database.appPool.query(removal), /permission denied/)
})

test('an account has a bound of tokens, however many are asked for at once', async () => {
  const { id } = await account()
  const administrator = await sessionOf(clinic.administrator)
  const asked = { name: 'one of many', scopes: ['machines.read'], expiresInDays: 1 }
  const told = await Promise.all(
    Array.from({ length: 60 }, () =>
      ask(front.url, administrator, ['POST', `/v1/service-accounts/${id}/tokens`], asked),
    ),
  )
  assert.equal(told.filter(one => one.status === 201).length, 50)
  assert.equal(told.filter(one => problemOf(one) === 'conflict').length, 10)
})
