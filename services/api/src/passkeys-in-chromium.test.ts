// Passkeys as a browser makes and uses them, from a page of our own with the session in its cookie.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { problems } from '@auricle/contract'
import { totpCode } from '@auricle/identity'
import { z } from 'zod'
import { openBrowser, type TestBrowser, type Visit, withPasskeys } from '../../../test/browser.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { type Clinic, makeClinic, openTestVault, type Person, type TestVault } from '../../../test/vault.ts'

let vault: TestVault
let clinic: Clinic
let front: Front
let browser: TestBrowser
let clock = new Date()

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  front = await openFront(vault, { now: () => clock })
  browser = await openBrowser()
})
after(async () => {
  await browser[Symbol.asyncDispose]()
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const Answer = z.strictObject({ status: z.int(), body: z.looseObject({}).nullable() })

/** The API serves no pages: an empty one stands at its origin, as the console will. */
async function openPage({ page }: Visit): Promise<void> {
  const address = `http://localhost:${front.port}/page`
  await page.route(address, route =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><link rel=icon href=data:,>' }),
  )
  await page.goto(address)
}

/** Asks the API from within the page, whose cookie goes along. By text: a page's types are not among those of Node. */
async function ask({ page }: Visit, method: string, path: string, body?: unknown) {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const init = { method, headers: body === undefined ? {} : { 'content-type': 'application/json' }, ...sent }
  const text: string = await page.evaluate(`fetch(${JSON.stringify(path)}, ${JSON.stringify(init)}).then(
    async response => {
      const text = await response.text()
      return JSON.stringify({ status: response.status, body: text === '' ? null : JSON.parse(text) })
    },
  )`)
  return Answer.parse(JSON.parse(text))
}

const ceremonies = {
  create: 'PublicKeyCredential.parseCreationOptionsFromJSON',
  get: 'PublicKeyCredential.parseRequestOptionsFromJSON',
} as const

async function answer(
  { page }: Visit,
  ceremony: keyof typeof ceremonies,
  options: unknown,
): Promise<unknown> {
  const text: string = await page.evaluate(
    `navigator.credentials.${ceremony}({ publicKey: ${ceremonies[ceremony]}(${JSON.stringify(options)}) })
      .then(credential => JSON.stringify(credential.toJSON()))`,
  )
  return JSON.parse(text)
}

async function signIn(visit: Visit, { row, password, totpSecret }: Person): Promise<void> {
  const code = totpCode(totpSecret, clock)
  const credentials = { tenant: clinic.tenant.slug, login: row.login, password, code, cookie: true }
  assert.equal((await ask(visit, 'POST', '/v1/sessions', credentials)).status, 201)
}

async function signInByPasskey(visit: Visit) {
  const { tenant } = clinic
  const { body } = await ask(visit, 'POST', '/v1/sessions/passkey/options', { tenant: tenant.slug })
  const response = await answer(visit, 'get', body?.['options'])
  return ask(visit, 'POST', '/v1/sessions/passkey', { attempt: body?.['attempt'], response, cookie: true })
}

test('a passkey is made, signs in without a login, and is shown again; a copy of it is refused', async () => {
  await using visit = await browser.visit()
  const device = await withPasskeys(visit.page)
  await openPage(visit)
  const { tenant, clinician } = clinic
  const { row } = clinician
  await signIn(visit, clinician)
  assert.equal(await visit.page.evaluate('document.cookie'), '')

  const asked = await ask(visit, 'POST', '/v1/me/passkeys/options')
  const response = await answer(visit, 'create', asked.body?.['options'])
  const added = { attempt: asked.body?.['attempt'], response, name: 'This machine' }
  assert.equal((await ask(visit, 'POST', '/v1/me/passkeys', added)).status, 201)
  const [id = ''] = await device.ids()
  const [kept] = await vault.catalog.listPasskeys(tenant.id, row.id)
  assert.deepEqual({ id: kept?.credentialId, name: kept?.name }, { id, name: 'This machine' })

  assert.equal((await ask(visit, 'DELETE', '/v1/sessions/current')).status, 204)
  assert.equal((await ask(visit, 'GET', '/v1/me')).status, 401)
  assert.equal((await signInByPasskey(visit)).status, 201)
  assert.equal((await ask(visit, 'GET', '/v1/me')).body?.['user'], row.id)

  clock = new Date(clock.getTime() + 6 * 60_000)
  const late = await ask(visit, 'POST', '/v1/me/recovery-codes', {})
  assert.equal(late.body?.['type'], problems.stepUpRequired.type)
  const path = '/v1/sessions/current/verification/passkey'
  const again = await ask(visit, 'POST', `${path}/options`)
  const shown = {
    attempt: again.body?.['attempt'],
    response: await answer(visit, 'get', again.body?.['options']),
  }
  assert.equal((await ask(visit, 'POST', path, shown)).status, 200)
  assert.equal((await ask(visit, 'POST', '/v1/me/recovery-codes', {})).status, 201)

  const [used] = await vault.catalog.listPasskeys(tenant.id, row.id)
  assert.ok(used !== undefined && used.signCount > 1)
  await device.setSignCount(id, 1)
  const copied = await signInByPasskey(visit)
  assert.equal(copied.body?.['type'], problems.badCredentials.type)
  await device.setSignCount(id, used.signCount + 1)
  assert.equal((await signInByPasskey(visit)).status, 201)

  await device.verifyUser(false)
  await assert.rejects(signInByPasskey(visit), /NotAllowedError/)
  // The refusals above, each a line of the console.
  for (const trouble of visit.takeTroubles()) assert.match(trouble, /status of 401/)
})

test('the machine does not make a second passkey for one person', async () => {
  await using visit = await browser.visit()
  await withPasskeys(visit.page)
  await openPage(visit)
  await signIn(visit, clinic.stranger)
  const begin = () => ask(visit, 'POST', '/v1/me/passkeys/options')
  const first = await begin()
  assert.equal(first.status, 200, JSON.stringify(first.body))
  const response = await answer(visit, 'create', first.body?.['options'])
  const added = { attempt: first.body?.['attempt'], response, name: 'One' }
  assert.equal((await ask(visit, 'POST', '/v1/me/passkeys', added)).status, 201)
  await assert.rejects(answer(visit, 'create', (await begin()).body?.['options']), /InvalidStateError/)
})
