// That each page of the evil site does its harm to a target that defends itself by nothing: else a defence proves nothing.
import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { openBrowser, type TestBrowser, type Visit } from './browser.ts'
import {
  cookieFloodLure,
  cookieLure,
  type EvilSite,
  elementLure,
  evilHosts,
  fetchLure,
  formLure,
  jsonFormLure,
  linkLure,
  outcomeOf,
  startEvilSite,
  windowLure,
} from './evil-page.ts'
import { listenOnLoopback } from './loopback-server.ts'

const json = JSON.stringify({ deed: 'erase' })
const wave = makeWave()
/** More than Chromium keeps of one host, which is 180. */
const cookiesOfFlood = 200

describe('a careless target', () => {
  let browser: TestBrowser
  let evil: EvilSite
  let target: Target
  let visit: Visit
  before(async () => {
    browser = await openBrowser()
    evil = await startEvilSite()
    target = await startTarget()
  })
  after(async () => {
    await target[Symbol.asyncDispose]()
    await evil[Symbol.asyncDispose]()
    await browser[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    visit = await browser.visit()
    await visit.page.goto(`${target.origin}/sign-in`)
    target.seen.length = 0
  })
  afterEach(() => visit[Symbol.asyncDispose]())

  it('takes a form that sends itself, with cookies from the same site and without from another', async () => {
    for (const host of evilHosts) {
      await visit.page.goto(evil.show(formLure(`${target.origin}/deed`, { deed: '"erase" & <more>' }), host))
      await visit.page.waitForURL(`${target.origin}/deed`)
    }
    assert.deepEqual(
      target.seen.map(({ method, body }) => [method, new URLSearchParams(body).get('deed')]),
      evilHosts.map(() => ['POST', '"erase" & <more>']),
    )
    assert.deepEqual(
      target.seen.map(({ headers }) => headers.cookie ?? null),
      ['lax=1; none=1; strict=1', 'none=1', 'none=1'],
    )
    assert.deepEqual(
      target.seen.map(({ headers }) => headers['sec-fetch-site']),
      ['same-site', 'cross-site', 'cross-site'],
    )
    assert.deepEqual(
      target.seen.map(({ headers }) => headers.origin),
      evilHosts.map(host => evil.originAt(host)),
    )
  })

  it('takes a form of plain text for JSON', async () => {
    await visit.page.goto(evil.show(jsonFormLure(`${target.origin}/deed`, { deed: 'erase' }), '127.0.0.1'))
    await visit.page.waitForURL(`${target.origin}/deed`)
    const [seen] = target.seen
    assert.equal(seen?.headers['content-type'], 'text/plain')
    assert.deepEqual(JSON.parse(seen?.body ?? ''), { deed: 'erase', padding: '=' })
  })

  it('does what a script asks, though the script may not read the answer or send JSON unasked', async () => {
    const { page } = visit
    for (const host of evilHosts) {
      await page.goto(evil.show(fetchLure(`${target.origin}/deed`, { method: 'POST', body: json }), host))
      assert.equal((await outcomeOf(page)).kind, 'refused')
    }
    assert.deepEqual(
      target.seen.map(({ method, body, headers }) => [method, body, headers.cookie ?? null]),
      [
        ['POST', json, 'lax=1; none=1; strict=1'],
        // Within a page of another site this Chromium sends no cookie at all, not even one of SameSite=None.
        ['POST', json, null],
        ['POST', json, null],
      ],
    )
    target.seen.length = 0
    const asJson = { method: 'POST', headers: { 'content-type': 'application/json' }, body: json }
    await page.goto(evil.show(fetchLure(`${target.origin}/deed`, asJson), 'localhost'))
    assert.equal((await outcomeOf(page)).kind, 'refused')
    assert.deepEqual(
      target.seen.map(({ method }) => method),
      ['OPTIONS'],
    )
    await page.goto(evil.show(fetchLure(`${target.origin}/open`), '127.0.0.1'))
    assert.deepEqual(await outcomeOf(page), { kind: 'answered', status: 200, text: 'secret' })
  })

  it('is heard and framed by pages of others', async () => {
    const { page } = visit
    await page.goto(evil.show(elementLure('audio', `${target.origin}/wave`), '127.0.0.1'))
    const audio = await outcomeOf(page)
    assert.equal(audio.kind === 'loaded' && audio.seconds, 1)
    for (const element of ['img', 'script'] as const) {
      await page.goto(evil.show(elementLure(element, `${target.origin}/nothing`), 'localhost'))
      assert.equal((await outcomeOf(page)).kind, 'refused', element)
    }
    await page.goto(evil.show(elementLure('iframe', `${target.origin}/page`), 'localhost'))
    assert.deepEqual(await outcomeOf(page), { kind: 'loaded', text: null, seconds: null, width: null })
    assert.equal(page.frames()[1]?.url(), `${target.origin}/page`)
    assert.deepEqual(
      target.seen.map(({ path, headers }) => [path, headers.cookie, headers['sec-fetch-dest']]),
      [
        ['/wave', undefined, 'audio'],
        ['/nothing', 'lax=1; none=1; strict=1', 'image'],
        ['/nothing', 'lax=1; none=1; strict=1', 'script'],
        ['/page', 'lax=1; none=1; strict=1', 'iframe'],
      ],
    )
  })

  it('is reached by a link with its Lax cookie, and by a window that cannot be read', async () => {
    const { page } = visit
    await page.goto(evil.show(linkLure(`${target.origin}/page?from=link`), '127.0.0.1'))
    await page.waitForURL(`${target.origin}/page?from=link`)
    await page.goto(evil.show(windowLure(`${target.origin}/page?from=window`), '127.0.0.1'))
    assert.deepEqual(await outcomeOf(page), { kind: 'opened', text: null, closed: false })
    assert.deepEqual(
      target.seen.map(({ headers }) => headers.cookie),
      ['lax=1; none=1', 'lax=1; none=1'],
    )
  })

  it('is given cookies by another port, and loses its own to a flood of them', async () => {
    const { page } = visit
    await page.goto(
      evil.show(cookieLure(['lax=tossed; Path=/', '__Host-x=tossed; Secure; Path=/']), 'localhost'),
    )
    assert.equal((await outcomeOf(page)).kind, 'tossed')
    await page.goto(`${target.origin}/page`)
    // No prefix helps against another port of the same host, to which cookies know no border.
    assert.deepEqual(cookiesOf(target.seen.at(-1)), ['__Host-x=tossed', 'lax=tossed', 'none=1', 'strict=1'])
    for (const [attributes, isLost] of [
      ['Path=/', false],
      ['Path=/; Secure', true],
    ] as const) {
      await page.goto(evil.show(cookieFloodLure(cookiesOfFlood, attributes), 'localhost'))
      await outcomeOf(page)
      await page.goto(`${target.origin}/page`)
      const left = cookiesOf(target.seen.at(-1))
      assert.equal(left.includes('strict=1'), !isLost, attributes)
      assert.equal(left.includes(`flood${cookiesOfFlood - 1}=x`), true)
    }
  })

  it('sends to the evil site what is meant for it, when told where to', async () => {
    await visit.page.goto(
      evil.show(formLure(`${evil.originAt('localhost')}/code`, { code: 'x' }), '127.0.0.1'),
    )
    await visit.page.waitForURL(/\/code$/)
    assert.deepEqual(
      evil.loot.map(({ method, path, body }) => [method, path, body]),
      [['POST', '/code', 'code=x']],
    )
  })
})

interface Seen {
  readonly method: string
  readonly path: string
  readonly body: string
  readonly headers: IncomingHttpHeaders
}

type Target = Awaited<ReturnType<typeof startTarget>>

async function startTarget() {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    const { method = '', url: path = '', headers } = request
    text(request).then(
      body => {
        seen.push({ method, path, body, headers })
        if (path === '/sign-in') {
          const sameSite = ['lax=1; SameSite=Lax', 'none=1; SameSite=None', 'strict=1; SameSite=Strict']
          response.setHeader(
            'set-cookie',
            sameSite.map(cookie => `${cookie}; Secure; HttpOnly; Path=/`),
          )
        }
        if (path === '/open') {
          response.setHeader('access-control-allow-origin', headers.origin ?? '*')
          response.setHeader('access-control-allow-credentials', 'true')
          response.end('secret')
        } else if (path === '/wave') response.setHeader('content-type', 'audio/wav').end(wave)
        else if (path === '/nothing') response.writeHead(404).end()
        else
          response
            .setHeader('content-type', 'text/html')
            .end('<!doctype html><link rel="icon" href="data:,">hello')
      },
      () => response.destroy(),
    )
  })
  const listening = await listenOnLoopback(server)
  return {
    origin: `http://localhost:${listening.port}`,
    seen,
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  }
}

function cookiesOf(seen: Seen | undefined): readonly string[] {
  return (seen?.headers.cookie ?? '').split('; ').sort()
}

/** One second of silence, as a WAV file of 8000 samples of one byte. */
function makeWave(): Buffer {
  const samples = Buffer.alloc(8000, 0x80)
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + samples.length, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(8000, 24)
  head.writeUInt32LE(8000, 28)
  head.writeUInt16LE(1, 32)
  head.writeUInt16LE(8, 34)
  head.write('data', 36)
  head.writeUInt32LE(samples.length, 40)
  return Buffer.concat([head, samples])
}
