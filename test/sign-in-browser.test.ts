// People at a real browser who sign in at a real OpenID provider: in, verified again, put out by idleness and by the
// provider, and on through a change of its keys and an outage.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { auditEvents } from './audit-log.ts'
import { openBrowser, type TestBrowser, type Visit } from './browser.ts'
import { startEvilSite } from './evil-page.ts'
import {
  account,
  type ConnectedProvider,
  openProviderClinic,
  type ProviderClinic,
} from './provider-clinic.ts'
import { openVisitor } from './visitor.ts'

const idleMs = 15 * 60_000

describe('signing in at a provider with a browser', () => {
  let at: ProviderClinic
  let main: ConnectedProvider
  let browser: TestBrowser
  before(async () => {
    at = await openProviderClinic()
    main = await at.connect([
      account('nurse'),
      account('doctor'),
      account('keeper'),
      account('manager', ['administrators']),
    ])
    browser = await openBrowser()
  })
  after(async () => {
    await browser[Symbol.asyncDispose]()
    await at[Symbol.asyncDispose]()
  })

  /** A page of the vault's own origin, as the console will be. */
  const app = () => `${at.front.url}/app`
  async function openApp({ context, page }: Visit): Promise<void> {
    const html = '<!doctype html><link rel="icon" href="data:,"><title>app</title>'
    await context.route(`${app()}*`, route => route.fulfill({ contentType: 'text/html', body: html }))
    await page.goto(app())
  }
  /** What the page is answered that asks by itself, with whatever cookie the browser has. */
  const ask = (page: Page, path: string, method = 'GET', body?: unknown) =>
    page.evaluate<{ status: number; body: Record<string, unknown> }>(
      `fetch(${JSON.stringify(path)}, { method: ${JSON.stringify(method)}, ${
        body === undefined
          ? ''
          : `headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(JSON.stringify(body))}`
      } }).then(async response => ({ status: response.status, body: await response.json() }))`,
    )
  const statusOf = async (page: Page) => (await ask(page, '/v1/me')).status

  async function fillIn(page: Page, login: string): Promise<void> {
    await page.locator('input[name=login]').fill(login)
    await page.locator('input[name=second_factor]').check()
    await page.locator('button[value=sign-in]').click()
  }
  async function signIn(visit: Visit, login: string, from = main): Promise<void> {
    const { page } = visit
    await page.goto(from.start('/app?from=provider'))
    assert.equal(new URL(page.url()).origin, from.provider.issuer)
    await fillIn(page, login)
    await page.waitForURL(`${app()}?from=provider`)
    await openApp(visit)
  }
  const lastOf = async (action: string) => {
    const events = await auditEvents(at.vault, at.clinic.tenant.id)
    const found = events.filter(event => event.action === action).at(-1)
    return `${found?.outcome} ${found?.reasons}`
  }

  it('lets a person in, with a cookie that no script sees', async () => {
    await using visit = await browser.visit()
    await signIn(visit, 'nurse')
    const me = await ask(visit.page, '/v1/me')
    assert.equal(me.status, 200)
    assert.deepEqual(me.body['roles'], ['clinician'])
    assert.equal(await visit.page.evaluate('document.cookie'), '')
    const cookies = await visit.context.cookies(at.front.url)
    const session = cookies.find(({ name }) => name === '__Host-auricle')
    assert.deepEqual(
      {
        httpOnly: session?.httpOnly,
        secure: session?.secure,
        sameSite: session?.sameSite,
        path: session?.path,
      },
      { httpOnly: true, secure: true, sameSite: 'Lax', path: '/' },
    )
    assert.equal(await lastOf('session.opened'), 'allowed provider')
  })

  it('lets two windows of one browser sign in side by side', async () => {
    await using visit = await browser.visit()
    const second = await visit.context.newPage()
    await visit.page.goto(main.start('/app?window=1'))
    await second.goto(main.start('/app?window=2'))
    await fillIn(visit.page, 'doctor')
    await visit.page.waitForURL(`${app()}?window=1`)
    await fillIn(second, 'doctor')
    await second.waitForURL(`${app()}?window=2`)
    await openApp(visit)
    assert.equal(await statusOf(visit.page), 200)
  })

  it('asks for the second factor again, and then lets the same session do what is dangerous', async () => {
    await using visit = await browser.visit()
    await signIn(visit, 'manager')
    const { page } = visit
    const trust = (audience: string) =>
      ask(page, '/v1/token-issuers', 'POST', {
        name: audience,
        issuer: 'https://issuer.example',
        audience,
        settings: { jwksUri: 'https://issuer.example/keys', algorithms: ['ES256'] },
      })
    assert.equal((await trust('fresh')).status, 201)
    await at.vault.database.superuserPool.query(
      `update auricle.token set verified_at = now() - interval '6 minutes' where purpose = 'session'`,
    )
    const stale = await trust('stale')
    assert.deepEqual([stale.status, stale.body['type']], [401, 'urn:auricle:problem:step-up-required'])
    const [before] = (await visit.context.cookies(at.front.url)).filter(
      ({ name }) => name === '__Host-auricle',
    )
    // A page of ours sends them, though the provider still knows them.
    await page.evaluate(`location.href = '/v1/sign-in/${main.id}/step-up?returnTo=/app?verified=1'`)
    await page.locator('input[name=login]').waitFor()
    await fillIn(page, 'manager')
    await page.waitForURL(`${app()}?verified=1`)
    await openApp(visit)
    assert.equal((await trust('verified')).status, 201)
    const [since] = (await visit.context.cookies(at.front.url)).filter(
      ({ name }) => name === '__Host-auricle',
    )
    assert.equal(since?.value, before?.value)
    assert.equal(await lastOf('session.verified'), 'allowed provider')
  })

  it('puts out who does nothing for as long as the tenant allows, and not before', async () => {
    await using visit = await browser.visit()
    await signIn(visit, 'keeper')
    try {
      at.clock.aheadMs = idleMs - 5000
      assert.equal(await statusOf(visit.page), 200)
      at.clock.aheadMs = 2 * idleMs - 10_000
      assert.equal(await statusOf(visit.page), 200)
      at.clock.aheadMs = 3 * idleMs
      assert.equal(await statusOf(visit.page), 401)
      assert.equal(await lastOf('token.refused'), 'denied idle')
      // The provider still knows them, and says since when.
      await visit.page.goto(main.start('/app?again=1'))
      await visit.page.waitForURL(`${app()}?again=1`)
      await openApp(visit)
      assert.equal(await statusOf(visit.page), 200)
      const fresh = await ask(visit.page, '/v1/me/sessions')
      assert.equal(fresh.status, 200)
    } finally {
      at.clock.aheadMs = 0
    }
  })

  it('is out as soon as the provider says that the session there has ended', async () => {
    await using visit = await browser.visit()
    await using other = await browser.visit()
    await signIn(visit, 'nurse')
    await signIn(other, 'doctor')
    const notices = await main.provider.endSession('subject-of-nurse')
    assert.ok(notices.length > 0 && notices.every(({ delivered }) => delivered))
    assert.equal(await statusOf(visit.page), 401)
    assert.equal(await statusOf(other.page), 200)
    assert.equal(await lastOf('session.ended'), 'allowed provider_logout')
    // And signs in anew, for which the provider asks who they are.
    await signIn(visit, 'nurse')
    assert.equal(await statusOf(visit.page), 200)
  })

  it('goes on while the provider changes its keys, and lets people in who come with the new ones', async () => {
    await using visit = await browser.visit()
    await using half = await browser.visit()
    await signIn(visit, 'nurse')
    await half.page.goto(main.start('/app?half=1'))
    await main.provider.rotateKeys()
    assert.equal(await statusOf(visit.page), 200)
    await fillIn(half.page, 'doctor')
    await half.page.waitForURL(`${app()}?half=1`)
    await openApp(half)
    assert.equal(await statusOf(half.page), 200)
    await using later = await browser.visit()
    await signIn(later, 'keeper')
    assert.equal(await statusOf(later.page), 200)
    // A log-out that is signed with the new key is known, too.
    await main.provider.endSession('subject-of-nurse')
    assert.equal(await statusOf(visit.page), 401)
  })

  it('says what to do while the provider is away, and lets people in when it is back', async () => {
    await using own = await at.connect([account('on-call'), account('late')])
    await using visit = await browser.visit()
    await using late = await browser.visit()
    await signIn(visit, 'on-call', own)
    await late.page.goto(own.start('/app?late=1'))
    await own.provider.stop()
    at.clock.aheadMs = 61_000
    try {
      const answer = await late.page.goto(own.start('/app'))
      assert.equal(answer?.status(), 503)
      assert.match((await late.page.textContent('body')) ?? '', /does not answer.*emergency access/s)
      assert.equal(await statusOf(visit.page), 200)
      await own.provider.start()
      await signIn(late, 'late', own)
      assert.equal(await statusOf(late.page), 200)
    } finally {
      at.clock.aheadMs = 0
    }
  })

  it('is not signed in as somebody else by a link on another site', async () => {
    await using evil = await startEvilSite()
    const attacker = openVisitor()
    const trap = await attacker.signIn(main.start('/app?trap=1'), { login: 'doctor' })
    await using visit = await browser.visit()
    const { page } = visit
    // The victim has begun a sign-in of their own.
    await page.goto(main.start('/app'))
    await page.goto(
      evil.show({ html: `<a href="${trap.href.replaceAll('&', '&amp;')}">a prize</a>` }, 'localhost'),
    )
    await page.locator('a').click()
    await page.waitForURL(`${at.front.url}/?error=sign_in_over`)
    await openApp(visit)
    assert.equal(await statusOf(page), 401)
    assert.equal(await lastOf('session.refused'), 'denied other_browser')
  })

  it('is not put out, and not verified, by what another site sends', async () => {
    await using evil = await startEvilSite()
    await using visit = await browser.visit()
    await signIn(visit, 'nurse')
    const form = `<form method="post" action="${main.start()}/back-channel-logout">
      <input name="logout_token" value="x.y.z"><button>go</button></form>`
    await visit.page.goto(evil.show({ html: form }, 'localhost'))
    await visit.page.locator('button').click()
    await visit.page.waitForURL(`${main.start()}/back-channel-logout`)
    await visit.page.goto(evil.show({ html: `<a href="${main.start()}/step-up">go</a>` }, 'localhost'))
    await visit.page.locator('a').click()
    await visit.page.waitForURL(`${main.start()}/step-up`)
    assert.match((await visit.page.textContent('body')) ?? '', /cross_origin/)
    await openApp(visit)
    assert.equal(await statusOf(visit.page), 200)
  })
})
