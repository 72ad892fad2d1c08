// What this Chromium does on the loopback that the design of cookies and passkeys rests on, and what it leaves behind.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { openBrowser, type TestBrowser, withPasskeys } from './browser.ts'
import { type LoopbackServer, listenOnLoopback } from './loopback-server.ts'

const sessionCookie = '__Host-x=1; Secure; HttpOnly; SameSite=Lax; Path=/'
const hosts = ['localhost', '127.0.0.1', 'app.localhost'] as const

describe('a browser on the loopback', () => {
  let browser: TestBrowser
  before(async () => {
    browser = await openBrowser()
  })
  after(() => browser[Symbol.asyncDispose]())

  for (const host of hosts) {
    it(`takes a __Host- cookie with Secure from http://${host}, gives it back, and hides it from scripts`, async () => {
      await using server = await startCookieServer()
      await using visit = await browser.visit()
      await visit.page.goto(urlToSet(host, server, sessionCookie))
      await visit.page.goto(`http://${host}:${server.port}/`)
      assert.deepEqual(server.cookies, [null, '__Host-x=1'])
      assert.equal(await visit.page.evaluate('document.cookie'), '')
      assert.equal(await visit.page.evaluate('isSecureContext'), true)
      const [stored] = await visit.context.cookies()
      assert.deepEqual(
        { ...stored, expires: null },
        {
          name: '__Host-x',
          value: '1',
          domain: host,
          path: '/',
          expires: null,
          httpOnly: true,
          secure: true,
          sameSite: 'Lax',
        },
      )
    })

    const flawed = {
      'without Secure': '__Host-x=1; HttpOnly; SameSite=Lax; Path=/',
      'with another path': '__Host-x=1; Secure; HttpOnly; SameSite=Lax; Path=/api',
      // Below an address lies nothing, so its Domain is none to Chromium.
      ...(host !== '127.0.0.1' && {
        'with a Domain': `__Host-x=1; Secure; HttpOnly; SameSite=Lax; Path=/; Domain=${host}`,
      }),
    }
    for (const [flaw, cookie] of Object.entries(flawed)) {
      it(`does not take a __Host- cookie ${flaw} from http://${host}`, async () => {
        await using server = await startCookieServer()
        await using visit = await browser.visit()
        await visit.page.goto(urlToSet(host, server, cookie))
        await visit.page.goto(`http://${host}:${server.port}/`)
        assert.deepEqual(server.cookies, [null, null])
        assert.deepEqual(await visit.context.cookies(), [])
      })
    }
  }

  it('gives a cookie of one port to every other port of the host, and to no other host', async () => {
    await using server = await startCookieServer()
    await using other = await startCookieServer()
    await using visit = await browser.visit()
    await visit.page.goto(urlToSet('localhost', server, sessionCookie))
    for (const host of hosts) await visit.page.goto(`http://${host}:${other.port}/`)
    assert.deepEqual(other.cookies, ['__Host-x=1', null, null])
  })

  it('gives a Lax cookie to a link from another site and not to its form, a Strict one to neither', async () => {
    await using server = await startCookieServer()
    await using other = await startCookieServer()
    await using visit = await browser.visit()
    const { page } = visit
    await page.goto(urlToSet('localhost', server, '__Host-lax=1; Secure; SameSite=Lax; Path=/'))
    await page.goto(urlToSet('localhost', server, '__Host-strict=1; Secure; SameSite=Strict; Path=/'))
    server.cookies.length = 0
    for (const host of ['127.0.0.1', 'localhost'] as const) {
      for (const method of ['get', 'post'] as const) {
        await page.goto(`http://${host}:${other.port}/`)
        await submitForm(page, method, `http://localhost:${server.port}/`)
      }
    }
    const both = '__Host-lax=1; __Host-strict=1'
    // Another port of the same host is the same site: SameSite does not hold it off.
    assert.deepEqual(server.cookies, ['__Host-lax=1', null, both, both])
  })

  it('lets a neighbour toss a plain cookie onto a host below which it lies, and not a __Host- one', async () => {
    await using server = await startCookieServer()
    await using visit = await browser.visit()
    const { page } = visit
    await page.goto(urlToSet('evil.app.localhost', server, 'plain=tossed; Domain=app.localhost; Path=/'))
    await page.goto(
      urlToSet('evil.app.localhost', server, '__Host-x=tossed; Secure; Domain=app.localhost; Path=/'),
    )
    await page.goto(`http://app.localhost:${server.port}/`)
    assert.equal(server.cookies.at(-1), 'plain=tossed')
  })

  it('makes and uses passkeys for http://localhost, whatever its port', async () => {
    await using server = await startCookieServer()
    await using visit = await browser.visit()
    const passkeys = await withPasskeys(visit.page)
    await visit.page.goto(`http://localhost:${server.port}/`)
    const made = await createPasskey(visit.page, 'localhost')
    assert.equal(made.type, 'public-key')
    assert.equal(made.origin, `http://localhost:${server.port}`)
    assert.deepEqual(await passkeys.ids(), [made.id])
    const used = await usePasskey(visit.page, 'localhost')
    assert.deepEqual(used, { ...made, ceremony: 'webauthn.get' })
    await passkeys.verifyUser(false)
    await assert.rejects(usePasskey(visit.page, 'localhost'), /NotAllowedError/)
    await passkeys.verifyUser(true)
    await passkeys.setSignCount(made.id, 0)
    assert.deepEqual(await passkeys.ids(), [made.id])
    await passkeys.forgetAll()
    assert.deepEqual(await passkeys.ids(), [])
    assert.deepEqual(visit.troubles, [])
  })

  for (const [host, rpId, outcome] of [
    ['app.localhost', 'app.localhost', /^made$/],
    ['localhost', 'app.localhost', /SecurityError/],
    ['127.0.0.1', '127.0.0.1', /SecurityError/],
    ['127.0.0.1', 'localhost', /SecurityError/],
    ['app.localhost', 'localhost', /SecurityError/],
  ] as const) {
    it(`answers a passkey of ${rpId} on http://${host} with ${outcome.source}`, async () => {
      await using server = await startCookieServer()
      await using visit = await browser.visit()
      await withPasskeys(visit.page)
      await visit.page.goto(`http://${host}:${server.port}/`)
      const said = await createPasskey(visit.page, rpId).then(() => 'made', String)
      assert.match(said, outcome)
    })
  }

  it('notes what pages say as errors and throw, of every page of a visit', async () => {
    await using server = await startCookieServer()
    await using visit = await browser.visit()
    const second = await visit.context.newPage()
    for (const page of [visit.page, second]) await page.goto(`http://localhost:${server.port}/`)
    await visit.page.evaluate('console.log("no error"); console.error("said")')
    const thrown = second.waitForEvent('pageerror')
    await second.evaluate('setTimeout(() => { throw new Error("thrown") })')
    await thrown
    await visit.page.evaluate('fetch("/favicon.ico")')
    const troubles = visit.takeTroubles().join('\n')
    for (const expected of [/: said$/m, /: thrown$/m, /favicon\.ico: .*404/m])
      assert.match(troubles, expected)
    assert.doesNotMatch(troubles, /no error/)
    assert.deepEqual(visit.troubles, [])
  })

  it('reaches no name and no address off this machine', async () => {
    await using visit = await browser.visit()
    await assert.rejects(visit.page.goto('http://example.org/'), /ERR_NAME_NOT_RESOLVED/)
    await assert.rejects(visit.page.goto('http://192.0.2.1/'), /ERR_NAME_NOT_RESOLVED/)
  })

  it('knows nothing in one visit of what another was given', async () => {
    await using server = await startCookieServer()
    await using first = await browser.visit()
    await using second = await browser.visit()
    await first.page.goto(urlToSet('localhost', server, sessionCookie))
    await second.page.goto(`http://localhost:${server.port}/`)
    assert.deepEqual(server.cookies, [null, null])
  })
})

it('leaves no process and no folder behind, even with a page that will not end', async () => {
  const browser = await openBrowser()
  const { home } = browser
  const { page } = await browser.visit()
  await page.setContent('<script>onbeforeunload = () => "stay"</script>')
  const stuck = page.evaluate('for (;;) {}').catch(() => 'ended')
  assert.equal(existsSync(home), true)
  const processes = process.platform === 'linux' ? await descendantsOf(process.pid) : []
  if (process.platform === 'linux') assert.notDeepEqual(await running(processes), [])
  await browser[Symbol.asyncDispose]()
  assert.equal(await stuck, 'ended')
  assert.equal(existsSync(home), false)
  assert.deepEqual(await running(processes), [])
})

interface CookieServer extends LoopbackServer {
  /** The cookies of each request, null for none. */
  readonly cookies: (string | null)[]
}

/** Sets the cookie that the address asks for. */
async function startCookieServer(): Promise<CookieServer> {
  const cookies: (string | null)[] = []
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname === '/favicon.ico') {
      response.writeHead(404).end()
      return
    }
    cookies.push(request.headers.cookie ?? null)
    const cookie = searchParams.get('cookie')
    if (cookie !== null) response.setHeader('set-cookie', cookie)
    response
      .setHeader('content-type', 'text/html; charset=utf-8')
      .end('<!doctype html><link rel=icon href=data:,>')
  })
  const listening = await listenOnLoopback(server)
  return {
    port: listening.port,
    cookies,
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  }
}

function urlToSet(host: string, { port }: LoopbackServer, cookie: string): string {
  return `http://${host}:${port}/?cookie=${encodeURIComponent(cookie)}`
}

async function submitForm(page: Page, method: 'get' | 'post', action: string): Promise<void> {
  await page.setContent(`<form method="${method}" action="${action}"><button>go</button></form>`)
  await Promise.all([page.waitForURL(url => url.href.startsWith(action)), page.click('button')])
}

interface MadePasskey {
  readonly id: string
  readonly type: string
  readonly origin: string
  readonly ceremony: string
}

async function createPasskey(page: Page, rpId: string): Promise<MadePasskey> {
  return await askForPasskey(
    page,
    `navigator.credentials.create({
      publicKey: {
        rp: { id: ${JSON.stringify(rpId)}, name: 'test' },
        user: { id: new Uint8Array([1]), name: 'somebody', displayName: 'Somebody' },
        challenge: new Uint8Array([1, 2, 3]),
        pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      },
    })`,
  )
}

async function usePasskey(page: Page, rpId: string): Promise<MadePasskey> {
  return await askForPasskey(
    page,
    `navigator.credentials.get({
      publicKey: { rpId: ${JSON.stringify(rpId)}, challenge: new Uint8Array([1, 2, 3]), userVerification: 'required' },
    })`,
  )
}

/** By the text of a program, since the types of a page are not among those of Node. */
async function askForPasskey(page: Page, call: string): Promise<MadePasskey> {
  const json: string = await page.evaluate(`${call}.then(answer => JSON.stringify(answer))`)
  const { id, type, response } = JSON.parse(json)
  const clientData = JSON.parse(Buffer.from(response.clientDataJSON, 'base64url').toString())
  return { id, type, origin: clientData.origin, ceremony: clientData.type }
}

interface ProcessState {
  readonly pid: number
  readonly parent: number
  readonly state: string
}

/** As Linux tells it: behind the name in brackets stand the state and the parent. */
async function readProcess(pid: number): Promise<ProcessState | null> {
  const status = await readFile(join('/proc', String(pid), 'stat'), 'latin1').catch(() => null)
  if (status === null) return null
  const [state = '', parent = ''] = status.slice(status.lastIndexOf(')') + 2).split(' ')
  return { pid, parent: Number(parent), state }
}

async function descendantsOf(pid: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number)
  const all = (await Promise.all(pids.map(readProcess))).filter(found => found !== null)
  const below = (parent: number): number[] =>
    all.filter(found => found.parent === parent).flatMap(child => [child.pid, ...below(child.pid)])
  return below(pid)
}

/** Those that still run. A dead one (Z) whose parent died before it stays listed until the system's first process looks. */
async function running(pids: readonly number[]): Promise<number[]> {
  const all = await Promise.all(pids.map(readProcess))
  return all.flatMap(found => (found === null || found.state === 'Z' ? [] : [found.pid]))
}
