// Signing in at a real OpenID provider over HTTP: who gets in with what, and attacks on the way there and back, each
// refused and logged.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { Problem, problems, type UserId } from '@auricle/contract'
import fc from 'fast-check'
import { auditEvents } from '../../../test/audit-log.ts'
import {
  account,
  type ConnectedProvider,
  openProviderClinic,
  type ProviderClinic,
} from '../../../test/provider-clinic.ts'
import { makeClinic } from '../../../test/vault.ts'
import { openVisitor, type Visitor } from '../../../test/visitor.ts'
import { ReturnTo, withError } from './return-to.ts'
import { schemas } from './routes-table.ts'

let at: ProviderClinic
let main: ConnectedProvider

before(async () => {
  at = await openProviderClinic()
  main = await at.connect(
    ['nurse', 'second', 'third', 'fourth', 'leaver', 'mover'].map(login => account(login)),
  )
})
after(() => at[Symbol.asyncDispose]())

const host = '127.0.0.1'
const sessionOf = (visitor: Visitor) => visitor.cookiesOf(host).get('__Host-auricle') ?? null
const ask = (visitor: Visitor, path: string) =>
  visitor.get(at.front.url + path, { accept: 'application/json', 'sec-fetch-site': 'same-origin' })

async function meOf(visitor: Visitor) {
  const response = await ask(visitor, '/v1/me')
  assert.equal(response.status, 200)
  return schemas.Me.parse(await response.json())
}

/** What was logged since, of a kind. */
async function logged(kind: RegExp, tenantId = at.clinic.tenant.id) {
  const events = await auditEvents(at.vault, tenantId)
  return events
    .filter(({ action }) => kind.test(action))
    .map(({ action, outcome, reasons, actor }) => ({
      said: `${action} ${outcome} ${reasons.join(' ')}`,
      actor: actor.id,
    }))
}
async function lastRefusal(tenantId = at.clinic.tenant.id) {
  return (await logged(/^session\.refused$/, tenantId)).at(-1)
}

/** Sent on to a page that says no more than the word, with no session, and one more refusal in the log, for that reason. */
async function assertRefused(response: Response, visitor: Visitor, word: string, reason: string, to = '/') {
  assert.equal(response.status, 302)
  assert.equal(response.headers.get('location'), withError(to, word))
  assert.equal(sessionOf(visitor), null)
  assert.equal((await lastRefusal())?.said, `session.refused denied ${reason}`)
}

async function assertProblem(response: Response, name: keyof typeof problems): Promise<string> {
  const text = await response.text()
  assert.equal(response.status, problems[name].status, text)
  const problem = Problem.parse(JSON.parse(text))
  assert.equal(problem.type, problems[name].type)
  return problem.detail ?? ''
}

// --- who gets in ---

test('somebody new in a group that gives a role is made a person, and is in', async () => {
  const visitor = openVisitor()
  const arrived = await visitor.arrive(main.start('/inbox?box=1'), { login: 'nurse' })
  assert.equal(arrived.status, 302)
  assert.equal(arrived.headers.get('location'), '/inbox?box=1')
  assert.match(
    arrived.headers.getSetCookie().join(),
    /__Host-auricle=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax/,
  )
  const me = await meOf(visitor)
  assert.deepEqual(me.roles, ['clinician'])
  const [user] = (await at.vault.catalog.listUsers(at.clinic.tenant.id)).filter(({ id }) => id === me.user)
  assert.deepEqual(
    { login: user?.login, name: user?.name, kind: user?.kind },
    {
      login: 'nurse',
      name: 'Name of nurse',
      kind: 'person',
    },
  )
  const events = await logged(/^(?:user|role|session)\./)
  assert.deepEqual(
    events.slice(-3).map(({ said }) => said),
    [
      'user.created allowed provider',
      'role.granted allowed provider clinician',
      'session.opened allowed provider',
    ].sort((a, b) => events.findIndex(({ said }) => said === a) - events.findIndex(({ said }) => said === b)),
  )
  const again = openVisitor()
  await again.arrive(main.start(), { login: 'nurse' })
  assert.equal((await meOf(again)).user, me.user)
})

test('roles follow the groups, and end with them', async () => {
  const rolesOf = async (groups: readonly string[]) => {
    main.provider.setAccount(account('mover', groups))
    const visitor = openVisitor()
    await visitor.arrive(main.start(), { login: 'mover' })
    return (await meOf(visitor)).roles
  }
  assert.deepEqual(await rolesOf(['clinicians']), ['clinician'])
  assert.deepEqual(await rolesOf(['clinicians', 'auditors', 'others']), ['auditor', 'clinician'])
  assert.deepEqual(await rolesOf(['auditors']), ['auditor'])
  assert.deepEqual(
    (await logged(/^role\.revoked$/)).map(({ said, actor }) => [said, actor]),
    [['role.revoked allowed provider clinician', main.id]],
  )
  main.provider.setAccount(account('mover', []))
  const visitor = openVisitor()
  await assertRefused(
    await visitor.arrive(main.start(), { login: 'mover' }),
    visitor,
    'not_admitted',
    'no_role',
  )
})

test('roles of the provider go, and those that people gave stay', async () => {
  const visitor = openVisitor()
  await visitor.arrive(main.start(), { login: 'third' })
  const { user } = await meOf(visitor)
  await at.vault.database.superuserPool.query(
    `insert into auricle.role_grant (tenant_id, id, user_id, role, source, granted_at)
     values ($1, 'grt_of_the_test', $2, 'supervisor', 'operator', now())`,
    [at.clinic.tenant.id, user],
  )
  main.provider.setAccount(account('third', []))
  const later = openVisitor()
  await later.arrive(main.start(), { login: 'third' })
  assert.deepEqual((await meOf(later)).roles, ['supervisor'])
})

test('teams follow the groups, and who was put there by a person stays', async () => {
  const { superuserPool } = at.vault.database
  const tenant = at.clinic.tenant.id
  const teams = ['one', 'two', 'three'].map(name =>
    `tea_01jd3w8h9k6n2q4s5t7v8x9y${name.slice(0, 2)}`.padEnd(30, '0').replace(/[ilou]/g, 'z'),
  )
  for (const team of teams)
    await superuserPool.query(
      'insert into auricle.team (tenant_id, id, name, created_at) values ($1, $2, $2, now())',
      [tenant, team],
    )
  const [one = '', two = '', three = ''] = teams
  await using provider = await at.connect([account('team-member', ['ward'])], {
    groups: [
      { group: 'ward', roles: ['clinician'], teams: [one, two, 'tea_01jd3w8h9k6n2q4s5t7v8x9y0z'] as never },
      { group: 'night', roles: ['clinician'], teams: [two, three] as never },
    ],
  })
  const teamsAfter = async (groups: readonly string[]) => {
    provider.provider.setAccount(account('team-member', groups))
    const visitor = openVisitor()
    await visitor.arrive(provider.start(), { login: 'team-member' })
    const { user } = await meOf(visitor)
    const { rows } = await superuserPool.query(
      'select team_id from auricle.team_member where tenant_id = $1 and user_id = $2 order by team_id',
      [tenant, user],
    )
    return { user, teams: rows.map(({ team_id }) => team_id) }
  }
  const first = await teamsAfter(['ward'])
  assert.deepEqual(first.teams, [one, two].sort())
  await superuserPool.query(
    'update auricle.team_member set provider_id = null where tenant_id = $1 and user_id = $2 and team_id = $3',
    [tenant, first.user, one],
  )
  assert.deepEqual((await teamsAfter(['night'])).teams, [one, two, three].sort())
})

test('nobody is taken for a person here by login, and the person is not changed', async () => {
  await using provider = await at.connect([account('clinician')])
  const visitor = openVisitor()
  const arrived = await visitor.arrive(provider.start(), { login: 'clinician' })
  await assertRefused(arrived, visitor, 'not_admitted', 'login_taken')
  await at.vault.catalog.findUserByLogin(at.clinic.tenant.id, 'clinician').then(user => {
    assert.equal(user?.name, 'clinician')
  })
})

test('whom an administrator linked comes in as that person', async () => {
  await using provider = await at.connect([account('clinician', [])], { provision: false })
  const before = openVisitor()
  await assertRefused(
    await before.arrive(provider.start(), { login: 'clinician' }),
    before,
    'not_admitted',
    'unknown_person',
  )
  const { token } = await at.front.sessionOf(at.clinic.administrator)
  const link = (user: UserId, subject: string) =>
    fetch(`${at.front.url}/v1/people/${user}/identities/${provider.id}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ subject }),
    })
  const { row } = at.clinic.clinician
  assert.equal((await link(row.id, 'subject-of-clinician')).status, 204)
  await assertProblem(await link(at.clinic.stranger.row.id, 'subject-of-clinician'), 'conflict')
  await assertProblem(await link(row.id, 'another-subject'), 'conflict')
  const visitor = openVisitor()
  await visitor.arrive(provider.start(), { login: 'clinician' })
  assert.equal((await meOf(visitor)).user, row.id)
})

test('nobody is made where nobody is to be made, or no group gives a role', async () => {
  await using none = await at.connect([account('newcomer')], { provision: false })
  const visitor = openVisitor()
  await assertRefused(
    await visitor.arrive(none.start(), { login: 'newcomer' }),
    visitor,
    'not_admitted',
    'unknown_person',
  )
  main.provider.setAccount(account('outsider', ['visitors']))
  await assertRefused(
    await visitor.arrive(main.start(), { login: 'outsider' }),
    visitor,
    'not_admitted',
    'unknown_person',
  )
  for (const login of ['newcomer', 'outsider'])
    assert.equal(await at.vault.catalog.findUserByLogin(at.clinic.tenant.id, login), null)
})

test('without the second factor there is no session', async () => {
  await using plain = await at.connect([account('single')], { acrValues: [] })
  const visitor = openVisitor()
  const arrived = await visitor.arrive(plain.start(), { login: 'single', second: false })
  await assertRefused(arrived, visitor, 'second_factor_missing', 'second_factor_missing')
  assert.equal(await at.vault.catalog.findUserByLogin(at.clinic.tenant.id, 'single'), null)
})

test('who gives up at the provider is sent back, and told so', async () => {
  const visitor = openVisitor()
  const arrived = await visitor.arrive(main.start('/inbox'), { login: 'second', refuses: true })
  await assertRefused(arrived, visitor, 'not_admitted', 'not_admitted', '/inbox')
})

test('whoever is disabled stays out, and the log says who it was', async () => {
  const visitor = openVisitor()
  await visitor.arrive(main.start(), { login: 'leaver' })
  const { user } = await meOf(visitor)
  await at.vault.database.superuserPool.query(
    'update auricle.app_user set disabled_at = now() where id = $1',
    [user],
  )
  const again = openVisitor()
  await assertRefused(
    await again.arrive(main.start(), { login: 'leaver' }),
    again,
    'not_admitted',
    'disabled',
  )
  assert.equal((await lastRefusal())?.actor, user)
})

test('two who arrive at once as one new person become one', async () => {
  const visitors = [openVisitor(), openVisitor(), openVisitor()]
  const backs = await Promise.all(visitors.map(visitor => visitor.signIn(main.start(), { login: 'fourth' })))
  await Promise.all(backs.map((url, index) => visitors[index]?.get(url)))
  for (const visitor of visitors) assert.deepEqual((await meOf(visitor)).roles, ['clinician'])
  const users = (await at.vault.catalog.listUsers(at.clinic.tenant.id)).filter(
    ({ login }) => login === 'fourth',
  )
  assert.equal(users.length, 1)
  assert.deepEqual(users[0]?.roles, ['clinician'])
})

// --- what a tenant offers ---

test('a tenant that is not there offers what one without providers does', async () => {
  const ways = async (tenant: string) =>
    schemas.SignInWays.parse(await (await ask(openVisitor(), `/v1/sign-in?tenant=${tenant}`)).json())
  const other = await makeClinic(at.vault)
  assert.deepEqual(await ways(other.tenant.slug), { local: true, providers: [] })
  assert.deepEqual(await ways('nobody-has-this'), { local: true, providers: [] })
  const { providers } = await ways(at.clinic.tenant.slug)
  assert.deepEqual(
    providers.find(({ id }) => id === main.id),
    { id: main.id, name: `Provider ${main.id}` },
  )
})

test('a provider that is not there is not found, by anybody', async () => {
  const unknown = main.start().replace(main.id, 'idp_01jd3w8h9k6n2q4s5t7v8x9y0z')
  const malformed = main.start().replace(main.id, 'idp_1')
  for (const path of ['', '/callback?state=x', '/step-up']) {
    const visitor = openVisitor()
    if (path === '/step-up') continue
    await assertProblem(await visitor.get(unknown + path), 'notFound')
    await assertProblem(await visitor.get(malformed + path), 'malformed')
  }
})

// --- attacks on the way back ---

test('a state that was used is over, code and all', async () => {
  const visitor = openVisitor()
  const back = await visitor.signIn(main.start(), { login: 'nurse' })
  assert.equal((await visitor.get(back)).headers.get('location'), '/')
  visitor.cookiesOf(host).delete('__Host-auricle')
  await assertRefused(await visitor.get(back), visitor, 'sign_in_over', 'unknown_state')
})

test('a code that was spent, under a state of one’s own, is worth nothing', async () => {
  const victim = openVisitor()
  const spent = await victim.signIn(main.start(), { login: 'nurse' })
  await victim.get(spent)
  const thief = openVisitor()
  const own = await thief.signIn(main.start(), { login: 'second' })
  own.searchParams.set('code', spent.searchParams.get('code') ?? '')
  await assertRefused(await thief.get(own), thief, 'bad_provider_answer', 'bad_provider_answer')
})

test('a code that was stolen before it was spent is worth nothing to the thief', async () => {
  const victim = openVisitor()
  const stolen = await victim.signIn(main.start(), { login: 'nurse' })
  const thief = openVisitor()
  const own = await thief.signIn(main.start(), { login: 'second' })
  own.searchParams.set('code', stolen.searchParams.get('code') ?? '')
  await assertRefused(await thief.get(own), thief, 'bad_provider_answer', 'bad_provider_answer')
})

test('login CSRF: an answer that another browser asked for signs nobody in', async () => {
  const attacker = openVisitor()
  const back = await attacker.signIn(main.start('/trap'), { login: 'second' })
  const without = openVisitor()
  await assertRefused(await without.get(back), without, 'sign_in_over', 'other_browser')
  // Nor does it help to have begun a sign-in oneself.
  const other = await attacker.signIn(main.start('/trap'), { login: 'second' })
  const victim = openVisitor()
  await victim.get(main.start())
  assert.match(victim.cookiesOf(host).get('__Host-auricle-sign-in') ?? '', /^[\w-]{43}$/)
  await assertRefused(await victim.get(other), victim, 'sign_in_over', 'other_browser')
  // And it is over for the attacker, too.
  await assertRefused(await attacker.get(other), attacker, 'sign_in_over', 'unknown_state')
})

test('two cookies, of which somebody planted one, are none', async () => {
  const visitor = openVisitor()
  const back = await visitor.signIn(main.start(), { login: 'nurse' })
  const own = visitor.cookiesOf(host).get('__Host-auricle-sign-in') ?? ''
  const planted = randomBytes(32).toString('base64url')
  const name = '__Host-auricle-sign-in'
  const both = openVisitor()
  const answer = await both.get(back, { cookie: `${name}=${planted}; ${name}=${own}` })
  await assertRefused(answer, both, 'sign_in_over', 'other_browser')
})

test('mix-up: an answer to one provider is none at another’s address', async () => {
  await using other = await at.connect([account('nurse')])
  const visitor = openVisitor()
  const back = await visitor.signIn(main.start('/inbox'), { login: 'nurse' })
  const mixed = new URL(back.href.replace(main.id, other.id))
  await assertRefused(await visitor.get(mixed), visitor, 'sign_in_over', 'other_provider', '/inbox')
})

test('mix-up: nor at the address of another tenant’s provider', async () => {
  const elsewhere = await makeClinic(at.vault)
  await using other = await at.connect([account('nurse')], {}, elsewhere)
  const visitor = openVisitor()
  const back = await visitor.signIn(main.start(), { login: 'nurse' })
  const answer = await visitor.get(back.href.replace(main.id, other.id))
  assert.equal(answer.headers.get('location'), '/?error=sign_in_over')
  assert.equal(sessionOf(visitor), null)
  const refusal = await lastRefusal(elsewhere.tenant.id)
  assert.deepEqual(refusal, { said: 'session.refused denied unknown_state', actor: other.id })
})

test('an answer that names another issuer is none', async () => {
  const visitor = openVisitor()
  const back = await visitor.signIn(main.start(), { login: 'nurse' })
  back.searchParams.set('iss', 'https://evil.example')
  await assertRefused(await visitor.get(back), visitor, 'bad_provider_answer', 'bad_provider_answer')
})

const tampered: Readonly<Record<string, (back: URL) => void>> = {
  'one letter': back => {
    const state = back.searchParams.get('state') ?? ''
    back.searchParams.set('state', (state.startsWith('A') ? 'B' : 'A') + state.slice(1))
  },
  'made up': back => back.searchParams.set('state', randomBytes(32).toString('base64url')),
  missing: back => back.searchParams.delete('state'),
  empty: back => back.searchParams.set('state', ''),
  twice: back => back.searchParams.append('state', back.searchParams.get('state') ?? ''),
  longer: back => back.searchParams.set('state', `${back.searchParams.get('state')}A`),
  'an id of a row': back => back.searchParams.set('state', 'att_01jd3w8h9k6n2q4s5t7v8x9y0z'),
  'a query of a database': back => back.searchParams.set('state', "' or '1'='1"),
}
for (const [name, change] of Object.entries(tampered)) {
  test(`a state that was tampered with: ${name}`, async () => {
    const visitor = openVisitor()
    const back = await visitor.signIn(main.start('/inbox'), { login: 'nurse' })
    change(back)
    const hasForm = back.searchParams.getAll('state').every(state => /^[\w-]{43}$/.test(state))
    const isOne = back.searchParams.getAll('state').length === 1
    const reason = hasForm && isOne ? 'unknown_state' : 'malformed_answer'
    await assertRefused(await visitor.get(back), visitor, 'sign_in_over', reason)
  })
}

test('a code twice, or none, or of somebody’s making, is refused', async () => {
  const changes: ((back: URL) => void)[] = [
    back => back.searchParams.append('code', back.searchParams.get('code') ?? ''),
    back => back.searchParams.delete('code'),
    back => back.searchParams.set('code', randomBytes(32).toString('base64url')),
    back => back.searchParams.set('code', ''),
  ]
  for (const change of changes) {
    const visitor = openVisitor()
    const back = await visitor.signIn(main.start(), { login: 'nurse' })
    change(back)
    await assertRefused(await visitor.get(back), visitor, 'bad_provider_answer', 'bad_provider_answer')
  }
})

test('a sign-in that took too long is over', async () => {
  const visitor = openVisitor()
  const back = await visitor.signIn(main.start(), { login: 'nurse' })
  at.clock.aheadMs = 10 * 60_000 + 1000
  try {
    await assertRefused(await visitor.get(back), visitor, 'sign_in_over', 'unknown_state')
  } finally {
    at.clock.aheadMs = 0
  }
})

test('a program that is refused gets the problem', async () => {
  const visitor = openVisitor()
  const back = await visitor.signIn(main.start(), { login: 'nurse' })
  const stranger = openVisitor()
  const detail = await assertProblem(await stranger.get(back, { accept: 'application/json' }), 'denied')
  assert.match(detail, /does not hold|not begun/)
})

test('fixation: whatever session the browser held, the new one is new', async () => {
  const visitor = openVisitor()
  const { token } = await at.front.sessionOf(at.clinic.stranger)
  visitor.cookiesOf(host).set('__Host-auricle', token)
  await visitor.arrive(main.start(), { login: 'nurse' })
  assert.notEqual(sessionOf(visitor), token)
  const { user } = await meOf(visitor)
  assert.notEqual(user, at.clinic.stranger.row.id)
})

// --- open redirects ---

const elsewhere = [
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '\t//evil.example',
  ' //evil.example',
  'https://evil.example',
  'HTTPS:evil.example',
  'http:/evil.example',
  'javascript:alert(1)',
  'data:text/html,x',
  'evil.example',
  '?x',
  '#x',
  '@evil.example',
  '/.//evil.example',
  '/a/..//evil.example',
  '/ü',
  '/\u0000',
  '/\u202e',
  `/${'a'.repeat(2000)}`,
  '',
]
for (const returnTo of elsewhere) {
  test(`no way to elsewhere: ${JSON.stringify(returnTo).slice(0, 40)}`, async () => {
    const answer = await openVisitor().get(main.start(returnTo))
    assert.equal(answer.headers.get('location'), null)
    await assertProblem(answer, 'malformed')
  })
}

test('whatever is taken for a path of ours stays with us, and so does the page of an error', () => {
  const piece = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    ':',
    '@',
    '?',
    '#',
    '%2f',
    '%5c',
    '\t',
    '\n',
    'evil.example',
    'a',
    'http:',
  )
  const text = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map(pieces => pieces.join('')),
    fc.array(piece, { maxLength: 12 }).map(pieces => `/${pieces.join('')}`),
    fc.string({ maxLength: 40 }),
  )
  fc.assert(
    fc.property(text, returnTo => {
      if (!ReturnTo.safeParse(returnTo).success) return
      for (const sent of [returnTo, withError(returnTo, 'not_admitted')]) {
        for (const base of ['https://vault.example/v1/sign-in/x/callback', 'http://127.0.0.1:8481/']) {
          assert.equal(new URL(sent, base).origin, new URL(base).origin, sent)
        }
      }
    }),
    { numRuns: 5000 },
  )
})

// --- step-up ---

async function verifiedAt(visitor: Visitor): Promise<Date> {
  const payload = Buffer.from(sessionOf(visitor)?.split('.')[1] ?? '', 'base64url').toString()
  const { jti } = JSON.parse(payload)
  const tokens = await at.vault.catalog.listTokens(at.clinic.tenant.id)
  const found = tokens.find(({ id }) => id === jti)?.verifiedAt
  assert.ok(found instanceof Date)
  return found
}

const age = async (visitor: Visitor) => {
  const payload = Buffer.from(sessionOf(visitor)?.split('.')[1] ?? '', 'base64url').toString()
  await at.vault.database.superuserPool.query(
    "update auricle.token set verified_at = now() - interval '1 hour' where id = $1",
    [JSON.parse(payload).jti],
  )
}

test('a second factor that is shown again at the provider verifies the same session', async () => {
  const visitor = openVisitor()
  await visitor.arrive(main.start(), { login: 'nurse' })
  const session = sessionOf(visitor)
  await age(visitor)
  const stepUp = `${main.start()}/step-up?returnTo=/export`
  const answer = await visitor.arrive(stepUp, { login: 'nurse' })
  assert.equal(answer.headers.get('location'), '/export')
  assert.equal(sessionOf(visitor), session)
  assert.ok(Date.now() - (await verifiedAt(visitor)).getTime() < 60_000)
  assert.equal((await logged(/^session\.verified$/)).at(-1)?.said, 'session.verified allowed provider')
})

test('nobody verifies the session of somebody else', async () => {
  const visitor = openVisitor()
  await visitor.arrive(main.start(), { login: 'nurse' })
  await age(visitor)
  const before = await verifiedAt(visitor)
  // Somebody else sits down at the same machine, whom the provider does not know yet.
  visitor.cookiesOf('localhost').clear()
  const answer = await visitor.arrive(`${main.start()}/step-up?returnTo=/export`, { login: 'second' })
  assert.equal(answer.headers.get('location'), '/export?error=not_admitted')
  assert.deepEqual(await verifiedAt(visitor), before)
  assert.equal((await lastRefusal())?.said, 'session.refused denied other_person')
})

test('a step-up wants a session, and a person of that provider', async () => {
  await assertProblem(await openVisitor().get(`${main.start()}/step-up`), 'unauthenticated')
  const { token } = await at.front.sessionOf(at.clinic.clinician)
  const authorization = `Bearer ${token}`
  await assertProblem(await openVisitor().get(`${main.start()}/step-up`, { authorization }), 'notFound')
  const other = await makeClinic(at.vault)
  const foreign = `Bearer ${(await at.front.sessionOf(other.clinician)).token}`
  await assertProblem(
    await openVisitor().get(`${main.start()}/step-up`, { authorization: foreign }),
    'notFound',
  )
})

// --- log-outs ---

const logout = (provider: ConnectedProvider, token: string, type = 'application/x-www-form-urlencoded') =>
  fetch(`${provider.start()}/back-channel-logout`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: new URLSearchParams({ logout_token: token }).toString(),
  })

const logoutEvent = { 'http://schemas.openid.net/event/backchannel-logout': {} }
function logoutToken(provider: ConnectedProvider, change: Readonly<Record<string, unknown>> = {}): string {
  const seconds = Math.floor(Date.now() / 1000)
  const claims = {
    iss: provider.provider.issuer,
    aud: 'auricle',
    sub: 'subject-of-nurse',
    iat: seconds,
    exp: seconds + 120,
    jti: randomBytes(16).toString('hex'),
    events: logoutEvent,
    ...change,
  }
  return provider.provider.sign(claims, { typ: 'logout+jwt' })
}

test('a log-out of the subject ends all of their sessions from that provider, and nobody else’s', async () => {
  const [one, two, other] = [openVisitor(), openVisitor(), openVisitor()]
  await one.arrive(main.start(), { login: 'nurse' })
  await two.arrive(main.start(), { login: 'nurse' })
  await other.arrive(main.start(), { login: 'second' })
  const response = await logout(main, logoutToken(main))
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('cache-control'), 'no-store')
  for (const visitor of [one, two]) assert.equal((await ask(visitor, '/v1/me')).status, 401)
  assert.equal((await ask(other, '/v1/me')).status, 200)
  assert.equal((await logged(/^session\.ended$/)).at(-1)?.said, 'session.ended allowed provider_logout')
})

test('what the provider itself sends ends the one session that it names', async () => {
  const [one, two] = [openVisitor(), openVisitor()]
  await one.arrive(main.start(), { login: 'nurse' })
  await two.arrive(main.start(), { login: 'second' })
  const notices = await main.provider.endSession('subject-of-nurse')
  assert.ok(notices.length > 0 && notices.every(({ delivered }) => delivered))
  assert.equal((await ask(one, '/v1/me')).status, 401)
  assert.equal((await ask(two, '/v1/me')).status, 200)
})

test('after a step-up it is the new session at the provider that a log-out names', async () => {
  const visitor = openVisitor()
  await visitor.arrive(main.start(), { login: 'second' })
  await visitor.arrive(`${main.start()}/step-up`, { login: 'second' })
  await main.provider.endSession('subject-of-second')
  assert.equal((await ask(visitor, '/v1/me')).status, 401)
})

test('log-outs that do not hold end nothing, and are logged', async () => {
  const visitor = openVisitor()
  await visitor.arrive(main.start(), { login: 'nurse' })
  const once = logoutToken(main, { sub: 'nobody' })
  assert.equal((await logout(main, once)).status, 200)
  await using other = await at.connect([account('nurse')])
  const seconds = Math.floor(Date.now() / 1000)
  const bad: Readonly<Record<string, string>> = {
    'shown before': once,
    'of another provider': logoutToken(other, { iss: main.provider.issuer }),
    'for somebody else': logoutToken(main, { aud: 'another' }),
    'of another issuer': logoutToken(main, { iss: 'https://evil.example' }),
    expired: logoutToken(main, { exp: seconds - 60 }),
    old: logoutToken(main, { iat: seconds - 600 }),
    'without an id': logoutToken(main, { jti: undefined }),
    'without the event': logoutToken(main, { events: {} }),
    'an ID token': logoutToken(main, { nonce: 'n' }),
    'of nobody': logoutToken(main, { sub: undefined }),
    unsigned: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${logoutToken(main).split('.')[1]}.`,
    'no token': 'x',
  }
  for (const [name, token] of Object.entries(bad)) {
    const before = (await logged(/^token\.refused$/)).length
    const response = await logout(main, token)
    assert.equal(response.headers.get('cache-control'), 'no-store')
    await assertProblem(response, 'malformed').catch(error => assert.fail(`${name}: ${error}`))
    assert.equal((await logged(/^token\.refused$/)).length, before + 1, name)
  }
  await assertProblem(await logout(main, logoutToken(main), 'text/plain'), 'malformed')
  assert.equal((await ask(visitor, '/v1/me')).status, 200)
})

test('one notice that comes many times at once ends sessions once', async () => {
  const token = logoutToken(main, { sub: 'subject-of-third' })
  const statuses = await Promise.all(
    Array.from({ length: 6 }, async () => (await logout(main, token)).status),
  )
  assert.deepEqual(statuses.sort(), [200, 400, 400, 400, 400, 400])
})

// --- the provider is away ---

test('a provider that is away: 503 that says what to do, and nobody who is in is put out', async () => {
  await using provider = await at.connect([account('on-call')])
  const visitor = openVisitor()
  await visitor.arrive(provider.start(), { login: 'on-call' })
  const waiting = openVisitor()
  const back = await waiting.signIn(provider.start('/inbox'), { login: 'on-call' })
  await provider.provider.stop()
  assert.equal((await waiting.get(back)).headers.get('location'), '/inbox?error=provider_unavailable')
  at.clock.aheadMs = 61_000
  try {
    const answer = await openVisitor().get(provider.start())
    assert.equal(answer.headers.get('retry-after'), '5')
    assert.match(await assertProblem(answer, 'unavailable'), /emergency access/)
    assert.equal((await ask(visitor, '/v1/me')).status, 200)
    assert.equal((await logout(provider, logoutToken(provider))).status, 503)
    await provider.provider.start()
    const back = openVisitor()
    await back.arrive(provider.start(), { login: 'on-call' })
    assert.equal((await ask(back, '/v1/me')).status, 200)
  } finally {
    at.clock.aheadMs = 0
  }
})

test('its keys rotate: who is in stays, and who comes gets in', async () => {
  const visitor = openVisitor()
  await visitor.arrive(main.start(), { login: 'nurse' })
  const half = openVisitor()
  const back = await half.signIn(main.start(), { login: 'nurse' })
  await main.provider.rotateKeys()
  await half.get(back)
  const later = openVisitor()
  await later.arrive(main.start(), { login: 'nurse' })
  for (const one of [visitor, half, later]) assert.equal((await ask(one, '/v1/me')).status, 200)
})

test('neither the log nor any answer repeats a state, a code or a secret', async () => {
  const from = at.front.log.lines.length
  const visitor = openVisitor()
  const back = await visitor.signIn(main.start(), { login: 'nurse' })
  await visitor.get(back)
  const texts = [await (await openVisitor().get(back, { accept: 'application/json' })).text()]
  const log = at.front.log.lines.slice(from).map(line => JSON.stringify(line))
  const secrets = [
    back.searchParams.get('state'),
    back.searchParams.get('code'),
    visitor.cookiesOf(host).get('__Host-auricle-sign-in'),
    sessionOf(visitor),
    main.clientSecret,
  ]
  for (const secret of secrets) {
    assert.ok(secret)
    for (const text of [...texts, ...log]) assert.ok(!text.includes(secret))
  }
})
