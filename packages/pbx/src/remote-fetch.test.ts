import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { PbxError, type PbxErrorCode } from './error.ts'
import { createFetcher, type FetcherOptions, type FetchRequest } from './remote-fetch.ts'

const loopback = '127.0.0.0/8'
const toLoopback = async () => ['127.0.0.1']
const limits = { connectTimeoutMs: 500, headersTimeoutMs: 300, idleTimeoutMs: 300, totalTimeoutMs: 3000 }
const audio = randomBytes(300_000)

async function listen(server: Server, handler?: RequestListener) {
  if (handler !== undefined) server.on('request', handler)
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const dispose = async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  return { port, origin: `http://pbx.test:${port}`, [Symbol.asyncDispose]: dispose }
}

const serve = (handler: (request: IncomingMessage, response: ServerResponse) => void) =>
  listen(createServer(), handler)

const fetcher = (options: FetcherOptions = {}) => createFetcher({ resolve: toLoopback, limits, ...options })

function ask(
  origin: string,
  changed: Partial<FetchRequest> & { path?: string } = {},
  options?: FetcherOptions,
) {
  const { path = '/a.wav', ...rest } = changed
  const request = {
    url: origin + path,
    allowedHosts: [{ origin, privateCidr: loopback }],
    maxBytes: 1_000_000,
    ...rest,
  }
  return fetcher(options).fetchAudio(request)
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const kept: Uint8Array[] = []
  for await (const piece of pieces) kept.push(piece)
  return Buffer.concat(kept)
}

const failsAs = (code: PbxErrorCode, transient: boolean) => (error: unknown) => {
  assert.ok(error instanceof PbxError, String(error))
  assert.deepEqual([error.code, error.transient], [code, transient], error.message)
  return true
}
const get = async (...request: Parameters<typeof ask>) => collect((await ask(...request)).audio)

describe('fetchAudio', () => {
  it('fetches what is there, plainly', async () => {
    let headers: IncomingMessage['headers'] = {}
    let path = ''
    await using server = await serve((request, response) => {
      headers = request.headers
      path = request.url ?? ''
      response.setHeader('content-type', 'audio/wav').setHeader('content-length', audio.length).end(audio)
    })
    const fetched = await ask(server.origin, { path: '/a%20b.wav?token=1#part' })
    assert.equal(fetched.contentType, 'audio/wav')
    assert.equal(fetched.contentLength, audio.length)
    assert.ok((await collect(fetched.audio)).equals(audio))
    assert.equal(path, '/a%20b.wav?token=1')
    assert.equal(headers['host'], `pbx.test:${server.port}`)
    assert.equal(headers['accept-encoding'], 'identity')
    assert.equal(headers['authorization'], undefined)
  })

  it('takes a body without a length', async () => {
    await using server = await serve((_, response) => {
      response.write(audio.subarray(0, 1000))
      response.end(audio.subarray(1000))
    })
    const fetched = await ask(server.origin)
    assert.equal(fetched.contentLength, null)
    assert.equal(fetched.contentType, null)
    assert.ok((await collect(fetched.audio)).equals(audio))
  })

  it('fetches by https from the host that the certificate names, and from no other', async () => {
    const { key, cert } = selfSigned('pbx.test')
    await using server = await listen(createSecureServer({ key, cert }), (_, response) => response.end(audio))
    const origin = (host: string) => `https://${host}:${server.port}`
    assert.ok((await get(origin('pbx.test'), {}, { ca: cert })).equals(audio))
    await assert.rejects(get(origin('other.test'), {}, { ca: cert }), failsAs('fetch_failed', true))
    await assert.rejects(get(origin('pbx.test')), failsAs('fetch_failed', true))
  })

  it('asks the resolver once and connects to what was checked, whatever is answered later', async () => {
    await using server = await serve((_, response) => response.end(audio))
    let asked = 0
    const resolve = async () => {
      asked += 1
      return asked === 1 ? ['127.0.0.1'] : ['169.254.169.254']
    }
    assert.ok((await get(server.origin, {}, { resolve })).equals(audio))
    assert.equal(asked, 1)
  })

  it('refuses before connecting if any address is out of bounds', async () => {
    let connections = 0
    const http = createServer((_, response) => response.end(audio))
    http.on('connection', () => {
      connections += 1
    })
    await using server = await listen(http)
    const outOfBounds = [
      '10.0.0.1',
      '169.254.169.254',
      '::1',
      '::ffff:10.0.0.1',
      'fe80::1',
      '64:ff9b::a00:1',
      'nonsense',
    ]
    for (const address of outOfBounds) {
      const resolve = async () => ['127.0.0.1', address]
      await assert.rejects(get(server.origin, {}, { resolve }), failsAs('fetch_refused', false), address)
    }
    const publicOnly = [{ origin: server.origin.replace('http:', 'https:'), privateCidr: null }]
    const url = `${server.origin.replace('http:', 'https:')}/a.wav`
    await assert.rejects(
      fetcher().fetchAudio({ url, allowedHosts: publicOnly, maxBytes: 1 }),
      failsAs('fetch_refused', false),
    )
    assert.equal(connections, 0)
  })

  it('does not fetch from a host that was not named', async () => {
    await using server = await serve((_, response) => response.end(audio))
    for (const allowedHosts of [[], [{ origin: 'http://other.test', privateCidr: loopback }]]) {
      await assert.rejects(get(server.origin, { allowedHosts }), failsAs('fetch_refused', false))
    }
  })

  it('fetches from a bare address that was named with its network', async () => {
    await using server = await serve((_, response) => response.end(audio))
    const resolve = () => assert.fail('an address needs no resolver')
    assert.ok((await get(`http://127.0.0.1:${server.port}`, {}, { resolve })).equals(audio))
    const outside = [{ origin: `http://127.0.0.1:${server.port}`, privateCidr: '10.0.0.0/8' }]
    await assert.rejects(
      get(`http://127.0.0.1:${server.port}`, { allowedHosts: outside }),
      failsAs('fetch_refused', false),
    )
  })

  it('follows three redirects between named hosts and checks every hop', async () => {
    await using server = await serve((request, response) => {
      const left = Number(request.url?.slice(1))
      if (left > 0) response.writeHead(302, { location: `/${left - 1}` }).end('moved')
      else response.end(audio)
    })
    assert.ok((await get(server.origin, { path: '/3' })).equals(audio))
    await assert.rejects(get(server.origin, { path: '/4' }), failsAs('fetch_failed', false))
  })

  it('does not follow a redirect to anywhere else', async () => {
    let location = ''
    await using server = await serve((_, response) => response.writeHead(302, { location }).end())
    const places = [
      'http://169.254.169.254/latest/meta-data/',
      'http://[fd00:ec2::254]/',
      `http://127.0.0.1:${server.port}/`,
      `http://localhost:${server.port}/`,
      `http://user:secret@pbx.test:${server.port}/`,
      'file:///etc/passwd',
      '//evil.example/',
      'http://pbx.test:1/',
      'http://',
    ]
    for (location of places)
      await assert.rejects(get(server.origin), failsAs('fetch_refused', false), location)
  })

  it('resolves again for another hop, and checks again', async () => {
    let asked = 0
    await using server = await serve((_, response) => response.writeHead(307, { location: '/again' }).end())
    const resolve = async () => {
      asked += 1
      return asked === 1 ? ['127.0.0.1'] : ['169.254.169.254']
    }
    await assert.rejects(get(server.origin, {}, { resolve }), failsAs('fetch_refused', false))
    assert.equal(asked, 2)
  })

  it('tells answers that may change from those that will not', async () => {
    let status = 0
    await using server = await serve((_, response) =>
      response.writeHead(status).end(status === 204 ? undefined : 'x'),
    )
    for (status of [404, 408, 409, 425, 429, 500, 502, 503, 504]) {
      await assert.rejects(get(server.origin), failsAs('fetch_failed', true), String(status))
    }
    for (status of [201, 202, 204, 206, 300, 302, 304, 400, 401, 403, 405, 410, 416, 451]) {
      await assert.rejects(get(server.origin), failsAs('fetch_failed', false), String(status))
    }
  })

  it('refuses a compressed answer', async () => {
    await using server = await serve((_, response) => {
      response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(1_000_000)))
    })
    await assert.rejects(get(server.origin), failsAs('fetch_failed', false))
  })

  it('stops at the limit, declared or not', async () => {
    let sentBytes = 0
    await using server = await serve((request, response) => {
      if (request.url === '/declared') {
        response.setHeader('content-length', 1001).end(Buffer.alloc(1001))
        return
      }
      const send = () => {
        while (response.write(Buffer.alloc(64_000))) sentBytes += 64_000
      }
      response.on('drain', send)
      send()
    })
    await assert.rejects(
      ask(server.origin, { path: '/declared', maxBytes: 1000 }),
      failsAs('too_large', false),
    )
    assert.equal((await get(server.origin, { path: '/declared', maxBytes: 1001 })).length, 1001)
    await assert.rejects(
      get(server.origin, { path: '/endless', maxBytes: 100_000 }),
      failsAs('too_large', false),
    )
    assert.ok(sentBytes < 50_000_000)
  })

  it('finds an empty or shortened body', async () => {
    await using server = await serve((request, response) => {
      if (request.url === '/empty') response.end()
      else {
        response.setHeader('content-length', 1000)
        response.write(Buffer.alloc(400))
        setTimeout(() => response.destroy(), 20)
      }
    })
    await assert.rejects(get(server.origin, { path: '/empty' }), failsAs('empty_body', true))
    await assert.rejects(get(server.origin, { path: '/short' }), failsAs('fetch_failed', true))
  })

  it('does not wait for ever: for an answer, for more of it, or for its end', async () => {
    await using server = await serve((request, response) => {
      if (request.url === '/silent') return
      response.write(Buffer.alloc(10))
      if (request.url === '/stalls') return
      const timer = setInterval(() => response.write('.'), 100)
      response.on('close', () => clearInterval(timer))
    })
    await assert.rejects(get(server.origin, { path: '/silent' }), failsAs('fetch_failed', true))
    await assert.rejects(get(server.origin, { path: '/stalls' }), failsAs('fetch_failed', true))
    const brief = { limits: { ...limits, totalTimeoutMs: 700 } }
    await assert.rejects(get(server.origin, { path: '/drips' }, brief), failsAs('fetch_failed', true))
    const never = () => new Promise<string[]>(() => undefined)
    await assert.rejects(get(server.origin, {}, { ...brief, resolve: never }), failsAs('fetch_failed', true))
  })

  it('finds a host that is not there', async () => {
    const server = await serve((_, response) => response.end(audio))
    await server[Symbol.asyncDispose]()
    await assert.rejects(get(server.origin), failsAs('fetch_failed', true))
    const unknown = () => Promise.reject(new Error('ENOTFOUND'))
    await assert.rejects(get(server.origin, {}, { resolve: unknown }), failsAs('fetch_failed', true))
    await assert.rejects(get(server.origin, {}, { resolve: async () => [] }), failsAs('fetch_failed', true))
  })

  it('finds an answer that is no HTTP', async () => {
    const server = createTcpServer(socket => {
      socket.on('error', () => undefined).resume()
      socket.end('RIFF....WAVE')
    })
    server.listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    await assert.rejects(get(`http://pbx.test:${port}`), failsAs('fetch_failed', true))
    await new Promise(resolve => server.close(resolve))
  })

  it('gives up with the reason of the signal, before and in the middle', async () => {
    await using server = await serve((request, response) => {
      if (request.url !== '/silent') response.write(Buffer.alloc(10))
    })
    const reason = new RangeError('enough')
    await assert.rejects(get(server.origin, { signal: AbortSignal.abort(reason) }), reason)
    for (const path of ['/silent', '/stalls']) {
      const controller = new AbortController()
      setTimeout(() => controller.abort(reason), 50)
      await assert.rejects(get(server.origin, { path, signal: controller.signal }), reason)
    }
  })

  it('closes its connection when it is left, or never read', async () => {
    const sockets = new Set<unknown>()
    const http = createServer((_, response) => {
      const send = () => {
        while (response.write(Buffer.alloc(64_000)));
      }
      response.on('drain', send)
      send()
    })
    http.on('connection', socket => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    await using server = await listen(http)
    const fetched = await ask(server.origin)
    for await (const _ of fetched.audio) break
    await ask(server.origin, {}, { limits: { ...limits, totalTimeoutMs: 200 } })
    while (sockets.size > 0) await sleep(20)
  })

  it('lets the reader set the pace', async () => {
    let sentBytes = 0
    await using server = await serve((_, response) => {
      const send = () => {
        while (sentBytes < 200_000_000 && response.write(Buffer.alloc(64_000))) sentBytes += 64_000
      }
      response.on('drain', send)
      send()
    })
    const fetched = await ask(server.origin, { maxBytes: 1_000_000_000 })
    for await (const _ of fetched.audio) {
      await sleep(700)
      break
    }
    assert.ok(sentBytes < 30_000_000, String(sentBytes))
  })

  it('works with the resolver of the system', async () => {
    await using server = await serve((_, response) => response.end(audio))
    const origin = `http://localhost:${server.port}`
    const allowedHosts = [{ origin, privateCidr: loopback }]
    const system = createFetcher({ limits })
    // Where localhost is also ::1, the network 127.0.0.0/8 does not cover it and refusing is right.
    const outcome = await system
      .fetchAudio({ url: origin, allowedHosts, maxBytes: 1_000_000 })
      .then(async fetched => (await collect(fetched.audio)).equals(audio), failsAs('fetch_refused', false))
    assert.ok(outcome)
    connect(server.port, '127.0.0.1').destroy()
  })
})

/** A certificate for one host name, good for a test run: X.509 v3 with a subjectAltName (RFC 5280 section 4.1). */
function selfSigned(host: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const der = (tag: number, ...contents: Buffer[]): Buffer => {
    const content = Buffer.concat(contents)
    const { length } = content
    const size =
      length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
    return Buffer.concat([Buffer.from([tag, ...size]), content])
  }
  const sequence = (...contents: Buffer[]) => der(0x30, ...contents)
  const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
  const name = sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(host)))))
  const time = (date: Date) =>
    der(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`))
  const day = 86_400_000
  const altName = sequence(oid('551d11'), der(0x04, sequence(der(0x82, Buffer.from(host)))))
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + day))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(altName)),
  )
  const signature = der(0x03, Buffer.from([0]), sign('sha256', toBeSigned, privateKey))
  const base64 = sequence(toBeSigned, ecdsaWithSha256, signature).toString('base64')
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  }
}
