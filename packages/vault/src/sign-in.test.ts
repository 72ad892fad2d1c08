import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { decodeLeaf } from '@auricle/audit'
import { createPasswords, hashRecoveryCode, nextLockout, totpCode, verifyTotp } from '@auricle/identity'
import { type Clinic, makeClinic, openTestVault, type TestVault } from '../../../test/vault.ts'
import { type SignInParts, signIn } from './sign-in.ts'

let vault: TestVault
let clinic: Clinic
let parts: SignInParts
const facts = { request: 'r', ip: '192.0.2.7', userAgent: 'test' }

before(async () => {
  vault = await openTestVault()
  const { verifyPassword } = createPasswords()
  parts = {
    ...vault,
    verifyPassword,
    verifyTotp,
    hashRecoveryCode,
    nextLockout,
    issueToken: async ({ id }) => `token of ${id}`,
  }
})
after(() => vault[Symbol.asyncDispose]())

const stepMs = 30_000

async function credentials(at: Date) {
  clinic = await makeClinic(vault)
  const { clinician, tenant } = clinic
  return {
    tenant: tenant.slug,
    login: 'clinician',
    password: clinician.password,
    code: totpCode(clinician.totpSecret, at),
  }
}

async function actions(): Promise<string[]> {
  const rows = await vault.catalog.listEvents(clinic.tenant.id, { afterId: null, limit: 1000 })
  return rows
    .map(({ leaf }) => decodeLeaf(leaf))
    .filter(({ action }) => action.startsWith('session'))
    .map(({ action, reasons }) => `${action} ${reasons}`)
}

test('password and code open a session that the catalog knows; the code is spent', async () => {
  const now = new Date()
  const good = await credentials(now)
  const session = await signIn({ ...parts, now: () => now }, good, facts, {})
  assert.equal(session.user.login, 'clinician')
  const [row] = await vault.catalog.listTokens(clinic.tenant.id)
  assert.equal(session.token, `token of ${row?.id}`)
  await assert.rejects(signIn({ ...parts, now: () => now }, good, facts, {}), { code: 'bad_credentials' })
  assert.deepEqual(await actions(), ['session.opened password_and_totp', 'session.refused bad_credentials'])
})

test('one code signs in once, however many try it at the same time', async () => {
  const now = new Date()
  const good = await credentials(now)
  const tries = await Promise.allSettled(
    Array.from({ length: 4 }, () => signIn({ ...parts, now: () => now }, good, facts, {})),
  )
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.equal((await vault.catalog.listTokens(clinic.tenant.id)).length, 1)
})

test('whatever is wrong, the refusal is the same', async () => {
  const now = new Date()
  const good = await credentials(now)
  const wrong = [
    { ...good, tenant: 'nowhere' },
    { ...good, login: 'nobody' },
    { ...good, password: 'another long passphrase' },
    { ...good, code: good.code === '000000' ? '000001' : '000000' },
  ]
  const messages = new Set<string>()
  for (const each of wrong) {
    const error: unknown = await signIn({ ...parts, now: () => now }, each, facts, {}).catch(
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof Error && 'code' in error)
    assert.equal(error.code, 'bad_credentials')
    messages.add(error.message)
  }
  assert.equal(messages.size, 1)
})

test('the fifth failure locks the account for a while, also against the right credentials', async () => {
  let now = new Date()
  const good = await credentials(now)
  const at = { ...parts, now: () => now }
  for (let attempt = 0; attempt < 5; attempt++) {
    await assert.rejects(signIn(at, { ...good, password: 'another long passphrase' }, facts, {}), {
      code: 'bad_credentials',
    })
  }
  await assert.rejects(signIn(at, good, facts, {}), { code: 'locked' })
  now = new Date(now.getTime() + stepMs)
  const later = { ...good, code: totpCode(clinic.clinician.totpSecret, now) }
  assert.equal((await signIn(at, later, facts, {})).user.login, 'clinician')
})
