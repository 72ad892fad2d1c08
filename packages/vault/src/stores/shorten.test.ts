// What the stores keep for longer than is decided is shortened where somebody asks for it, in folders and in buckets; what
// is locked, held or without an end never is.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ObjectError, type ObjectFacts } from '@auricle/objects'
import { auditEvents } from '../../../../test/audit-log.ts'
import { type Kept, type KeptVault, openKeptVault } from '../../../../test/kept-recordings.ts'
import { recordingKey } from '../object-key.ts'
import { findDrift } from './drift.ts'
import { followWork } from './follow-work.ts'
import { type ShortenParts, type ShortenReport, shortenStores } from './shorten.ts'

const dayMs = 86_400_000

for (const where of ['folders', 'buckets'] as const) {
  describe(`shortening in ${where}`, () => {
    let vault: KeptVault
    before(async () => {
      vault = await openKeptVault({ in: where, keyOf: recordingKey })
    })
    after(() => vault[Symbol.asyncDispose]())

    const inDays = (days: number) => new Date(vault.now().getTime() + days * dayMs)
    const follow = () => followWork(vault, {})
    const shorten = (apply = true, parts: Partial<ShortenParts> = {}): Promise<ShortenReport> =>
      shortenStores({ ...vault, ...parts }, vault.tenant.tenantId, { apply }, {})
    const untilOf = (facts: readonly ObjectFacts[]) => [
      ...new Set(facts.map(({ retainUntil }) => retainUntil?.getTime() ?? null)),
    ]
    const eventsOf = async ({ id }: Kept) =>
      (await auditEvents(vault, vault.tenant.tenantId)).filter(
        ({ action, object }) => action === 'store.shortened' && object?.id === id,
      )

    /** Kept by both stores for ninety days, and then decided to be kept for forty. */
    async function keepLonger(): Promise<Kept> {
      const kept = await vault.keep()
      await vault.decide(kept.id, { keepUntil: inDays(90) })
      await follow()
      await vault.decide(kept.id, { keepUntil: inDays(40) })
      await follow()
      assert.deepEqual(untilOf(await vault.facts(kept)), [inDays(90).getTime()])
      return kept
    }

    test('every object in both stores, by an event that is there before; the catalog knows it', async () => {
      const kept = await keepLonger()
      const before = await vault.facts(kept)
      const bytes = before.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      const longer = { recordings: 1, objects: before.length, bytes }
      assert.equal(before.length, 6)

      assert.deepEqual(await shorten(false), { recordings: 1, longer, shortened: 0, failed: new Map() })
      assert.deepEqual(await vault.facts(kept), before)
      assert.deepEqual(await eventsOf(kept), [])

      let told = 0
      const objects = {
        ...vault.objects,
        async loosen(...args: Parameters<typeof vault.objects.loosen>) {
          told = (await eventsOf(kept)).length
          return vault.objects.loosen(...args)
        },
      }
      assert.deepEqual(await shorten(true, { objects }), {
        recordings: 1,
        longer,
        shortened: 6,
        failed: new Map(),
      })
      assert.equal(told, 1)
      const after = await vault.facts(kept)
      assert.deepEqual(untilOf(after), [inDays(40).getTime()])
      assert.deepEqual(
        after.map(({ key, generation, locked, held }) => [key, generation, locked, held]),
        before.map(({ key, generation }) => [key, generation, false, false]),
      )
      const [event] = await eventsOf(kept)
      assert.deepEqual(
        [event?.actor.id, event?.outcome, event?.reasons, event?.detail],
        ['operator', 'allowed', ['primary', 'recovery'], { kind: 'found', count: 6 }],
      )
      const { rows } = await vault.database.superuserPool.query(
        'select distinct store_until, recovery_until from auricle.recording_object where recording_id = $1',
        [kept.id],
      )
      assert.deepEqual(rows, [{ store_until: inDays(40), recovery_until: inDays(40) }])
      const [none, again] = [{ recordings: 0, objects: 0, bytes: 0 }, await shorten()]
      assert.deepEqual(again, { recordings: 0, longer: none, shortened: 0, failed: new Map() })
      assert.equal((await eventsOf(kept)).length, 1)
    })

    test('what is over is taken off, for what should be gone already', async () => {
      const kept = await keepLonger()
      vault.advance(50 * dayMs)
      await shorten()
      assert.ok(
        (await vault.facts(kept)).every(
          ({ retainUntil }) => retainUntil === null || retainUntil <= vault.now(),
        ),
      )
      assert.equal(await vault.objects.delete(kept.objects[0]?.objectKey ?? ''), 'deleted')
    })

    test('not what a rule locks, a store has locked, a hold covers, or no rule ever ends', async () => {
      const refused: Record<string, (kept: Kept) => Promise<unknown>> = {
        locked: ({ id }) => vault.decide(id, { keepUntil: inDays(40), locked: true }),
        held: ({ id }) => vault.hold([id]),
        waiting: ({ id }) => vault.decide(id, { keepUntil: inDays(40), status: 'waiting' }),
        undecided: ({ id }) => vault.decide(id, { keepUntil: inDays(40), status: 'undecided' }),
        permanent: ({ id }) => vault.decide(id, { keepUntil: inDays(40), status: 'permanent' }),
        unruled: ({ id }) => vault.decide(id, { keepUntil: inDays(40), status: 'unruled' }),
      }
      const kept = new Map<string, Kept>()
      for (const [name, refuse] of Object.entries(refused)) {
        const made = await keepLonger()
        await refuse(made)
        kept.set(name, made)
      }
      await shorten()
      for (const [name, made] of kept) {
        const [first] = untilOf(await vault.facts(made))
        assert.ok((first ?? 0) > inDays(80).getTime(), name)
        assert.deepEqual(await eventsOf(made), [], name)
      }
    })

    test('also of what is being destroyed, which its store keeps from that', async () => {
      const kept = await keepLonger()
      await vault.database.superuserPool.query(
        'update auricle.recording set destroying_at = $2 where id = $1',
        [kept.id, vault.now()],
      )
      await shorten()
      assert.deepEqual(untilOf(await vault.facts(kept)), [inDays(40).getTime()])
    })

    test('not an object that its store has locked, or another in its place', async () => {
      const kept = await keepLonger()
      const [first, second] = kept.objects
      const until = inDays(90)
      const stores = [vault.objects, vault.recovery]
      for (const store of stores) {
        const key = second?.objectKey ?? ''
        const facts = await store.head(key)
        await store.loosen(key, null, { generation: facts?.generation ?? '' })
        await store.retain(key, until, { lock: true })
      }
      const key = first?.objectKey ?? ''
      await vault.objects.loosen(key, null, { generation: first?.generation ?? '' })
      await vault.objects.delete(key)
      await vault.objects.put(key, once(), { retainUntil: until })
      const { shortened, failed } = await shorten()
      assert.deepEqual([shortened, failed.size], [3, 0])
      assert.deepEqual((await vault.objects.head(key))?.retainUntil, until)
      for (const store of stores)
        assert.deepEqual((await store.head(second?.objectKey ?? ''))?.retainUntil, until)
    })

    test('whoever may not is told so, and what could be done is', async () => {
      const kept = await keepLonger()
      const loosen = () => Promise.reject(new ObjectError('denied', 'This identity may not do that'))
      const { longer, shortened, failed } = await shorten(true, { recovery: { ...vault.recovery, loosen } })
      assert.deepEqual([longer.objects, shortened, [...failed]], [6, 3, [['denied', 3]]])
      const facts = await vault.facts(kept)
      assert.deepEqual(untilOf(facts).sort(), [inDays(40).getTime(), inDays(90).getTime()])
      const { rows } = await vault.database.superuserPool.query(
        'select distinct store_until, recovery_until from auricle.recording_object where recording_id = $1',
        [kept.id],
      )
      assert.deepEqual(rows, [{ store_until: inDays(40), recovery_until: inDays(90) }])
      assert.equal((await shorten()).longer.objects, 3)
    })

    test('a store that does not answer is told of, and the other is asked all the same', async () => {
      const kept = await keepLonger()
      const head = () => Promise.reject(new ObjectError('unavailable', 'The store does not answer'))
      const { recordings, shortened, failed } = await shorten(true, { objects: { ...vault.objects, head } })
      assert.deepEqual([shortened, [...failed]], [3, [['unavailable', 3 * recordings]]])
      assert.equal((await eventsOf(kept)).length, 1)
      assert.equal((await shorten()).shortened, 3)
    })

    test('stopped between two objects and begun again, it ends right', async () => {
      const kept = await keepLonger()
      const stop = new AbortController()
      const objects = {
        ...vault.objects,
        async loosen(...args: Parameters<typeof vault.objects.loosen>) {
          const facts = await vault.objects.loosen(...args)
          stop.abort()
          return facts
        },
      }
      const { tenantId } = vault.tenant
      await assert.rejects(
        shortenStores({ ...vault, objects }, tenantId, { apply: true }, { signal: stop.signal }),
      )
      assert.equal(untilOf(await vault.facts(kept)).length, 2)
      await shorten()
      assert.deepEqual(untilOf(await vault.facts(kept)), [inDays(40).getTime()])
    })

    test('what is decided meanwhile goes before: a hold, a longer time', async () => {
      for (const [change, isAsDecided] of [
        [
          (id: Kept['id']) => vault.hold([id]),
          (facts: readonly ObjectFacts[]) => facts.every(({ held }) => held),
        ],
        [
          (id: Kept['id']) => vault.decide(id, { keepUntil: inDays(120) }),
          (facts: readonly ObjectFacts[]) => untilOf(facts).join() === String(inDays(120).getTime()),
        ],
      ] as const) {
        const kept = await keepLonger()
        let isFirst = true
        const objects = {
          ...vault.objects,
          async loosen(...args: Parameters<typeof vault.objects.loosen>) {
            if (isFirst) await change(kept.id)
            isFirst = false
            return vault.objects.loosen(...args)
          },
        }
        await shorten(true, { objects })
        await follow()
        assert.ok(isAsDecided(await vault.facts(kept)))
      }
    })

    test('and nothing of it differs from what is decided', async () => {
      const orders = { by: 'operator', mend: false, unless: null } as const
      const report = await findDrift(vault, vault.tenant.tenantId, orders, {})
      assert.deepEqual([report?.counts.shorter, report?.counts.not_held], [undefined, undefined])
    })
  })
}

async function* once(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('another')
}
