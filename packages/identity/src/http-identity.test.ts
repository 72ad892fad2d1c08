// Asks a real Express server over sockets: who gets in, as whom, and what everybody else is told.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { newTenantId, newTokenId, newUserId } from '@auricle/contract'
import express, { type ErrorRequestHandler } from 'express'
import { z } from 'zod'
import type { UserActor } from './actor.ts'
import type { BearerClaims } from './bearer-claims.ts'
import { IdentityError } from './error.ts'
import { createHttpIdentity } from './http-identity.ts'

const claims: BearerClaims = {
  tenantId: newTenantId(),
  userId: newUserId(),
  tokenId: newTokenId(),
  purpose: 'session',
  secretHash: null,
}
const actorOfToken = (token: string): UserActor => ({
  type: 'user',
  tenantId: claims.tenantId,
  userId: claims.userId,
  tokenId: claims.tokenId,
  roles: token === 'admin' ? ['administrator'] : ['clinician'],
  mailboxes: [],
  breakGlass: null,
  token: { kind: 'session', scopes: null, verifiedAt: null },
})
const credentials = { tenant: 'clinic', login: 'clinician', password: 'six brown mugs', code: '123456' }
const plain = 'Bearer realm="auricle"'
const invalid = `${plain}, error="invalid_token", error_description="the token does not hold"`

const Body = z.record(z.string(), z.unknown())

async function listen() {
  const identity = createHttpIdentity({
    signIn: async (given, request) => {
      if (given.login === 'outage') throw new Error('the database is away')
      // The earlier of two requests at once ends later.
      await setTimeout(given.login === 'slow' ? 60 : 0)
      if (given.password !== credentials.password) return null
      return { login: given.login, agent: request.headers['user-agent'] }
    },
    verifyToken: async token => {
      if (token.startsWith('bad')) throw new IdentityError('bad_token', 'The token does not hold')
      if (token === 'outage') throw new Error('no keys')
      await setTimeout(token.startsWith('slow') ? 60 : 0)
      return { ...claims, tokenId: claims.tokenId, secretHash: new Uint8Array(token.length) }
    },
    findActor: async (_, request) => {
      const token = (request.headers.authorization ?? '').slice('Bearer '.length)
      return token === 'revoked' ? null : { ...actorOfToken(token), mailboxIds: [] }
    },
  })
  const app = express()
  app.post('/sessions', express.json({ limit: '8kb' }), identity.signIn, (request, response) => {
    response.json({ ...identity.resultOf(request), user: request.user ?? null })
  })
  app.get('/claims', identity.requireToken, (request, response) => {
    response.json({ length: identity.claimsOf(request).secretHash?.length, user: request.user ?? null })
  })
  app.get('/me', identity.requireActor, (request, response) => {
    response.json({ roles: identity.actorOf(request).roles })
  })
  app.get('/open', (request, response) => {
    response.json({ roles: identity.actorOf(request).roles })
  })
  const answer: ErrorRequestHandler = (error, _request, response, _next) => {
    const known = error instanceof IdentityError
    response.status(known ? (error.code === 'malformed' ? 400 : 401) : 500)
    response.json({ code: known ? error.code : 'internal' })
  }
  app.use(answer)
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return { server, port: address.port, url: `http://127.0.0.1:${address.port}` }
}

const { server, port, url } = await listen()
test.after(() => server.close())

async function ask(path: string, authorization?: string) {
  const headers = authorization === undefined ? {} : { authorization }
  const response = await fetch(`${url}${path}`, { headers })
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    body: Body.parse(await response.json()),
  }
}

async function post(body: unknown, type = 'application/json') {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(`${url}/sessions`, {
    method: 'POST',
    headers: { 'content-type': type, 'user-agent': 'test' },
    body: text,
  })
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    cookie: response.headers.get('set-cookie'),
    body: Body.parse(await response.json()),
  }
}

test('sign-in hands its result to the route, and sets no cookie and no user', async () => {
  assert.deepEqual(await post(credentials), {
    status: 200,
    challenge: null,
    cookie: null,
    body: { login: 'clinician', agent: 'test', user: null },
  })
})

test('wrong credentials', async () => {
  const { status, challenge, body } = await post({ ...credentials, password: 'wrong' })
  assert.deepEqual(
    { status, challenge, body },
    { status: 401, challenge: plain, body: { code: 'bad_credentials' } },
  )
})

test('an outage is no refusal', async () => {
  assert.equal((await post({ ...credentials, login: 'outage' })).status, 500)
  assert.equal((await ask('/me', 'Bearer outage')).status, 500)
})

for (const [name, body] of Object.entries({
  'no tenant': { ...credentials, tenant: undefined },
  'no code': { ...credentials, code: undefined },
  'a code of five digits': { ...credentials, code: '12345' },
  'a code as number': { ...credentials, code: 123456 },
  'a password as list': { ...credentials, password: ['six brown mugs'] },
  'a query object for a login': { ...credentials, login: { $ne: '' } },
  'an unknown field': { ...credentials, remember: true },
  'a password too long': { ...credentials, password: 'x'.repeat(1025) },
  'a list': [credentials],
  null: 'null',
})) {
  test(`malformed sign-in: ${name}`, async () => {
    const { status, body: answer } = await post(body)
    // Express's own parser refuses what is no object or list.
    assert.ok(status === 400 || (name === 'null' && status === 500))
    assert.ok(name === 'null' || answer['code'] === 'malformed')
  })
}

test('a form is not JSON', async () => {
  const { status, body } = await post(
    new URLSearchParams(credentials).toString(),
    'application/x-www-form-urlencoded',
  )
  assert.deepEqual({ status, body }, { status: 400, body: { code: 'malformed' } })
})

test('a token opens both guards; the scheme is read in any case', async () => {
  assert.deepEqual(await ask('/me', 'Bearer admin'), {
    status: 200,
    challenge: null,
    body: { roles: ['administrator'] },
  })
  assert.equal((await ask('/me', 'bearer someone')).status, 200)
  assert.deepEqual((await ask('/claims', 'Bearer four')).body, { length: 4, user: null })
})

for (const [name, path, header] of [
  ['nothing', '/me', undefined],
  ['nothing, claims', '/claims', undefined],
  ['Basic', '/me', 'Basic dXNlcjpwYXNz'],
  ['no scheme', '/me', 'token'],
  ['no token', '/me', 'Bearer'],
  ['no token but a space', '/me', 'Bearer '],
  ['two tokens', '/me', 'Bearer a b'],
  ['a comma list', '/me', 'Bearer a, Bearer b'],
  ['quotes', '/me', 'Bearer "a"'],
  ['a control character', '/me', 'Bearer a\tb'],
  ['in the query', '/me?access_token=admin', undefined],
] as const) {
  test(`no usable token: ${name}`, async () => {
    assert.deepEqual(await ask(path, header), {
      status: 401,
      challenge: plain,
      body: { code: 'unauthenticated' },
    })
  })
}

for (const [name, path, header] of [
  ['does not hold', '/claims', 'Bearer bad'],
  ['does not hold, actor', '/me', 'Bearer bad'],
  ['revoked', '/me', 'Bearer revoked'],
] as const) {
  test(`invalid token: ${name}`, async () => {
    assert.deepEqual(await ask(path, header), {
      status: 401,
      challenge: invalid,
      body: { code: 'unauthenticated' },
    })
  })
}

test('two Authorization headers are refused, whichever is good', async () => {
  const socket = connect(port, '127.0.0.1')
  socket.end(
    'GET /me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer admin\r\nAuthorization: Bearer other\r\nConnection: close\r\n\r\n',
  )
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  assert.match(text, /^HTTP\/1\.1 401 /)
  assert.match(text, /WWW-Authenticate: Bearer realm="auricle", error="invalid_request"/)
})

test('requests at once each get their own person', async () => {
  const tokens = ['slow1', 'a', 'slow-longer', 'bb', 'bad', 'slow-longest-of-all', 'ccc']
  const answers = await Promise.all(tokens.map(token => ask('/claims', `Bearer ${token}`)))
  for (const [index, token] of tokens.entries()) {
    const answer = answers[index]
    if (token === 'bad') assert.equal(answer?.status, 401)
    else assert.deepEqual(answer?.body, { length: token.length, user: null })
  }
  const logins = ['slow', 'one', 'two']
  const results = await Promise.all(logins.map(login => post({ ...credentials, login })))
  assert.deepEqual(
    results.map(result => result.body['login']),
    logins,
  )
})

test('a route without its guard cannot read a person', async () => {
  assert.deepEqual(await ask('/open', 'Bearer admin'), {
    status: 500,
    challenge: null,
    body: { code: 'internal' },
  })
})
