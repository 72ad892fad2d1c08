// Every way in which a store can differ from what is decided is planted and found, in a folder and in a bucket; what can
// be mended is, and nothing else is touched.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newRecordingId } from '@auricle/contract'
import { ObjectError, type ObjectStore } from '@auricle/objects'
import { auditEvents } from '../../../../test/audit-log.ts'
import { createTestTenant } from '../../../../test/catalog-fixture.ts'
import { type Kept, type KeptVault, openKeptVault } from '../../../../test/kept-recordings.ts'
import { recordingKey } from '../object-key.ts'
import { type DriftOrders, type DriftReport, findDrift } from './drift.ts'

const dayMs = 86_400_000
const hourMs = 3_600_000
const orders: DriftOrders = { by: 'worker', mend: true, unless: null }

for (const where of ['folders', 'buckets'] as const) {
  describe(`drift in ${where}`, () => {
    let vault: KeptVault
    before(async () => {
      vault = await openKeptVault({ in: where, keyOf: recordingKey })
    })
    after(() => vault[Symbol.asyncDispose]())

    const inDays = (days: number) => new Date(vault.now().getTime() + days * dayMs)
    const sql = (text: string, values: readonly unknown[] = []) =>
      vault.database.superuserPool.query(text, [...values])
    /** As if the stores had followed: nobody has it to do any more. */
    const forget = () => sql('delete from auricle.store_work')
    const put = (store: ObjectStore, key: string) => store.put(key, other(), { retainUntil: null })

    async function look(change: Partial<DriftOrders> = {}, parts: object = {}): Promise<DriftReport> {
      const { tenantId } = vault.tenant
      return (
        (await findDrift({ ...vault, ...parts }, tenantId, { ...orders, ...change }, {})) ?? assert.fail()
      )
    }

    async function findingsOf({ id }: DriftReport): Promise<readonly string[]> {
      const found = await vault.catalog.findDriftRun(vault.tenant.tenantId, id, { after: 0, limit: 1000 })
      assert.deepEqual(
        found?.findings.map(({ number }) => number),
        found?.findings.map((_finding, index) => index + 1),
      )
      return (found?.findings ?? [])
        .map(({ kind, store, objectKey, recordingId, mended }) => {
          return `${kind} ${store} ${recordingId} ${objectKey} ${mended ? 'mended' : 'left'}`
        })
        .sort()
    }

    test('stores as they should be: nothing is found, nothing is told, and what was seen is counted', async () => {
      for (let count = 0; count < 5; count++) await vault.keep()
      await vault.keep({ copied: false })
      const before = (await auditEvents(vault, vault.tenant.tenantId)).length
      const report = await look()
      const { id, mended, ...counts } = report
      assert.deepEqual([counts, mended], [{ recordings: 6, objects: 33, counts: {} }, 0])
      assert.equal((await auditEvents(vault, vault.tenant.tenantId)).length, before)
      const [run] = await vault.catalog.listDriftRuns(vault.tenant.tenantId, { beforeId: null, limit: 1 })
      assert.deepEqual(run, {
        ...counts,
        id,
        startedAt: vault.now(),
        endedAt: vault.now(),
      })
    })

    test('everything that is planted is found; what can be mended is, and the rest is left as it is', async () => {
      const kinds: Record<string, (kept: Kept) => Promise<void>> = {
        async missing({ objects: [, second] }) {
          await vault.objects.delete(second?.objectKey ?? '')
        },
        async other_generation({ objects: [first] }) {
          await vault.recovery.delete(first?.objectKey ?? '')
          await put(vault.recovery, first?.objectKey ?? '')
        },
        async reappeared({ id }) {
          await destroy(id)
        },
        async not_held({ id }) {
          await vault.hold([id])
        },
        async shorter({ id }) {
          await vault.decide(id, { keepUntil: inDays(60) })
        },
        async unlocked({ id }) {
          await vault.decide(id, { locked: true })
        },
        async longer({ objects: [, , third] }) {
          await vault.objects.retain(third?.objectKey ?? '', inDays(90))
        },
        async held_for_nothing({ objects: [first] }) {
          await vault.recovery.setHold(first?.objectKey ?? '', true)
        },
      }
      const planted = new Map<string, Kept>()
      for (const [kind, plant] of Object.entries(kinds)) {
        const isFree = kind === 'missing' || kind === 'other_generation'
        const kept = await vault.keep({ retained: !isFree })
        if (isFree) await vault.decide(kept.id, { keepUntil: vault.now() })
        if (isFree)
          await sql('update auricle.recording set retain_until = $2 where id = $1', [kept.id, vault.now()])
        await plant(kept)
        planted.set(kind, kept)
      }
      const { tenantId } = vault.tenant
      const orphan = recordingKey(tenantId, newRecordingId(), 'original')
      const nameless = `recordings/${tenantId}/not-of-ours`
      const destroyed = planted.get('reappeared') ?? assert.fail()
      const stray = recordingKey(tenantId, destroyed.id, 'original').replace(/original$/, 'stray')
      for (const key of [orphan, nameless, stray]) await put(vault.objects, key)
      await forget()
      vault.advance(25 * hourMs)

      const keysOf = (kind: string) =>
        (planted.get(kind) ?? assert.fail()).objects.map(({ objectKey }) => objectKey)
      const idOf = (kind: string) => (planted.get(kind) ?? assert.fail()).id
      const both = ['primary', 'recovery']
      const line = (kind: string, store: string, key: string | undefined, state: string) =>
        `${kind} ${store} ${idOf(kind)} ${key} ${state}`
      const expected = (state: 'mended' | 'left') => [
        line('missing', 'primary', keysOf('missing')[1], 'left'),
        line('other_generation', 'recovery', keysOf('other_generation')[0], 'left'),
        ...both.flatMap(store => keysOf('reappeared').map(key => line('reappeared', store, key, 'left'))),
        line('reappeared', 'primary', stray, 'left'),
        ...both.flatMap(store => keysOf('not_held').map(key => line('not_held', store, key, state))),
        ...both.flatMap(store => keysOf('shorter').map(key => line('shorter', store, key, state))),
        ...both.flatMap(store => keysOf('unlocked').map(key => line('unlocked', store, key, 'left'))),
        line('longer', 'primary', keysOf('longer')[2], 'left'),
        line('held_for_nothing', 'recovery', keysOf('held_for_nothing')[0], state),
        `orphan primary ${orphan.split('/')[3]} ${orphan} left`,
        `orphan primary null ${nameless} left`,
      ]
      const untouched = await look({ mend: false, by: 'operator' })
      assert.deepEqual(await findingsOf(untouched), expected('left').sort())
      assert.equal(untouched.mended, 0)

      const report = await look()
      assert.deepEqual(await findingsOf(report), expected('mended').sort())
      assert.equal(report.mended, 13)
      assert.deepEqual(report.counts, {
        ...{
          missing: 1,
          other_generation: 1,
          reappeared: 7,
          not_held: 6,
          shorter: 6,
          unlocked: 6,
          longer: 1,
        },
        ...{ held_for_nothing: 1, orphan: 2 },
      })
      const events = (await auditEvents(vault, tenantId)).filter(({ action }) => action === 'store.drifted')
      assert.deepEqual(
        events.map(({ object, detail, actor }) => [object?.id, detail, actor.id]),
        [
          [untouched.id, { kind: 'found', count: 31 }, 'operator'],
          [report.id, { kind: 'found', count: 31 }, 'worker'],
        ],
      )
      assert.equal(events[1]?.reasons.length, 8)

      const mended = [...(await factsOf('not_held')), ...(await factsOf('shorter'))]
      assert.deepEqual(
        mended.slice(0, 6).map(({ held }) => held),
        Array(6).fill(true),
      )
      assert.ok(mended.slice(6).every(({ retainUntil }) => retainUntil !== null && retainUntil > inDays(50)))
      const after = await look()
      assert.deepEqual(
        await findingsOf(after),
        expected('left')
          .filter(text => !/^(not_held|shorter|held_for_nothing) /.test(text))
          .sort(),
      )
      for (const key of [orphan, nameless, stray]) {
        assert.ok((await vault.objects.head(key)) !== null, 'nothing is ever removed')
        await vault.objects.delete(key)
      }

      function factsOf(kind: string) {
        return vault.facts(planted.get(kind) ?? assert.fail())
      }
    })

    test('what the stores are asked to follow is theirs to do for an hour, and is missed after it', async () => {
      const kept = await vault.keep()
      await vault.hold([kept.id])
      const isMissed = async () => (await look({ mend: false })).counts.not_held ?? 0
      assert.equal(await isMissed(), 0)
      vault.advance(hourMs)
      assert.equal(await isMissed(), 6)
      await look()
      assert.equal(await isMissed(), 0)
      await forget()
    })

    test('whoever may not mend asks for it, and says that it is not mended', async () => {
      const kept = await vault.keep()
      await vault.hold([kept.id])
      await forget()
      const refused = () => Promise.reject(new ObjectError('denied', 'This identity may not do that'))
      const objects = { ...vault.objects, setHold: refused, retain: refused }
      const recovery = { ...vault.recovery, setHold: refused, retain: refused }
      const report = await look({}, { objects, recovery })
      assert.deepEqual([report.counts.not_held, report.mended], [6, 0])
      const { rows } = await sql('select recording_id from auricle.store_work')
      assert.deepEqual(rows, [{ recording_id: kept.id }])
      await forget()
      assert.equal((await look()).mended, 6)
    })

    test('what changes while it is looked at is judged as it is then', async () => {
      const [gone, made] = [await vault.keep({ retained: false }), await vault.keep({ copied: false })]
      await forget()
      const before = await look({ mend: false })
      const [first] = gone.objects
      async function* listed(...args: Parameters<ObjectStore['list']>) {
        // Listed, and then destroyed with its recording before the row is read again.
        for await (const facts of vault.objects.list(...args)) {
          if (facts.key === first?.objectKey) {
            for (const { objectKey } of gone.objects) {
              await vault.objects.delete(objectKey)
              await vault.recovery.delete(objectKey)
            }
            await destroy(gone.id)
          }
          // Not listed yet: it came a moment later.
          if (facts.key !== made.objects[0]?.objectKey) yield facts
        }
      }
      const report = await look({ mend: false }, { objects: { ...vault.objects, list: listed } })
      const { shorter = 0, ...others } = before.counts
      assert.equal(shorter, 6)
      assert.deepEqual(report.counts, others)
    })

    test('one that is under way or of late is not begun again; one that was cut off is, after a while', async () => {
      const { tenantId } = vault.tenant
      vault.advance(2 * dayMs)
      const daily = (): DriftOrders => ({
        ...orders,
        unless: {
          endedSince: new Date(vault.now().getTime() - dayMs),
          begunSince: new Date(vault.now().getTime() - 6 * hourMs),
        },
      })
      const begin = () => findDrift(vault, tenantId, daily(), {})
      const stop = new AbortController()
      const onObject = () => stop.abort()
      await assert.rejects(findDrift({ ...vault, onObject }, tenantId, daily(), { signal: stop.signal }))
      assert.equal(await begin(), null)
      vault.advance(6 * hourMs + 1)
      const both = await Promise.all([begin(), begin(), begin()])
      assert.equal(both.filter(report => report !== null).length, 1)
      vault.advance(23 * hourMs)
      assert.equal(await begin(), null)
      vault.advance(hourMs + 1)
      assert.notEqual(await begin(), null)
      const runs = await vault.catalog.listDriftRuns(tenantId, { beforeId: null, limit: 3 })
      assert.deepEqual(
        runs.map(({ endedAt }) => endedAt !== null),
        [true, true, false],
      )
    })

    test("another tenant's objects and rows are not looked at", async () => {
      const elsewhere = await createTestTenant(vault.catalog)
      await vault.keep({ of: elsewhere })
      const report = await findDrift(vault, elsewhere.tenantId, orders, {})
      assert.deepEqual([report?.recordings, report?.objects, report?.counts], [1, 6, {}])
    })

    async function destroy(id: string): Promise<void> {
      await sql(
        `update auricle.recording set destroying_at = $2, destroyed_at = $2, source_id = null, from_number = null,
           from_name = null, to_number = null, patient_reference = null, note = null, from_index = null, to_index = null
         where id = $1`,
        [id, vault.now()],
      )
    }
  })
}

async function* other(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('something else')
}
