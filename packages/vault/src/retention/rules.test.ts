// Rules of keeping agreed on by people: who may approve what, from when it holds, and that no order of steps lets one
// person shorten.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  newMailboxId,
  newRuleId,
  newTokenId,
  type Role,
  RuleDefinition,
  type RuleId,
  type RuleView,
} from '@auricle/contract'
import type { UserActor } from '@auricle/identity'
import { compareDefinitions, rulesInForce } from '@auricle/retention'
import fc from 'fast-check'
import { auditEvents } from '../../../../test/audit-log.ts'
import { anEvent } from '../../../../test/catalog-fixture.ts'
import {
  type Clinic,
  makeClinic,
  makePerson,
  openTestVault,
  type Person,
  type TestVault,
} from '../../../../test/vault.ts'
import { isError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import { loadPolicy } from './policy.ts'
import { proposeRule, proposeVersion } from './propose-rule.ts'
import { approveVersion, listRules, type RuleParts, showRule, withdrawVersion } from './rules.ts'

const dayMs = 24 * 60 * 60_000
const begun = new Date('2026-05-01T10:00:00.000Z')
const day = (days: number) => new Date(begun.getTime() + days * dayMs)

let vault: TestVault
let clinic: Clinic
let clock = begun
let parts: RuleParts
let officer: RequestFacts
let other: RequestFacts
let administrator: RequestFacts

before(async () => {
  vault = await openTestVault()
  parts = { ...vault, now: () => clock }
})
after(() => vault[Symbol.asyncDispose]())
beforeEach(async () => {
  clock = begun
  clinic = await makeClinic(vault)
  const second = await makePerson(vault, clinic.tenant, 'second-officer', ['compliance_officer'])
  officer = factsOf(clinic.complianceOfficer, 'compliance_officer')
  other = factsOf(second, 'compliance_officer')
  administrator = factsOf(clinic.administrator, 'administrator')
})

function factsOf({ row }: Person, role: Role): RequestFacts {
  return {
    get actor(): UserActor {
      return {
        ...{ type: 'user', tenantId: row.tenantId, userId: row.id, tokenId: newTokenId(), roles: [role] },
        ...{ mailboxes: [], breakGlass: null },
        token: { kind: 'session', scopes: null, verifiedAt: clock },
      }
    },
    ...{ purposeOfUse: null, request: 'a-request', ip: null, userAgent: null },
  }
}

/** Kept for so many years from the call, and then looked at. */
const years = (count: number, change: Partial<RuleDefinition> = {}) =>
  RuleDefinition.parse({ keep: { years: count }, dispose: 'review', ...change })

const make = (name: string, definition = years(7), effectiveFrom: Date | null = null, by = officer) =>
  proposeRule(parts, by, { name, definition, effectiveFrom: effectiveFrom?.toISOString() ?? null }, {})

const add = (
  id: RuleId,
  definition: RuleDefinition | null,
  effectiveFrom: Date | null = null,
  by = officer,
) => proposeVersion(parts, by, id, { definition, effectiveFrom: effectiveFrom?.toISOString() ?? null }, {})

const approve = (id: RuleId, version: number, by: RequestFacts, effectiveFrom: Date | null = null) =>
  approveVersion(parts, by, { id, version }, { effectiveFrom: effectiveFrom?.toISOString() ?? null }, {})

const withdraw = (id: RuleId, version: number, by = officer) =>
  withdrawVersion(parts, by, { id, version }, {})

const policyAt = (now: Date) => loadPolicy(vault.catalog, clinic.tenant.id, now, {})
const yearsAt = async (now: Date) =>
  (await policyAt(now)).rules.map(({ definition }) => definition.keep.years)
const statesOf = ({ versions }: RuleView) => versions.map(({ state }) => state)
const refusedAs = (code: string) => (error: unknown) => isError(error, 'VaultError', code)

const logged = async () =>
  (await auditEvents(vault, clinic.tenant.id))
    .filter(({ action }) => action.startsWith('retention.'))
    .map(({ action, outcome, actor, object, reasons, detail }) => ({
      ...{ action, outcome, by: actor.id, on: object?.id ?? null, reason: reasons[0] },
      version: detail?.kind === 'version' ? detail.version : null,
    }))

describe('a rule that lengthens', () => {
  test('is in force at once, approved by whoever proposed it, and makes every decision due again', async () => {
    assert.deepEqual(await policyAt(clock), { zone: 'UTC', rules: [], revision: 0 })
    const made = await make('Adults')
    const { userId } = officer.actor
    assert.deepEqual(made, {
      ...{ id: made.id, name: 'Adults', state: 'in_force' },
      versions: [
        {
          ...{ version: 1, state: 'in_force', definition: years(7), effect: 'lengthens' },
          ...{ proposedAt: begun.toISOString(), proposedBy: userId },
          ...{ approvedAt: begun.toISOString(), approvedBy: userId, effectiveFrom: begun.toISOString() },
          ...{ withdrawnAt: null, withdrawnBy: null },
        },
      ],
    } satisfies RuleView)
    assert.deepEqual(await policyAt(clock), {
      ...{ zone: 'UTC', revision: 1 },
      rules: [{ ruleId: made.id, version: 1, name: 'Adults', definition: years(7) }],
    })
    const of = { outcome: 'allowed', by: userId, on: made.id, reason: 'lengthens', version: 1 }
    assert.deepEqual(await logged(), [
      { action: 'retention.rule_proposed', ...of },
      { action: 'retention.rule_approved', ...of },
    ])
  })

  test('may begin later: then decisions become due again with its time, not before', async () => {
    const { id } = await make('Adults')
    const longer = await add(id, years(10), day(5))
    assert.deepEqual(statesOf(longer), ['in_force', 'scheduled'])
    assert.deepEqual([await yearsAt(day(5 - 1e-6)), await yearsAt(day(5))], [[7], [10]])
    assert.equal((await policyAt(day(5))).revision, 1)
    clock = day(6)
    assert.deepEqual(statesOf(await showRule(parts, officer, id, {})), ['superseded', 'in_force'])
  })

  test('is never dated into the past, nor before what was agreed', async () => {
    await assert.rejects(make('Adults', years(7), day(-1)), refusedAs('malformed'))
    const { id } = await make('Adults')
    await add(id, years(10), day(5))
    await assert.rejects(add(id, years(12), day(4)), refusedAs('conflict'))
    await assert.rejects(add(id, years(12)), refusedAs('conflict'))
    assert.deepEqual(statesOf(await add(id, years(12), day(5))), ['in_force', 'scheduled', 'scheduled'])
    assert.deepEqual(await yearsAt(day(5)), [12])
  })

  test('holds once it was applied, even where another clock lags', async () => {
    await make('Adults')
    assert.deepEqual(await yearsAt(day(-1)), [7])
  })
})

describe('a rule that shortens', () => {
  test('waits for another person, and then for thirty days', async () => {
    const { id } = await make('Adults', years(10))
    const shorter = await add(id, years(7))
    assert.deepEqual(statesOf(shorter), ['in_force', 'proposed'])
    assert.equal(shorter.versions[1]?.effect, 'shortens')
    await assert.rejects(approve(id, 2, officer), refusedAs('denied'))
    clock = day(1)
    const approved = await approve(id, 2, administrator)
    assert.deepEqual(statesOf(approved), ['in_force', 'scheduled'])
    assert.deepEqual(
      [approved.versions[1]?.approvedBy, approved.versions[1]?.effectiveFrom],
      [administrator.actor.userId, day(31).toISOString()],
    )
    assert.deepEqual([await yearsAt(day(31 - 1e-6)), await yearsAt(day(31))], [[10], [7]])
    assert.equal((await policyAt(clock)).revision, 1)
    const events = await logged()
    assert.deepEqual(
      events.slice(-3).map(({ action, outcome, by, reason }) => [action, outcome, by, reason]),
      [
        ['retention.rule_proposed', 'allowed', officer.actor.userId, 'shortens'],
        ['retention.rule_approved', 'denied', officer.actor.userId, 'own_proposal'],
        ['retention.rule_approved', 'allowed', administrator.actor.userId, 'shortens'],
      ],
    )
  })

  test('is one that disposes by itself, though there was none before', async () => {
    const made = await make('Quality', years(1, { dispose: 'automatic' }))
    assert.deepEqual([made.state, statesOf(made)], ['pending', ['proposed']])
    assert.deepEqual(await policyAt(day(1000)), { zone: 'UTC', rules: [], revision: 0 })
    await approve(made.id, 1, other)
    assert.deepEqual(await yearsAt(day(30)), [1])
  })

  test('may be approved for a later time, not for an earlier one', async () => {
    const { id } = await make('Adults', years(10))
    await add(id, years(7))
    await assert.rejects(approve(id, 2, other, day(30 - 1e-6)), refusedAs('malformed'))
    const approved = await approve(id, 2, other, day(90))
    assert.equal(approved.versions[1]?.effectiveFrom, day(90).toISOString())
  })

  test('waits as long as the tenant says', async () => {
    const { id } = await make('Adults', years(10))
    await add(id, years(7))
    const settings = await vault.catalog.findRetentionSettings(clinic.tenant.id)
    assert.ok(settings)
    const { revision: _, ...known } = settings
    const longer = { ...known, shorteningDays: 60 }
    await vault.catalog.changeRetentionSettings(clinic.tenant.id, longer, async () =>
      anEvent(clinic.tenant.id),
    )
    await assert.rejects(approve(id, 2, other, day(45)), refusedAs('malformed'))
    assert.equal((await approve(id, 2, other)).versions[1]?.effectiveFrom, day(60).toISOString())
  })

  test('takes its time from its approval, not from who proposes it', async () => {
    const { id } = await make('Adults', years(10))
    await assert.rejects(add(id, years(7), day(60)), refusedAs('malformed'))
  })

  test('is refused by the database itself where one person would do', async () => {
    const { id } = await make('Adults', years(10))
    await add(id, years(7))
    const set = (by: string, from: Date) =>
      vault.database.superuserPool.query(
        `update auricle.retention_rule_version set approved_at = $2, approved_by = $3, effective_from = $4
         where rule_id = $1 and version = 2`,
        [id, clock, by, from],
      )
    await assert.rejects(set(officer.actor.userId, day(30)), { code: '23514' })
    await assert.rejects(set(other.actor.userId, day(29)), { code: '23514' })
    await set(other.actor.userId, day(30))
  })
})

describe('who may', () => {
  test('propose and withdraw: compliance officers; approve: administrators too; read: auditors as well', async () => {
    const { id } = await make('Adults', years(10))
    await add(id, years(7))
    const auditor = factsOf(clinic.auditor, 'auditor')
    const clinician = factsOf(clinic.clinician, 'clinician')
    for (const by of [administrator, auditor, clinician]) {
      await assert.rejects(make('Another', years(7), null, by), refusedAs('denied'))
      await assert.rejects(add(id, years(12), null, by), refusedAs('denied'))
      await assert.rejects(withdraw(id, 2, by), refusedAs('denied'))
    }
    for (const by of [auditor, clinician]) await assert.rejects(approve(id, 2, by), refusedAs('denied'))
    for (const by of [auditor, administrator]) assert.equal((await listRules(parts, by, {})).rules.length, 1)
    await assert.rejects(listRules(parts, clinician, {}), refusedAs('denied'))
  })

  test('propose and approve: with a fresh second factor alone', async () => {
    const stale = {
      ...officer,
      actor: { ...officer.actor, token: { ...officer.actor.token, verifiedAt: day(-1) } },
    }
    await assert.rejects(make('Adults', years(7), null, stale), refusedAs('step_up_required'))
    const { id } = await make('Adults', years(10))
    await add(id, years(7), null, other)
    await assert.rejects(approve(id, 2, stale), refusedAs('step_up_required'))
  })

  test('not somebody of another tenant', async () => {
    const { id } = await make('Adults', years(10))
    await add(id, years(7))
    const foreign = await makeClinic(vault)
    const theirs = factsOf(foreign.complianceOfficer, 'compliance_officer')
    await assert.rejects(showRule(parts, theirs, id, {}), refusedAs('not_found'))
    await assert.rejects(add(id, years(12), null, theirs), refusedAs('not_found'))
    await assert.rejects(approve(id, 2, theirs), refusedAs('not_found'))
    await assert.rejects(withdraw(id, 2, theirs), refusedAs('not_found'))
    await make('Adults', years(3), null, theirs)
    assert.equal((await listRules(parts, theirs, {})).rules.length, 1)
  })
})

describe('what is withdrawn', () => {
  test('never comes into force: a proposal, and what is agreed for later', async () => {
    const { id } = await make('Adults')
    await add(id, years(5))
    assert.deepEqual(statesOf(await withdraw(id, 2)), ['in_force', 'withdrawn'])
    await assert.rejects(approve(id, 2, other), refusedAs('conflict'))
    await add(id, years(10), day(5))
    assert.deepEqual(statesOf(await withdraw(id, 3, other)), ['in_force', 'withdrawn', 'withdrawn'])
    assert.deepEqual(await yearsAt(day(6)), [7])
    await assert.rejects(withdraw(id, 3), refusedAs('conflict'))
    assert.equal((await policyAt(day(6))).revision, 1)
  })

  test('is not what is in force', async () => {
    const { id } = await make('Adults')
    await assert.rejects(withdraw(id, 1), refusedAs('conflict'))
    await add(id, years(10), day(5))
    clock = day(5)
    await assert.rejects(withdraw(id, 2), refusedAs('conflict'))
  })

  test('is not what something else was agreed on top of: that would shorten by one person', async () => {
    const { id } = await make('Adults', years(10))
    await add(id, years(5))
    await approve(id, 2, other)
    await add(id, years(7), day(40))
    await assert.rejects(withdraw(id, 2), refusedAs('conflict'))
    await withdraw(id, 3)
    await withdraw(id, 2)
    assert.deepEqual(await yearsAt(day(50)), [10])
  })

  test('is not there in another rule', async () => {
    const { id } = await make('Adults')
    await assert.rejects(withdraw(id, 2), refusedAs('not_found'))
    await assert.rejects(withdraw(newRuleId(), 1), refusedAs('not_found'))
    await assert.rejects(approve(newRuleId(), 1, other), refusedAs('not_found'))
    await assert.rejects(add(newRuleId(), years(7)), refusedAs('not_found'))
  })
})

test('a proposal that a later version overtook is proposed anew, not approved', async () => {
  const { id } = await make('Adults', years(10))
  await add(id, years(7))
  const overtaken = await add(id, years(12))
  assert.deepEqual(statesOf(overtaken), ['superseded', 'overtaken', 'in_force'])
  await assert.rejects(approve(id, 2, other), refusedAs('conflict'))
  const anew = await add(id, years(7))
  assert.deepEqual(statesOf(await approve(id, anew.versions.length, other)).at(-1), 'scheduled')
})

test('what was approved is not approved again', async () => {
  const { id } = await make('Adults', years(10))
  await add(id, years(7))
  await approve(id, 2, other)
  await assert.rejects(approve(id, 2, administrator), refusedAs('conflict'))
})

describe('the end of a rule', () => {
  test('takes two people, and begins again with one', async () => {
    const { id } = await make('Adults')
    const ending = await add(id, null)
    assert.equal(ending.versions[1]?.effect, 'shortens')
    await assert.rejects(approve(id, 2, officer), refusedAs('denied'))
    await approve(id, 2, other)
    assert.deepEqual([await yearsAt(day(29)), await yearsAt(day(30))], [[7], []])
    clock = day(31)
    assert.equal((await showRule(parts, officer, id, {})).state, 'ended')
    await assert.rejects(add(id, null), refusedAs('conflict'))
    await add(id, years(5))
    assert.deepEqual(await yearsAt(clock), [5])
  })

  test('is nothing where nothing is agreed', async () => {
    const { id } = await make('Quality', years(1, { dispose: 'automatic' }))
    await assert.rejects(add(id, null), refusedAs('conflict'))
  })
})

describe('at the same time', () => {
  test('two rules of one name: one of them is made', async () => {
    const made = await Promise.allSettled([make('Adults'), make('Adults', years(9), null, other)])
    assert.deepEqual(made.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    const lost = made.find(({ status }) => status === 'rejected')
    assert.ok(lost?.status === 'rejected' && refusedAs('conflict')(lost.reason))
    assert.equal((await policyAt(clock)).revision, 1)
  })

  test('many rules: each counts once in the revision', async () => {
    await Promise.all(Array.from({ length: 12 }, (_, index) => make(`Rule ${index}`)))
    assert.equal((await policyAt(clock)).revision, 12)
    assert.equal((await policyAt(clock)).rules.length, 12)
  })

  test('many versions of one rule: each has its number and was judged against the one before', async () => {
    const { id } = await make('Adults', years(1))
    const lengths = [2, 3, 4, 5, 6, 7, 8]
    await Promise.all(lengths.map(count => add(id, years(count))))
    const { versions } = await showRule(parts, officer, id, {})
    assert.deepEqual(
      versions.map(({ version }) => version),
      [1, ...lengths],
    )
    let agreed = 0
    for (const { definition, effect, approvedAt } of versions) {
      const count = definition?.keep.years ?? 0
      assert.equal(effect === 'shortens', count < agreed)
      assert.equal(approvedAt !== null, count >= agreed)
      agreed = Math.max(agreed, count)
    }
    const inForce = versions.filter(({ approvedAt }) => approvedAt !== null).length
    assert.deepEqual(await yearsAt(clock), [8])
    assert.equal((await policyAt(clock)).revision, inForce)
  })

  test('two approvals of one version: one of them counts', async () => {
    const { id } = await make('Adults', years(10))
    await add(id, years(7))
    const done = await Promise.allSettled([approve(id, 2, other), approve(id, 2, administrator)])
    assert.deepEqual(done.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  })
})

test('a mailbox that is not there is not ruled', async () => {
  const appliesTo = { kinds: null, mailboxes: [newMailboxId()], labels: null, recordSet: null }
  await assert.rejects(make('Adults', years(7, { appliesTo })), refusedAs('malformed'))
  const known = { ...appliesTo, mailboxes: [clinic.mailbox.id] }
  assert.equal((await make('Adults', years(7, { appliesTo: known }))).state, 'in_force')
})

test('in whatever order they do what, nothing in force shortens but by two people and thirty days before', async () => {
  const definition = fc.record({
    keep: fc.record({ years: fc.integer({ min: 1, max: 4 }), months: fc.constant(0), days: fc.constant(0) }),
    dispose: fc.constantFrom('automatic', 'review', 'never'),
    lock: fc.boolean(),
  })
  const step = fc.oneof(
    fc.record({
      type: fc.constant('propose' as const),
      definition: fc.option(definition, { freq: 8 }),
      inDays: fc.option(fc.integer({ min: 0, max: 50 }), { freq: 1 }),
    }),
    fc.record({ type: fc.constant('withdraw' as const), back: fc.integer({ min: 0, max: 2 }) }),
    fc.record({
      type: fc.constant('approve' as const),
      back: fc.integer({ min: 0, max: 2 }),
      by: fc.constantFrom('officer', 'other'),
    }),
    fc.record({ type: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 20 }) }),
  )
  const keep = { years: 1, months: 0, days: 0 } as const
  const shorter = {
    type: 'propose',
    definition: { keep, dispose: 'review', lock: false },
    inDays: null,
  } as const
  const approved = { type: 'approve', back: 0, by: 'other' } as const
  let runs = 0
  let shortened = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async steps => {
      clock = begun
      const { id } = await make(`Rule ${++runs}`, years(2))
      let count = 1
      for (const taken of steps) {
        if (taken.type === 'wait') clock = new Date(clock.getTime() + taken.days * dayMs)
        else
          await unlessRefused(async () => {
            if (taken.type === 'withdraw') return withdraw(id, count - taken.back)
            if (taken.type === 'approve')
              return approve(id, count - taken.back, taken.by === 'other' ? other : officer)
            const said = taken.definition === null ? null : years(1, taken.definition)
            const from = taken.inDays === null ? null : new Date(clock.getTime() + taken.inDays * dayMs)
            const { versions } = await add(id, said, from)
            count = versions.length
            return versions
          })
      }
      const versions = await vault.catalog.listRuleVersions(clinic.tenant.id)
      const own = versions.filter(({ ruleId }) => ruleId === id)
      let before: RuleDefinition | null = null
      for (let at = 0; at <= 200; at++) {
        const said: RuleDefinition | null = rulesInForce(own, day(at))[0]?.definition ?? null
        const isShorter = compareDefinitions(before, said) === 'shortens'
        before = said
        if (!isShorter) continue
        shortened++
        const row = own.findLast(({ effectiveFrom, withdrawnAt }) => {
          return effectiveFrom !== null && effectiveFrom <= day(at) && withdrawnAt === null
        })
        assert.ok(row?.approvedAt && row.approvedBy !== row.proposedBy)
        assert.ok(day(at).getTime() - row.approvedAt.getTime() >= 30 * dayMs)
      }
    }),
    { numRuns: 60, examples: [[[shorter, approved]]] },
  )
  assert.ok(shortened > 0)
})

async function unlessRefused(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const isRefused = ['conflict', 'malformed', 'denied', 'not_found'].some(code => refusedAs(code)(error))
    if (!isRefused) throw error
  }
}
