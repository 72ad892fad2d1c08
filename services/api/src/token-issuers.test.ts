// Programs with tokens of their own issuer: what they may, what ends them, and tokens that are none, each refused and logged.
import assert from 'node:assert/strict'
import { createPublicKey, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type IssuerId, IssuerView, Problem, problems, type Scope, type UserId } from '@auricle/contract'
import { auditEvents } from '../../../test/audit-log.ts'
import {
  encode,
  type ForgedProvider,
  hmacJwt,
  newRsaKey,
  signJwt,
  startForgedProvider,
} from '../../../test/forged-provider.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { type Clinic, makeClinic, openTestVault, type TestVault } from '../../../test/vault.ts'
import { schemas } from './routes-table.ts'

let vault: TestVault
let clinic: Clinic
let other: Clinic
let front: Front
let forged: ForgedProvider
let issuer: IssuerView
let administrator: string
const key = newRsaKey('one')
const audience = 'https://vault.example'

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  other = await makeClinic(vault)
  front = await openFront(vault)
  forged = await startForgedProvider()
  forged.keys = [key.publicJwk]
  administrator = (await front.sessionOf(clinic.administrator)).token
  const made = await manage('POST', '/v1/token-issuers', newIssuer())
  assert.equal(made.status, 201)
  issuer = IssuerView.parse(await made.json())
})
after(async () => {
  await forged[Symbol.asyncDispose]()
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const newIssuer = (change: Readonly<Record<string, unknown>> = {}) => ({
  name: 'The clinic’s own',
  issuer: forged.issuer,
  audience,
  settings: { jwksUri: `${forged.issuer}/keys`, algorithms: ['RS256'] },
  ...change,
})

const manage = (method: string, path: string, body?: unknown, token = administrator) =>
  fetch(front.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

const name = (subject: string, user: UserId, scopes: readonly Scope[], of: IssuerId = issuer.id) =>
  manage('PUT', `/v1/token-issuers/${of}/subjects`, { subject, user, scopes })

const header = { alg: 'RS256', typ: 'at+jwt', kid: 'one' }
function claims(change: Readonly<Record<string, unknown>> = {}) {
  const seconds = Math.floor(Date.now() / 1000)
  return {
    iss: forged.issuer,
    aud: audience,
    sub: 'program-1',
    jti: randomBytes(12).toString('hex'),
    scope: 'recordings.read recordings.play openid',
    iat: seconds - 10,
    exp: seconds + 600,
    ...change,
  }
}
const tokenOf = (change: Readonly<Record<string, unknown>> = {}) => signJwt(key, header, claims(change))

const ask = (token: string, path = '/v1/recordings') =>
  fetch(front.url + path, { headers: { authorization: `Bearer ${token}` } })
const statusOf = async (token: string, path?: string) => {
  const response = await ask(token, path)
  await response.arrayBuffer()
  return response.status
}

async function assertProblem(response: Response, expected: keyof typeof problems): Promise<void> {
  const text = await response.text()
  assert.equal(response.status, problems[expected].status, text)
  assert.equal(Problem.parse(JSON.parse(text)).type, problems[expected].type)
}

const refusals = async () =>
  (await auditEvents(vault, clinic.tenant.id))
    .filter(({ action }) => action === 'token.refused')
    .map(({ actor, reasons }) => `${actor.id} ${reasons}`)

test('a token of a subject that was named acts as its user, within both scopes', async () => {
  const { row } = clinic.clinician
  assert.equal((await name('program-1', row.id, ['recordings.read', 'people.read'])).status, 204)
  const token = tokenOf()
  const me = schemas.Me.parse(await (await ask(token, '/v1/me')).json())
  assert.equal(me.user, row.id)
  assert.equal(await statusOf(token), 200)
  const [kept] = (await vault.catalog.listTokens(clinic.tenant.id)).filter(({ userId }) => userId === row.id)
  assert.deepEqual(kept?.scopes, ['recordings.read'])
  assert.equal(kept?.purpose, 'personal')
  const issued = (await auditEvents(vault, clinic.tenant.id)).filter(
    ({ action }) => action === 'token.issued',
  )
  assert.equal(issued.length, 1)
  assert.deepEqual(issued[0]?.actor, { type: 'system', id: issuer.id, session: null })
})

test('however often, and by however many at once, a token is shown, it is one row', async () => {
  await name('program-2', clinic.stranger.row.id, ['recordings.read'])
  const token = tokenOf({ sub: 'program-2' })
  await using second = await openFront(vault)
  const asks = Array.from({ length: 8 }, (_, index) =>
    fetch(`${index % 2 === 0 ? front.url : second.url}/v1/recordings`, {
      headers: { authorization: `Bearer ${token}` },
    }),
  )
  assert.deepEqual(new Set((await Promise.all(asks)).map(({ status }) => status)), new Set([200]))
  const rows = (await vault.catalog.listTokens(clinic.tenant.id)).filter(
    ({ userId }) => userId === clinic.stranger.row.id,
  )
  assert.equal(rows.length, 1)
})

test('a scope that only the token names, or only its subject, is worth nothing', async () => {
  await name('program-3', clinic.administrator.row.id, ['machines.read', 'people.read'])
  const providers = (scope: string) =>
    statusOf(tokenOf({ sub: 'program-3', scope }), '/v1/identity-providers')
  assert.equal(await providers('machines.read'), 200)
  assert.equal(await providers('recordings.read'), 403)
  assert.equal(await providers(''), 403)
  assert.equal(await statusOf(tokenOf({ sub: 'program-3', scope: 'recordings.read' })), 403)
})

test('no program manages providers, whatever it may', async () => {
  await name('program-3', clinic.administrator.row.id, ['machines.manage', 'people.manage'])
  const token = tokenOf({ sub: 'program-3', scope: 'machines.manage people.manage' })
  await assertProblem(
    await manage('POST', '/v1/token-issuers', newIssuer({ audience: 'x' }), token),
    'denied',
  )
})

test('what ends a token that another issuer made: at once', async () => {
  const { id } = clinic.clinician.row
  const ends: Readonly<Record<string, (subject: string) => Promise<unknown>>> = {
    'its subject is removed': subject =>
      manage('DELETE', `/v1/token-issuers/${issuer.id}/subjects?${new URLSearchParams({ subject })}`),
    'its scopes are fewer': subject => name(subject, id, ['people.read']),
    'somebody revokes the row': async () => {
      const rows = await vault.catalog.listTokens(clinic.tenant.id)
      const { auditRecord } = await import('@auricle/vault')
      const actor = { type: 'system', name: 'operator' } as const
      for (const row of rows.filter(({ revokedAt }) => revokedAt === null)) {
        if (row.purpose === 'session') continue
        const facts = { tenantId: row.tenantId, action: 'token.revoked', outcome: 'allowed', actor } as const
        const event = await auditRecord({ ...facts, object: null, request: null }, null)
        await vault.catalog.revokeToken(row.tenantId, row.id, event)
      }
    },
  }
  for (const [why, end] of Object.entries(ends)) {
    const subject = `ended ${why}`
    assert.equal((await name(subject, id, ['recordings.read', 'recordings.play'])).status, 204)
    const token = tokenOf({ sub: subject })
    assert.equal(await statusOf(token), 200, why)
    await end(subject)
    assert.equal(await statusOf(token), 401, why)
  }
})

test('a subject that comes back, or whose scopes stay, goes on with a new token', async () => {
  const { id } = clinic.clinician.row
  await name('returning', id, ['recordings.read'])
  const token = tokenOf({ sub: 'returning' })
  assert.equal(await statusOf(token), 200)
  await name('returning', id, ['recordings.read'])
  assert.equal(await statusOf(token), 200)
  await manage('DELETE', `/v1/token-issuers/${issuer.id}/subjects?subject=returning`)
  assert.equal(await statusOf(token), 401)
  await name('returning', id, ['recordings.read'])
  assert.equal(await statusOf(tokenOf({ sub: 'returning' })), 200)
})

test('a subject is one user’s for good', async () => {
  await name('settled', clinic.clinician.row.id, ['recordings.read'])
  await assertProblem(await name('settled', clinic.stranger.row.id, ['recordings.read']), 'conflict')
  await manage('DELETE', `/v1/token-issuers/${issuer.id}/subjects?subject=settled`)
  await assertProblem(await name('settled', clinic.stranger.row.id, ['recordings.read']), 'conflict')
})

test('whose user is disabled is out, and so is who is of an issuer that was disabled', async () => {
  const gone = await makeClinic(vault)
  const token = (await front.sessionOf(gone.administrator)).token
  const made = await manage('POST', '/v1/token-issuers', newIssuer({ audience: 'gone' }), token)
  const { id } = IssuerView.parse(await made.json())
  const put = (subject: string, user: UserId) =>
    manage('PUT', `/v1/token-issuers/${id}/subjects`, { subject, user, scopes: ['recordings.read'] }, token)
  await put('one', gone.clinician.row.id)
  await put('two', gone.stranger.row.id)
  const [one, two] = [tokenOf({ aud: 'gone', sub: 'one' }), tokenOf({ aud: 'gone', sub: 'two' })]
  assert.deepEqual([await statusOf(one), await statusOf(two)], [200, 200])
  await vault.database.superuserPool.query('update auricle.app_user set disabled_at = now() where id = $1', [
    gone.clinician.row.id,
  ])
  assert.deepEqual([await statusOf(one), await statusOf(two)], [401, 200])
  assert.equal((await manage('DELETE', `/v1/token-issuers/${id}`, undefined, token)).status, 204)
  assert.deepEqual([await statusOf(one), await statusOf(two)], [401, 401])
  assert.equal(await statusOf(tokenOf({ aud: 'gone', sub: 'two' })), 401)
})

const stranger = newRsaKey('one')
const [head = '', , signature = ''] = signJwt(key, header, {}).split('.')
const attacks: Readonly<Record<string, () => string>> = {
  'alg none, with a signature': () =>
    `${encode({ ...header, alg: 'none' })}.${encode(claims())}.${signature}`,
  'HS256 with the public key': () =>
    hmacJwt(
      createPublicKey(key.privateKey).export({ type: 'spki', format: 'pem' }).toString(),
      { ...header, alg: 'HS256' },
      claims(),
    ),
  'an algorithm that is not pinned': () => signJwt(key, { ...header, alg: 'PS256' }, claims()),
  'a stranger’s key': () => signJwt(stranger, header, claims()),
  'a key of its own': () => signJwt(stranger, { ...header, jwk: stranger.publicJwk }, claims()),
  'the address of a key': () => signJwt(stranger, { ...header, jku: `${forged.issuer}/other` }, claims()),
  'a kid that is a path': () => signJwt(stranger, { ...header, kid: '../../dev/null' }, claims()),
  'the signature of something else': () => `${head}.${encode(claims())}.${signature}`,
  expired: () => tokenOf({ exp: Math.floor(Date.now() / 1000) - 60 }),
  'from the future': () => tokenOf({ iat: Math.floor(Date.now() / 1000) + 600 }),
  'not yet': () => tokenOf({ nbf: Math.floor(Date.now() / 1000) + 600 }),
  'living too long': () => tokenOf({ exp: Math.floor(Date.now() / 1000) + 100_000 }),
  'without a subject': () => tokenOf({ sub: undefined }),
  'of a subject that nobody named': () => tokenOf({ sub: 'nobody' }),
  'a logout token': () => signJwt(key, { ...header, typ: 'logout+jwt' }, claims()),
}
for (const [what, make] of Object.entries(attacks)) {
  test(`refused and logged: ${what}`, async () => {
    const before = (await refusals()).length
    const response = await ask(make())
    assert.match(response.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
    await assertProblem(response, 'unauthenticated')
    const said = await refusals()
    assert.equal(said.length, before + 1)
    const reason = what === 'of a subject that nobody named' ? 'unknown_subject' : 'bad_token'
    assert.equal(said.at(-1), `${issuer.id} ${reason}`)
  })
}

test('refused: alg none without a signature, which is not even looked at as a token of somebody', async () => {
  const from = front.log.lines.length
  const token = `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(claims())}.`
  await assertProblem(await ask(token), 'unauthenticated')
  assert.match(JSON.stringify(front.log.lines.slice(from)), /was refused for its token/)
})

test('a token of an issuer that nobody trusts, or that says it is ours, is refused', async () => {
  for (const iss of ['https://evil.example', `${forged.issuer}/`, 'urn:auricle:deployment', "' or 1=1"]) {
    await assertProblem(await ask(tokenOf({ iss })), 'unauthenticated')
  }
})

test('a token that is for somebody else, or for more than one of us, is refused', async () => {
  const { token } = await front.sessionOf(other.administrator)
  await manage('POST', '/v1/token-issuers', newIssuer({ audience: 'theirs' }), token)
  await name('program-1', clinic.clinician.row.id, ['recordings.read'])
  for (const aud of ['https://other.example', [], null, [[audience]], { 0: audience }, [audience, 'theirs']])
    await assertProblem(await ask(tokenOf({ aud })), 'unauthenticated')
  assert.equal(await statusOf(tokenOf({ aud: ['nobody', audience] })), 200)
})

test('while the issuer’s keys cannot be had, a token is not refused for it', async () => {
  await using away = await startForgedProvider()
  away.keys = [key.publicJwk]
  const made = await manage(
    'POST',
    '/v1/token-issuers',
    newIssuer({
      issuer: 'https://away.example',
      settings: { jwksUri: 'https://127.0.0.1:1/keys', algorithms: ['RS256'] },
    }),
  )
  assert.equal(made.status, 201)
  await assertProblem(await ask(tokenOf({ iss: 'https://away.example' })), 'unavailable')
})

// --- management ---

test('issuer and audience are one tenant’s', async () => {
  const { token } = await front.sessionOf(other.administrator)
  await assertProblem(await manage('POST', '/v1/token-issuers', newIssuer(), token), 'conflict')
  assert.equal(
    (await manage('POST', '/v1/token-issuers', newIssuer({ audience: 'https://other.example' }), token))
      .status,
    201,
  )
})

test('another tenant’s issuers and providers are not there', async () => {
  const { token } = await front.sessionOf(other.administrator)
  const path = `/v1/token-issuers/${issuer.id}`
  const { settings } = newIssuer()
  const calls = [
    manage('PATCH', path, { settings }, token),
    manage('DELETE', path, undefined, token),
    manage('GET', `${path}/subjects`, undefined, token),
    manage('DELETE', `${path}/subjects?subject=program-1`, undefined, token),
    manage(
      'PUT',
      `${path}/subjects`,
      { subject: 'x', user: other.clinician.row.id, scopes: ['recordings.read'] },
      token,
    ),
    // Nor can another tenant's person be named.
    manage('PUT', `${path}/subjects`, {
      subject: 'x',
      user: other.clinician.row.id,
      scopes: ['recordings.read'],
    }),
  ]
  for (const response of await Promise.all(calls)) await assertProblem(response, 'notFound')
})

test('issuers are listed, changed and judged, and their subjects page', async () => {
  const list = schemas.IssuerList.parse(await (await manage('GET', '/v1/token-issuers')).json())
  assert.ok(list.issuers.some(({ id }) => id === issuer.id))
  const { settings } = newIssuer()
  const changed = await manage('PATCH', `/v1/token-issuers/${issuer.id}`, {
    settings: { ...settings, maxLifetimeSeconds: 1200 },
  })
  assert.equal(IssuerView.parse(await changed.json()).settings.maxLifetimeSeconds, 1200)
  const page = async (query: string) => {
    const response = await manage('GET', `/v1/token-issuers/${issuer.id}/subjects?${query}`)
    return schemas.IssuerSubjectList.parse(await response.json()).subjects.map(({ subject }) => subject)
  }
  const all = await page('limit=200')
  const first = await page('limit=2')
  assert.deepEqual(first, all.slice(0, 2))
  assert.deepEqual(
    await page(new URLSearchParams({ limit: '2', after: first[1] ?? '' }).toString()),
    all.slice(2, 4),
  )
  const wrong = [
    { settings: { ...settings, algorithms: [] } },
    { settings: { ...settings, algorithms: ['HS256'] } },
    { settings: { ...settings, jwksUri: 'http://keys.example' } },
    { settings: { ...settings, clockToleranceSeconds: 61 } },
    { settings, extra: 1 },
    {},
  ]
  for (const body of wrong)
    await assertProblem(await manage('PATCH', `/v1/token-issuers/${issuer.id}`, body), 'malformed')
})

test('managing wants an administrator with a fresh second factor; reading also lets an auditor', async () => {
  const auditor = await vault.database.superuserPool
    .query(
      `insert into auricle.role_grant (tenant_id, id, user_id, role, source, granted_at)
       values ($1, 'grt_auditor', $2, 'auditor', 'operator', now())`,
      [clinic.tenant.id, clinic.stranger.row.id],
    )
    .then(() => front.sessionOf(clinic.stranger))
  const stale = await front.sessionOf(clinic.administrator, { verifiedAt: new Date(Date.now() - 3_600_000) })
  const clinician = await front.sessionOf(clinic.clinician)
  const create = (token: string) =>
    manage('POST', '/v1/token-issuers', newIssuer({ audience: 'https://new.example' }), token)
  await assertProblem(await create(stale.token), 'stepUpRequired')
  for (const { token } of [auditor, clinician]) await assertProblem(await create(token), 'denied')
  for (const path of ['/v1/token-issuers', '/v1/identity-providers']) {
    assert.equal((await manage('GET', path, undefined, auditor.token)).status, 200)
    assert.equal((await manage('GET', path, undefined, stale.token)).status, 200)
    await assertProblem(await manage('GET', path, undefined, clinician.token), 'denied')
  }
})
