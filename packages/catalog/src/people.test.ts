// People, roles, teams and cover on PostgreSQL: what ends together, and what happens when several change it at once.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  type Label,
  newAlertId,
  newDelegationId,
  newGrantId,
  newInvitationId,
  newMailboxId,
  newRoleRequestId,
  newTeamId,
  newUserId,
  type UserId,
} from '@auricle/contract'
import {
  addAccessRows,
  anEvent,
  anInstant,
  archiveRecording,
  aToken,
  createTestTenant,
  type TestTenant,
} from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import type { Catalog, UserRow } from './catalog.ts'
import { createCatalog } from './create-catalog.ts'
import type { NewRoleRequest } from './role-requests.ts'

const dayMs = 24 * 60 * 60_000
const later = (days: number) => new Date(anInstant.getTime() + days * dayMs)

let database: TestDatabase
let clock = anInstant
let catalog: Catalog
let tenant: TestTenant
let foreign: TestTenant

before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper(), now: () => clock })
})
beforeEach(async () => {
  clock = anInstant
  tenant = await createTestTenant(catalog)
  foreign = await createTestTenant(catalog)
})
after(() => database[Symbol.asyncDispose]())

const event = () => anEvent(tenant.tenantId)

async function eventCount(): Promise<number> {
  return (await catalog.listEvents(tenant.tenantId, { afterId: null, limit: 1000 })).length
}

async function addPerson(roles: readonly string[], change: Partial<UserRow> = {}): Promise<UserId> {
  const id = newUserId()
  const user: UserRow = {
    ...{ id, tenantId: tenant.tenantId, login: id.slice(-12), name: 'Somebody', kind: 'person', roles },
    ...{ createdAt: anInstant, disabledAt: null },
    ...change,
  }
  await catalog.createUser(user, { passwordHash: 'hash', totpSecret: 'secret' }, tenant.columns, event())
  return id
}

function aRequest(userId: UserId, requestedBy: UserId, change: Partial<NewRoleRequest> = {}): NewRoleRequest {
  return {
    ...{ id: newRoleRequestId(), tenantId: tenant.tenantId, userId, requestedBy, role: 'supervisor' },
    ...{ requestedAt: clock, reason: 'takes over the night shift', until: null },
    ...change,
  }
}

const openSince = () => new Date(clock.getTime() - 30 * dayMs)

async function ask(request: NewRoleRequest): Promise<NewRoleRequest> {
  await catalog.requestRole(request, openSince(), tenant.columns, event())
  return request
}

const decide = (
  { id: requestId }: NewRoleRequest,
  by: UserId,
  outcome: 'approved' | 'refused' = 'approved',
) =>
  catalog.decideRole(
    {
      ...{ tenantId: tenant.tenantId, requestId, outcome, by, at: clock },
      ...{
        openSince: openSince(),
        settledSince: new Date(clock.getTime() - 7 * dayMs),
        grantId: newGrantId(),
      },
    },
    event(),
  )

const disable = (userId: UserId, by: UserId | null = null) =>
  catalog.disablePerson({ tenantId: tenant.tenantId, userId, by, at: clock }, event())

function reset(userId: UserId, createdBy: UserId | null): Promise<boolean> {
  const { tenantId } = tenant
  const id = newInvitationId()
  const expiresAt = new Date(clock.getTime() + 7 * dayMs)
  const row = { id, tenantId, userId, secretHash: randomBytes(32), createdBy, createdAt: clock, expiresAt }
  const subject = { type: 'invitation', id }
  const alert = { id: newAlertId(), tenantId, kind: 'factors_reset', subject, raisedAt: clock }
  return catalog.resetFactors(row, { alert, event: event() }, event())
}

const rolesOf = async (userId: UserId) =>
  (await catalog.listUsers(tenant.tenantId)).find(({ id }) => id === userId)?.roles

describe('people', () => {
  test('everything that is somebody’s ends together, and enabling brings none of it back', async () => {
    const { tenantId, userId } = tenant
    await addAccessRows(database.appPool, tenant)
    const tokens = [aToken(tenant), aToken(tenant, { purpose: 'personal', scopes: [] })]
    for (const token of tokens) await catalog.addToken(token, event())
    const before = await eventCount()
    assert.equal(await disable(userId), 'disabled')
    assert.equal(await disable(userId), 'already')
    assert.equal(await eventCount(), before + 1)
    for (const { id } of tokens) assert.equal(await catalog.findBearer(tenantId, id, clock), null)

    const person = await catalog.findPerson(tenantId, userId)
    assert.deepEqual(person?.disabledAt, clock)
    const open = await database.superuserPool.query(
      `select 'token' as what from auricle.token where user_id = $1 and revoked_at is null
       union all select 'delegation' from auricle.delegation where from_user_id = $1 and ended_at is null
       union all select 'code' from auricle.emergency_code where user_id = $1 and revoked_at is null
       union all select 'access' from auricle.break_glass where user_id = $1 and ended_at is null`,
      [userId],
    )
    assert.deepEqual(open.rows, [])

    assert.equal(await catalog.enablePerson({ tenantId, userId }, event()), true)
    assert.equal(await catalog.enablePerson({ tenantId, userId }, event()), false)
    for (const { id } of tokens) assert.equal(await catalog.findBearer(tenantId, id, clock), null)
    assert.deepEqual(await rolesOf(userId), ['clinician'])
  })

  test('administrators who end each other at the same moment leave one', async () => {
    for (let round = 0; round < 5; round++) {
      tenant = await createTestTenant(catalog)
      const people = await Promise.all(
        Array.from({ length: 4 }, () => addPerson(['administrator', 'clinician'])),
      )
      const { tenantId } = tenant
      const outcomes = await Promise.all([
        ...people.slice(0, 2).map(userId => disable(userId)),
        ...people
          .slice(2)
          .map(userId =>
            catalog.revokeRole(
              { tenantId, userId, role: 'administrator', by: null, at: clock },
              anEvent(tenantId),
            ),
          ),
      ])
      assert.equal(outcomes.filter(outcome => outcome === 'last_administrator').length, 1)
      const left = await catalog.listUsers(tenantId)
      const holding = left.filter(
        ({ roles, disabledAt }) => roles.includes('administrator') && disabledAt === null,
      )
      assert.equal(holding.length, 1)
    }
  })

  test('an administrator whose role ran out, or who is a service, is not counted as one', async () => {
    const only = await addPerson(['administrator'])
    const expired = await addPerson([])
    await addPerson(['administrator'], { kind: 'service' })
    const grant = { tenantId: tenant.tenantId, role: 'administrator', at: clock }
    await catalog.grantRole({ ...grant, id: newGrantId(), userId: expired, until: later(1) }, event())
    clock = later(2)
    assert.equal(await disable(only), 'last_administrator')
    assert.equal((await catalog.findPerson(tenant.tenantId, only))?.disabledAt, null)
  })

  test('an invitation, what it asks for, and its events are one; a login that is taken leaves nothing', async () => {
    const { tenantId, userId: by } = tenant
    const invited = (login: string) => {
      const id = newUserId()
      const user = { id, tenantId, login, name: 'Dana', kind: 'person', roles: [] } as const
      const invitation = { id: newInvitationId(), tenantId, userId: id, secretHash: randomBytes(32) }
      return {
        user: { ...user, createdAt: clock, disabledAt: null },
        invitation: { ...invitation, createdBy: by, createdAt: clock, expiresAt: later(7) },
        requests: [aRequest(id, by), aRequest(id, by, { role: 'clinician', until: later(100) })],
      }
    }
    const first = invited('dana')
    await catalog.invitePerson(first, tenant.columns, [event(), event()])
    const found = await catalog.findPerson(tenantId, first.user.id)
    const factors = { password: false, totp: false, passkeys: 0, recoveryCodes: 0 }
    assert.deepEqual(found, { ...first.user, signedInAt: null, invitedUntil: later(7), factors })
    const filter = { state: 'open', openSince: openSince(), beforeId: null, limit: 10 } as const
    const requests = await catalog.listRoleRequests(tenantId, filter, tenant.columns)
    assert.deepEqual(requests.map(({ role, reason }) => [role, reason]).sort(), [
      ['clinician', 'takes over the night shift'],
      ['supervisor', 'takes over the night shift'],
    ])
    const before = await eventCount()
    const again = catalog.invitePerson(invited('dana'), tenant.columns, [event()])
    await assert.rejects(again, { code: 'taken' })
    assert.equal(await eventCount(), before)
    clock = later(8)
    assert.equal((await catalog.findPerson(tenantId, first.user.id))?.invitedUntil, null)
  })

  test('factors go together with what was signed in by them, and only where somebody has any', async () => {
    const { tenantId, userId } = tenant
    await addAccessRows(database.appPool, tenant)
    const token = aToken(tenant)
    await catalog.addToken(token, event())
    const has = { password: true, totp: true, passkeys: 1, recoveryCodes: 1 }
    assert.deepEqual((await catalog.findPerson(tenantId, userId))?.factors, has)
    assert.equal(await reset(userId, null), true)
    const after = await catalog.findPerson(tenantId, userId)
    assert.deepEqual(after?.factors, { password: false, totp: false, passkeys: 0, recoveryCodes: 0 })
    assert.deepEqual(after?.invitedUntil, later(7))
    assert.equal(await catalog.findBearer(tenantId, token.id, clock), null)
    assert.equal(await reset(userId, null), true)
    const open = await database.superuserPool.query(
      'select from auricle.invitation where user_id = $1 and revoked_at is null',
      [userId],
    )
    assert.equal(open.rowCount, 1)
    const alerts = await catalog.listAlerts(tenantId, { beforeId: null, limit: 10 })
    assert.equal(alerts.filter(({ kind }) => kind === 'factors_reset').length, 2)

    const service = await addPerson([], { kind: 'service' })
    assert.equal(await reset(service, null), false)
    await disable(userId)
    assert.equal(await reset(userId, null), false)
  })

  test('pages of people are everybody once, and nobody of another tenant', async () => {
    for (let made = 0; made < 4; made++) await addPerson([])
    const seen: UserId[] = []
    for (;;) {
      const page = await catalog.listPeople(tenant.tenantId, { afterId: seen.at(-1) ?? null, limit: 2 })
      if (page.length === 0) break
      seen.push(...page.map(({ id }) => id))
    }
    const all = (await catalog.listUsers(tenant.tenantId)).map(({ id }) => id)
    assert.deepEqual(seen, all.sort())
    assert.equal(await catalog.findPerson(tenant.tenantId, foreign.userId), null)
    const named = { tenantId: tenant.tenantId, userId: foreign.userId, name: 'Mallory' }
    assert.equal(await catalog.renamePerson(named, event()), false)
    assert.equal(await disable(foreign.userId), 'already')
    assert.equal((await catalog.findPerson(foreign.tenantId, foreign.userId))?.disabledAt, null)
  })
})

describe('roles', () => {
  let asker: UserId
  let approver: UserId

  beforeEach(async () => {
    asker = await addPerson(['administrator'])
    approver = await addPerson(['compliance_officer'])
  })

  test('of eight decisions at once one is made, with one grant and one event', async () => {
    const request = await ask(aRequest(tenant.userId, asker))
    const before = await eventCount()
    const decisions = await Promise.all(
      Array.from({ length: 8 }, (_, index) => decide(request, approver, index % 2 ? 'refused' : 'approved')),
    )
    assert.equal(decisions.filter(Boolean).length, 1)
    assert.equal(await eventCount(), before + 1)
    const found = await catalog.findRoleRequest(tenant.tenantId, request.id, tenant.columns)
    assert.equal((await rolesOf(tenant.userId))?.includes('supervisor'), found?.outcome === 'approved')
    assert.equal(found?.decidedBy, approver)
  })

  test('the database itself refuses a decision by whoever asked, or would be given the role', async () => {
    const request = await ask(aRequest(tenant.userId, asker))
    const before = await eventCount()
    for (const self of [asker, tenant.userId]) {
      for (const outcome of ['approved', 'refused'] as const)
        await assert.rejects(decide(request, self, outcome), { name: 'CatalogError', code: 'refused' })
    }
    assert.equal(await eventCount(), before)
    assert.deepEqual(await rolesOf(tenant.userId), ['clinician'])
  })

  test('a role that ran out is gone, for every look-up', async () => {
    await decide(await ask(aRequest(tenant.userId, asker, { until: later(3) })), approver)
    const token = aToken(tenant, { expiresAt: later(30) })
    await catalog.addToken(token, event())
    const rolesAt = async (at: Date) =>
      (await catalog.findBearer(tenant.tenantId, token.id, at))?.access.roles
    assert.deepEqual(await rolesAt(new Date(later(3).getTime() - 1)), ['clinician', 'supervisor'])
    assert.deepEqual(await rolesAt(later(3)), ['clinician'])
    clock = later(3)
    assert.deepEqual(await rolesOf(tenant.userId), ['clinician'])
    const ending = {
      tenantId: tenant.tenantId,
      userId: tenant.userId,
      role: 'supervisor',
      by: null,
      at: clock,
    }
    assert.equal(await catalog.revokeRole(ending, event()), 'none')
  })

  test('an approval takes the place of the one before, and both stay in the report', async () => {
    const { tenantId, userId } = tenant
    await decide(await ask(aRequest(userId, asker, { until: later(3) })), approver)
    clock = later(2)
    await decide(await ask(aRequest(userId, asker, { until: later(90) })), approver)
    clock = later(10)
    const ending = { tenantId, userId, role: 'supervisor', by: asker, at: later(9) }
    assert.equal(await catalog.revokeRole(ending, event()), 'revoked')
    const report = await catalog.listGrants(tenantId, { now: clock, endedSince: anInstant, userId })
    const login = async (id: UserId) => (await catalog.findPerson(tenantId, id))?.login ?? null
    const [by, from] = [await login(asker), await login(approver)]
    assert.deepEqual(
      report.map(({ role, source, requestedBy, approvedBy, grantedAt, until, endedAt, endedBy }) => {
        return [role, source, requestedBy, approvedBy, grantedAt, until, endedAt, endedBy]
      }),
      [
        ['clinician', 'operator', null, null, anInstant, null, null, null],
        ['supervisor', 'approval', by, from, anInstant, later(3), later(2), from],
        ['supervisor', 'approval', by, from, later(2), later(90), later(9), by],
      ],
    )
    const live = await catalog.listGrants(tenantId, { now: clock, endedSince: null })
    assert.deepEqual(live.map(({ role }) => role).sort(), [
      'administrator',
      'clinician',
      'compliance_officer',
    ])
    assert.equal((await catalog.listGrants(tenantId, { now: clock, endedSince: later(9) })).length, 4)
  })

  test('one request a person and role is open; one that lapsed is not decided and makes room', async () => {
    const { tenantId, userId } = tenant
    const first = await ask(aRequest(userId, asker))
    await assert.rejects(ask(aRequest(userId, asker)), { code: 'taken' })
    clock = later(30)
    assert.equal(await decide(first, approver), false)
    const second = await ask(aRequest(userId, asker))
    assert.equal((await catalog.findRoleRequest(tenantId, first.id, tenant.columns))?.outcome, 'withdrawn')
    assert.equal(await decide(second, approver), true)
    const withdrawal = { tenantId, requestId: second.id, by: asker, at: clock }
    assert.equal(await catalog.withdrawRole(withdrawal, event()), false)
  })

  test('only whoever asked withdraws, and of withdrawing and approving at once one happens', async () => {
    const { tenantId, userId } = tenant
    const request = await ask(aRequest(userId, asker))
    const withdraw = (by: UserId) =>
      catalog.withdrawRole({ tenantId, requestId: request.id, by, at: clock }, event())
    assert.equal(await withdraw(approver), false)
    const [withdrawn, approved] = await Promise.all([withdraw(asker), decide(request, approver)])
    assert.notEqual(withdrawn, approved)
    assert.equal((await rolesOf(userId))?.includes('supervisor'), approved)
  })

  test('nothing is approved for or at the request of somebody disabled, or that would be over', async () => {
    const another = await addPerson(['administrator'])
    const over = await ask(aRequest(tenant.userId, asker, { role: 'auditor', until: later(1) }))
    const forDisabled = await ask(aRequest(tenant.userId, another))
    const byDisabled = await ask(aRequest(asker, another))
    await disable(tenant.userId)
    assert.equal(await decide(forDisabled, approver), false)
    await disable(another)
    assert.equal(await decide(byDisabled, approver), false)
    assert.equal(await decide(byDisabled, approver, 'refused'), true)
    clock = later(1)
    assert.equal(await decide(over, approver), false)
  })

  test('whoever was given new factors by another approves nothing for a week, and nothing they ask for', async () => {
    const another = await addPerson(['administrator'])
    clock = later(1)
    const request = await ask(aRequest(tenant.userId, asker))
    await reset(approver, another)
    assert.equal(await decide(request, approver), false)
    await reset(asker, another)
    assert.equal(await decide(request, another), false)
    clock = later(8)
    assert.equal(await decide(request, another), false)
    clock = new Date(later(8).getTime() + 1)
    assert.equal(await decide(request, another), true)

    const next = await ask(aRequest(tenant.userId, asker, { role: 'auditor' }))
    await reset(approver, another)
    assert.equal(await decide(next, approver, 'refused'), true)
    const last = await ask(aRequest(tenant.userId, asker, { role: 'auditor' }))
    clock = later(20)
    await reset(approver, null)
    assert.equal(await decide(last, approver), true)
  })

  test('requests are listed by state, newest first, and their reasons open with no other keys', async () => {
    const { tenantId, userId } = tenant
    const requests: NewRoleRequest[] = []
    for (const role of ['auditor', 'supervisor', 'administrator']) {
      clock = new Date(clock.getTime() + 1000)
      requests.push(
        await ask(
          aRequest(userId, asker, {
            role,
            id: newRoleRequestId({
              now: () => clock.getTime(),
              random: size => randomBytes(size),
            }),
          }),
        ),
      )
    }
    const [first, second] = requests
    assert.ok(first !== undefined && second !== undefined)
    await decide(second, approver, 'refused')
    const list = async (
      state: 'open' | 'refused' | 'lapsed' | null,
      beforeId: NewRoleRequest['id'] | null = null,
    ) =>
      (
        await catalog.listRoleRequests(
          tenantId,
          { state, openSince: openSince(), beforeId, limit: 10 },
          tenant.columns,
        )
      ).map(({ role }) => role)
    assert.deepEqual(await list('open'), ['administrator', 'auditor'])
    assert.deepEqual(await list('refused'), ['supervisor'])
    assert.deepEqual(await list(null), ['administrator', 'supervisor', 'auditor'])
    assert.deepEqual(await list(null, second.id), ['auditor'])
    clock = later(31)
    assert.deepEqual(await list('lapsed'), ['administrator', 'auditor'])
    const withOthers = catalog.findRoleRequest(tenantId, first.id, foreign.columns)
    await assert.rejects(withOthers, { code: 'damaged' })
    assert.equal(await catalog.findRoleRequest(foreign.tenantId, first.id, foreign.columns), null)
  })
})

describe('teams, cover and labels', () => {
  const relations = async (userId: UserId, at = clock) => {
    const token = { ...aToken(tenant, { expiresAt: later(200) }), userId }
    await catalog.addToken(token, event())
    return (await catalog.findBearer(tenant.tenantId, token.id, at))?.access.mailboxes.map(
      ({ mailboxId, kind }) => [mailboxId, kind],
    )
  }

  test('a team gives its mailboxes to its members, and takes them away again', async () => {
    const { tenantId, mailboxId } = tenant
    const member = await addPerson(['clinician'])
    const teamId = newTeamId()
    await catalog.createTeam({ id: teamId, tenantId, name: 'Nurses', createdAt: clock }, event())
    const again = { id: newTeamId(), tenantId, name: 'Nurses', createdAt: clock }
    await assert.rejects(catalog.createTeam(again, event()), { code: 'taken' })
    await catalog.setTeamMember({ tenantId, teamId, userId: member, supervises: false }, event())
    assert.deepEqual(await relations(member), [])
    for (let twice = 0; twice < 2; twice++)
      await catalog.addTeamMailbox({ tenantId, teamId, mailboxId }, event())
    assert.deepEqual(await relations(member), [[mailboxId, 'team']])
    await catalog.setTeamMember({ tenantId, teamId, userId: member, supervises: true }, event())
    assert.deepEqual(await relations(member), [[mailboxId, 'supervises']])
    assert.deepEqual(await catalog.findTeam(tenantId, teamId), {
      ...{ id: teamId, tenantId, name: 'Nurses', createdAt: clock },
      members: [{ userId: member, supervises: true, providerId: null }],
      mailboxIds: [mailboxId],
    })
    assert.equal((await catalog.listTeams(foreign.tenantId)).length, 0)
    const foreigner = { tenantId, teamId, userId: foreign.userId, supervises: false }
    await assert.rejects(catalog.setTeamMember(foreigner, event()), { code: 'not_found' })
    const theirs = { tenantId, teamId, mailboxId: foreign.mailboxId }
    await assert.rejects(catalog.addTeamMailbox(theirs, event()), { code: 'not_found' })
    assert.equal(await catalog.removeTeamMailbox({ tenantId, teamId, mailboxId }, event()), true)
    assert.equal(await catalog.removeTeamMailbox({ tenantId, teamId, mailboxId }, event()), false)
    assert.equal(await catalog.removeTeamMember({ tenantId, teamId, userId: member }, event()), true)
    assert.equal(await catalog.removeTeamMember({ tenantId, teamId, userId: member }, event()), false)
    assert.deepEqual(await relations(member), [])
  })

  test('cover begins and ends by itself, and ends with the right of the one covered for', async () => {
    const { tenantId, mailboxId, userId: owner } = tenant
    const cover = await addPerson(['clinician'])
    const delegation = (change: object = {}) => ({
      ...{ id: newDelegationId(), tenantId, mailboxId, fromUserId: owner, toUserId: cover },
      ...{ createdBy: owner, createdAt: clock, startsAt: later(1), until: later(4) },
      ...change,
    })
    const first = delegation()
    assert.equal(await catalog.createDelegation(first, event()), true)
    assert.deepEqual(await relations(cover, new Date(later(1).getTime() - 1)), [])
    assert.deepEqual(await relations(cover, later(1)), [[mailboxId, 'delegation']])
    assert.deepEqual(await relations(cover, later(4)), [])

    const refused = [
      delegation({ fromUserId: cover, toUserId: owner }),
      delegation({ mailboxId: newMailboxId() }),
      delegation({ mailboxId: foreign.mailboxId }),
      delegation({ toUserId: foreign.userId }),
      delegation({ toUserId: await addPerson([], { kind: 'service' }) }),
    ]
    for (const one of refused) assert.equal(await catalog.createDelegation(one, event()), false)

    const filter = { userId: cover, beforeId: null, limit: 10 }
    assert.deepEqual(await catalog.listDelegations(tenantId, filter), [
      { ...first, endedAt: null, endedBy: null },
    ])
    assert.deepEqual(await catalog.listDelegations(foreign.tenantId, { ...filter, userId: null }), [])
    const removed = await catalog.removeMailboxOwner(tenantId, mailboxId, owner, event())
    assert.equal(removed, true)
    assert.equal(await catalog.removeMailboxOwner(tenantId, mailboxId, owner, event()), false)
    assert.deepEqual(await relations(cover, later(2)), [])
    await catalog.addMailboxOwner(tenantId, mailboxId, owner, event())
    assert.deepEqual(await relations(cover, later(2)), [[mailboxId, 'delegation']])

    clock = later(2)
    const end = { tenantId, id: first.id, by: owner, at: clock }
    const ends = await Promise.all([1, 2, 3].map(() => catalog.endDelegation(end, event())))
    assert.equal(ends.filter(Boolean).length, 1)
    assert.deepEqual(await relations(cover), [])
    await disable(cover)
    assert.equal(await catalog.createDelegation(delegation(), event()), false)
  })

  test('labels put on at the same time are all there, and each is there once', async () => {
    const { id: recordingId } = await archiveRecording(catalog, tenant)
    const { tenantId } = tenant
    const label = (add: readonly Label[], remove: readonly Label[] = []) =>
      catalog.commitLabels({ tenantId, recordingId, add, remove }, event())
    const all = ['vip', 'part2', 'employee', 'psychotherapy'] as const
    await Promise.all([...all, ...all].map(one => label([one])))
    const found = async () => (await catalog.findRecording(tenantId, recordingId, tenant.columns))?.labels
    assert.deepEqual(await found(), ['employee', 'part2', 'psychotherapy', 'vip'])
    await Promise.all([label([], ['vip']), label([], ['part2']), label(['employee'])])
    assert.deepEqual(await found(), ['employee', 'psychotherapy'])
    const elsewhere = { tenantId: foreign.tenantId, recordingId, add: ['vip' as const], remove: [] }
    assert.equal(await catalog.commitLabels(elsewhere, anEvent(foreign.tenantId)), false)
  })
})
