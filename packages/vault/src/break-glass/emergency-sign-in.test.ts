import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newEmergencyCodeId } from '@auricle/contract'
import {
  can,
  emergencyCodeHash,
  hashRecoveryCode,
  newEmergencyCode,
  nextLockout,
  totpCode,
  verifyTotp,
} from '@auricle/identity'
import { auditEvents } from '../../../../test/audit-log.ts'
import {
  type Clinic,
  makeClinic,
  openTestVault,
  type Person,
  type TestVault,
} from '../../../../test/vault.ts'
import { auditRecord } from '../audit-record.ts'
import { emergencySignIn } from './emergency-sign-in.ts'

let vault: TestVault

before(async () => {
  vault = await openTestVault()
})
after(() => vault[Symbol.asyncDispose]())

const start = new Date('2026-05-01T10:00:00Z')
const stepMs = 30_000
const facts = { request: 'a-request', ip: '203.0.113.9', userAgent: 'a test' }

async function giveCode({ tenant, complianceOfficer }: Clinic, { row }: Person, expiresAt?: Date) {
  const text = newEmergencyCode()
  const code = {
    ...{ id: newEmergencyCodeId(), tenantId: tenant.id, userId: row.id, createdAt: start },
    ...{ issuedBy: complianceOfficer.row.id, expiresAt: expiresAt ?? new Date(start.getTime() + 86_400_000) },
  }
  const event = await auditRecord(
    {
      ...{ tenantId: tenant.id, action: 'emergency_code.issued', outcome: 'allowed', object: null },
      ...{ actor: { type: 'system', name: 'operator' }, request: null },
    },
    null,
  )
  await vault.catalog.addEmergencyCodes([{ row: code, hash: emergencyCodeHash(text), event }])
  return text
}

interface Attempt {
  readonly code: string
  readonly now?: Date
  readonly totp?: string
}

function attempt({ tenant }: Clinic, person: Person, { code, now = start, totp }: Attempt) {
  const parts = {
    ...{
      catalog: vault.catalog,
      log: vault.log,
      secrets: vault.secrets,
      decide: can,
      verifyTotp,
      nextLockout,
      now: () => now,
    },
    ...{ hashCode: emergencyCodeHash, hashRecoveryCode, onAlert: () => undefined },
    // The slow hash is of other tests.
    verifyPassword: () => Promise.resolve(false),
    issueToken: ({ id }: { readonly id: string }) => Promise.resolve(id),
  }
  const credentials = {
    ...{ tenant: tenant.slug, login: person.row.login, code, reason: 'a reason of a test' },
    totp: totp ?? totpCode(person.totpSecret, now),
  }
  return emergencySignIn(parts, credentials, facts, {})
}

const reasonsOf = async ({ tenant }: Clinic, action: string) =>
  (await auditEvents(vault, tenant.id)).filter(event => event.action === action).map(({ reasons }) => reasons)

test('of several at once with one code, one is let in', async () => {
  const clinic = await makeClinic(vault)
  const code = await giveCode(clinic, clinic.stranger)
  // One fails less than would make the account wait, which is an alert of its own.
  const tries = Array.from({ length: 5 }, () => attempt(clinic, clinic.stranger, { code }))
  const settled = await Promise.allSettled(tries)
  assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const one of settled) if (one.status === 'rejected') assert.equal(one.reason.code, 'bad_credentials')
  for (const action of ['emergency_code.used', 'session.opened', 'break_glass.started'])
    assert.equal((await reasonsOf(clinic, action)).length, 1, action)
  assert.deepEqual((await reasonsOf(clinic, 'alert.raised')).flat().sort(), [
    'break_glass_started',
    'emergency_code_used',
  ])
})

test('of several at once with codes of their own and the same digits, one is let in', async () => {
  const clinic = await makeClinic(vault)
  const codes = await Promise.all(Array.from({ length: 5 }, () => giveCode(clinic, clinic.stranger)))
  const settled = await Promise.allSettled(codes.map(code => attempt(clinic, clinic.stranger, { code })))
  assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1)
  const later = new Date(start.getTime() + 2 * stepMs)
  const again = await Promise.allSettled(
    codes.map(code => attempt(clinic, clinic.stranger, { code, now: later })),
  )
  // The codes of the losers are unspent, and what is open goes on.
  assert.equal(again.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.equal((await reasonsOf(clinic, 'break_glass.started')).length, 1)
})

test('a second code goes on with the emergency access that is open', async () => {
  const clinic = await makeClinic(vault)
  const [first, second] = [await giveCode(clinic, clinic.stranger), await giveCode(clinic, clinic.stranger)]
  const opened = await attempt(clinic, clinic.stranger, { code: first })
  const now = new Date(start.getTime() + 2 * stepMs)
  const again = await attempt(clinic, clinic.stranger, { code: second, now })
  assert.deepEqual(again.breakGlass, opened.breakGlass)
  const alerts = await vault.catalog.listAlerts(clinic.tenant.id, { beforeId: null, limit: 10 })
  assert.deepEqual(alerts.map(({ kind }) => kind).sort(), [
    'break_glass_started',
    'emergency_code_used',
    'emergency_code_used',
  ])
})

test('a code that expired, or with a spent or wrong code of the app, opens nothing and is not spent', async () => {
  const clinic = await makeClinic(vault)
  const { stranger } = clinic
  const expired = await giveCode(clinic, stranger, start)
  const code = await giveCode(clinic, stranger)
  await assert.rejects(attempt(clinic, stranger, { code: expired }), { code: 'bad_credentials' })
  await assert.rejects(attempt(clinic, stranger, { code, totp: '000000' }), { code: 'bad_credentials' })
  const other = await giveCode(clinic, stranger)
  await attempt(clinic, stranger, { code: other })
  await assert.rejects(attempt(clinic, stranger, { code }), { code: 'bad_credentials' })
  await attempt(clinic, stranger, { code, now: new Date(start.getTime() + 2 * stepMs) })
  assert.deepEqual(
    await reasonsOf(clinic, 'session.refused'),
    Array.from({ length: 3 }, () => ['bad_credentials']),
  )
})

test('whoever could not open emergency access is not let in, and it is logged', async () => {
  const clinic = await makeClinic(vault)
  for (const person of [clinic.administrator, clinic.auditor, clinic.complianceOfficer]) {
    const code = await giveCode(clinic, person)
    await assert.rejects(attempt(clinic, person, { code }), { code: 'denied' })
  }
  const supervisor = await giveCode(clinic, clinic.supervisor)
  await attempt(clinic, clinic.supervisor, { code: supervisor })
  assert.deepEqual(await reasonsOf(clinic, 'session.refused'), [['no_role'], ['no_role'], ['no_role']])
})

test('failures count towards the same lock as those of any sign-in, which holds also against what is right', async () => {
  const clinic = await makeClinic(vault)
  const { stranger } = clinic
  const code = await giveCode(clinic, stranger)
  for (let tries = 0; tries < 5; tries++)
    await assert.rejects(attempt(clinic, stranger, { code: newEmergencyCode() }), { code: 'bad_credentials' })
  await assert.rejects(attempt(clinic, stranger, { code }), { code: 'locked' })
  const later = new Date(start.getTime() + 16 * 60_000)
  await attempt(clinic, stranger, { code, now: later })
  const { columns } = await vault.secrets.get(clinic.tenant.id)
  const after = await vault.catalog.findCredentials(clinic.tenant.id, stranger.row.login, columns)
  assert.deepEqual([after?.failedAttempts, after?.lockedUntil], [0, null])
})

test('a code is of one person: somebody else, or somebody disabled, cannot use it', async () => {
  const clinic = await makeClinic(vault)
  const code = await giveCode(clinic, clinic.stranger)
  await assert.rejects(attempt(clinic, clinic.clinician, { code }), { code: 'bad_credentials' })
  const disable = 'update auricle.app_user set disabled_at = $2 where id = $1'
  await vault.database.superuserPool.query(disable, [clinic.stranger.row.id, start])
  await assert.rejects(attempt(clinic, clinic.stranger, { code }), { code: 'bad_credentials' })
})

test('the session ends with emergency access, has shown two factors, and idles out like any other', async () => {
  const clinic = await makeClinic(vault)
  const code = await giveCode(clinic, clinic.stranger)
  const session = await attempt(clinic, clinic.stranger, { code })
  assert.equal(session.expiresAt, session.breakGlass.until)
  const [token] = (await vault.catalog.listTokens(clinic.tenant.id)).filter(({ id }) => id === session.token)
  assert.deepEqual(token?.factors, ['emergency_code', 'otp'])
  assert.equal(token?.idleMs, clinic.tenant.access.idleMs)
  assert.equal(token?.expiresAt.getTime(), start.getTime() + clinic.tenant.access.breakGlassMs)
})
