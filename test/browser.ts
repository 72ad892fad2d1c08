// A headless Chromium of one test's own: nobody's profile, no way off this machine, and gone with the test.
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** The same places as in infra/setup.mjs. */
const applications = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]
const actionTimeoutMs = 20_000
const launchTimeoutMs = 60_000

const quiet = [
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost',
  '--no-proxy-server',
  '--no-pings',
  '--disable-domain-reliability',
  '--disable-breakpad',
  // /dev/shm of a container holds 64 MB, and a page that needs more dies.
  '--disable-dev-shm-usage',
]

export interface TestBrowser extends AsyncDisposable {
  readonly version: string
  /** The folder that was given to it as the home of its user. */
  readonly home: string
  /** Somebody who never was here: no cookies, no storage, one empty page. */
  visit(options?: BrowserContextOptions): Promise<Visit>
}

export interface Visit extends AsyncDisposable {
  readonly page: Page
  readonly context: BrowserContext
  /**
   * What the pages of this visit said to the console as errors, and the exceptions they did not catch, oldest first. A
   * refused request is among them, by its status.
   */
  readonly troubles: readonly string[]
  /** The same, and forgets them: for a test that has seen those it expects. */
  takeTroubles(): string[]
}

/** Disposal ends every process of it and removes its profile, whatever the pages do. */
export async function openBrowser(): Promise<TestBrowser> {
  await using opening = new AsyncDisposableStack()
  const home = await mkdtemp(join(tmpdir(), 'auricle-browser-'))
  opening.defer(() => rm(home, { recursive: true, force: true }))
  const browser = await chromium.launch({
    executablePath: findChromium(),
    headless: true,
    timeout: launchTimeoutMs,
    // Chromium refuses to build its sandbox as root, which is who a container runs it as.
    chromiumSandbox: process.getuid?.() !== 0,
    args: quiet,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: home, LANG: 'C.UTF-8', TZ: 'UTC' },
  })
  opening.defer(() => browser.close())
  const open = opening.move()
  return {
    version: browser.version(),
    home,
    async visit(options) {
      const context = await browser.newContext(options)
      context.setDefaultTimeout(actionTimeoutMs)
      const troubles: string[] = []
      context.on('console', message => {
        if (message.type() === 'error') troubles.push(`${message.location().url}: ${message.text()}`)
      })
      context.on('weberror', error => troubles.push(`${error.page()?.url()}: ${error.error().message}`))
      return {
        page: await context.newPage(),
        context,
        troubles,
        takeTroubles: () => troubles.splice(0),
        [Symbol.asyncDispose]: () => context.close(),
      }
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

export interface Passkeys {
  /** Ids of the credentials it keeps, as base64url. */
  ids(): Promise<readonly string[]>
  /** From now on the person proves, or fails to prove, who they are; they prove it at first. */
  verifyUser(succeeds: boolean): Promise<void>
  /** The counter of a credential as a copy of the device would have it. */
  setSignCount(id: string, signCount: number): Promise<void>
  forgetAll(): Promise<void>
}

/** Gives the page a device that makes passkeys, keeps them, and says yes at once. It stays as long as the page. */
export async function withPasskeys(page: Page): Promise<Passkeys> {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  const credentials = async () =>
    (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials
  return {
    ids: async () =>
      (await credentials()).map(({ credentialId }) =>
        Buffer.from(credentialId, 'base64').toString('base64url'),
      ),
    async verifyUser(succeeds) {
      await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: succeeds })
    },
    async setSignCount(id, signCount) {
      const wanted = Buffer.from(id, 'base64url').toString('base64')
      const credential = (await credentials()).find(({ credentialId }) => credentialId === wanted)
      if (credential === undefined) throw new Error('the device has no such credential')
      await session.send('WebAuthn.removeCredential', { authenticatorId, credentialId: wanted })
      await session.send('WebAuthn.addCredential', {
        authenticatorId,
        credential: { ...credential, signCount },
      })
    },
    async forgetAll() {
      await session.send('WebAuthn.clearCredentials', { authenticatorId })
    },
  }
}

function findChromium(): string {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map(folder => join(folder, 'chromium'))
  const found = [...onPath, ...applications].find(path => existsSync(path))
  if (found === undefined) throw new Error('Chromium is not installed; `npm test` says how to install it')
  return found
}
