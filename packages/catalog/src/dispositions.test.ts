// Dispositions in the catalog: who may not say yes, what is in one at a time, and what refuses to be destroyed.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  type DispositionId,
  newDispositionId,
  newRuleId,
  newUserId,
  type RecordingId,
  type RuleId,
  type UserId,
} from '@auricle/contract'
import {
  anEvent,
  archiveRecording,
  createTestTenant,
  type TestTenant,
} from '../../../test/catalog-fixture.ts'
import {
  callDestruction,
  type DecidedRow,
  decideRow,
  inTenant,
  placeHoldRow,
  readyRow,
} from '../../../test/disposition-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import type { Catalog } from './catalog.ts'
import { createCatalog } from './create-catalog.ts'
import type { NewDispositionReview } from './disposition-reviews.ts'

const now = new Date('2036-03-01T12:00:00.000Z')
const days = (count: number) => new Date(now.getTime() + count * 86_400_000)
const earlier = days(-9)

let database: TestDatabase
let catalog: Catalog
let tenant: TestTenant

before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper(), now: () => now })
})
after(() => database[Symbol.asyncDispose]())

interface Due {
  readonly recordingId: RecordingId
  readonly ruleId: RuleId
}

/** A recording whose time was over nine days ago. */
async function due(row: DecidedRow = {}): Promise<Due> {
  const { id: recordingId } = await archiveRecording(catalog, tenant)
  const ruleId = await decideRow(database.appPool, { ...tenant, recordingId }, earlier, row)
  return { recordingId, ruleId }
}

async function open(
  items: readonly Due[],
  {
    by = null,
    kind = 'review',
    at = now,
  }: { by?: UserId | null; kind?: 'automatic' | 'review'; at?: Date } = {},
): Promise<DispositionId | null> {
  const id = newDispositionId()
  const disposition = { id, tenantId: tenant.tenantId, kind, at, by }
  const record = async () => anEvent(tenant.tenantId)
  const ids = items.map(({ recordingId }) => recordingId)
  const listed = await catalog.openDisposition(disposition, ids, record)
  return listed.length === 0 ? null : id
}

async function opened(...[items, options]: Parameters<typeof open>): Promise<DispositionId> {
  return (await open(items, options)) ?? assert.fail('nothing was listed')
}

const review = (id: DispositionId, by: UserId, change: Partial<NewDispositionReview> = {}) =>
  catalog.reviewDisposition(
    {
      ...{ tenantId: tenant.tenantId, id, by, at: now, verdict: 'approve', note: null, keep: [] },
      ...change,
    },
    tenant.columns,
    anEvent(tenant.tenantId),
  )

const find = async (id: DispositionId) =>
  (await catalog.findDisposition(tenant.tenantId, id, tenant.columns)) ?? assert.fail('no such disposition')
const items = (id: DispositionId) =>
  catalog.listDispositionItems(tenant.tenantId, id, { afterId: null, limit: 100 })
const dueNow = async (change: { alsoKept?: boolean } = {}) =>
  (await catalog.listDue(tenant.tenantId, { now, alsoKept: false, after: null, limit: 100, ...change })).map(
    ({ recordingId }) => recordingId,
  )
const countEvents = async () => {
  const { rows } = await database.superuserPool.query<{ count: string }>(
    'select count(*) from auricle.audit_event where tenant_id = $1',
    [tenant.tenantId],
  )
  return Number(rows[0]?.count)
}
const setTenant = (assignments: string) =>
  database.superuserPool.query(`update auricle.tenant set ${assignments} where id = $1`, [tenant.tenantId])

describe('what is due', () => {
  before(async () => {
    tenant = await createTestTenant(catalog)
  })

  test('is what the rules have done with, and nothing else', async () => {
    const one = await due()
    const other = await due({ disposal: 'automatic', keepUntil: days(-10) })
    await due({ keepUntil: days(1) })
    await due({ dueAt: days(1) })
    await due({ disposal: 'none' })
    for (const status of ['undecided', 'waiting', 'unruled', 'permanent'] as const) await due({ status })
    const { recordingId } = await due()
    const release = await placeHoldRow(database.appPool, tenant.tenantId, [recordingId], now)
    assert.deepEqual(await dueNow(), [other.recordingId, one.recordingId])
    await release(now)
    assert.deepEqual(new Set(await dueNow()), new Set([other.recordingId, one.recordingId, recordingId]))
    const [first] = await catalog.listDue(tenant.tenantId, { now, alsoKept: false, after: null, limit: 1 })
    assert.deepEqual(first, {
      ...{ recordingId: other.recordingId, dueAt: days(-10), keepUntil: days(-10), disposal: 'automatic' },
      ...{ kind: 'voicemail', mailboxId: tenant.mailboxId, bytes: 3 * 48_512 },
    })
    const rest = await catalog.listDue(tenant.tenantId, { now, alsoKept: false, after: first, limit: 100 })
    assert.equal(rest.length, 2)
  })

  test('is narrowed by rule, disposal, mailbox, kind, time and by hand', async () => {
    tenant = await createTestTenant(catalog)
    const one = await due({ disposal: 'automatic' })
    const other = await due({ keepUntil: days(-20) })
    const asked = { now, alsoKept: false, after: null, limit: 100 }
    for (const [query, expected] of [
      [{ ruleId: one.ruleId }, [one]],
      [{ ruleId: newRuleId() }, []],
      [{ disposal: 'review' }, [other]],
      [{ kind: 'voicemail', mailboxId: tenant.mailboxId }, [other, one]],
      [{ kind: 'recording' }, []],
      [{ dueBefore: days(-10) }, [other]],
      [{ dueBefore: days(3) }, [other, one]],
      [{ recordingIds: [one.recordingId] }, [one]],
    ] as const) {
      const found = await catalog.listDue(tenant.tenantId, { ...asked, ...query })
      assert.deepEqual(
        found.map(({ recordingId }) => recordingId),
        expected.map(({ recordingId }) => recordingId),
        JSON.stringify(query),
      )
    }
  })
})

describe('a disposition', () => {
  before(async () => {
    tenant = await createTestTenant(catalog)
  })

  test('takes what is due and in no other, and with nothing left there is none', async () => {
    const [one, two] = [await due(), await due()]
    const first = await opened([one])
    const second = await opened([one, two])
    assert.deepEqual(
      (await items(second)).map(({ recordingId }) => recordingId),
      [two.recordingId],
    )
    const events = await countEvents()
    assert.equal(await open([one, two]), null)
    assert.equal(await countEvents(), events)
    assert.equal((await catalog.listDispositions(tenant.tenantId, { beforeId: null, limit: 9 })).length, 2)
    assert.deepEqual((await find(first)).counts, {
      listed: 1,
      destroying: 0,
      destroyed: 0,
      kept: 0,
      stopped: 0,
    })
  })

  test("does not take what is held, kept longer by now, or somebody else's to look at", async () => {
    const held = await due()
    await placeHoldRow(database.appPool, tenant.tenantId, [held.recordingId], now)
    assert.equal(await open([held]), null)
    const longer = await due({ keepUntil: days(1) })
    assert.equal(await open([longer]), null)
    assert.equal(await open([await due({ revision: -1 })]), null)
    const reviewed = await due({ disposal: 'review' })
    assert.equal(await open([reviewed], { kind: 'automatic' }), null)
  })

  test('of many at once over the same recordings, one has them', async () => {
    const both = [await due(), await due()]
    const ids = await Promise.all(Array.from({ length: 6 }, () => open(both)))
    assert.equal(ids.filter(id => id !== null).length, 1)
  })

  test('that is automatic waits at once, for as long as the tenant says', async () => {
    await setTenant('waiting_days = 3')
    const id = await opened([await due({ disposal: 'automatic' })], { kind: 'automatic' })
    const { state, stages, readyAt } = await find(id)
    assert.deepEqual({ state, stages, readyAt }, { state: 'waiting', stages: 0, readyAt: days(3) })
    assert.equal((await review(id, newUserId())).status, 'not_proposed')
    await setTenant('waiting_days = 7')
  })

  test('of a person takes as many others as the tenant says; of the vault two at least', async () => {
    const proposer = newUserId()
    assert.equal((await find(await opened([await due()], { by: proposer }))).stages, 1)
    assert.equal((await find(await opened([await due()]))).stages, 2)
    await setTenant('disposition_stages = 3')
    assert.equal((await find(await opened([await due()], { by: proposer }))).stages, 3)
    assert.equal((await find(await opened([await due()]))).stages, 3)
    await setTenant('disposition_stages = 1')
  })
})

describe('a review', () => {
  const [ann, bea, col] = [newUserId(), newUserId(), newUserId()]
  before(async () => {
    tenant = await createTestTenant(catalog)
  })

  test('is never by whoever proposed it, and never twice by one person', async () => {
    await setTenant('disposition_stages = 2')
    const id = await opened([await due()], { by: ann })
    const events = await countEvents()
    assert.deepEqual(await review(id, ann), { status: 'own' })
    assert.equal(await countEvents(), events)
    assert.deepEqual(await review(id, bea), { status: 'reviewed', stage: 1, state: 'proposed' })
    assert.deepEqual(await review(id, bea), { status: 'again' })
    assert.deepEqual(await review(id, bea, { verdict: 'reject' }), { status: 'again' })
    assert.deepEqual(await review(id, ann), { status: 'own' })
    assert.equal(await countEvents(), events + 1)
    assert.deepEqual(await review(id, col, { note: 'as listed' }), {
      ...{ status: 'reviewed', stage: 2, state: 'waiting' },
    })
    const found = await find(id)
    assert.deepEqual(found.readyAt, days(7))
    assert.deepEqual(
      found.reviews.map(({ stage, by, note }) => ({ stage, by, note })),
      [
        { stage: 1, by: bea, note: null },
        { stage: 2, by: col, note: 'as listed' },
      ],
    )
    assert.equal((await review(id, newUserId())).status, 'not_proposed')
    await setTenant('disposition_stages = 1')
  })

  test('of many people at once counts once for each stage', async () => {
    const id = await opened([await due()], { by: ann })
    const outcomes = await Promise.all([bea, col, newUserId(), newUserId()].map(by => review(id, by)))
    assert.equal(outcomes.filter(({ status }) => status === 'reviewed').length, 1)
  })

  test('takes recordings out, which stay out until a person proposes them or the rules decide anew', async () => {
    tenant = await createTestTenant(catalog)
    const [one, two] = [await due(), await due()]
    const id = await opened([one, two], { by: ann })
    assert.deepEqual(await review(id, bea, { keep: [(await due()).recordingId] }), { status: 'not_listed' })
    const both = { keep: [one.recordingId, two.recordingId] }
    assert.deepEqual(await review(id, bea, both), { status: 'nothing_left' })
    await review(id, bea, { keep: [one.recordingId] })
    const states = (await items(id)).map(({ recordingId, state, reason }) => ({ recordingId, state, reason }))
    assert.deepEqual(
      new Set(states),
      new Set([
        { recordingId: one.recordingId, state: 'kept', reason: 'reviewer' },
        { recordingId: two.recordingId, state: 'listed', reason: null },
      ]),
    )
    assert.equal((await dueNow()).includes(one.recordingId), false)
    assert.ok((await dueNow({ alsoKept: true })).includes(one.recordingId))
    const again = { keepUntil: earlier, decidedAt: days(0.1) }
    await decideRow(database.appPool, { ...tenant, recordingId: one.recordingId }, now, again)
    assert.ok((await dueNow()).includes(one.recordingId))
  })

  test('that says no ends it, and what was in it may be proposed again', async () => {
    const one = await due()
    const id = await opened([one], { by: ann })
    assert.equal((await review(id, bea, { verdict: 'reject' })).status, 'reviewed')
    const { state, endedBy, counts } = await find(id)
    assert.deepEqual({ state, endedBy, kept: counts.kept }, { state: 'rejected', endedBy: bea, kept: 1 })
    assert.ok(await open([one], { by: bea }))
  })

  test('note of one disposition does not open in another', async () => {
    const id = await opened([await due()], { by: ann })
    await review(id, bea, { note: 'the reason' })
    await inTenant(database.superuserPool, tenant.tenantId, client =>
      client.query('update auricle.disposition_review set stage = 2 where disposition_id = $1', [id]),
    )
    await assert.rejects(find(id), { code: 'damaged' })
  })
})

describe('cancelling', () => {
  const cancel = (id: DispositionId) =>
    catalog.cancelDisposition(
      { tenantId: tenant.tenantId, id, by: newUserId(), at: now },
      anEvent(tenant.tenantId),
    )
  before(async () => {
    tenant = await createTestTenant(catalog)
  })

  test('ends what is proposed or waits, once', async () => {
    const one = await due({ disposal: 'automatic' })
    for (const kind of ['automatic', 'review'] as const) {
      const id = await opened([one], { kind })
      assert.equal(await cancel(id), 'cancelled')
      assert.equal(await cancel(id), 'too_late')
      assert.equal((await items(id))[0]?.reason, 'cancelled')
      assert.equal((await dueNow()).includes(one.recordingId), false)
    }
    assert.equal(await cancel(newDispositionId()), 'absent')
  })

  test('comes too late once something of it is being destroyed, and then the others go on', async () => {
    const both = [await due({ disposal: 'automatic' }), await due({ disposal: 'automatic' })]
    const id = await opened(both, { kind: 'automatic', at: days(-8) })
    const recordingId = both[0]?.recordingId ?? assert.fail()
    const [refusal, outcome] = await Promise.all([
      callDestruction(database.appPool, 'begin_destruction', { ...tenant, recordingId }, now),
      cancel(id),
    ])
    assert.deepEqual(
      [refusal, outcome].sort(),
      refusal === null ? [null, 'too_late'].sort() : ['cancelled', 'unapproved'],
    )
  })
})

describe('destruction is refused', () => {
  before(async () => {
    tenant = await createTestTenant(catalog)
  })

  /** Due, and in a disposition that is ready. */
  async function ready(row: DecidedRow = {}) {
    const item = await due({ disposal: 'automatic', ...row })
    await readyRow(database.appPool, { ...tenant, ...item }, days(-1), item)
    return item
  }
  const refuses = (recordingId: RecordingId, at = now) =>
    callDestruction(database.appPool, 'refuses_destruction', { ...tenant, recordingId }, at)
  const begin = (recordingId: RecordingId, at = now) =>
    callDestruction(database.appPool, 'begin_destruction', { ...tenant, recordingId }, at)
  let decisions = 0
  const decide = (recordingId: RecordingId, row: DecidedRow) => {
    const decidedAt = new Date(days(-1).getTime() + ++decisions)
    return decideRow(database.appPool, { ...tenant, recordingId }, now, { decidedAt, ...row })
  }

  test('for nothing where nothing stands against it', async () => {
    const { recordingId } = await ready()
    assert.equal(await refuses(recordingId), null)
    assert.equal(await begin(recordingId), null)
    assert.equal(await begin(recordingId), null)
  })

  test('to another tenant, and to none', async () => {
    const { recordingId } = await ready()
    const stranger = await createTestTenant(catalog)
    for (const tenantId of [stranger.tenantId, tenant.tenantId]) {
      const { rows } = await inTenant(database.appPool, stranger.tenantId, client =>
        client.query('select auricle.begin_destruction($1, $2, $3) as refusal', [tenantId, recordingId, now]),
      )
      assert.equal(rows[0].refusal, 'absent')
    }
    assert.equal(await refuses(recordingId), null)
  })

  test('while a hold is on it, of several until the last is released', async () => {
    const { recordingId } = await ready()
    const place = () => placeHoldRow(database.appPool, tenant.tenantId, [recordingId], days(-3))
    const [first, second] = [await place(), await place()]
    assert.equal(await begin(recordingId), 'held')
    await first(days(-2))
    assert.equal(await begin(recordingId), 'held')
    await second(days(-2))
    assert.equal(await begin(recordingId), null)
  })

  test('where a hold came and went since it was proposed', async () => {
    const { recordingId } = await ready()
    const release = await placeHoldRow(database.appPool, tenant.tenantId, [recordingId], days(-0.5))
    await release(days(-0.25))
    assert.equal(await refuses(recordingId), null)
    assert.equal(await begin(recordingId), 'held')
  })

  test('without a disposition, and before its waiting is over', async () => {
    const { recordingId } = await due({ disposal: 'automatic' })
    assert.equal(await begin(recordingId), 'unapproved')
    await opened([await due()], {})
    const item = await due({ disposal: 'automatic' })
    await opened([item], { kind: 'automatic', at: days(-6.9) })
    assert.equal(await begin(item.recordingId), 'unapproved')
    assert.equal(await begin(item.recordingId, days(0.2)), null)
  })

  test('without as many yeses of others as it takes, whatever its row says', async () => {
    const [ann, bea] = [newUserId(), newUserId()]
    const item = await due()
    const id = await opened([item], { by: ann })
    await inTenant(database.appPool, tenant.tenantId, async client => {
      await client.query("update auricle.disposition set state = 'waiting', ready_at = $2 where id = $1", [
        id,
        days(-1),
      ])
      await client.query(
        `insert into auricle.disposition_review (tenant_id, disposition_id, stage, reviewed_by, reviewed_at, verdict)
         values ($1, $2, 1, $3, $5, 'approve'), ($1, $2, 2, $4, $5, 'reject')`,
        [tenant.tenantId, id, ann, bea, now],
      )
    })
    assert.equal(await begin(item.recordingId), 'unapproved')
  })

  test('as automatic where by now people have to look', async () => {
    const { recordingId, ruleId } = await ready()
    await decide(recordingId, { ruleId, disposal: 'review', keepUntil: earlier })
    assert.equal(await begin(recordingId), 'unapproved')
  })

  test('where the rules keep it by now, or know less', async () => {
    for (const [row, refusal] of [
      [{ keepUntil: days(1) }, 'kept'],
      [{ keepUntil: earlier, dueAt: days(1) }, 'kept'],
      [{ status: 'undecided' }, 'undecided'],
      [{ status: 'waiting' }, 'waiting'],
      [{ status: 'permanent' }, 'permanent'],
      [{ status: 'unruled' }, 'unruled'],
      [{ revision: -1 }, 'stale'],
      [{ revision: 1 }, 'stale'],
      [{ ruleVersion: 2, keepUntil: earlier }, 'rule_changed'],
      [{ ruleId: newRuleId(), keepUntil: earlier }, 'rule_changed'],
    ] as const) {
      const { recordingId, ruleId } = await ready()
      await decide(recordingId, { ruleId, disposal: 'automatic', ...row })
      assert.equal(await begin(recordingId), refusal, JSON.stringify(row))
    }
  })

  test('once begun goes on under another version of the rule, as long as that has done with it too', async () => {
    const { recordingId, ruleId } = await ready()
    assert.equal(await begin(recordingId), null)
    await decide(recordingId, { ruleId, ruleVersion: 2, disposal: 'automatic', keepUntil: earlier })
    assert.equal(await refuses(recordingId), null)
    await decide(recordingId, { ruleId, ruleVersion: 3, disposal: 'automatic', keepUntil: days(1) })
    assert.equal(await refuses(recordingId), 'kept')
  })

  test('a hold, a rule and a fact wait while one object goes', async () => {
    const { recordingId } = await ready()
    await begin(recordingId)
    const waiting = async (text: string, values: unknown[]) =>
      inTenant(database.appPool, tenant.tenantId, async client => {
        await client.query("set local lock_timeout = '50ms'")
        await client.query(text, values)
      })
    await inTenant(database.appPool, tenant.tenantId, async client => {
      await client.query('select auricle.refuses_destruction($1, $2, $3)', [
        tenant.tenantId,
        recordingId,
        now,
      ])
      for (const [text, values] of [
        ['select auricle.lock_holds($1)', [tenant.tenantId]],
        ['update auricle.tenant set policy_revision = policy_revision + 1 where id = $1', [tenant.tenantId]],
        ['update auricle.retention_decision set revision = -1 where recording_id = $1', [recordingId]],
        ["update auricle.recording set labels = '{psychotherapy}' where id = $1", [recordingId]],
      ] as const) {
        await assert.rejects(waiting(text, [...values]), { code: '55P03' }, text)
      }
      // Another worker looks at another recording at the same time.
      const other = await ready()
      assert.equal(await refuses(other.recordingId), null)
    })
  })
})
