// What is due is found, decided anew, and listed once: by itself where a rule says so, for people once a day otherwise.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { RecordingId } from '@auricle/contract'
import { inTenant } from '../../../../test/disposition-fixture.ts'
import { addVersion, type EndOfLife, openEndOfLife } from '../../../../test/disposition-vault.ts'
import { recordingFolder } from '../object-key.ts'
import { applyPolicy } from '../retention/apply-policy.ts'
import { destroyReady } from './destroy-ready.ts'
import { sweepDue } from './sweep-due.ts'

let end: EndOfLife

before(async () => {
  end = await openEndOfLife('review')
})
after(() => end[Symbol.asyncDispose]())

const failures: RecordingId[] = []
const sweep = () => {
  const onFailure = (id: RecordingId) => failures.push(id)
  return sweepDue({ ...end.vault, now: () => end.clock.now, onFailure }, {})
}
const decide = () =>
  applyPolicy({ ...end.vault, now: () => end.clock.now, onFailure: id => failures.push(id) }, {})
const dispositions = async () => {
  const found = await end.vault.catalog.listDispositions(end.tenantId, { beforeId: null, limit: 100 })
  return found.map(({ kind, state, stages, counts }) => ({ kind, state, stages, listed: counts.listed }))
}

describe('people', () => {
  test('are asked once a day, for all that is due by then', async () => {
    await end.archive()
    await decide()
    assert.deepEqual(await sweep(), { dispositions: 1, recordings: 1 })
    await end.archive()
    await decide()
    end.pass(0.9)
    assert.deepEqual(await sweep(), { dispositions: 0, recordings: 0 })
    end.pass(0.1)
    assert.deepEqual(await sweep(), { dispositions: 1, recordings: 1 })
    const one = { kind: 'review', state: 'proposed', stages: 2, listed: 1 }
    assert.deepEqual(await dispositions(), [one, one])
  })
})

describe('what goes by itself', () => {
  let version = 1
  const rule = (change: Parameters<typeof addVersion>[4]) =>
    addVersion(end.vault, end.tenantId, end.ruleId, ++version, change)

  before(async () => {
    await rule({ dispose: 'automatic' })
    end.pass(2)
  })

  test('is listed at once, by several sweeps at once one time', async () => {
    const ids = [await end.archive(), await end.archive()]
    await decide()
    const swept = await Promise.all([sweep(), sweep(), sweep()])
    assert.equal(
      swept.reduce((sum, { recordings }) => sum + recordings, 0),
      ids.length,
    )
    assert.equal((await dispositions()).filter(({ state }) => state === 'waiting').length > 0, true)
  })

  test('is decided anew before it is listed: what a rule keeps by now is not', async () => {
    await end.archive()
    await decide()
    await rule({ dispose: 'automatic', keep: { years: 90, months: 0, days: 0 } })
    assert.deepEqual(await sweep(), { dispositions: 0, recordings: 0 })
    await rule({ dispose: 'automatic' })
    await decide()
    assert.deepEqual(await sweep(), { dispositions: 1, recordings: 1 })
  })

  test('and cannot be decided holds up no other', async () => {
    const [broken, good] = [await end.archive({ patientReference: 'MRN-1' }), await end.archive()]
    await decide()
    await end.vault.database.superuserPool.query(
      `update auricle.patient set birth_date = '\\x00' where id = (
         select patient_id from auricle.recording where id = $1)`,
      [broken],
    )
    failures.length = 0
    assert.deepEqual(await sweep(), { dispositions: 1, recordings: 1 })
    assert.deepEqual(failures, [broken])
    const { rows } = await end.vault.database.superuserPool.query(
      'select recording_id from auricle.disposition_item where recording_id = any($1)',
      [[broken, good]],
    )
    assert.deepEqual(rows, [{ recording_id: good }])
    await end.vault.database.superuserPool.query('update auricle.patient set birth_date = null')
  })

  for (const [what, change] of [
    ['a rule that keeps longer', () => rule({ keep: { years: 90, months: 0, days: 0 } })],
    [
      'a fact that a rule counts from',
      (id: RecordingId) =>
        inTenant(end.vault.database.appPool, end.tenantId, async client => {
          await client.query('select auricle.lock_decisions($1)', [end.tenantId])
          await client.query(
            `insert into auricle.record_set_decision (tenant_id, id, recording_id, decision, rationale, decided_at)
             values ($1, $2, $3, 'undecided', 'sealed', now())`,
            [end.tenantId, id.replace('rec_', 'rsd_'), id],
          )
          await client.query('update auricle.retention_decision set revision = -1 where recording_id = $1', [
            id,
          ])
        }),
    ],
  ] as const) {
    test(`${what}, in the middle of its destruction, stops it`, async () => {
      const id = await end.archive()
      await decide()
      await sweep()
      end.pass(8)
      let deletes = 0
      const { recovery } = end
      const changing = {
        list: recovery.list.bind(recovery),
        listGone: recovery.listGone.bind(recovery),
        restorable: recovery.restorable.bind(recovery),
        delete: recovery.delete.bind(recovery),
      }
      const catalog = {
        ...end.vault.catalog,
        async destroyObject(...args: Parameters<typeof end.vault.catalog.destroyObject>) {
          if (args[0].recordingId === id && deletes++ === 2) await change(id)
          return end.vault.catalog.destroyObject(...args)
        },
      }
      const stores = { primary: end.primary, recovery: changing }
      await destroyReady({ ...end.parts, catalog, stores }, {})
      // The decision that was made is stale: the next attempt makes it anew, and finds that it is kept.
      end.pass(0.1)
      await destroyReady(end.parts, {})
      const { rows } = await end.vault.database.superuserPool.query(
        `select i.state, i.reason, r.destroying_at from auricle.disposition_item i
         join auricle.recording r on r.id = i.recording_id where i.recording_id = $1`,
        [id],
      )
      const reason = what.startsWith('a rule') ? 'kept' : 'undecided'
      assert.deepEqual(rows, [{ state: 'stopped', reason, destroying_at: null }])
      let left = 0
      for (const store of [end.primary, end.recovery])
        for await (const { key } of store.list(recordingFolder(end.tenantId, id))) if (key !== '') left++
      assert.equal(left, 4)
      await rule({ dispose: 'automatic' })
    })
  }
})
