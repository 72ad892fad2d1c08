// What the stores keep is brought to what is decided: in a folder and in a bucket, whoever decides otherwise meanwhile, and
// wherever it is cut off.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HoldId } from '@auricle/contract'
import { ObjectError } from '@auricle/objects'
import { auditEvents } from '../../../../test/audit-log.ts'
import { anEvent } from '../../../../test/catalog-fixture.ts'
import { type Kept, type KeptVault, openKeptVault } from '../../../../test/kept-recordings.ts'
import { recordingKey } from '../object-key.ts'
import { type FollowAttempt, followWork } from './follow-work.ts'

const dayMs = 86_400_000

for (const where of ['folders', 'buckets'] as const) {
  describe(`following in ${where}`, () => {
    let vault: KeptVault
    before(async () => {
      vault = await openKeptVault({ in: where, keyOf: recordingKey })
    })
    after(() => vault[Symbol.asyncDispose]())

    const parts = () => ({ ...vault, random: () => 0 })
    const round = async (change: object = {}): Promise<readonly FollowAttempt[]> => {
      const attempts: FollowAttempt[] = []
      const onAttempt = (_work: unknown, attempt: FollowAttempt) => attempts.push(attempt)
      await followWork({ ...parts(), onAttempt, ...change }, {})
      return attempts
    }
    const statuses = async (change?: object) => (await round(change)).map(({ status }) => status)
    const events = async ({ id }: Kept) =>
      (await auditEvents(vault, vault.tenant.tenantId))
        .filter(({ action, object }) => action === 'store.followed' && object?.id === id)
        .map(({ reasons }) => reasons.join())

    /** The rows say what the stores keep, which is what is expected. */
    async function assertKept(kept: Kept, expected: { until: Date; held: boolean; locked?: boolean }) {
      const facts = await vault.facts(kept)
      assert.equal(facts.length, kept.objects.length + kept.copies.length)
      for (const { retainUntil, held, locked } of facts) {
        assert.deepEqual(retainUntil, expected.until)
        assert.equal(held, expected.held)
        if (expected.locked !== undefined) assert.equal(locked, expected.locked)
      }
      const { rows } = await vault.database.superuserPool.query(
        `select store_until, store_held, recovery_until, recovery_held, recovery_generation
         from auricle.recording_object where recording_id = $1`,
        [kept.id],
      )
      for (const row of rows) {
        assert.deepEqual([row.store_until, row.store_held], [expected.until, expected.held])
        if (row.recovery_generation === null) continue
        assert.deepEqual([row.recovery_until, row.recovery_held], [expected.until, expected.held])
      }
    }

    const inDays = (days: number) => new Date(vault.now().getTime() + days * dayMs)

    test('retention grows and is never made shorter, in both stores, and is told once', async () => {
      const kept = await vault.keep()
      await vault.decide(kept.id, { keepUntil: inDays(60) })
      assert.deepEqual(await statuses(), ['changed'])
      await assertKept(kept, { until: inDays(60), held: false, locked: false })
      assert.deepEqual(await events(kept), ['kept_longer'])
      assert.deepEqual(await statuses(), [])
      await vault.decide(kept.id, { keepUntil: inDays(40) })
      assert.deepEqual(await statuses(), ['unchanged'])
      await assertKept(kept, { until: inDays(60), held: false })
      assert.deepEqual(await events(kept), ['kept_longer'])
    })

    test('a hold is put on every object and copy, outlasts another that ends, and is taken off with the last', async () => {
      const kept = await vault.keep()
      const until = inDays(30)
      const first = await vault.hold([kept.id])
      assert.deepEqual(await statuses(), ['changed'])
      await assertKept(kept, { until, held: true })
      const second = await vault.hold([kept.id])
      await vault.release(first)
      assert.deepEqual(await statuses(), ['unchanged'])
      await assertKept(kept, { until, held: true })
      await vault.release(second)
      assert.deepEqual(await statuses(), ['changed'])
      await assertKept(kept, { until, held: false })
      assert.deepEqual(await events(kept), ['held', 'released'])
    })

    test('what waits for its time to begin is held, and let go when that is known', async () => {
      const kept = await vault.keep()
      await vault.decide(kept.id, { status: 'waiting' })
      await round()
      await assertKept(kept, { until: inDays(30), held: true })
      await vault.decide(kept.id, { keepUntil: inDays(90) })
      await round()
      await assertKept(kept, { until: inDays(90), held: false })
      assert.deepEqual(await events(kept), ['held', 'kept_longer,released'])
    })

    test('what is decided to be locked is so where it was not retained before', async () => {
      const [free, retained] = [await vault.keep({ retained: false }), await vault.keep()]
      const until = inDays(35)
      for (const { id } of [free, retained]) await vault.decide(id, { keepUntil: until, locked: true })
      await round()
      await assertKept(free, { until, held: false, locked: true })
      // To lock what is not takes a right that nobody has who follows.
      await assertKept(retained, { until, held: false, locked: false })
    })

    test('without a recovery store the first store follows, and what is known of copies stays', async () => {
      const kept = await vault.keep()
      await vault.hold([kept.id])
      assert.deepEqual(await statuses({ recovery: null }), ['changed'])
      const facts = await vault.facts(kept)
      assert.deepEqual(
        facts.map(({ held }) => held),
        [true, false, true, false, true, false],
      )
    })

    test('one object that fails keeps no other from its hold; it is tried again, later each time', async () => {
      const kept = await vault.keep()
      await vault.hold([kept.id])
      const key = kept.objects[0]?.objectKey
      const objects = {
        ...vault.objects,
        setHold: (...args: Parameters<typeof vault.objects.setHold>) =>
          args[0] === key
            ? Promise.reject(new ObjectError('unavailable', 'It is away'))
            : vault.objects.setHold(...args),
      }
      const [attempt] = await round({ objects })
      assert.ok(attempt?.status === 'retry' && attempt.errorCode === 'unavailable')
      assert.equal((await vault.facts(kept)).filter(({ held }) => held).length, 5)
      assert.deepEqual(await events(kept), ['held'])
      const backlog = await vault.catalog.storeBacklog()
      assert.deepEqual([backlog.recordings, backlog.failing], [1, 1])
      assert.deepEqual(await statuses(), [])
      vault.advance(60_000)
      assert.deepEqual(await statuses(), ['changed'])
      assert.deepEqual(await vault.catalog.storeBacklog(), { recordings: 0, failing: 0, askedAt: null })
      assert.ok((await vault.facts(kept)).every(({ held }) => held))
    })

    test('an object that is not there, or another under its key, is told and left alone', async () => {
      const kept = await vault.keep()
      vault.advance(31 * dayMs)
      const [first, second] = kept.objects
      assert.ok(first !== undefined && second !== undefined)
      await vault.objects.delete(first.objectKey)
      await vault.recovery.delete(second.objectKey)
      await vault.recovery.put(second.objectKey, other(), { retainUntil: null })
      await vault.hold([kept.id])
      const [attempt] = await round()
      assert.ok(attempt?.status === 'retry' && attempt.errorCode === 'damaged')
      assert.equal((await vault.recovery.head(second.objectKey))?.held, false)
      assert.equal((await vault.facts(kept)).filter(({ held }) => held).length, 4)
      await forget(kept)
    })

    test('what was deleted since the recording came to its end is not looked for', async () => {
      const kept = await vault.keep()
      vault.advance(31 * dayMs)
      const [first] = kept.objects
      assert.ok(first !== undefined)
      await vault.objects.delete(first.objectKey)
      await vault.database.superuserPool.query(
        `insert into auricle.destroyed_object (
           tenant_id, recording_id, store, object_key, generation, role, sealed_bytes, destroyed_at
         ) values ($1, $2, 'primary', $3, $4, 'original', 1, $5)`,
        [vault.tenant.tenantId, kept.id, first.objectKey, first.generation, vault.now()],
      )
      await vault.hold([kept.id])
      assert.deepEqual(await statuses(), ['changed'])
      assert.equal((await vault.facts(kept)).filter(({ held }) => held).length, 5)
    })

    test('a copy that is made while a hold is placed is held in the end', async () => {
      const kept = await vault.keep({ copied: false })
      await vault.hold([kept.id])
      await round()
      const copies = []
      for (const { role, objectKey } of kept.objects) {
        const { facts } = await vault.recovery.put(objectKey, other(), { retainUntil: inDays(30) })
        copies.push({ role, generation: facts.generation, until: facts.retainUntil, held: false })
      }
      const { tenantId } = vault.tenant
      await vault.catalog.commitReplication({ tenantId, recordingId: kept.id, copies }, anEvent(tenantId))
      assert.deepEqual(await statuses(), ['changed'])
      await assertKept({ ...kept, copies }, { until: inDays(30), held: true })
    })

    test('whoever follows a recording that somebody else follows leaves it', async () => {
      const kept = await vault.keep()
      await vault.hold([kept.id])
      await vault.catalog.followStore(vault.tenant.tenantId, kept.id, async () => {
        assert.deepEqual(await statuses(), ['busy'])
      })
      vault.advance(3_600_000)
      assert.deepEqual(await statuses(), ['changed'])
    })

    test('holds that come and go meanwhile, and whoever is cut off: in the end the stores hold what is held', async () => {
      const recordings: Kept[] = []
      for (let count = 0; count < 6; count++) recordings.push(await vault.keep())
      const until = inDays(30)
      const holds: HoldId[] = []
      const end = new AbortController()
      const decideOtherwise = async (): Promise<void> => {
        for (let step = 0; step < 40; step++) {
          if (holds.length > 0 && randomInt(2) === 0) {
            const [hold] = holds.splice(randomInt(holds.length), 1)
            if (hold !== undefined) await vault.release(hold)
          } else {
            const some = recordings.filter(() => randomInt(2) === 0)
            holds.push(await vault.hold(some.map(({ id }) => id)))
          }
          await sleep(randomInt(20))
        }
      }
      /** As a process that dies between two steps, and another after it. */
      const followUntilCut = async (): Promise<void> => {
        while (!end.signal.aborted) {
          const cut = new AbortController()
          let steps = randomInt(1, 40)
          const counted = <Store extends typeof vault.objects>(store: Store): Store => ({
            ...store,
            setHold: (...args) => {
              if (--steps === 0) cut.abort()
              return store.setHold(...args)
            },
            head: (...args) => {
              if (--steps === 0) cut.abort()
              return store.head(...args)
            },
          })
          const cutParts = {
            ...parts(),
            objects: counted(vault.objects),
            recovery: counted(vault.recovery),
          }
          // Nobody waits for a lease in a test whose clock stands still: the work is due again.
          await followWork(cutParts, { signal: cut.signal }).catch(error => {
            if (!cut.signal.aborted) throw error
          })
          await makeDue()
          await sleep(1)
        }
      }
      const following = Promise.all([followUntilCut(), followUntilCut()])
      await Promise.all([decideOtherwise(), decideOtherwise()])
      end.abort()
      await following
      while ((await vault.catalog.storeBacklog()).recordings > 0) {
        await makeDue()
        await round()
      }
      const { rows } = await vault.database.superuserPool.query(
        `select distinct c.recording_id as id from auricle.hold_cover c
         join auricle.legal_hold h on h.id = c.hold_id where h.released_at is null`,
      )
      const held = new Set(rows.map(row => row.id))
      for (const kept of recordings) await assertKept(kept, { until, held: held.has(kept.id) })
    })

    async function makeDue(): Promise<void> {
      await vault.database.superuserPool.query(
        `update auricle.store_work w set due_at = w.asked_at from (
           select tenant_id, recording_id from auricle.store_work for update skip locked
         ) s where w.tenant_id = s.tenant_id and w.recording_id = s.recording_id`,
      )
    }

    async function forget({ id }: Kept): Promise<void> {
      await vault.database.superuserPool.query('delete from auricle.store_work where recording_id = $1', [id])
    }
  })
}

async function* other(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('something else')
}
