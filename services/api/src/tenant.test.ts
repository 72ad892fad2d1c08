// A tenant's own limits over HTTP: stricter at will, never laxer, and in force for what begins next.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { totpCode } from '@auricle/identity'
import { createTenantSecrets } from '@auricle/vault'
import { ask, problemOf } from '../../../test/ask.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { anEvent } from '../../../test/catalog-fixture.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { type Clinic, makeClinic, openTestVault, type Person, type TestVault } from '../../../test/vault.ts'
import { schemas } from './routes/tenant.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

let vault: TestVault
let clinic: Clinic
let front: Front
let now: number

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  now = Date.now()
  front = await openFront(vault, { now: () => new Date(now) })
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const sessionOf = async (person: Person) => (await front.sessionOf(person)).token

async function change(body: unknown) {
  return ask(front.url, await sessionOf(clinic.administrator), ['PATCH', '/v1/tenant'], body)
}

async function signIn({ row, password, totpSecret }: Person) {
  const { slug } = clinic.tenant
  const code = await totpCode(totpSecret, new Date(now))
  const credentials = { tenant: slug, login: row.login, password, code }
  return ask(front.url, null, ['POST', '/v1/sessions'], credentials)
}

test('a change counts at once for the next session, and is logged without its values', async () => {
  // The tenant's row is in memory by now.
  assert.equal((await signIn(clinic.stranger)).status, 201)
  const told = await change({ idleMinutes: 5, sessionHours: 0.5, breakGlassMinutes: 10, reviewHours: 1 })
  assert.equal(told.status, 200, JSON.stringify(told.body))
  const tenant = schemas.Tenant.parse(told.body)
  assert.deepEqual(
    [tenant.idleMinutes, tenant.sessionHours, tenant.breakGlassMinutes, tenant.reviewHours],
    [5, 0.5, 10, 1],
  )
  const opened = await signIn(clinic.clinician)
  assert.equal(opened.status, 201)
  const { token, expiresAt } = opened.body as { token: string; expiresAt: string }
  assert.equal(Date.parse(expiresAt), now + 30 * minuteMs)
  const get = async () => (await ask(front.url, token, ['GET', '/v1/me'])).status
  assert.equal(await get(), 200)
  now += 5 * minuteMs - 1
  assert.equal(await get(), 200)
  now += 5 * minuteMs + 30_000
  assert.equal(await get(), 401)

  const events = (await auditEvents(vault, clinic.tenant.id)).filter(
    ({ action }) => action === 'tenant.changed',
  )
  assert.deepEqual(
    events.map(({ outcome, actor, object }) => [outcome, actor.id, object?.id]),
    [['allowed', clinic.administrator.row.id, clinic.tenant.id]],
  )
})

test('another process comes to know it within five minutes', async () => {
  let later = Date.now()
  const elsewhere = createTenantSecrets(vault, () => later)
  const idleMs = async () => (await elsewhere.get(clinic.tenant.id)).tenant.access.idleMs
  await change({ idleMinutes: 9 })
  assert.equal(await idleMs(), 9 * minuteMs)
  await change({ idleMinutes: 3 })
  assert.equal(await idleMs(), 9 * minuteMs)
  later += 5 * minuteMs
  assert.equal(await idleMs(), 3 * minuteMs)
})

test('what is not said stays, and a name may change too', async () => {
  await change({ idleMinutes: 7, reviewHours: 24 })
  const named = await change({ name: 'A clinic by another name' })
  const { name, idleMinutes, reviewHours } = schemas.Tenant.parse(named.body)
  assert.deepEqual([name, idleMinutes, reviewHours], ['A clinic by another name', 7, 24])
})

test('no limit is laxer than the product allows, or none at all: not by the API, and not by the database', async () => {
  const before = await vault.catalog.findTenant(clinic.tenant.id)
  const refused = [
    {},
    { idleMinutes: 16 },
    { idleMinutes: 0 },
    { idleMinutes: 1.5 },
    { idleMinutes: null },
    { idleMinutes: 1e300 },
    { sessionHours: 12.25 },
    { sessionHours: 0 },
    { sessionHours: 0.3 },
    { breakGlassMinutes: 241 },
    { breakGlassMinutes: 4 },
    { reviewHours: 169 },
    { reviewHours: 0 },
    { name: '' },
    { keepDays: 1 },
    { idleMinutes: 5, keepDays: 1 },
  ]
  for (const body of refused) assert.equal(problemOf(await change(body)), 'malformed', JSON.stringify(body))
  const event = anEvent(clinic.tenant.id)
  const limits = [
    { idleMs: 15 * minuteMs + 1 },
    { sessionMs: 12 * hourMs + 1 },
    { breakGlassMs: 4 * hourMs + 1 },
    { reviewMs: 7 * 24 * hourMs + 1 },
    { idleMs: 0 },
  ]
  for (const laxer of limits)
    await assert.rejects(vault.catalog.changeTenant(clinic.tenant.id, laxer, event), { code: 'refused' })
  assert.deepEqual(await vault.catalog.findTenant(clinic.tenant.id), before)
})

test('administrators and overseers see the limits, administrators with a fresh factor change them', async () => {
  const { administrator, complianceOfficer, auditor, clinician, supervisor } = clinic
  for (const person of [administrator, complianceOfficer, auditor]) {
    const told = await ask(front.url, await sessionOf(person), ['GET', '/v1/tenant'])
    assert.equal(schemas.Tenant.parse(told.body).shortName, clinic.tenant.slug)
  }
  for (const person of [clinician, supervisor]) {
    const told = await ask(front.url, await sessionOf(person), ['GET', '/v1/tenant'])
    assert.equal(problemOf(told), 'denied')
  }
  for (const person of [complianceOfficer, auditor, clinician, supervisor]) {
    const told = await ask(front.url, await sessionOf(person), ['PATCH', '/v1/tenant'], { idleMinutes: 5 })
    assert.equal(problemOf(told), 'denied')
  }
  const stale = await front.sessionOf(administrator, { verifiedAt: new Date(now - hourMs) })
  const unproven = await ask(front.url, stale.token, ['PATCH', '/v1/tenant'], { idleMinutes: 5 })
  assert.equal(problemOf(unproven), 'stepUpRequired')
  const program = await front.tokenOf(administrator)
  assert.equal((await ask(front.url, program, ['GET', '/v1/tenant'])).status, 200)
  const byProgram = await ask(front.url, program, ['PATCH', '/v1/tenant'], { idleMinutes: 5 })
  assert.equal(problemOf(byProgram), 'denied')
})
