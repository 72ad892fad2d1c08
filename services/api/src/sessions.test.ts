// Sessions over HTTP: as a cookie, listed and ended, ended by idleness, and a second factor shown again.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { OwnSessionList, problems, Verification } from '@auricle/contract'
import { totpCode } from '@auricle/identity'
import { archiveAudio } from '../../../test/archived.ts'
import { auditEvents, privatePartOf } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import {
  type Clinic,
  makeClinic,
  openTestVault,
  type Person,
  sample,
  type TestVault,
} from '../../../test/vault.ts'
import { schemas } from './routes-table.ts'

const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs

let vault: TestVault
let clinic: Clinic
let front: Front
/** Of the service; moved by hand. */
let clock: Date
const pass = (ms: number) => {
  clock = new Date(clock.getTime() + ms)
}

before(async () => {
  vault = await openTestVault()
  clock = new Date()
  front = await openFront(vault, { now: () => clock, publicUrl: 'https://vault.example' })
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})
beforeEach(async () => {
  clinic = await makeClinic(vault)
  clock = new Date()
})

type Headers = Readonly<Record<string, string>>
const ours = { 'sec-fetch-site': 'same-origin' }
const json = { 'content-type': 'application/json' }

const call = (method: string, path: string, headers: Headers, body?: unknown) =>
  fetch(front.url + path, {
    method,
    headers: { ...(body === undefined ? {} : json), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

const codeOf = ({ totpSecret }: Person) => totpCode(totpSecret, clock)

async function signIn(
  person: Person,
  change: Readonly<Record<string, unknown>> = {},
  headers: Headers = ours,
) {
  const { row, password } = person
  const { slug: tenant } = clinic.tenant
  return call('POST', '/v1/sessions', headers, {
    tenant,
    login: row.login,
    password,
    code: codeOf(person),
    ...change,
  })
}

/** The `Cookie` header that a browser would send after the answer. */
function cookieOf(response: Response): Headers {
  const [set = ''] = response.headers.getSetCookie()
  return { cookie: set.split(';')[0] ?? '' }
}

const statusOf = async (headers: Headers) => (await call('GET', '/v1/me', headers)).status

async function listOf(headers: Headers) {
  const response = await call('GET', '/v1/me/sessions', headers)
  assert.equal(response.status, 200)
  return OwnSessionList.parse(await response.json()).sessions
}

const eventsOf = async (action: string) =>
  (await auditEvents(vault, clinic.tenant.id)).filter(event => event.action === action)

// --- the cookie ---

test('a browser gets a cookie that no script reads, and no token beside it', async () => {
  const response = await signIn(clinic.clinician, { cookie: true })
  assert.equal(response.status, 201)
  assert.match(response.headers.get('cache-control') ?? '', /no-store/)
  const body: unknown = await response.json()
  const { user } = schemas.CookieSession.parse(body)
  assert.equal(user.id, clinic.clinician.row.id)
  const [set, ...more] = response.headers.getSetCookie()
  assert.equal(more.length, 0)
  const [pair = '', ...attributes] = (set ?? '').split('; ')
  assert.match(pair, /^__Host-auricle=[\w-]+\.[\w-]+\.[\w-]+$/)
  assert.deepEqual(attributes.sort(), ['HttpOnly', 'Max-Age=43200', 'Path=/', 'SameSite=Lax', 'Secure'])
  assert.ok(!JSON.stringify(body).includes(pair.slice('__Host-auricle='.length)))
  assert.equal(await statusOf(cookieOf(response)), 200)
})

test('whoever asks for no cookie gets none', async () => {
  const response = await signIn(clinic.clinician, { cookie: false }, {})
  assert.deepEqual(response.headers.getSetCookie(), [])
  schemas.Session.parse(await response.json())
})

test('changing by cookie is for our own pages: by fetch metadata, or by the public origin where there is none', async () => {
  const own = cookieOf(await signIn(clinic.clinician, { cookie: true }))
  const verify = (headers: Headers) =>
    call('POST', '/v1/sessions/current/verification', { ...own, ...headers }, { code: '000000' })
  const asked = [
    ours,
    { origin: 'https://vault.example' },
    { 'content-type': 'application/json; charset=utf-8', ...ours },
  ]
  for (const headers of asked) assert.equal((await verify(headers)).status, problems.badCredentials.status)
  for (const headers of [{}, { origin: front.url }, { origin: 'https://vault.example:8443' }]) {
    assert.equal((await verify(headers)).status, problems.denied.status)
  }
})

test('reading by cookie is for our own pages and the address bar', async () => {
  const own = cookieOf(await signIn(clinic.clinician, { cookie: true }))
  for (const headers of [{}, ours, { 'sec-fetch-site': 'none' }, { origin: 'https://vault.example' }]) {
    assert.equal(await statusOf({ ...own, ...headers }), 200)
  }
})

test('signing out takes the cookie away', async () => {
  const own = cookieOf(await signIn(clinic.clinician, { cookie: true }))
  const response = await call('DELETE', '/v1/sessions/current', { ...own, ...ours })
  assert.equal(response.status, 204)
  assert.deepEqual(response.headers.getSetCookie(), [
    '__Host-auricle=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0',
  ])
  assert.equal(await statusOf(own), 401)
  const [event] = await eventsOf('session.ended')
  assert.deepEqual(event?.reasons, ['signed_out'])
})

// --- their ends ---

test('a session ends a second after its idle time, and each use puts that off', async () => {
  const own = cookieOf(await signIn(clinic.clinician, { cookie: true }))
  for (const ms of [14 * minuteMs, 14 * minuteMs, 15 * minuteMs - secondMs]) {
    pass(ms)
    assert.equal(await statusOf(own), 200)
  }
  pass(15 * minuteMs + secondMs)
  assert.equal(await statusOf(own), 401)
  const [event] = await eventsOf('token.refused')
  assert.deepEqual(event?.reasons, ['idle'])
})

test('however busy, a session ends a second after twelve hours', async () => {
  const own = cookieOf(await signIn(clinic.clinician, { cookie: true }))
  for (let passed = 0; passed < 12 * hourMs - 10 * minuteMs; passed += 10 * minuteMs) {
    pass(10 * minuteMs)
    assert.equal(await statusOf(own), 200)
  }
  pass(10 * minuteMs - 2 * secondMs)
  assert.equal(await statusOf(own), 200)
  pass(3 * secondMs)
  assert.equal(await statusOf(own), 401)
  const [event] = await eventsOf('token.refused')
  assert.deepEqual(event?.reasons, ['expired'])
})

test('a tenant may have shorter times', async () => {
  await vault.database.superuserPool.query(
    'update auricle.tenant set idle_ms = 60000, session_ms = 300000 where id = $1',
    [clinic.tenant.id],
  )
  const response = await signIn(clinic.clinician, { cookie: true })
  assert.match(response.headers.getSetCookie().join(), /Max-Age=300$/)
  const own = cookieOf(response)
  pass(minuteMs - secondMs)
  assert.equal(await statusOf(own), 200)
  pass(minuteMs + secondMs)
  assert.equal(await statusOf(own), 401)
})

// --- one's own ---

test('sessions are listed with where they were begun, newest first, to their person alone', async () => {
  const first = cookieOf(
    await signIn(clinic.clinician, { cookie: true }, { ...ours, 'user-agent': 'Browser One' }),
  )
  pass(minuteMs)
  await signIn(clinic.clinician, { cookie: true }, { ...ours, 'user-agent': 'Browser Two' })
  const program = await front.tokenOf(clinic.clinician)
  await signIn(clinic.stranger)
  const sessions = await listOf(first)
  assert.deepEqual(
    sessions
      .map(({ kind, origin, current, factors }) => [kind, origin?.userAgent ?? null, current, factors])
      .sort(),
    [
      ['personal', null, false, []],
      ['session', 'Browser One', true, ['pwd', 'otp']],
      ['session', 'Browser Two', false, ['pwd', 'otp']],
    ],
  )
  assert.equal(sessions.find(({ current }) => current)?.origin?.ip, '127.0.0.1')
  assert.deepEqual(
    sessions.map(({ createdAt }) => createdAt),
    sessions
      .map(({ createdAt }) => createdAt)
      .sort()
      .reverse(),
  )
  // A program sees them too, and itself among them.
  assert.equal(
    (await listOf({ authorization: `Bearer ${program}` })).find(({ current }) => current)?.kind,
    'personal',
  )
  const [listed] = await eventsOf('session.listed')
  assert.deepEqual([listed?.actor.id, listed?.reasons], [clinic.clinician.row.id, ['own']])
})

test('where a session was begun is sealed in its row', async () => {
  await signIn(clinic.clinician, {}, { ...ours, 'user-agent': 'marker-of-a-browser' })
  const { rows } = await vault.database.superuserPool.query(
    'select origin, t::text as text from auricle.token t where user_id = $1',
    [clinic.clinician.row.id],
  )
  assert.ok(rows.length === 1 && rows[0].origin instanceof Buffer)
  for (const marker of ['marker-of-a-browser', '127.0.0.1']) {
    assert.ok(!rows[0].origin.includes(marker) && !rows[0].text.includes(marker))
  }
})

test('one session is ended, for every process at once; what is not theirs is not there', async () => {
  const own = cookieOf(await signIn(clinic.clinician, { cookie: true }))
  const lost = await front.sessionOf(clinic.clinician)
  const foreign = await front.sessionOf(clinic.stranger)
  const end = (id: string) => call('DELETE', `/v1/me/sessions/${id}`, { ...own, ...ours })
  assert.equal((await end(lost.row.id)).status, 204)
  assert.equal(await statusOf({ authorization: `Bearer ${lost.token}` }), 401)
  for (const id of [lost.row.id, foreign.row.id]) assert.equal((await end(id)).status, 404)
  assert.equal((await end('tok_x')).status, 400)
  assert.equal(await statusOf({ authorization: `Bearer ${foreign.token}` }), 200)
  const ended = await eventsOf('session.ended')
  assert.deepEqual(
    ended.map(({ object, reasons }) => [object?.id, reasons.join()]),
    [[lost.row.id, 'ended_by_owner']],
  )
  const { rows } = await vault.database.superuserPool.query(
    'select end_reason from auricle.token where id = $1',
    [lost.row.id],
  )
  assert.deepEqual(rows, [{ end_reason: 'ended_by_owner' }])
})

test('signing out everywhere spares this session unless told otherwise, and programs always', async () => {
  const own = cookieOf(await signIn(clinic.clinician, { cookie: true }))
  const others = [await front.sessionOf(clinic.clinician), await front.sessionOf(clinic.clinician)]
  const program = await front.tokenOf(clinic.clinician)
  const everywhere = await call('DELETE', '/v1/me/sessions', { ...own, ...ours })
  assert.deepEqual([everywhere.status, everywhere.headers.getSetCookie()], [204, []])
  for (const { token } of others) assert.equal(await statusOf({ authorization: `Bearer ${token}` }), 401)
  assert.equal(await statusOf(own), 200)
  const here = await call('DELETE', '/v1/me/sessions?current=true', { ...own, ...ours })
  assert.match(here.headers.getSetCookie().join(), /^__Host-auricle=; .*Max-Age=0$/)
  assert.equal(await statusOf(own), 401)
  assert.equal(await statusOf({ authorization: `Bearer ${program}` }), 200)
  const ended = await eventsOf('session.ended')
  assert.deepEqual(
    ended.map(({ object, reasons }) => [object?.id, reasons.join()]),
    Array.from({ length: 2 }, () => [clinic.clinician.row.id, 'signed_out_everywhere']),
  )
  const wrong = await call('DELETE', '/v1/me/sessions?current=perhaps', {
    authorization: `Bearer ${program}`,
  })
  assert.equal(wrong.status, problems.denied.status)
})

// --- a second factor shown again ---

test('a code opens for five minutes what asks for a fresh factor, once', async () => {
  const recording = await archiveAudio(vault, clinic, await sample('voicemail-short.wav'), {
    sourceId: 'one',
  })
  const exported = (headers: Headers) =>
    call('HEAD', `/v1/recordings/${recording}/audio?download=true`, headers)
  const { token } = await front.sessionOf(clinic.clinician)
  const headers = { authorization: `Bearer ${token}` }
  assert.equal((await exported(headers)).status, 200)
  pass(5 * minuteMs)
  const stale = await exported(headers)
  assert.equal(stale.status, problems.stepUpRequired.status)
  assert.match(stale.headers.get('www-authenticate') ?? '', /insufficient_user_authentication/)

  const code = codeOf(clinic.clinician)
  const verify = (given: string) =>
    call('POST', '/v1/sessions/current/verification', headers, { code: given })
  const verified = await verify(code)
  assert.equal(verified.status, 200)
  const { verifiedAt, freshUntil } = Verification.parse(await verified.json())
  assert.equal(new Date(verifiedAt).getTime(), clock.getTime())
  assert.equal(new Date(freshUntil).getTime(), clock.getTime() + 5 * minuteMs)
  assert.equal((await exported(headers)).status, 200)
  assert.equal((await verify(code)).status, problems.badCredentials.status)
  pass(5 * minuteMs)
  assert.equal((await exported(headers)).status, problems.stepUpRequired.status)
  assert.deepEqual(
    (await eventsOf('session.verified')).map(({ outcome, reasons }) => `${outcome} ${reasons}`),
    ['allowed otp', 'denied bad_credentials'],
  )
})

test('a verification is the request that made it, with its address in the private part alone', async () => {
  const { token } = await front.sessionOf(clinic.clinician)
  const headers = { authorization: `Bearer ${token}`, 'user-agent': 'marker-of-a-browser' }
  await call('POST', '/v1/sessions/current/verification', headers, { code: codeOf(clinic.clinician) })
  const [event] = await eventsOf('session.verified')
  assert.ok(!JSON.stringify(event).includes('marker'))
  assert.ok(event)
  const part = await privatePartOf(vault, clinic.tenant.id, event.id)
  assert.deepEqual(part, { ip: '127.0.0.1', userAgent: 'marker-of-a-browser' })
})

test('wrong codes lock the account here as at sign-in, and a program shows no factors', async () => {
  const { token } = await front.sessionOf(clinic.clinician)
  const headers = { authorization: `Bearer ${token}` }
  const right = codeOf(clinic.clinician)
  const wrong = right === '000000' ? '000001' : '000000'
  const verify = (code: string, by: Headers = headers) =>
    call('POST', '/v1/sessions/current/verification', by, { code })
  for (let tries = 0; tries < 5; tries++)
    assert.equal((await verify(wrong)).status, problems.badCredentials.status)
  const locked = await verify(right)
  assert.equal(locked.status, problems.tooManyAttempts.status)
  assert.equal(locked.headers.get('retry-after'), '30')
  assert.equal((await signIn(clinic.clinician)).status, problems.tooManyAttempts.status)
  pass(30 * secondMs)
  assert.equal((await verify(codeOf(clinic.clinician))).status, 200)
  const program = { authorization: `Bearer ${await front.tokenOf(clinic.clinician)}` }
  assert.equal((await verify(right, program)).status, problems.denied.status)
  assert.equal((await verify('12345')).status, problems.malformed.status)
})
