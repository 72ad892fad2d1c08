// Who gets in and what they get: every operation of the OpenAPI document, as everybody who may ask for it.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { newRecordingId, Problem, problems, type RecordingId } from '@auricle/contract'
import { totpCode } from '@auricle/identity'
import { createPostgresLimits } from '@auricle/limits'
import { z } from 'zod'
import { archiveAudio } from '../../../test/archived.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { openRaw, requestHead } from '../../../test/raw-http.ts'
import {
  type Clinic,
  makeClinic,
  openTestVault,
  type Person,
  sample,
  type TestVault,
} from '../../../test/vault.ts'
import { type Route, routes, schemas } from './routes-table.ts'

let vault: TestVault
let clinic: Clinic
let other: Clinic
let front: Front
let recording: RecordingId

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  other = await makeClinic(vault)
  recording = await archiveAudio(vault, clinic, await sample('voicemail-short.wav'), { sourceId: 'one' })
  front = await openFront(vault)
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

type Headers = Readonly<Record<string, string>>
const Operation = z.looseObject({ operationId: z.string(), security: z.array(z.unknown()) })
const Document = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), Operation)) })

interface Call {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly isPublic: boolean
}

/** Every operation that the served document describes. */
async function documented(): Promise<readonly Call[]> {
  const { paths } = Document.parse(await (await fetch(`${front.url}/v1/openapi.json`)).json())
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { operationId, security }]) => ({
      id: operationId,
      method: method.toUpperCase(),
      path,
      isPublic: security.length === 0,
    })),
  )
}

const bodies: Readonly<Record<string, unknown>> = {
  markRecording: { heard: true },
}

function call({ id, method, path }: Call, token: string | null, headers: Headers = {}, of = recording) {
  const body = bodies[id] === undefined ? {} : { body: JSON.stringify(bodies[id]) }
  return fetch(front.url + path.replace('{id}', of), {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(bodies[id] === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...body,
  })
}

function schemaOf(name: string): z.ZodType {
  const schema = new Map<string, z.ZodType>(Object.entries(schemas)).get(name)
  assert.ok(schema, name)
  return schema
}

async function assertProblem(response: Response, name: keyof typeof problems, isHead = false): Promise<void> {
  const text = await response.text()
  assert.equal(response.status, problems[name].status, `${response.url} ${text}`)
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
  if (isHead) return
  const problem = Problem.parse(JSON.parse(text))
  assert.equal(problem.type, problems[name].type)
  assert.equal(problem.instance, response.headers.get('x-request-id'))
}

const guarded = async () => (await documented()).filter(({ isPublic }) => !isPublic)
const ofRecordings = async () =>
  // A certificate outlives its recording, and is read by the right to read dispositions.
  (await guarded()).filter(
    ({ id, path }) => path.startsWith('/v1/recordings/{id}') && id !== 'showCertificate',
  )

/** What wants a provider at the other end is in providers.test.ts and its neighbours. */
const isOfProviders = ({ path }: Call) =>
  /^\/v1\/(?:sign-in|identity-providers|token-issuers)|\{provider\}/.test(path)

test('without a token, or with one that is none, every door is shut and says which key it wants', async () => {
  const calls = await guarded()
  assert.ok(calls.length >= 8)
  const { token: valid } = await front.sessionOf(clinic.clinician)
  const opaque = await front.tokenOf(clinic.clinician)
  const [head = '', payload = '', signature = ''] = valid.split('.')
  const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')
  const signed = [`${none}.${payload}.`, `${head}.${payload}.${signature.slice(0, -3)}AAA`]
  const forged = [null, 'nonsense', ...signed, `${opaque.slice(0, -1)}u`, opaque.slice(0, -1)]
  for (const one of calls) {
    for (const token of forged) {
      const response = await call(one, token)
      assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer realm="auricle"/, one.path)
      await assertProblem(response, 'unauthenticated', one.method === 'HEAD')
    }
    const inQuery = await fetch(`${front.url}${one.path.replace('{id}', recording)}?access_token=${valid}`, {
      method: one.method,
    })
    assert.equal(inQuery.status, 401)
    await inQuery.arrayBuffer()
  }
})

test('whoever owns nothing sees nothing and hears nothing, and each attempt is logged', async () => {
  const before = (await auditEvents(vault, clinic.tenant.id)).length
  const calls = await ofRecordings()
  for (const person of [clinic.stranger, clinic.administrator]) {
    const token = await front.tokenOf(person)
    for (const one of calls) await assertProblem(await call(one, token), 'denied', one.method === 'HEAD')
  }
  const events = (await auditEvents(vault, clinic.tenant.id)).slice(before)
  const denied = events.filter(({ outcome, object }) => outcome === 'denied' && object?.id === recording)
  assert.equal(denied.length, 2 * calls.length)

  const list = await fetch(`${front.url}/v1/recordings`, {
    headers: { authorization: `Bearer ${await front.tokenOf(clinic.stranger)}` },
  })
  assert.deepEqual(await list.json(), { recordings: [], nextCursor: null })
})

test("another tenant's recordings are not there, and neither are those that never were", async () => {
  const token = await front.tokenOf(other.clinician)
  for (const one of await ofRecordings()) {
    const foreign = await call(one, token)
    const absent = await call(one, token, {}, newRecordingId())
    const texts = await Promise.all([foreign, absent].map(response => response.clone().text()))
    await assertProblem(foreign, 'notFound', one.method === 'HEAD')
    await assertProblem(absent, 'notFound', one.method === 'HEAD')
    const [first = '', second = ''] = texts.map(text => text.replace(/"instance":"[^"]+"/, ''))
    assert.equal(first, second)
  }
})

test('the owner gets what the document promises', async () => {
  const { token } = await front.sessionOf(clinic.clinician)
  const byId = new Map<string, Route>(routes.map(route => [route.operationId, route]))
  const calls = await guarded()
  // The others end the session, or want what only its person has: the tests of their themes.
  const own = [
    'getMe',
    'listMailboxes',
    'listRecordings',
    'listOwnSessions',
    'listBreakGlass',
    'showOwnFactors',
    'listOwnTokens',
  ]
  for (const one of [...(await ofRecordings()), ...calls.filter(({ id }) => own.includes(id))]) {
    const response = await call(one, token)
    const answer = byId.get(one.id.replace(/Head$/, ''))?.answers[0]
    assert.equal(response.status, answer?.status, one.id)
    assert.match(response.headers.get('cache-control') ?? '', /no-store/)
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
    assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/)
    assert.equal(response.headers.get('x-powered-by'), null)
    assert.match(response.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
    if (one.method !== 'HEAD' && answer?.body?.type === 'json') {
      schemaOf(answer.body.schema).parse(await response.json())
    } else await response.arrayBuffer()
  }
})

test('public operations answer as described', async () => {
  for (const one of await documented()) {
    if (!one.isPublic || one.method !== 'GET' || isOfProviders(one)) continue
    assert.equal((await call(one, null)).status, 200, one.id)
  }
})

test('a token that was revoked holds nowhere any more, also in the middle of a playback', async () => {
  const token = await front.tokenOf(clinic.clinician)
  const calls = await guarded()
  const play = calls.find(({ id }) => id === 'playRecording')
  const signOut = calls.find(({ id }) => id === 'signOut')
  assert.ok(play !== undefined && signOut !== undefined)
  assert.equal((await (await call(play, token, { range: 'bytes=0-9' })).arrayBuffer()).byteLength, 10)
  const ended = await call(signOut, token)
  assert.equal(ended.status, 204)
  assert.equal(await ended.text(), '')
  await assertProblem(await call(play, token, { range: 'bytes=10-19' }), 'unauthenticated')
  for (const one of calls)
    await assertProblem(await call(one, token), 'unauthenticated', one.method === 'HEAD')
})

test('whoever is disabled is out at once', async () => {
  const disabled = await makeClinic(vault)
  const token = await front.tokenOf(disabled.clinician)
  const me = () => fetch(`${front.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal((await me()).status, 200)
  const { id } = disabled.clinician.row
  await vault.database.superuserPool.query('update auricle.app_user set disabled_at = now() where id = $1', [
    id,
  ])
  await assertProblem(await me(), 'unauthenticated')
  await assertProblem(await signIn(credentialsOf(disabled, disabled.clinician)), 'badCredentials')
})

// --- signing in ---

const stepMs = 30_000

function credentialsOf({ tenant }: Clinic, { row, password, totpSecret }: Person, at = new Date()) {
  return { tenant: tenant.slug, login: row.login, password, code: totpCode(totpSecret, at) }
}

const signIn = (credentials: unknown) =>
  fetch(`${front.url}/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(credentials),
  })

test('right credentials open a session, and a code opens one only', async () => {
  const credentials = credentialsOf(clinic, clinic.clinician)
  const first = await signIn(credentials)
  assert.equal(first.status, 201)
  const { token, user } = schemas.Session.parse(await first.json())
  assert.equal(user.id, clinic.clinician.row.id)
  const me = await fetch(`${front.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal(schemas.Me.parse(await me.json()).user, user.id)
  await assertProblem(await signIn(credentials), 'badCredentials')
})

test('whatever of the credentials is wrong, the answer is the same', async () => {
  const right = credentialsOf(clinic, clinic.stranger)
  const wrong = [
    { ...right, password: 'not the password' },
    { ...right, code: totpCode(clinic.stranger.totpSecret, new Date(Date.now() - 10 * stepMs)) },
    { ...right, login: 'nobody' },
    { ...right, tenant: 'no-such-clinic' },
    { ...right, tenant: other.tenant.slug, code: '000000' },
  ]
  const answers = new Set<string>()
  for (const credentials of wrong) {
    const response = await signIn(credentials)
    const headers = [...response.headers].filter(([name]) => !['date', 'x-request-id'].includes(name))
    const { instance: _, ...problem } = Problem.parse(await response.json())
    answers.add(JSON.stringify([response.status, headers, problem]))
  }
  assert.equal(answers.size, 1)
  assert.match([...answers].join(), /^\[401,/)
})

test('the fifth failure locks an account, also against the right credentials', async () => {
  const locked = await makeClinic(vault)
  const right = credentialsOf(locked, locked.clinician)
  const wrong = { ...right, password: 'not the password' }
  const { row } = locked.clinician
  // Some that failed before: checking a password takes long on purpose.
  const failed = 'update auricle.app_user set failed_attempts = 4 where id = $1'
  await vault.database.superuserPool.query(failed, [row.id])
  await assertProblem(await signIn(wrong), 'badCredentials')
  for (const credentials of [wrong, right]) {
    const response = await signIn(credentials)
    assert.match(response.headers.get('retry-after') ?? '', /^(?:[1-9]|[12]\d|30)$/)
    await assertProblem(response, 'tooManyAttempts')
  }
  const refused = (await auditEvents(vault, locked.tenant.id)).filter(
    ({ action }) => action === 'session.refused',
  )
  assert.deepEqual(
    refused.map(({ reasons }) => reasons.join()),
    ['bad_credentials', 'locked', 'locked'],
  )
})

test('one account, and one place, may try only so often, and others do not notice', async () => {
  const at = 1_800_000_000_000
  const onError = (error: Error) => assert.fail(error)
  await using limits = createPostgresLimits({ connection: vault.database.app, now: () => at, onError })
  await using frozen = await openFront(vault, { limits })
  const crowded = await makeClinic(vault)
  const attempt = (person: Person, from: string) =>
    fetch(`${frozen.url}/v1/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
      body: JSON.stringify(credentialsOf(crowded, person)),
    })
  const drain = async (key: string, burst: number, everyMs: number) => {
    while ((await limits.take(key, { burst, everyMs })).allowed);
  }
  const { slug } = crowded.tenant
  await drain(`api:sign-in:account:${JSON.stringify([slug, 'clinician'])}`, 30, 10_000)
  const refused = await attempt(crowded.clinician, '203.0.113.1')
  assert.equal(refused.headers.get('retry-after'), '10')
  await assertProblem(refused, 'tooManyAttempts')
  assert.equal((await attempt(crowded.stranger, '203.0.113.1')).status, 201)

  await drain('api:sign-in:address:203.0.113.1', 600, 200)
  await assertProblem(await attempt(crowded.administrator, '203.0.113.1'), 'tooManyAttempts')
  assert.equal((await attempt(crowded.administrator, '203.0.113.2')).status, 201)
})

test('what is no sign-in is refused before anybody is asked for', async () => {
  const right = credentialsOf(clinic, clinic.stranger)
  const bodies = [
    {},
    [],
    null,
    'text',
    { ...right, code: 123456 },
    { ...right, code: '12345' },
    { ...right, extra: 1 },
    { ...right, login: { $ne: '' } },
    { ...right, password: 'x'.repeat(1025) },
  ]
  for (const body of bodies) await assertProblem(await signIn(body), 'malformed')
  const send = (body: string, headers: Headers) =>
    fetch(`${front.url}/v1/sessions`, { method: 'POST', headers, body })
  const json = { 'content-type': 'application/json' }
  await assertProblem(await send('{"tenant":', json), 'malformed')
  await assertProblem(await send(JSON.stringify(right), { 'content-type': 'text/plain' }), 'malformed')
  await assertProblem(
    await send(JSON.stringify(right), { 'content-type': 'application/json; charset=x' }),
    'malformed',
  )
  await assertProblem(await send(JSON.stringify(right), { ...json, 'content-encoding': 'x' }), 'malformed')
  await assertProblem(await send(JSON.stringify({ ...right, padding: 'x'.repeat(20_000) }), json), 'tooLarge')
  const polluting = `{"__proto__":{"code":"123456","tenant":"x","login":"x","password":"x"},"constructor":{"prototype":{"polluted":1}}}`
  await assertProblem(await send(polluting, json), 'malformed')
  assert.equal(Reflect.get({}, 'polluted'), undefined)
})

test('neither answers nor the log repeat a credential', async () => {
  const from = front.log.lines.length
  const markers = ['password-marker', 'login-marker', 'tenant-marker', '987654']
  const credentials = {
    tenant: 'tenant-marker',
    login: 'login-marker',
    password: 'password-marker',
    code: '987654',
  }
  const texts = [
    await (await signIn(credentials)).text(),
    await (await signIn({ ...credentials, extra: 'password-marker' })).text(),
    await (await fetch(`${front.url}/v1/recordings/login-marker?number=987654`)).text(),
    await (await fetch(`${front.url}/login-marker/%zzpassword-marker`)).text(),
    await (
      await fetch(`${front.url}/v1/me`, { headers: { authorization: 'Bearer password-marker' } })
    ).text(),
  ]
  const log = front.log.lines.slice(from).join('')
  for (const text of [...texts, log]) {
    for (const marker of markers) assert.ok(!text.includes(marker), `${marker} in ${text}`)
  }
})

// --- requests that nobody sends by accident ---

test('unknown paths, methods and parameters', async () => {
  const token = await front.tokenOf(clinic.clinician)
  const headers = { authorization: `Bearer ${token}` }
  const ask = (path: string, method = 'GET') => fetch(front.url + path, { method, headers })
  for (const path of [
    '/',
    '/v1',
    '/v1/me/',
    '/V1/me',
    '/v1/recordings/x/y',
    `/v1/recordings/${recording}/`,
  ]) {
    await assertProblem(await ask(path), 'notFound')
  }
  for (const path of [
    '/v1/recordings/%zz',
    '/v1/recordings/rec_x',
    '/v1/recordings/..%2fme',
    '/v1/recordings/%00',
  ]) {
    await assertProblem(await ask(path), 'malformed')
  }
  const query = [
    'unknown=1',
    'limit=0',
    'limit=201',
    'limit=x',
    'kind=letter',
    'heard=perhaps',
    'after=yesterday',
  ]
  for (const one of [
    ...query,
    'cursor=nonsense',
    'kind=voicemail&kind=voicemail',
    '__proto__=1',
    'mailbox=2001',
  ]) {
    await assertProblem(await ask(`/v1/recordings?${one}`), 'malformed')
  }
  for (const one of ['role=peaks', 'role=', 'role=original&role=playback', 'download=2', 'x=y']) {
    await assertProblem(await ask(`/v1/recordings/${recording}/audio?${one}`), 'malformed')
  }
  const post = await ask('/v1/recordings', 'POST')
  assert.equal(post.headers.get('allow'), 'GET, HEAD')
  await assertProblem(post, 'methodNotAllowed')
  const put = await ask(`/v1/recordings/${recording}`, 'PUT')
  assert.equal(put.headers.get('allow'), 'GET, HEAD, PATCH')
  await assertProblem(put, 'methodNotAllowed')
})

test('a mailbox of somebody else is refused, and so is one of another tenant', async () => {
  const token = await front.tokenOf(clinic.clinician)
  const list = (mailbox: string) =>
    fetch(`${front.url}/v1/recordings?mailbox=${mailbox}`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal((await list(clinic.mailbox.id)).status, 200)
  await assertProblem(await list(other.mailbox.id), 'denied')
})

test('marking is strict about its body', async () => {
  const token = await front.tokenOf(clinic.clinician)
  const mark = (body: string) =>
    fetch(`${front.url}/v1/recordings/${recording}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body,
    })
  for (const body of [
    '',
    '{}',
    '{"heard":"yes"}',
    '{"heard":true,"note":"x"}',
    '[true]',
    '{"heard":true}x',
  ]) {
    await assertProblem(await mark(body), 'malformed')
  }
  const heard = schemas.RecordingView.parse(await (await mark('{"heard":true}')).json())
  assert.equal(heard.heardBy, clinic.clinician.row.id)
  const unheard = schemas.RecordingView.parse(await (await mark('{"heard":false}')).json())
  assert.equal(unheard.heardAt, null)
})

test('whatever a client says of itself, its access is logged and answered', async () => {
  const token = await front.tokenOf(clinic.clinician)
  const agents: readonly Headers[] = [
    { 'user-agent': '' },
    { 'user-agent': 'x'.repeat(5_000) },
    { 'user-agent': '\u00ff\u00fe "quoted" <b>' },
    { 'x-forwarded-for': 'nonsense' },
    { 'x-forwarded-for': '1.2.3.4, ::1, x' },
    { 'x-forwarded-for': 'y'.repeat(5_000) },
    { 'x-forwarded-for': '+15550100' },
  ]
  for (const headers of agents) {
    const response = await fetch(`${front.url}/v1/recordings`, {
      headers: { authorization: `Bearer ${token}`, ...headers },
    })
    assert.equal(response.status, 200, JSON.stringify(headers).slice(0, 80))
    await response.arrayBuffer()
  }
})

test('oversized headers, two tokens and a refused body on one connection', async () => {
  const token = await front.tokenOf(clinic.clinician)
  using large = await openRaw(front.port)
  await large.send(requestHead('GET', '/v1/me', { Authorization: `Bearer ${'x'.repeat(20_000)}` }))
  assert.equal((await large.answer()).status, 431)

  using twice = await openRaw(front.port)
  const head = requestHead('GET', '/v1/me', { Authorization: `Bearer ${token}` })
  await twice.send(head.replace('\r\n\r\n', `\r\nAuthorization: Bearer ${token}\r\n\r\n`))
  assert.equal((await twice.answer()).status, 401)
  await twice.send(head)
  assert.equal((await twice.answer()).status, 200)

  using refused = await openRaw(front.port)
  const body = Buffer.alloc(100_000, 32)
  const json = { 'Content-Type': 'application/json', 'Content-Length': String(body.length) }
  await refused.send(requestHead('POST', '/v1/sessions', json), body)
  assert.equal((await refused.answer()).status, 413)
  await refused.send(head)
  assert.equal((await refused.answer()).status, 200)
})

test('lists page through everything once, newest first, with every filter', async () => {
  const paged = await makeClinic(vault)
  const ogg = await sample('voicemail.ogg')
  const days = [3, 1, 2, 5, 4]
  for (const day of days) {
    await archiveAudio(
      vault,
      paged,
      ogg,
      {
        sourceId: randomUUID(),
        kind: day % 2 === 0 ? 'recording' : 'voicemail',
        from: `+1555010${day}`,
        startedAt: `2026-01-0${day}T00:00:00.000Z`,
      },
      { audio: null },
    )
  }
  const token = await front.tokenOf(paged.clinician)
  const list = async (query: string) => {
    const response = await fetch(`${front.url}/v1/recordings?${query}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    return schemas.RecordingPage.parse(await response.json())
  }
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const page: z.infer<typeof schemas.RecordingPage> = await list(
      `limit=2${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    )
    seen.push(...page.recordings.map(({ startedAt }) => startedAt.slice(9, 10)))
    cursor = page.nextCursor
  } while (cursor !== null)
  assert.deepEqual(seen, ['5', '4', '3', '2', '1'])
  const daysOf = async (query: string) =>
    (await list(query)).recordings.map(({ startedAt }) => Number(startedAt.slice(9, 10)))
  assert.deepEqual(await daysOf('kind=recording'), [4, 2])
  assert.deepEqual(await daysOf('after=2026-01-02T00:00:00Z&before=2026-01-04T00:00:00Z'), [3, 2])
  assert.deepEqual(await daysOf('number=%2B1%20(555)%20010-3'), [3])
  assert.deepEqual(await daysOf('heard=true'), [])
})

test('a request under way when the service stops is answered', async () => {
  const stopping = await openFront(vault)
  const token = await stopping.tokenOf(clinic.clinician)
  using running = await openRaw(stopping.port)
  const body = JSON.stringify({ heard: true })
  const headers = {
    Authorization: `Bearer ${token}`,
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
  }
  await running.send(requestHead('PATCH', `/v1/recordings/${recording}`, headers), body.slice(0, 4))
  await fetch(`${stopping.url}/healthz`, { headers: { connection: 'close' } })
  stopping.stop.abort(new DOMException('SIGTERM', 'AbortError'))
  const disposed = stopping[Symbol.asyncDispose]()
  await running.send(body.slice(4))
  assert.equal((await running.answer()).status, 200)
  await disposed
})

test('nothing of all this was a failure of ours', () => {
  assert.doesNotMatch(front.log.text(), /"level":"error"/)
})
