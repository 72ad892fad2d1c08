// Arrivals from a provider beside a model of what they leave: roles, teams and sessions, one after another and at once.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  newGrantId,
  newProviderId,
  newTeamId,
  newTokenId,
  type ProviderId,
  ProviderSettings,
  type Role,
  type TeamId,
  type UserId,
} from '@auricle/contract'
import fc from 'fast-check'
import {
  anEvent,
  anInstant,
  aToken,
  createTestTenant,
  type TestTenant,
} from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import type { Catalog } from './catalog.ts'
import { createCatalog } from './create-catalog.ts'
import type { Arrived, ProviderArrival } from './provider-sign-in.ts'

let database: TestDatabase
let catalog: Catalog
let tenant: TestTenant
let providers: readonly ProviderId[]
let teams: readonly TeamId[]

const now = new Date()
const later = (ms: number) => new Date(now.getTime() + ms)

before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
  tenant = await createTestTenant(catalog)
  providers = await Promise.all(['one', 'two'].map(addProvider))
  teams = [newTeamId(), newTeamId(), newTeamId()]
  for (const team of teams)
    await database.superuserPool.query(
      'insert into auricle.team (tenant_id, id, name, created_at) values ($1, $2, $2, $3)',
      [tenant.tenantId, team, anInstant],
    )
})
after(() => database[Symbol.asyncDispose]())

async function addProvider(name: string): Promise<ProviderId> {
  const id = newProviderId()
  const { tenantId, columns } = tenant
  const facts = { name, issuer: 'https://id.example', clientId: 'c', settings: ProviderSettings.parse({}) }
  const row = { ...facts, tenantId, id, createdAt: anInstant, disabledAt: null }
  await catalog.createProvider(row, 'secret', columns, { event: anEvent(tenantId), alert: null })
  return id
}

let subjects = 0
const newSubject = () => `subject-${++subjects}`

function anArrival(change: Partial<ProviderArrival> = {}): ProviderArrival {
  const subject = change.subject ?? newSubject()
  const { userId: _, ...token } = aToken(tenant, { createdAt: now, expiresAt: later(3_600_000) })
  return {
    tenantId: tenant.tenantId,
    providerId: providers[0] ?? newProviderId(),
    subject,
    login: `login of ${subject}`,
    name: 'Somebody',
    roles: ['clinician'],
    teams: [],
    provision: true,
    at: now,
    token: { ...token, id: newTokenId() },
    providerSession: null,
    ...change,
  }
}

const arrive = (change: Partial<ProviderArrival> = {}): Promise<Arrived> =>
  catalog.commitArrival(anArrival(change), async () => [anEvent(tenant.tenantId)])

function userOf(arrived: Arrived): UserId {
  assert.ok(arrived.user !== null)
  return arrived.user.id
}

async function stateOf(user: UserId) {
  const { superuserPool: pool } = database
  const grants = await pool.query(
    `select role, provider_id from auricle.role_grant where user_id = $1 and revoked_at is null order by role`,
    [user],
  )
  const members = await pool.query(
    'select team_id, provider_id from auricle.team_member where user_id = $1 order by team_id',
    [user],
  )
  const of = (id: ProviderId | null) => ({
    roles: grants.rows.filter(({ provider_id }) => provider_id === id).map(({ role }) => role),
    teams: members.rows.filter(({ provider_id }) => provider_id === id).map(({ team_id }) => team_id),
  })
  return { of, teams: members.rows.map(({ team_id }) => team_id) }
}

const someRoles: readonly Role[] = ['clinician', 'supervisor', 'auditor', 'hears_vip']
const step = fc.record({
  provider: fc.integer({ min: 0, max: 1 }),
  roles: fc.subarray([...someRoles]),
  teams: fc.subarray([0, 1, 2]),
})

test('whatever groups say, one after another: each provider’s roles and teams are exactly its last word', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 6 }),
      fc.option(fc.constantFrom(...someRoles), { nil: null }),
      async (steps, ownRole) => {
        const subject = newSubject()
        const user = userOf(await arrive({ subject, roles: ['recovery_operator'] }))
        const [first, second] = providers
        assert.ok(first !== undefined && second !== undefined)
        const link = { tenantId: tenant.tenantId, providerId: second, subject, userId: user, at: now }
        assert.ok(await catalog.linkIdentity(link, { event: anEvent(tenant.tenantId), alert: null }))
        if (ownRole !== null)
          await database.superuserPool.query(
            `insert into auricle.role_grant (tenant_id, id, user_id, role, source, granted_at)
             values ($1, $2, $3, $4, 'operator', $5)`,
            [tenant.tenantId, newGrantId(), user, ownRole, now],
          )
        const model = new Map<ProviderId, { roles: readonly Role[]; teams: readonly TeamId[] }>([
          [first, { roles: ['recovery_operator'], teams: [] }],
          [second, { roles: [], teams: [] }],
        ])
        for (const { provider, roles, teams: numbers } of steps) {
          const providerId: ProviderId = provider === 0 ? first : second
          const given = teams.filter((_, index) => numbers.includes(index))
          const before: readonly Role[] = model.get(providerId)?.roles ?? []
          const arrived = await arrive({ subject, providerId, roles, teams: given })
          model.set(providerId, { roles, teams: given })
          const inForce = [...model.values()].flatMap(one => one.roles)
          assert.equal(arrived.refusal, inForce.length > 0 || ownRole !== null ? null : 'no_role')
          assert.deepEqual([...arrived.granted].sort(), roles.filter(role => !before.includes(role)).sort())
          assert.deepEqual([...arrived.revoked].sort(), before.filter(role => !roles.includes(role)).sort())
          const state = await stateOf(user)
          for (const [id, said] of model) assert.deepEqual(state.of(id).roles, [...said.roles].sort())
          assert.deepEqual(state.of(null).roles, ownRole === null ? [] : [ownRole])
          // A team that two providers give is there once, and stays while the one that gave it first says so.
          assert.ok(state.of(providerId).teams.every(team => given.some(one => one === team)))
          assert.ok(given.every(team => state.teams.includes(team)))
        }
      },
    ),
    { numRuns: 25 },
  )
})

test('many arrivals at once as one person leave one of what they said, and one person', async () => {
  const subject = newSubject()
  const said: readonly (readonly Role[])[] = [
    ['clinician'],
    ['auditor'],
    ['clinician', 'supervisor'],
    ['hears_vip'],
  ]
  const arrived = await Promise.all(said.map(roles => arrive({ subject, roles })))
  const users = new Set(arrived.map(userOf))
  assert.equal(users.size, 1)
  assert.equal(arrived.filter(({ isNew }) => isNew).length, 1)
  const [user] = users
  assert.ok(user !== undefined)
  const { roles } = (await stateOf(user)).of(providers[0] ?? null)
  assert.ok(
    said.some(one => [...one].sort().join() === roles.join()),
    roles.join(),
  )
})

test('one subject with two providers is two people, and a login is no way to become somebody', async () => {
  const subject = newSubject()
  const first = userOf(await arrive({ subject, login: 'shared' }))
  const second = await arrive({ subject, login: 'shared', ...(providers[1] && { providerId: providers[1] }) })
  assert.deepEqual([second.user, second.refusal], [null, 'login_taken'])
  const local = await arrive({ login: tenant.login })
  assert.deepEqual([local.user, local.refusal], [null, 'login_taken'])
  const other = await arrive({ subject, login: 'other', ...(providers[1] && { providerId: providers[1] }) })
  assert.notEqual(userOf(other), first)
})

test('what cannot be written leaves nothing', async () => {
  const subject = newSubject()
  const failing = catalog.commitArrival(anArrival({ subject }), async () => {
    throw new Error('no event, no arrival')
  })
  await assert.rejects(failing, /no event/)
  assert.equal(await catalog.findUserByLogin(tenant.tenantId, `login of ${subject}`), null)
})

const logout = (
  change: Readonly<{ subject?: string; sid?: string; jti?: string; providerId?: ProviderId }>,
) =>
  catalog.commitProviderLogout(
    {
      tenantId: tenant.tenantId,
      providerId: providers[0] ?? newProviderId(),
      subject: null,
      sid: null,
      jti: `jti of ${newSubject()}`,
      expiresAt: later(300_000),
      at: later(1000),
      ...change,
    },
    async () => anEvent(tenant.tenantId),
  )

test('a log-out ends what it names, what has no name, and nothing else', async () => {
  const subject = newSubject()
  const sessionOf = async (providerSession: string | null, whose = subject) => {
    const { userId: _, ...token } = aToken(tenant, { createdAt: now, expiresAt: later(3_600_000) })
    await arrive({ subject: whose, token, providerSession })
    return token.id
  }
  const [one, two, unnamed, stranger] = [
    await sessionOf('sid-1'),
    await sessionOf('sid-2'),
    await sessionOf(null),
    await sessionOf('sid-1', newSubject()),
  ]
  const ids = (ended: Awaited<ReturnType<typeof logout>>) => ended?.map(({ tokenId }) => tokenId).sort()
  const [, other] = providers
  assert.ok(other !== undefined)
  assert.deepEqual(ids(await logout({ subject, sid: 'sid-1', providerId: other })), [])
  assert.deepEqual(ids(await logout({ subject: 'nobody' })), [])
  assert.deepEqual(ids(await logout({ subject, sid: 'sid-1' })), [one, unnamed].sort())
  assert.deepEqual(ids(await logout({ sid: 'sid-1' })), [stranger])
  assert.deepEqual(ids(await logout({ subject })), [two])
  assert.deepEqual(ids(await logout({ subject })), [])
})

test('one notice counts once for its provider', async () => {
  assert.deepEqual(await logout({ jti: 'once', subject: 'nobody' }), [])
  assert.equal(await logout({ jti: 'once', subject: 'nobody' }), null)
  const [, other] = providers
  assert.deepEqual(await logout({ jti: 'once', subject: 'nobody', ...(other && { providerId: other }) }), [])
})
