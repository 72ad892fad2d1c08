// Emergency access from the outside: the drill for the day the identity provider is down, the banner, and who may do what.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  AlertPage,
  BreakGlassDetail,
  BreakGlassPage,
  BreakGlassView,
  EmergencyCodeList,
  EmergencyCodes,
  EmergencyCookieSession,
  EmergencySession,
  Problem,
  type ProblemName,
  problems,
  RecordingPage,
  Session,
} from '@auricle/contract'
import { newEmergencyCode, totpCode } from '@auricle/identity'
import { createPostgresLimits } from '@auricle/limits'
import { sweepBreakGlass } from '@auricle/vault'
import fc from 'fast-check'
import { archiveAudio } from '../../../test/archived.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import {
  type Clinic,
  makeClinic,
  makePerson,
  openTestVault,
  type Person,
  sample,
  shortWav,
  type TestVault,
} from '../../../test/vault.ts'
import { Me } from './answers.ts'

const banner = 'x-auricle-break-glass'
const reason = 'Covering physician is not reachable, zebra-marker'

let vault: TestVault
let front: Front
/** How far the service's clock is ahead of ours. */
let aheadMs = 0
const now = () => new Date(Date.now() + aheadMs)

before(async () => {
  vault = await openTestVault()
  front = await openFront(vault, { now })
})
beforeEach(() => {
  aheadMs = 0
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

function call(method: string, path: string, token: string | null, body?: unknown): Promise<Response> {
  return fetch(front.url + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

async function refused(response: Response, name: ProblemName): Promise<string> {
  const problem = Problem.parse(await response.json())
  assert.equal(problem.type, problems[name].type, JSON.stringify(problem))
  return problem.detail ?? ''
}

async function given<Value>(
  response: Response,
  status: number,
  schema: { parse(value: unknown): Value },
): Promise<Value> {
  const text = await response.text()
  assert.equal(response.status, status, text)
  return schema.parse(JSON.parse(text))
}

/** A session by password. A code works once, so each of somebody's sign-ins has a time step of its own. */
async function sessionOf({ tenant }: Clinic, { row, password, totpSecret }: Person): Promise<string> {
  const code = totpCode(totpSecret, now())
  const credentials = { tenant: tenant.slug, login: row.login, password, code }
  return (await given(await call('POST', '/v1/sessions', null, credentials), 201, Session)).token
}

async function issueCode(clinic: Clinic, person: Person): Promise<string> {
  const officer = await sessionOf(clinic, clinic.complianceOfficer)
  const path = `/v1/people/${person.row.id}/emergency-codes`
  const { codes } = await given(
    await call('POST', path, officer, { count: 1, validDays: 90 }),
    201,
    EmergencyCodes,
  )
  return codes[0]?.code ?? ''
}

const emergencySignIn = (clinic: Clinic, person: Person, code: string, more: object = {}) =>
  call('POST', '/v1/sessions/emergency', null, {
    tenant: clinic.tenant.slug,
    login: person.row.login,
    code,
    totp: totpCode(person.totpSecret, now()),
    reason,
    ...more,
  })

test('the drill: no provider, a code from the envelope, one hears what is not theirs, and it ends and is judged', async () => {
  const clinic = await makeClinic(vault)
  const { tenant, stranger, complianceOfficer } = clinic
  const wav = await sample('voicemail-short.wav')
  const foreign = await archiveAudio(vault, clinic, wav, { sourceId: 'foreign' })
  const notes = await archiveAudio(vault, clinic, wav, { sourceId: 'notes' })
  const { superuserPool } = vault.database
  await superuserPool.query("update auricle.recording set labels = '{psychotherapy}' where id = $1", [notes])
  // How the clinic signs in on other days. Nothing listens there.
  await superuserPool.query(
    `insert into auricle.identity_provider (tenant_id, id, name, issuer, client_id, client_secret, settings, created_at)
     values ($1, 'idp_' || substr($1, 5), 'provider', 'http://127.0.0.1:9', 'auricle', '', '{}', now())`,
    [tenant.id],
  )
  const code = await issueCode(clinic, stranger)

  const signedIn = await emergencySignIn(clinic, stranger, code)
  const banners = [signedIn.headers.get(banner)]
  const session = await given(signedIn, 201, EmergencySession)
  const { id, until } = session.breakGlass
  assert.equal(session.expiresAt, until)
  const { token } = session
  const play = (recording: string, as = token) => call('GET', `/v1/recordings/${recording}/audio`, as)

  const listed = await call('GET', '/v1/recordings', token)
  banners.push(listed.headers.get(banner))
  const { recordings } = await given(listed, 200, RecordingPage)
  assert.deepEqual(
    recordings.map(recording => recording.id),
    [foreign],
  )
  const heard = await play(foreign)
  banners.push(heard.headers.get(banner))
  assert.equal(heard.status, 200)
  assert.ok((await heard.arrayBuffer()).byteLength > 0)
  const closed = await play(notes)
  banners.push(closed.headers.get(banner))
  assert.match(await refused(closed, 'denied'), /label_psychotherapy/)
  const download = await call('GET', `/v1/recordings/${foreign}/audio?download=true`, token)
  await refused(download, 'denied')
  const me = await call('GET', '/v1/me', token)
  banners.push(me.headers.get(banner))
  assert.deepEqual((await given(me, 200, Me)).breakGlass, { id, until })
  assert.deepEqual(new Set(banners), new Set([`${id}; until=${until}`]))

  const events = await auditEvents(vault, tenant.id)
  const actions = events.filter(({ actor }) => actor.id === stranger.row.id).map(({ action }) => action)
  assert.deepEqual(actions.slice().sort(), [
    'alert.raised',
    'alert.raised',
    'break_glass.started',
    'emergency_code.used',
    'recording.exported',
    'recording.listed',
    'recording.played',
    'recording.played',
    'session.opened',
  ])
  const officer = await sessionAtNextStep(clinic, complianceOfficer)
  const { alerts } = await given(await call('GET', '/v1/alerts?open=true', officer), 200, AlertPage)
  assert.deepEqual(alerts.map(({ kind }) => kind).sort(), ['break_glass_started', 'emergency_code_used'])
  const open = BreakGlassPage.parse(await (await call('GET', '/v1/break-glass?state=open', officer)).json())
  assert.deepEqual(
    open.breakGlass.map(one => [one.id, one.byEmergencyCode, one.user.id]),
    [[id, true, stranger.row.id]],
  )
  const verdict = { verdict: 'justified', note: 'The ward has confirmed it' }
  const review = (as: string) => call('POST', `/v1/break-glass/${id}/review`, as, verdict)
  await refused(await review(officer), 'conflict')
  await refused(await review(token), 'denied')

  aheadMs += Date.parse(until) - now().getTime() + 1_000
  await refused(await play(foreign), 'unauthenticated')
  const later = await sessionOf(clinic, stranger)
  const over = await play(foreign, later)
  assert.equal(over.headers.get(banner), null)
  assert.match(await refused(over, 'denied'), /not_owner/)

  const sweep = () => sweepBreakGlass({ catalog: vault.catalog, onAlert: () => undefined, now }, {})
  assert.deepEqual((await sweep()).ended + (await sweep()).ended, 1)
  const reviewer = await sessionOf(clinic, complianceOfficer)
  const due = BreakGlassPage.parse(
    await (await call('GET', '/v1/break-glass?state=unreviewed', reviewer)).json(),
  )
  assert.deepEqual(
    due.breakGlass.map(one => [one.id, one.endedAt]),
    [[id, until]],
  )
  const detail = await given(await call('GET', `/v1/break-glass/${id}`, reviewer), 200, BreakGlassDetail)
  assert.equal(detail.reason, reason)
  assert.deepEqual(
    detail.uses?.events.map(({ action, recording, allowed }) => [action, recording, allowed]),
    [
      ['recording.listed', null, true],
      ['recording.played', foreign, true],
      ['recording.played', notes, false],
    ],
  )
  await refused(await review(later), 'denied')
  const judged = await given(await review(reviewer), 201, BreakGlassView)
  assert.equal(judged.state, 'reviewed')
  assert.equal(judged.review?.by, complianceOfficer.row.id)
  await refused(await review(reviewer), 'conflict')
  const own = await given(await call('GET', `/v1/break-glass/${id}`, later), 200, BreakGlassDetail)
  assert.equal(own.uses, null)
  assert.equal(own.review?.note, verdict.note)

  const ofAccess = (await auditEvents(vault, tenant.id)).filter(
    ({ action, object }) => object?.id === id && action !== 'break_glass.listed',
  )
  assert.deepEqual(
    ofAccess.map(({ action, outcome, reasons }) => [action, outcome, reasons[0]]),
    [
      ['break_glass.started', 'allowed', 'emergency_code'],
      ['break_glass.reviewed', 'denied', 'no_role'],
      ['break_glass.ended', 'allowed', 'ran_out'],
      ['break_glass.reviewed', 'denied', 'no_role'],
      ['break_glass.reviewed', 'allowed', 'justified'],
    ],
  )
})

/** Of somebody who signed in within this time step already. */
async function sessionAtNextStep(clinic: Clinic, person: Person): Promise<string> {
  aheadMs += 30_000
  return sessionOf(clinic, person)
}

test('a session opens it, for those who may, the banner is there while it is open, and it is ended early', async () => {
  const clinic = await makeClinic(vault)
  const { stranger, supervisor, administrator, auditor, complianceOfficer } = clinic
  const token = await sessionOf(clinic, stranger)
  const start = (as: string) => call('POST', '/v1/break-glass', as, { reason })
  const started = await start(token)
  const shown = started.headers.get(banner)
  const view = await given(started, 201, BreakGlassView)
  assert.equal(shown, `${view.id}; until=${view.until}`)
  assert.equal(view.state, 'open')
  assert.equal(view.byEmergencyCode, false)
  assert.match(await refused(await start(token), 'conflict'), new RegExp(view.id))

  for (const person of [administrator, auditor, complianceOfficer])
    await refused(await start(await sessionOf(clinic, person)), 'denied')
  await refused(await start(await front.tokenOf(stranger)), 'denied')
  for (const short of ['', 'too short', ' '.repeat(20), 'x'.repeat(1001), 7, null])
    await refused(await call('POST', '/v1/break-glass', token, { reason: short }), 'malformed')

  const other = await sessionOf(clinic, supervisor)
  await refused(await call('DELETE', `/v1/break-glass/${view.id}`, other), 'denied')
  await refused(await call('GET', `/v1/break-glass/${view.id}`, other), 'denied')
  const mine = BreakGlassPage.parse(await (await call('GET', '/v1/break-glass', other)).json())
  assert.deepEqual(mine, { breakGlass: [], nextCursor: null })

  const ended = await call('DELETE', `/v1/break-glass/${view.id}`, token)
  assert.equal(ended.status, 204)
  assert.equal(ended.headers.get(banner), null)
  await refused(await call('DELETE', `/v1/break-glass/${view.id}`, token), 'conflict')
  const me = await call('GET', '/v1/me', token)
  assert.equal(me.headers.get(banner), null)
  assert.equal((await given(me, 200, Me)).breakGlass, null)
  const again = await given(await start(token), 201, BreakGlassView)
  assert.notEqual(again.id, view.id)
})

test('a second factor of some minutes ago opens nothing and judges nothing', async () => {
  const clinic = await makeClinic(vault)
  const [token, officer] = [
    await sessionOf(clinic, clinic.stranger),
    await sessionOf(clinic, clinic.complianceOfficer),
  ]
  const fresh = Me.parse(await (await call('GET', '/v1/me', token)).json())
  assert.equal(fresh.token.kind, 'session')
  assert.notEqual(fresh.token.verifiedFreshUntil, null)
  const view = await given(await call('POST', '/v1/break-glass', token, { reason }), 201, BreakGlassView)
  await call('DELETE', `/v1/break-glass/${view.id}`, token)
  aheadMs += 5 * 60_000
  const stale = Me.parse(await (await call('GET', '/v1/me', token)).json())
  assert.equal(stale.token.verifiedFreshUntil, null)
  for (const response of [
    await call('POST', '/v1/break-glass', token, { reason }),
    await call('POST', `/v1/break-glass/${view.id}/review`, officer, { verdict: 'justified', note: 'n' }),
    await call('POST', `/v1/people/${clinic.stranger.row.id}/emergency-codes`, officer, {}),
  ]) {
    assert.match(response.headers.get('www-authenticate') ?? '', /insufficient_user_authentication/)
    await refused(response, 'stepUpRequired')
  }
})

test('nobody judges their own, whatever their roles', async () => {
  const clinic = await makeClinic(vault)
  const both = await makePerson(vault, clinic.tenant, 'both', ['clinician', 'compliance_officer'])
  const token = await sessionOf(clinic, both)
  const { id } = await given(await call('POST', '/v1/break-glass', token, { reason }), 201, BreakGlassView)
  assert.equal((await call('DELETE', `/v1/break-glass/${id}`, token)).status, 204)
  const verdict = { verdict: 'justified', note: 'I was right' }
  assert.match(
    await refused(await call('POST', `/v1/break-glass/${id}/review`, token, verdict), 'denied'),
    /own_access/,
  )
  const own = await given(await call('GET', `/v1/break-glass/${id}`, token), 200, BreakGlassDetail)
  assert.equal(own.uses, null)
})

test("another tenant's emergency access, alerts, people and codes are not there", async () => {
  const [clinic, other] = [await makeClinic(vault), await makeClinic(vault)]
  const token = await sessionOf(clinic, clinic.stranger)
  const { id } = await given(await call('POST', '/v1/break-glass', token, { reason }), 201, BreakGlassView)
  const officer = await sessionOf(clinic, clinic.complianceOfficer)
  const { alerts } = await given(await call('GET', '/v1/alerts', officer), 200, AlertPage)
  const codesOf = `/v1/people/${clinic.stranger.row.id}/emergency-codes`
  const { codes } = await given(await call('POST', codesOf, officer, {}), 201, EmergencyCodes)
  for (const person of [other.complianceOfficer, other.stranger]) {
    const as = await sessionOf(other, person)
    for (const response of [
      await call('GET', `/v1/break-glass/${id}`, as),
      await call('DELETE', `/v1/break-glass/${id}`, as),
      await call('POST', `/v1/break-glass/${id}/review`, as, { verdict: 'justified', note: 'n' }),
      await call('POST', `/v1/alerts/${alerts[0]?.id}/acknowledgement`, as),
      await call('POST', codesOf, as, {}),
      await call('GET', codesOf, as),
      await call('DELETE', `${codesOf}/${codes[0]?.id}`, as),
    ])
      await refused(response, 'notFound')
  }
})

test('an alert is acknowledged once, and who may only look may not', async () => {
  const clinic = await makeClinic(vault)
  const token = await sessionOf(clinic, clinic.stranger)
  await given(await call('POST', '/v1/break-glass', token, { reason }), 201, BreakGlassView)
  const [officer, auditor] = [
    await sessionOf(clinic, clinic.complianceOfficer),
    await sessionOf(clinic, clinic.auditor),
  ]
  const { alerts } = await given(await call('GET', '/v1/alerts?open=true', auditor), 200, AlertPage)
  const path = `/v1/alerts/${alerts[0]?.id}/acknowledgement`
  await refused(await call('POST', path, auditor), 'denied')
  await refused(await call('GET', '/v1/alerts', token), 'denied')
  assert.equal((await call('POST', path, officer)).status, 201)
  await refused(await call('POST', path, officer), 'conflict')
  const left = await given(await call('GET', '/v1/alerts?open=true', officer), 200, AlertPage)
  assert.deepEqual(left.alerts, [])
  const all = await given(await call('GET', '/v1/alerts?open=false', officer), 200, AlertPage)
  assert.equal(all.alerts[0]?.acknowledgement?.by, clinic.complianceOfficer.row.id)
})

test('codes: listed without their text, revoked once, and issued only where an app can complete them', async () => {
  const clinic = await makeClinic(vault)
  const officer = await sessionOf(clinic, clinic.complianceOfficer)
  const path = `/v1/people/${clinic.stranger.row.id}/emergency-codes`
  const { codes } = await given(
    await call('POST', path, officer, { count: 5, validDays: 1 }),
    201,
    EmergencyCodes,
  )
  assert.equal(new Set(codes.map(({ code }) => code)).size, 5)
  const listing = await call('GET', path, officer)
  const text = await listing.clone().text()
  for (const { code } of codes) assert.ok(!text.includes(code))
  assert.equal((await given(listing, 200, EmergencyCodeList)).codes.length, 5)
  const [first, second] = codes
  assert.ok(first !== undefined && second !== undefined)
  assert.equal((await call('DELETE', `${path}/${first.id}`, officer)).status, 204)
  await refused(await call('DELETE', `${path}/${first.id}`, officer), 'conflict')
  await refused(await emergencySignIn(clinic, clinic.stranger, first.code), 'badCredentials')
  await given(
    await emergencySignIn(clinic, clinic.stranger, second.code.toLowerCase()),
    201,
    EmergencySession,
  )
  await refused(await call('DELETE', `${path}/${second.id}`, officer), 'conflict')

  await vault.database.superuserPool.query('update auricle.app_user set totp_secret = null where id = $1', [
    clinic.supervisor.row.id,
  ])
  const without = `/v1/people/${clinic.supervisor.row.id}/emergency-codes`
  assert.match(await refused(await call('POST', without, officer, {}), 'conflict'), /no authenticator app/)
  for (const asked of [{ count: 0 }, { count: 6 }, { validDays: 367 }, { count: 1.5 }, { extra: 1 }])
    await refused(await call('POST', path, officer, asked), 'malformed')
  for (const person of [clinic.administrator, clinic.stranger, clinic.auditor])
    await refused(await call('POST', path, await sessionAtNextStep(clinic, person), {}), 'denied')
  const own = `/v1/people/${clinic.complianceOfficer.row.id}/emergency-codes`
  assert.match(await refused(await call('POST', own, officer, {}), 'denied'), /own_access/)
})

test('whatever is wrong with an emergency sign-in, the answer is the same, and a slip of the pen is told', async () => {
  const [clinic, other] = [await makeClinic(vault), await makeClinic(vault)]
  const { stranger } = clinic
  const code = await issueCode(clinic, stranger)
  const foreign = await issueCode(other, other.stranger)
  const answers = new Set<string>()
  for (const more of [
    { code: foreign },
    { totp: totpCode(stranger.totpSecret, new Date(now().getTime() - 300_000)) },
    { login: 'nobody' },
    { login: clinic.clinician.row.login },
    { tenant: 'no-such-clinic' },
    { tenant: other.tenant.slug },
  ]) {
    const response = await emergencySignIn(clinic, stranger, code, more)
    const headers = [...response.headers].filter(([name]) => !['date', 'x-request-id'].includes(name))
    const { instance: _, ...problem } = Problem.parse(await response.json())
    answers.add(JSON.stringify([response.status, headers, problem]))
  }
  assert.equal(answers.size, 1, [...answers].join('\n'))
  assert.match([...answers].join(), /^\[401,/)
  const slip = code.startsWith('7') ? `8${code.slice(1)}` : `7${code.slice(1)}`
  assert.match(await refused(await emergencySignIn(clinic, stranger, slip), 'malformed'), /mistyped/)
  await given(await emergencySignIn(clinic, stranger, code), 201, EmergencySession)
})

test('a browser gets a cookie for its emergency session, and no other site can give it one', async () => {
  const clinic = await makeClinic(vault)
  const code = await issueCode(clinic, clinic.stranger)
  const body = {
    ...{ tenant: clinic.tenant.slug, login: clinic.stranger.row.login, code, reason, cookie: true },
    totp: totpCode(clinic.stranger.totpSecret, now()),
  }
  const from = (origin: string, site: string) =>
    fetch(`${front.url}/v1/sessions/emergency`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin, 'sec-fetch-site': site },
      body: JSON.stringify(body),
    })
  assert.match(await refused(await from('https://elsewhere.example', 'cross-site'), 'denied'), /cross_origin/)
  const response = await from(front.url, 'same-origin')
  assert.match(response.headers.get('set-cookie') ?? '', /^__Host-auricle=.*HttpOnly/)
  assert.ok(!(await response.clone().text()).includes('"token"'))
  const { breakGlass } = await given(response, 201, EmergencyCookieSession)
  assert.equal(response.headers.get(banner), `${breakGlass.id}; until=${breakGlass.until}`)
})

test('emergency sign-ins share the rate of all sign-ins, by account and by place', async () => {
  const onError = (error: Error) => assert.fail(error)
  await using limits = createPostgresLimits({
    connection: vault.database.app,
    now: () => 1_800_000_000_000,
    onError,
  })
  await using frozen = await openFront(vault, { limits })
  const clinic = await makeClinic(vault)
  const { slug } = clinic.tenant
  const attempt = () =>
    fetch(`${frozen.url}/v1/sessions/emergency`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ tenant: slug, login: 'stranger', code: newEmergencyCode(), totp: '123456', reason },
      }),
    })
  await refused(await attempt(), 'badCredentials')
  const key = `api:sign-in:account:${JSON.stringify([slug, 'stranger'])}`
  while ((await limits.take(key, { burst: 30, everyMs: 10_000 })).allowed);
  await refused(await attempt(), 'tooManyAttempts')
})

test('what plays when emergency access ends is cut', async () => {
  const clinic = await makeClinic(vault)
  await using quick = await openFront(vault, { streams: { recheckMs: 50 } })
  const recording = await archiveAudio(vault, clinic, shortWav(600), { sourceId: 'long' })
  const { token } = await quick.sessionOf(clinic.stranger)
  const authorization = `Bearer ${token}`
  const started = await fetch(`${quick.url}/v1/break-glass`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ reason }),
  })
  const { id } = await given(started, 201, BreakGlassView)
  const playing = await fetch(`${quick.url}/v1/recordings/${recording}/audio?role=original`, {
    headers: { authorization },
  })
  const reader = playing.body?.getReader()
  assert.ok(reader !== undefined)
  assert.equal((await reader.read()).done, false)
  const ended = await fetch(`${quick.url}/v1/break-glass/${id}`, {
    method: 'DELETE',
    headers: { authorization },
  })
  assert.equal(ended.status, 204)
  // Read slowly: the rest would fit into what the sockets hold.
  for (let looks = 0; looks < 200; looks++) {
    const events = await auditEvents(vault, clinic.tenant.id)
    if (events.some(({ action }) => action === 'recording.cut')) break
    await delay(20)
  }
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  })
  const cut = (await auditEvents(vault, clinic.tenant.id)).filter(({ action }) => action === 'recording.cut')
  assert.deepEqual(
    cut.map(({ object, reasons }) => [object?.id, reasons[0]]),
    [[recording, 'not_owner']],
  )
})

test('lists page through everything once, newest first', async () => {
  const clinic = await makeClinic(vault)
  const { token } = await front.sessionOf(clinic.stranger)
  const started: string[] = []
  const recording = await archiveAudio(vault, clinic, await sample('voicemail-short.wav'), {
    sourceId: 'one',
  })
  for (let count = 0; count < 5; count++) {
    const { id } = await given(await call('POST', '/v1/break-glass', token, { reason }), 201, BreakGlassView)
    started.unshift(id)
    assert.equal((await call('GET', `/v1/recordings/${recording}`, token)).status, 200)
    if (count < 4) assert.equal((await call('DELETE', `/v1/break-glass/${id}`, token)).status, 204)
  }
  const { token: officer } = await front.sessionOf(clinic.auditor)
  const seen: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = `limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`
    const page: BreakGlassPage = await given(
      await call('GET', `/v1/break-glass?${query}`, officer),
      200,
      BreakGlassPage,
    )
    seen.push(...page.breakGlass.map(({ id }) => id))
    cursor = page.nextCursor
  }
  assert.deepEqual(seen, started)
  const subjects: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = `limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`
    const page: AlertPage = await given(await call('GET', `/v1/alerts?${query}`, officer), 200, AlertPage)
    subjects.push(...page.alerts.map(({ subject }) => subject.id))
    cursor = page.nextCursor
  }
  assert.deepEqual(subjects, started)
  const uses = new Set<string>()
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = `limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`
    const path = `/v1/break-glass/${started[0]}?${query}`
    const detail: BreakGlassDetail = await given(await call('GET', path, officer), 200, BreakGlassDetail)
    for (const { event } of detail.uses?.events ?? []) uses.add(event)
    cursor = detail.uses?.nextCursor ?? null
  }
  // The others lie within a minute, and clocks of machines differ: better too many shown than too few.
  assert.equal(uses.size, 5)
  const { token: open } = await front.sessionOf(clinic.complianceOfficer)
  const states = ['open', 'unreviewed', 'overdue', 'reviewed']
  const counts = await Promise.all(
    states.map(async state => {
      const page = await given(await call('GET', `/v1/break-glass?state=${state}`, open), 200, BreakGlassPage)
      return page.breakGlass.length
    }),
  )
  assert.deepEqual(counts, [1, 4, 0, 0])
  for (const query of ['state=else', 'cursor=x', `cursor=${recording}`, 'limit=0', 'limit=201', 'more=1'])
    await refused(await call('GET', `/v1/break-glass?${query}`, open), 'malformed')
})

test('whatever stands in a reason, it comes back to the reviewer and is nowhere else', async () => {
  const clinic = await makeClinic(vault)
  const { token } = await front.sessionOf(clinic.stranger)
  const { token: officer } = await front.sessionOf(clinic.auditor)
  const texts = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    .map(text => `needle0123 ${text} needle4567`)
  await fc.assert(
    fc.asyncProperty(texts, async text => {
      const started = await call('POST', '/v1/break-glass', token, { reason: text })
      const { id } = await given(started, 201, BreakGlassView)
      const shown = await given(await call('GET', `/v1/break-glass/${id}`, officer), 200, BreakGlassDetail)
      assert.equal(shown.reason, text.trim())
      assert.equal((await call('DELETE', `/v1/break-glass/${id}`, token)).status, 204)
    }),
    { numRuns: 25 },
  )
  const { rows } = await vault.database.superuserPool.query<{ leaf: Buffer; reason: Buffer }>(
    `select e.leaf, b.reason from auricle.audit_event e cross join auricle.break_glass b
     where position('needle'::bytea in e.leaf) > 0 or position('needle'::bytea in b.reason) > 0 limit 1`,
  )
  assert.deepEqual(rows, [])
  assert.ok(!front.log.text().includes('needle'))
})

test('the log of the service tells kind and id of an alert, and neither reason nor code', () => {
  const lines = front.log.lines.join('\n')
  assert.match(lines, /"kind":"break_glass_started","alertId":"alr_\w{26}","msg":"Alert raised"/)
  assert.ok(!lines.includes('zebra-marker'))
  assert.ok(!lines.includes('"level":"error"'))
})
