// What every object store must do: the test cases that each adapter runs against itself.
import assert from 'node:assert/strict'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ByteRange } from '@auricle/contract'
import { ObjectError, type ObjectErrorCode } from './error.ts'
import type { ObjectFacts, ObjectMetadata, ObjectStore } from './store.ts'

export interface ObjectStoreUnderTest extends AsyncDisposable {
  readonly store: ObjectStore
  /** Unix milliseconds of the clock that decides about retention. */
  now(): number
  /** Moves that clock forward. Never called where the clock is `real`. */
  advance(milliseconds: number): void
}

export interface ConformanceOptions {
  /** `real`: the clock cannot be moved, as that of a service; cases that need it moved are skipped. Default: movable. */
  readonly clock?: 'movable' | 'real' | undefined
  /** Where the place takes shorter keys than the contract, as a bucket does under a prefix. Default: 1,024. */
  readonly keyCharactersMost?: number | undefined
  /** `own`: nothing is kept but as the store is set, and nothing is loosened; other cases are skipped. Default: `both`. */
  readonly modes?: 'both' | 'own' | undefined
  /** Rounds of cases that repeat themselves in order to meet a race. Default: 20. */
  readonly raceRounds?: number | undefined
  /** Where what stands behind the store is in this process: one whose memory is not measured along. */
  readonly makeApart?: (() => Promise<ObjectStoreUnderTest>) | undefined
}

const secondMs = 1000
const minuteMs = 60 * secondMs
const dayMs = 1440 * minuteMs
const mebibyte = 1_048_576
const kept = { retainUntil: null }

/**
 * Defines the cases; `makeStore` gives each of them a store in which nothing is, such as one under a prefix of its
 * own. What a case keeps it keeps for two minutes at most, or for 20 seconds by a real clock.
 */
export function objectStoreConformance(
  makeStore: () => Promise<ObjectStoreUnderTest>,
  {
    clock = 'movable',
    keyCharactersMost = 1024,
    modes = 'both',
    raceRounds = 20,
    makeApart = makeStore,
  }: ConformanceOptions = {},
): void {
  const keptMs = clock === 'real' ? secondMs * 10 : minuteMs
  const whereBothModes = { skip: modes === 'own' && 'only the mode that this store is set to is tried' }
  const whereMovable = { skip: clock === 'real' && 'the clock of this store cannot be moved' }
  describe('object store', () => {
    test('what was put is what is read, with its facts', async () => {
      await using subject = await makeStore()
      const { store } = subject
      for (const size of [0, 1, 4095, 4096, 65_537, 3 * mebibyte + 1]) {
        const bytes = randomBytes(size)
        const before = Date.now()
        const put = await store.put(`sized/${size}`, inPieces(bytes, 70_000), kept)
        assert.equal(put.status, 'created')
        assert.equal(put.facts.key, `sized/${size}`)
        assert.equal(put.facts.sizeBytes, size)
        assert.equal(put.facts.retainUntil, null)
        assert.equal(put.facts.locked, false)
        assert.equal(put.facts.held, false)
        assert.deepEqual(put.facts.metadata, {})
        assert.ok(Math.abs(put.facts.createdAt.getTime() - before) < minuteMs)
        assert.deepEqual(await store.head(`sized/${size}`), put.facts)
        assert.deepEqual(await contentOf(store, `sized/${size}`), bytes)
      }
    })

    test('pieces of any size arrive in order, also single bytes and empty ones', async () => {
      await using subject = await makeStore()
      const bytes = randomBytes(200_000)
      async function* pieces() {
        yield new Uint8Array()
        yield* inPieces(bytes.subarray(0, 3000), 1)
        yield bytes.subarray(3000, 90_000)
        yield new Uint8Array()
        yield* inPieces(bytes.subarray(90_000), 4097)
      }
      await subject.store.put('pieces', pieces(), kept)
      assert.deepEqual(await contentOf(subject.store, 'pieces'), bytes)
    })

    test('an object is never replaced', async () => {
      await using subject = await makeStore()
      const { store } = subject
      const first = await store.put('one', whole('first'), kept)
      for (const content of ['second', '', 'x'.repeat(3 * mebibyte)]) {
        const again = await store.put('one', whole(content), {
          retainUntil: new Date(subject.now() + keptMs),
          metadata: { second: 'yes' },
        })
        assert.deepEqual(again, { status: 'exists', facts: first.facts })
      }
      assert.equal((await contentOf(store, 'one')).toString(), 'first')
    })

    test('of sixteen puts of one key at once exactly one creates it', async () => {
      await using subject = await makeStore()
      const { store } = subject
      for (const size of [1000, mebibyte + 1000]) {
        const contents = Array.from({ length: 16 }, () => randomBytes(size))
        const puts = await Promise.all(contents.map(bytes => store.put(`race/${size}`, whole(bytes), kept)))
        const creators = puts.flatMap((put, index) => (put.status === 'created' ? [index] : []))
        assert.equal(creators.length, 1)
        assert.deepEqual(await contentOf(store, `race/${size}`), contents[creators[0] ?? -1])
        for (const put of puts) assert.deepEqual(put.facts, puts[0]?.facts)
      }
    })

    test('many objects at once do not mix', async () => {
      await using subject = await makeStore()
      const contents = Array.from({ length: 40 }, (_, index) => randomBytes(index * 997))
      await Promise.all(
        contents.map((bytes, index) => subject.store.put(`many/${index}`, whole(bytes), kept)),
      )
      await Promise.all(
        contents.map(async (bytes, index) => {
          assert.deepEqual(await contentOf(subject.store, `many/${index}`), bytes)
        }),
      )
    })

    test('any range within the object is exactly its bytes', async () => {
      await using subject = await makeStore()
      const size = 2 * mebibyte + 12_345
      const bytes = randomBytes(size)
      await subject.store.put('ranged', inPieces(bytes, 100_000), kept)
      const edges = [0, 1, 262_143, 262_144, 262_145, mebibyte, size - 1, size]
      const chosen = edges.flatMap(start => edges.filter(end => end >= start).map(end => ({ start, end })))
      const random = Array.from({ length: 60 }, () => {
        const start = randomInt(size)
        return { start, end: start + randomInt(size - start + 1) }
      })
      for (const range of [...chosen, ...random]) {
        const read = await contentOf(subject.store, 'ranged', range)
        assert.ok(read.equals(bytes.subarray(range.start, range.end)), `range ${range.start} to ${range.end}`)
      }
    })

    test('a range that is not within the object is refused', async () => {
      await using subject = await makeStore()
      await subject.store.put('ten', whole('0123456789'), kept)
      const ranges: [number, number][] = [
        [0, 11],
        [10, 11],
        [11, 11],
        [-1, 5],
        [5, 4],
        [0.5, 2],
        [0, Number.NaN],
      ]
      ranges.push([0, Number.POSITIVE_INFINITY], [2 ** 53, 2 ** 53])
      for (const [start, end] of ranges) {
        await fails(contentOf(subject.store, 'ten', { start, end }), 'bad_range')
      }
      assert.equal((await contentOf(subject.store, 'ten', { start: 10, end: 10 })).length, 0)
    })

    test('what is not there is absent, and no failure', async () => {
      await using subject = await makeStore()
      const { store } = subject
      await store.put('a/b', whole('x'), kept)
      for (const key of ['a', 'a/b/c', 'b', 'a/bb', 'object']) {
        assert.equal(await store.head(key), null)
        assert.equal(await store.delete(key), 'absent')
        await fails(contentOf(store, key), 'not_found')
        await fails(contentOf(store, key, { start: 0, end: 1 }), 'not_found')
      }
    })

    test('keys are taken as they are, and nothing else is one', async () => {
      await using subject = await makeStore()
      const { store } = subject
      const good = [
        'a',
        'a/b',
        'a/b/c',
        '...',
        'a..b',
        '-',
        '_/-',
        'a.b/.c',
        'tmp',
        'objects',
        'store.json',
        'con',
      ]
      good.push('z'.repeat(keyCharactersMost), `long/${'y'.repeat(300)}/x`)
      good.push(`${'q/'.repeat(Math.floor((keyCharactersMost - 1) / 2))}q`)
      for (const key of good) {
        assert.equal((await store.put(key, whole(key), kept)).status, 'created')
      }
      for (const key of good) assert.equal((await contentOf(store, key)).toString(), key)
      assert.deepEqual((await keysWith(store, '')).sort(), good.toSorted())
      const bad = [
        '',
        '/',
        '/a',
        'a/',
        'a//b',
        '.',
        '..',
        '../a',
        'a/..',
        'a/../b',
        './a',
        'a/.',
        'A',
        'a b',
        'a\0',
      ]
      bad.push('a\n', 'ä', 'a\\b', '%2e%2e', 'a=b', 'a+b', '~', 'a:b', 'z'.repeat(1025))
      for (const key of bad) {
        await fails(store.put(key, whole('x'), kept), 'bad_key')
        await fails(store.head(key), 'bad_key')
        await fails(store.delete(key), 'bad_key')
        await fails(contentOf(store, key), 'bad_key')
        await fails(store.retain(key, new Date(subject.now() + keptMs)), 'bad_key')
        await fails(store.loosen(key, null, { generation: '1' }), 'bad_key')
        await fails(store.setHold(key, true), 'bad_key')
        await fails(store.setMetadata(key, {}), 'bad_key')
      }
    })

    test('a source that fails leaves no object, whenever it fails', async () => {
      await using subject = await makeStore()
      const { store } = subject
      const failure = new Error('the caller hung up')
      for (const size of [0, 1, 100_000, 5 * mebibyte]) {
        async function* broken() {
          yield* inPieces(Buffer.alloc(size), 65_536)
          throw failure
        }
        await assert.rejects(store.put('broken', broken(), kept), failure)
        assert.equal(await store.head('broken'), null)
      }
      assert.deepEqual(await keysWith(store, ''), [])
      assert.equal((await store.put('broken', whole('now it is whole'), kept)).status, 'created')
    })

    test('an abort leaves no object, also while the source is silent, and ends the source', async () => {
      await using subject = await makeStore()
      const { store } = subject
      const reason = new Error('the caller went away')
      for (const pieceCount of [0, 1, 40]) {
        const controller = new AbortController()
        async function* silent() {
          for (let i = 0; i < pieceCount; i++) yield Buffer.alloc(65_536)
          controller.abort(reason)
          await new Promise(() => undefined)
        }
        await assert.rejects(store.put('aborted', silent(), { ...kept, signal: controller.signal }), reason)
        assert.equal(await store.head('aborted'), null)
      }
      let isEnded = false
      const controller = new AbortController()
      async function* endless() {
        try {
          for (;;) {
            await sleep(1)
            yield Buffer.alloc(1000)
          }
        } finally {
          isEnded = true
        }
      }
      setTimeout(() => controller.abort(reason), 20)
      await assert.rejects(store.put('aborted', endless(), { ...kept, signal: controller.signal }), reason)
      await sleep(20)
      assert.ok(isEnded)
      assert.deepEqual(await keysWith(store, ''), [])
    })

    test('a call that is aborted before it begins throws the reason', async () => {
      await using subject = await makeStore()
      const { store } = subject
      await store.put('here', whole('x'), kept)
      const reason = new Error('too late')
      const signal = AbortSignal.abort(reason)
      await assert.rejects(store.put('other', whole('x'), { ...kept, signal }), reason)
      await assert.rejects(store.head('here', { signal }), reason)
      await assert.rejects(store.delete('here', { signal }), reason)
      await assert.rejects(gathered(store.read('here', null, { signal })), reason)
      await assert.rejects(keysOf(store.list('', { signal })), reason)
      await assert.rejects(store.retain('here', new Date(subject.now() + keptMs), { signal }), reason)
      await assert.rejects(store.loosen('here', null, { generation: '1', signal }), reason)
      await assert.rejects(store.setHold('here', true, { signal }), reason)
      await assert.rejects(store.setMetadata('here', { a: 'b' }, { signal }), reason)
      await assert.rejects(store.inspect({ signal }), reason)
      await assert.rejects(store.restorable({ signal }), reason)
      await assert.rejects(all(store.listGone('', { signal })), reason)
      assert.deepEqual(
        (await all(store.list(''))).map(({ held, retainUntil, metadata }) => ({
          held,
          retainUntil,
          metadata,
        })),
        [{ held: false, retainUntil: null, metadata: {} }],
      )
      assert.deepEqual(await keysWith(store, ''), ['here'])
    })

    test('a read that is aborted on its way ends with the reason', async () => {
      await using subject = await makeStore()
      await subject.store.put('long', inPieces(Buffer.alloc(8 * mebibyte), mebibyte), kept)
      const reason = new Error('stopped listening')
      const controller = new AbortController()
      let readBytes = 0
      await assert.rejects(async () => {
        for await (const piece of subject.store.read('long', null, { signal: controller.signal })) {
          readBytes += piece.length
          controller.abort(reason)
        }
      }, reason)
      assert.ok(0 < readBytes && readBytes < 8 * mebibyte)
    })

    test('a reader may stop early', async () => {
      await using subject = await makeStore()
      await subject.store.put('long', inPieces(Buffer.alloc(4 * mebibyte, 1), mebibyte), kept)
      for (let round = 0; round < 5; round++) {
        for await (const piece of subject.store.read('long', null)) {
          assert.equal(piece[0], 1)
          break
        }
      }
      assert.equal(await subject.store.delete('long'), 'deleted')
    })

    test('what was deleted is gone, and its key may be used again', async () => {
      await using subject = await makeStore()
      const { store } = subject
      const first = await store.put('a/again', whole('first'), kept)
      assert.equal(await store.delete('a/again'), 'deleted')
      assert.equal(await store.delete('a/again'), 'absent')
      assert.equal(await store.head('a/again'), null)
      await fails(contentOf(store, 'a/again'), 'not_found')
      const second = await store.put('a/again', whole('second'), kept)
      assert.equal(second.status, 'created')
      assert.notEqual(second.facts.generation, first.facts.generation)
      assert.equal((await contentOf(store, 'a/again')).toString(), 'second')
    })

    test('delete of a generation deletes no other', async () => {
      await using subject = await makeStore()
      const { store } = subject
      const seen = new Set<string>()
      for (let round = 0; round < 10; round++) {
        const { facts } = await store.put('key', whole(`round ${round}`), kept)
        for (const generation of seen) assert.equal(await store.delete('key', { generation }), 'absent')
        assert.ok(!seen.has(facts.generation))
        seen.add(facts.generation)
        assert.equal(await store.delete('key', { generation: facts.generation }), 'deleted')
      }
    })

    test('of eight deletes at once one deletes', async () => {
      await using subject = await makeStore()
      await subject.store.put('key', whole('x'), kept)
      const answers = await Promise.all(Array.from({ length: 8 }, () => subject.store.delete('key')))
      assert.equal(answers.filter(answer => answer === 'deleted').length, 1)
    })

    test('delete is refused until the retention ends, to the millisecond', whereMovable, async () => {
      await using subject = await makeStore()
      const { store } = subject
      const retainUntil = new Date(subject.now() + minuteMs)
      const { facts } = await store.put('kept/one', whole('x'), { retainUntil })
      assert.deepEqual(facts.retainUntil, retainUntil)
      assert.deepEqual(await store.head('kept/one'), facts)
      assert.deepEqual(await all(store.list('kept/')), [facts])
      await fails(store.delete('kept/one'), 'retained')
      await fails(store.delete('kept/one', { generation: facts.generation }), 'retained')
      assert.equal(await store.delete('kept/one', { generation: 'another' }), 'absent')
      subject.advance(retainUntil.getTime() - subject.now() - 1)
      await fails(store.delete('kept/one'), 'retained')
      assert.equal((await contentOf(store, 'kept/one')).toString(), 'x')
      subject.advance(1)
      assert.equal(await store.delete('kept/one'), 'deleted')
      const after = await store.put('kept/one', whole('y'), kept)
      assert.equal(after.facts.retainUntil, null)
      assert.equal(await store.delete('kept/one'), 'deleted')
    })

    test('what is kept for a while is refused until then', async () => {
      await using subject = await makeStore()
      const { store } = subject
      const retainUntil = new Date(subject.now() + keptMs)
      const { facts } = await store.put('kept/one', whole('x'), { retainUntil })
      assert.deepEqual(facts.retainUntil, retainUntil)
      assert.deepEqual(await store.head('kept/one'), facts)
      assert.deepEqual(await all(store.list('kept/')), [facts])
      await fails(store.delete('kept/one'), 'retained')
      assert.equal((await contentOf(store, 'kept/one')).toString(), 'x')
      assert.equal((await store.put('kept/one', whole('y'), kept)).status, 'exists')
    })

    test('a hold refuses deletion until it is released, and changes nothing else', async () => {
      await using subject = await makeStore()
      const { store } = subject
      const { facts } = await store.put('held/one', whole('x'), kept)
      for (const held of [true, true]) {
        assert.deepEqual(await store.setHold('held/one', held), { ...facts, held: true })
        assert.deepEqual(await store.head('held/one'), { ...facts, held: true })
        assert.deepEqual(await all(store.list('held/')), [{ ...facts, held: true }])
        await fails(store.delete('held/one'), 'held')
        await fails(store.delete('held/one', { generation: facts.generation }), 'held')
        assert.equal(await store.delete('held/one', { generation: 'another' }), 'absent')
        assert.deepEqual(await store.put('held/one', whole('y'), kept), {
          status: 'exists',
          facts: { ...facts, held: true },
        })
        assert.equal((await contentOf(store, 'held/one')).toString(), 'x')
      }
      for (const held of [false, false]) assert.deepEqual(await store.setHold('held/one', held), facts)
      assert.equal(await store.delete('held/one', { generation: facts.generation }), 'deleted')
      const after = await store.put('held/one', whole('z'), kept)
      assert.equal(after.facts.held, false)
      assert.equal(await store.delete('held/one'), 'deleted')
    })

    test('a hold keeps an object whose retention has ended', whereMovable, async () => {
      await using subject = await makeStore()
      const { store } = subject
      await store.put('both', whole('x'), { retainUntil: new Date(subject.now() + minuteMs) })
      await store.setHold('both', true)
      await fails(store.delete('both'), 'held')
      subject.advance(2 * minuteMs)
      await fails(store.delete('both'), 'held')
      await store.setHold('both', false)
      assert.equal(await store.delete('both'), 'deleted')
    })

    test('a retention outlasts the hold that is released', async () => {
      await using subject = await makeStore()
      const { store } = subject
      await store.put('both', whole('x'), { retainUntil: new Date(subject.now() + keptMs) })
      await store.setHold('both', true)
      await store.setHold('both', false)
      await fails(store.delete('both'), 'retained')
    })

    test('retain keeps longer and never shorter', async () => {
      await using subject = await makeStore()
      const { store } = subject
      const { facts } = await store.put('kept', whole('x'), kept)
      const sooner = new Date(subject.now() + keptMs)
      const later = new Date(subject.now() + 2 * keptMs)
      const longer = { ...facts, retainUntil: later, locked: false }
      assert.deepEqual(await store.retain('kept', later, { lock: false }), longer)
      for (const until of [sooner, later, new Date(later.getTime() - 1)]) {
        assert.deepEqual(await store.retain('kept', until), longer)
      }
      assert.deepEqual(await store.head('kept'), longer)
      await fails(store.delete('kept'), 'retained')
    })

    test(
      'a retention is locked where its first writer says so, and stays as it is',
      whereBothModes,
      async () => {
        await using subject = await makeStore()
        const { store } = subject
        const sooner = new Date(subject.now() + keptMs)
        const later = new Date(subject.now() + 2 * keptMs)
        for (const lock of [true, false]) {
          const put = await store.put(`put/${lock}`, whole('x'), { retainUntil: sooner, lock })
          assert.equal(put.facts.locked, lock)
          const longer = { ...put.facts, retainUntil: later }
          assert.deepEqual(await store.retain(`put/${lock}`, later, { lock: !lock }), longer)
          assert.deepEqual(await all(store.list(`put/${lock}`)), [longer])
          const { facts } = await store.put(`kept/${lock}`, whole('x'), { ...kept, lock })
          assert.equal(facts.locked, false)
          const retained = { ...facts, retainUntil: sooner, locked: lock }
          assert.deepEqual(await store.retain(`kept/${lock}`, sooner, { lock }), retained)
          assert.deepEqual(await store.head(`kept/${lock}`), retained)
          await fails(store.delete(`kept/${lock}`), 'retained')
        }
      },
    )

    test('what is not locked is loosened, by its generation alone', whereBothModes, async () => {
      await using subject = await makeStore()
      const { store } = subject
      const sooner = new Date(subject.now() + keptMs)
      const later = new Date(subject.now() + 2 * keptMs)
      const { facts } = await store.put('kept', whole('x'), { retainUntil: later, lock: false })
      const { generation } = facts
      await fails(store.loosen('kept', null, { generation: 'another' }), 'not_found')
      const latest = new Date(later.getTime() + 1)
      for (const until of [later, latest]) {
        assert.deepEqual(await store.loosen('kept', until, { generation }), facts)
      }
      const shorter = { ...facts, retainUntil: sooner }
      assert.deepEqual(await store.loosen('kept', sooner, { generation }), shorter)
      assert.deepEqual(await store.head('kept'), shorter)
      await fails(store.delete('kept'), 'retained')
      await store.setHold('kept', true)
      const free = { ...facts, retainUntil: null, held: true }
      assert.deepEqual(await store.loosen('kept', new Date(subject.now() - 1), { generation }), free)
      assert.deepEqual(await store.loosen('kept', null, { generation }), free)
      await fails(store.delete('kept'), 'held')
      await store.setHold('kept', false)
      const locked = { ...facts, retainUntil: sooner, locked: true }
      assert.deepEqual(await store.retain('kept', sooner, { lock: true }), locked)
    })

    test('what is locked is not loosened, whoever tries', whereBothModes, async () => {
      await using subject = await makeStore()
      const { store } = subject
      const until = new Date(subject.now() + keptMs)
      const { facts } = await store.put('kept', whole('x'), { retainUntil: until, lock: true })
      const { generation } = facts
      for (const sooner of [null, new Date(0), new Date(subject.now()), new Date(until.getTime() - 1)]) {
        await fails(store.loosen('kept', sooner, { generation }), 'locked')
      }
      assert.deepEqual(await store.loosen('kept', until, { generation }), facts)
      assert.deepEqual(await store.head('kept'), facts)
      await fails(store.delete('kept'), 'retained')
    })

    test('a retention that is over is nothing to loosen', whereMovable, async () => {
      await using subject = await makeStore()
      const { store } = subject
      for (const lock of modes === 'own' ? [undefined] : [true, false]) {
        const key = `kept/${lock}`
        const retainUntil = new Date(subject.now() + minuteMs)
        const { facts } = await store.put(key, whole('x'), { retainUntil, lock })
        subject.advance(minuteMs)
        const { generation } = facts
        assert.deepEqual(await store.loosen(key, null, { generation }), facts)
        assert.equal(await store.delete(key), 'deleted')
      }
    })

    test(
      'whoever is told that a retention is locked finds it so, whatever loosens it meanwhile',
      whereBothModes,
      async () => {
        await using subject = await makeStore()
        const { store } = subject
        for (let round = 0; round < Math.ceil(raceRounds / 4); round++) {
          const key = `race/${round}`
          const [sooner, later] = [1, 2].map(factor => new Date(subject.now() + factor * keptMs))
          assert.ok(sooner !== undefined && later !== undefined)
          const { facts } = await store.put(key, whole('x'), kept)
          const { generation } = facts
          const calls = await Promise.all([
            store.retain(key, later, { lock: true }),
            store.retain(key, sooner, { lock: false }),
            store.loosen(key, null, { generation }).catch((error: unknown) => {
              assert.ok(error instanceof ObjectError && error.code === 'locked')
              return null
            }),
          ])
          const after = await store.head(key)
          if (calls[0].locked) {
            assert.equal(after?.locked, true)
            assert.ok((after.retainUntil ?? sooner) >= (calls[0].retainUntil ?? later))
          }
        }
      },
    )

    test('what was deleted is listed for as long as it can be restored', async () => {
      await using subject = await makeStore()
      const { store } = subject
      const { days } = await store.restorable()
      assert.ok(Number.isSafeInteger(days) && days >= 0)
      const gone = []
      for (const key of ['gone/b', 'gone/a/1', 'gone/a', 'other']) {
        const { facts } = await store.put(key, whole(key), kept)
        assert.equal(await store.delete(key, { generation: facts.generation }), 'deleted')
        if (key !== 'other') gone.push({ key, generation: facts.generation, sizeBytes: key.length })
      }
      await store.put('gone/there', whole('x'), kept)
      const found = await all(store.listGone('gone/'))
      assert.deepEqual(
        found.map(({ key, generation, sizeBytes }) => ({ key, generation, sizeBytes })),
        days === 0 ? [] : gone.sort((a, b) => (a.key < b.key ? -1 : 1)),
      )
      for (const { deletedAt, restorableUntil } of found) {
        assert.ok(restorableUntil.getTime() - deletedAt.getTime() <= days * dayMs)
      }
      if (clock === 'real' || days === 0) return
      subject.advance(days * dayMs - minuteMs)
      assert.equal((await all(store.listGone('gone/'))).length, gone.length)
      subject.advance(minuteMs)
      assert.deepEqual(await all(store.listGone('gone/')), [])
    })

    test('an object goes when the longest of its retentions has ended', whereMovable, async () => {
      await using subject = await makeStore()
      const { store } = subject
      const first = new Date(subject.now() + minuteMs)
      const { facts } = await store.put('kept', whole('x'), { retainUntil: first })
      const second = new Date(first.getTime() + minuteMs)
      assert.deepEqual(await store.retain('kept', second), { ...facts, retainUntil: second })
      subject.advance(second.getTime() - subject.now() - 1)
      await fails(store.delete('kept'), 'retained')
      subject.advance(1)
      assert.equal(await store.delete('kept'), 'deleted')
    })

    test('metadata comes back as it was given, and is replaced whole', async () => {
      await using subject = await makeStore()
      const { store } = subject
      const many: Record<string, string> = {}
      for (let i = 0; i < 100; i++) many[`name-${i}`] = `value ${i}`
      const texts: ObjectMetadata[] = [
        { a: '1' },
        { a: '2', b: '' },
        { 'x-9': 'ä€🎙 "quoted" \\ line\nbreak' },
        { ['n'.repeat(64)]: 'v' },
        { long: 'v'.repeat(8188) },
        many,
        {},
      ]
      const { facts } = await store.put('noted', whole('x'), { ...kept, metadata: texts[0] })
      assert.deepEqual(facts.metadata, texts[0])
      for (const metadata of texts) {
        assert.deepEqual(await store.setMetadata('noted', metadata), { ...facts, metadata })
        assert.deepEqual(await store.head('noted'), { ...facts, metadata })
        assert.deepEqual(await all(store.list('noted')), [{ ...facts, metadata }])
      }
      for (const [index, metadata] of texts.entries()) {
        const put = await store.put(`put/${index}`, whole('x'), { ...kept, metadata })
        assert.deepEqual(put.facts.metadata, metadata)
        assert.deepEqual(await store.head(`put/${index}`), put.facts)
      }
      assert.equal((await contentOf(store, 'noted')).toString(), 'x')
    })

    test('metadata may change while the object is kept', async () => {
      await using subject = await makeStore()
      const { store } = subject
      const retainUntil = new Date(subject.now() + keptMs)
      await store.put('noted', whole('x'), { retainUntil, metadata: { matter: 'one' } })
      const held = await store.setHold('noted', true)
      assert.deepEqual(held.metadata, { matter: 'one' })
      const changed = await store.setMetadata('noted', { matter: 'two' })
      assert.deepEqual(changed, { ...held, metadata: { matter: 'two' } })
      await fails(store.delete('noted'), 'held')
      assert.deepEqual(await store.setHold('noted', false), { ...changed, held: false })
      await fails(store.delete('noted'), 'retained')
    })

    test('metadata beyond its limits is refused and changes nothing', async () => {
      await using subject = await makeStore()
      const { store } = subject
      await store.put('noted', whole('x'), { ...kept, metadata: { a: 'b' } })
      const wrong = [
        { '': 'x' },
        { A: 'x' },
        { 'a b': 'x' },
        { a_b: 'x' },
        { 'a\n': 'x' },
        { ['n'.repeat(65)]: 'x' },
        { a: '\ud800' },
        { a: 'v'.repeat(8192) },
        { a: 'ä'.repeat(4096) },
      ]
      for (const metadata of wrong) {
        await fails(store.put('new', whole('x'), { ...kept, metadata }), 'bad_metadata')
        await fails(store.setMetadata('noted', metadata), 'bad_metadata')
      }
      assert.equal(await store.head('new'), null)
      assert.deepEqual((await store.head('noted'))?.metadata, { a: 'b' })
    })

    test('an object inherits nothing from the one that had its key', async () => {
      await using subject = await makeStore()
      const { store } = subject
      await store.put('again', whole('x'), { ...kept, metadata: { a: 'b' } })
      await store.setHold('again', true)
      await store.setHold('again', false)
      await store.delete('again')
      const { facts } = await store.put('again', whole('x'), kept)
      assert.deepEqual(facts.metadata, {})
      assert.equal(facts.held, false)
      assert.deepEqual(await store.head('again'), facts)
    })

    test('what keeps and what is noted is that of the put that created the object', async () => {
      await using subject = await makeStore()
      const { store } = subject
      for (let round = 0; round < Math.ceil(raceRounds / 4); round++) {
        const puts = await Promise.all(
          Array.from({ length: 8 }, (_, index) =>
            store.put(`race/${round}`, whole(`${index}`), { ...kept, metadata: { put: `${index}` } }),
          ),
        )
        const content = (await contentOf(store, `race/${round}`)).toString()
        assert.deepEqual((await store.head(`race/${round}`))?.metadata, { put: content })
        for (const put of puts) assert.deepEqual(put.facts.metadata, { put: content })
      }
    })

    test('what is absent or another generation cannot be changed', async () => {
      await using subject = await makeStore()
      const { store } = subject
      const until = new Date(subject.now() + keptMs)
      const { facts } = await store.put('there', whole('x'), kept)
      for (const [key, options] of [
        ['absent', {}],
        ['there/below', {}],
        ['there', { generation: 'another' }],
        ['there', { generation: '1' }],
        ['there', { generation: '' }],
      ] as const) {
        await fails(store.retain(key, until, options), 'not_found')
        await fails(store.loosen(key, null, { generation: 'another', ...options }), 'not_found')
        await fails(store.setHold(key, true, options), 'not_found')
        await fails(store.setHold(key, false, options), 'not_found')
        await fails(store.setMetadata(key, { a: 'b' }, options), 'not_found')
      }
      assert.deepEqual(await store.head('there'), facts)
      const { generation } = facts
      const { locked } = await store.retain('there', until, { generation })
      await store.setHold('there', true, { generation })
      const last = await store.setMetadata('there', { a: 'b' }, { generation })
      assert.deepEqual(last, { ...facts, retainUntil: until, locked, held: true, metadata: { a: 'b' } })
    })

    test('changes of one object at once all take effect', async () => {
      await using subject = await makeStore()
      const { store } = subject
      await store.put('busy', whole('x'), kept)
      const times = [1, 2, 3, 4].map(factor => new Date(subject.now() + (factor * keptMs) / 2))
      await Promise.all([
        ...times.map(until => store.retain('busy', until)),
        store.setHold('busy', true),
        store.setMetadata('busy', { a: 'b' }),
      ])
      const facts = await store.head('busy')
      assert.deepEqual(facts?.retainUntil, times.at(-1))
      assert.equal(facts?.held, true)
      assert.deepEqual(facts?.metadata, { a: 'b' })
    })

    test('whoever is told that an object is held finds it, whatever deletes it meanwhile', async () => {
      await using subject = await makeStore()
      const { store } = subject
      for (let round = 0; round < raceRounds; round++) {
        const key = `race/${round}`
        await store.put(key, whole('x'), kept)
        const [hold, ...deletes] = await Promise.allSettled([
          store.setHold(key, true),
          store.delete(key),
          store.delete(key),
        ])
        const isThere = (await store.head(key)) !== null
        const deletedCount = deletes.filter(
          each => each.status === 'fulfilled' && each.value === 'deleted',
        ).length
        assert.equal(deletedCount, isThere ? 0 : 1)
        if (hold.status === 'fulfilled') assert.ok(isThere)
        else assert.ok(hold.reason instanceof ObjectError && hold.reason.code === 'not_found')
        if (isThere) await store.setHold(key, false)
      }
    })

    test('a place that was made as the laws need it is found to be so', async () => {
      await using subject = await makeStore()
      await subject.store.put('one', whole('x'), kept)
      const findings = await subject.store.inspect()
      assert.ok(findings.length > 0)
      for (const { name, state, found, mend } of findings) {
        assert.ok(name.length > 0 && found.length > 0)
        assert.notEqual(state, 'bad', found)
        assert.equal(mend === null, state === 'ok', found)
      }
    })

    test('list gives the keys with a prefix and no others, in their order', async () => {
      await using subject = await makeStore()
      const { store } = subject
      const keys = ['a', 'a/b', 'a/b/c', 'a/bc', 'ab', 'ab/c', 'b', 'a.b', 'a/b-c/d', 'a/b/c/d/e']
      keys.push('a-b/c', 'a0', 'a_/x', `w/${'x'.repeat(200)}`, `w/${'x'.repeat(200)}/y`)
      keys.push(`w/${'x'.repeat(200)}-z`, `w/${'x'.repeat(200)}a`, `w/${'x'.repeat(200)}.`)
      keys.push(`w/${'x'.repeat(450)}`, `w/${'x'.repeat(450)}/y`, `w/${'x'.repeat(450)}z`)
      await Promise.all(keys.map(key => store.put(key, whole(key), kept)))
      const prefixes = [
        '',
        'a',
        'a/',
        'a/b',
        'a/b/',
        'a/b/c',
        'a/b/c/',
        'ab',
        'c',
        'a.',
        'a/b-',
        'a/x/',
        'b/',
      ]
      prefixes.push('w/xxx', `w/${'x'.repeat(200)}`, `w/${'x'.repeat(449)}`, `w/${'x'.repeat(450)}/`, '.')
      for (const prefix of prefixes) {
        assert.deepEqual(await keysWith(store, prefix), keys.filter(key => key.startsWith(prefix)).sort())
      }
      for (const prefix of ['/', '../', 'a//', 'A', 'a=', 'a\0']) {
        await fails(keysWith(store, prefix), 'bad_key')
        await fails(all(store.listGone(prefix)), 'bad_key')
      }
      for (const from of keys) {
        assert.deepEqual(
          await keysOf(store.list('a', { from })),
          keys.filter(key => key.startsWith('a') && key >= from).sort(),
        )
      }
    })

    test('a long object passes through in constant memory', async () => {
      await using subject = await makeApart()
      const piece = randomBytes(mebibyte)
      const pieceCount = 200
      const written = createHash('sha256')
      async function* long() {
        for (let i = 0; i < pieceCount; i++) {
          const copy = Buffer.from(piece)
          copy.writeUInt32BE(i)
          written.update(copy)
          yield copy
        }
      }
      const startBytes = process.memoryUsage().rss
      let peakBytes = startBytes
      const watch = setInterval(() => {
        peakBytes = Math.max(peakBytes, process.memoryUsage().rss)
      }, 5)
      await subject.store.put('long', long(), kept)
      const read = createHash('sha256')
      for await (const part of subject.store.read('long', null)) read.update(part)
      clearInterval(watch)
      assert.equal(read.digest('hex'), written.digest('hex'))
      // The garbage collector lets some hundred pieces stand; the whole object would be more than this.
      assert.ok(peakBytes - startBytes < 128 * mebibyte, `${peakBytes - startBytes} bytes`)
    })
  })
}

async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

async function* whole(content: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield typeof content === 'string' ? Buffer.from(content) : content
}

async function gathered(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await all(source))
}

async function contentOf(store: ObjectStore, key: string, range: ByteRange | null = null): Promise<Buffer> {
  return await gathered(store.read(key, range))
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found = []
  for await (const item of items) found.push(item)
  return found
}

async function keysOf(list: AsyncIterable<ObjectFacts>): Promise<string[]> {
  return (await all(list)).map(facts => facts.key)
}

async function keysWith(store: ObjectStore, prefix: string): Promise<string[]> {
  return await keysOf(store.list(prefix))
}

async function fails(call: Promise<unknown>, code: ObjectErrorCode): Promise<void> {
  await assert.rejects(call, error => error instanceof ObjectError && error.code === code)
}
