// Managing OpenID providers over HTTP: who may, what is kept and shown, what a change and an end do to those who are in.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Problem, ProviderCheck, type ProviderId, ProviderView, problems } from '@auricle/contract'
import { auditEvents } from '../../../test/audit-log.ts'
import { openFront } from '../../../test/front.ts'
import { account, openProviderClinic, type ProviderClinic } from '../../../test/provider-clinic.ts'
import { makeClinic } from '../../../test/vault.ts'
import { openVisitor } from '../../../test/visitor.ts'
import { schemas } from './routes-table.ts'

let at: ProviderClinic
let administrator: string

before(async () => {
  at = await openProviderClinic()
  administrator = (await at.front.sessionOf(at.clinic.administrator)).token
})
after(() => at[Symbol.asyncDispose]())

const path = '/v1/identity-providers'
const manage = (
  method: string,
  to: string,
  body?: unknown,
  { token = administrator, url = at.front.url }: { readonly token?: string; readonly url?: string } = {},
) =>
  fetch(url + to, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

const newProvider = (change: Readonly<Record<string, unknown>> = {}) => ({
  name: 'Work',
  issuer: 'https://id.example',
  clientId: 'auricle',
  clientSecret: 'a secret of the test',
  settings: { requiredAmr: ['mfa'], groups: [{ group: 'clinicians', roles: ['clinician'] }] },
  ...change,
})

async function create(change: Readonly<Record<string, unknown>> = {}): Promise<ProviderView> {
  const response = await manage('POST', path, newProvider(change))
  const text = await response.text()
  assert.equal(response.status, 201, text)
  return ProviderView.parse(JSON.parse(text))
}

async function check(id: ProviderId): Promise<ProviderCheck> {
  return ProviderCheck.parse(await (await manage('POST', `${path}/${id}/check`)).json())
}

async function assertProblem(response: Response, name: keyof typeof problems): Promise<string> {
  const text = await response.text()
  assert.equal(response.status, problems[name].status, text)
  const problem = Problem.parse(JSON.parse(text))
  assert.equal(problem.type, problems[name].type)
  return problem.detail ?? ''
}

const logged = async (kind: RegExp) =>
  (await auditEvents(at.vault, at.clinic.tenant.id))
    .filter(({ action }) => kind.test(action))
    .map(({ action, actor, object }) => `${action} ${actor.id} ${object?.id}`)

test('a provider is connected, and says what to register; its secret is shown to nobody', async () => {
  const made = await create({ name: 'First' })
  assert.equal(made.redirectUri, `${at.front.url}/v1/sign-in/${made.id}/callback`)
  assert.equal(made.backChannelLogoutUri, `${at.front.url}/v1/sign-in/${made.id}/back-channel-logout`)
  const listed = await manage('GET', path)
  const text = await listed.text()
  assert.ok(schemas.ProviderList.parse(JSON.parse(text)).providers.some(({ id }) => id === made.id))
  assert.ok(!text.includes('a secret of the test'))
  const { rows } = await at.vault.database.superuserPool.query(
    'select client_secret, row_to_json(p)::text as whole from auricle.identity_provider p where id = $1',
    [made.id],
  )
  assert.ok(!Buffer.from(rows[0].client_secret).includes('secret of'))
  assert.ok(!rows[0].whole.includes('secret of the test'))
  const by = at.clinic.administrator.row.id
  assert.deepEqual(
    await logged(/^provider\.created$/).then(all => all.at(-1)),
    `provider.created ${by} ${made.id}`,
  )
  assert.ok((await logged(/^provider\.listed$/)).length > 0)
})

test('a name is one provider’s, until that is disabled', async () => {
  const first = await create({ name: 'Twice' })
  await assertProblem(await manage('POST', path, newProvider({ name: 'Twice' })), 'conflict')
  const second = await create({ name: 'Other' })
  await assertProblem(await manage('PATCH', `${path}/${second.id}`, { name: 'Twice' }), 'conflict')
  assert.equal((await manage('DELETE', `${path}/${first.id}`)).status, 204)
  assert.equal((await manage('PATCH', `${path}/${second.id}`, { name: 'Twice' })).status, 200)
  for (const [method, body] of [['DELETE'], ['PATCH', { name: 'x' }]] as const)
    await assertProblem(await manage(method, `${path}/${first.id}`, body), 'notFound')
  await assertProblem(await manage('POST', `${path}/${first.id}/check`), 'notFound')
})

test('what is left out of a change stays', async () => {
  const made = await create({ name: 'Stays' })
  const renamed = ProviderView.parse(
    await (await manage('PATCH', `${path}/${made.id}`, { name: 'New' })).json(),
  )
  assert.deepEqual(renamed, { ...made, name: 'New' })
  const settings = { requiredAcr: ['urn:example:mfa'] }
  const changed = ProviderView.parse(await (await manage('PATCH', `${path}/${made.id}`, { settings })).json())
  assert.deepEqual(changed.settings.requiredAcr, ['urn:example:mfa'])
  assert.deepEqual(changed.settings.groups, [])
})

test('what cannot be is refused', async () => {
  const wrong = [
    {},
    newProvider({ name: '' }),
    newProvider({ name: 'two\nlines' }),
    newProvider({ issuer: 'id.example' }),
    newProvider({ issuer: 'ftp://id.example' }),
    newProvider({ issuer: 'http://id.example' }),
    newProvider({ issuer: 'https://user:password@id.example' }),
    newProvider({ clientSecret: '' }),
    newProvider({ extra: 1 }),
    newProvider({ settings: { requiredAmr: ['two words'] } }),
    newProvider({ settings: { groups: [{ group: 'g', roles: ['king'] }] } }),
    newProvider({ settings: { groups: Array.from({ length: 201 }, () => ({ group: 'g', roles: [] })) } }),
  ]
  for (const body of wrong) await assertProblem(await manage('POST', path, body), 'malformed')
  await using provider = await at.connect([])
  await using front = await openFront(at.vault, { publicUrl: 'https://vault.example' })
  const local = newProvider({ name: 'Local', issuer: provider.provider.issuer })
  assert.match(
    await assertProblem(await manage('POST', path, local, { url: front.url }), 'malformed'),
    /https/,
  )
})

test('a check says in words what is wrong', async () => {
  await using provider = await at.connect([account('nurse')])
  assert.deepEqual(await check(provider.id), { ok: true, findings: [] })
  const { issuer } = provider.provider
  const wrong = await create({ name: 'Wrong', issuer: `${issuer}/other` })
  const { ok, findings } = await check(wrong.id)
  assert.equal(ok, false)
  assert.match(findings.join(), new RegExp(`^${issuer}/other cannot be used: `))
  const open = await create({ name: 'Open', issuer, settings: { provision: true } })
  assert.deepEqual((await check(open.id)).findings, [
    'Nobody gets in: demand a second factor with requiredAcr or requiredAmr.',
    'Nobody is made a person: no group gives a role.',
  ])
  await provider.provider.stop()
  assert.deepEqual((await check(provider.id)).findings, [
    `${issuer} cannot be used: The identity provider cannot be asked just now.`,
  ])
})

test('disabling ends the sessions that came from it and the roles that it gave, and no others', async () => {
  await using provider = await at.connect([account('visiting')])
  const visitor = openVisitor()
  await visitor.arrive(provider.start(), { login: 'visiting' })
  const me = () => visitor.get(`${at.front.url}/v1/me`, { 'sec-fetch-site': 'same-origin' })
  const { user } = schemas.Me.parse(await (await me()).json())
  const local = await at.front.sessionOf(at.clinic.clinician)
  const back = await openVisitor().signIn(provider.start(), { login: 'visiting' })
  assert.equal((await manage('DELETE', `${path}/${provider.id}`)).status, 204)
  assert.equal((await me()).status, 401)
  const ended = (await auditEvents(at.vault, at.clinic.tenant.id)).filter(({ reasons }) =>
    reasons.includes('provider_disabled'),
  )
  assert.deepEqual(ended.map(({ action, reasons }) => `${action} ${reasons}`).sort(), [
    'role.revoked provider_disabled,clinician',
    'session.ended provider_disabled',
  ])
  const users = await at.vault.catalog.listUsers(at.clinic.tenant.id)
  assert.deepEqual(users.find(({ id }) => id === user)?.roles, [])
  const still = await manage('GET', '/v1/me', undefined, { token: local.token })
  assert.deepEqual(schemas.Me.parse(await still.json()).roles, ['clinician'])
  for (const url of [provider.start(), back]) await assertProblem(await openVisitor().get(url), 'notFound')
  const ways = await openVisitor().get(`${at.front.url}/v1/sign-in?tenant=${at.clinic.tenant.slug}`)
  assert.ok(!(await ways.text()).includes(provider.id))
})

test('a new secret is the one that is used', async () => {
  await using provider = await at.connect([account('nurse')])
  const secret = (clientSecret: string) => manage('PATCH', `${path}/${provider.id}`, { clientSecret })
  assert.equal((await secret('not that one')).status, 200)
  const visitor = openVisitor()
  const refused = await visitor.arrive(provider.start(), { login: 'nurse' })
  assert.match(refused.headers.get('location') ?? '', /error=bad_provider_answer/)
  assert.equal((await secret(provider.clientSecret)).status, 200)
  assert.equal((await visitor.arrive(provider.start(), { login: 'nurse' })).headers.get('location'), '/')
})

test('another tenant’s provider is not there, nor is another tenant’s person', async () => {
  const other = await makeClinic(at.vault)
  const { token } = await at.front.sessionOf(other.administrator)
  await using provider = await at.connect([])
  const own = { token }
  const person = other.clinician.row.id
  const calls = [
    manage('PATCH', `${path}/${provider.id}`, { name: 'x' }, own),
    manage('DELETE', `${path}/${provider.id}`, undefined, own),
    manage('POST', `${path}/${provider.id}/check`, undefined, own),
    manage('PUT', `/v1/people/${person}/identities/${provider.id}`, { subject: 's' }, own),
    manage('PUT', `/v1/people/${person}/identities/${provider.id}`, { subject: 's' }),
  ]
  for (const response of await Promise.all(calls)) await assertProblem(response, 'notFound')
})

test('only an administrator with a fresh second factor changes anything, and each attempt is logged', async () => {
  await using provider = await at.connect([])
  const hourAgo = new Date(Date.now() - 3_600_000)
  const { token: stale } = await at.front.sessionOf(at.clinic.administrator, { verifiedAt: hourAgo })
  const { token: clinician } = await at.front.sessionOf(at.clinic.clinician)
  const program = await at.front.tokenOf(at.clinic.administrator)
  const person = at.clinic.clinician.row.id
  const calls = (token: string) => [
    manage('POST', path, newProvider({ name: 'No' }), { token }),
    manage('PATCH', `${path}/${provider.id}`, { name: 'No' }, { token }),
    manage('DELETE', `${path}/${provider.id}`, undefined, { token }),
    manage('PUT', `/v1/people/${person}/identities/${provider.id}`, { subject: 's' }, { token }),
  ]
  const before = (await auditEvents(at.vault, at.clinic.tenant.id)).length
  for (const response of await Promise.all(calls(stale))) await assertProblem(response, 'stepUpRequired')
  for (const response of await Promise.all([...calls(clinician), ...calls(program)]))
    await assertProblem(response, 'denied')
  const events = (await auditEvents(at.vault, at.clinic.tenant.id)).slice(before)
  assert.equal(events.filter(({ outcome }) => outcome === 'denied').length, 12)
})

test('the compliance officer is told whenever groups come to give other roles, or somebody is linked', async () => {
  const tenantId = at.clinic.tenant.id
  const alerts = async () =>
    (await at.vault.catalog.listAlerts(tenantId, { beforeId: null, limit: 200 })).map(
      ({ kind, subject }) => `${kind} ${subject.id}`,
    )
  const lastEvent = async (action: string) =>
    (await auditEvents(at.vault, tenantId)).filter(event => event.action === action).at(-1)?.id
  const since = async (work: () => Promise<unknown>) => {
    const before = await alerts()
    await work()
    return (await alerts()).filter(alert => !before.includes(alert))
  }
  let made: ProviderView | undefined
  const groups = [{ group: 'nurses', roles: ['clinician'] }]
  const connected = await since(async () => {
    made = await create({ name: 'Told', settings: { requiredAmr: ['mfa'], groups } })
  })
  assert.deepEqual(connected, [`group_roles_changed ${await lastEvent('provider.created')}`])
  const to = `${path}/${made?.id}`
  const patch = (body: unknown) => () => manage('PATCH', to, body)
  assert.deepEqual(await since(patch({ name: 'Told otherwise' })), [])
  assert.deepEqual(await since(patch({ settings: { requiredAmr: ['otp'], groups } })), [])
  for (const roles of [['clinician', 'auditor'], ['auditor']]) {
    const settings = { requiredAmr: ['otp'], groups: [{ group: 'nurses', roles }] }
    assert.deepEqual(await since(patch({ settings })), [
      `group_roles_changed ${await lastEvent('provider.changed')}`,
    ])
  }
  const link = () =>
    manage('PUT', `/v1/people/${at.clinic.stranger.row.id}/identities/${made?.id}`, { subject: 'subject' })
  assert.deepEqual(await since(link), [`identity_linked ${await lastEvent('provider.changed')}`])
})
