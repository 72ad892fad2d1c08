// Holds the coalescer to its promise: everybody gets the result of their own, in one write with whoever came meanwhile.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type CoalescerOptions, createCoalescer } from './coalesce.ts'

const refusal = () => new Error('no room')

function coalescerOf(change: Partial<CoalescerOptions<number, string>> = {}) {
  const writes: (readonly number[])[] = []
  const coalescer = createCoalescer<number, string>({
    async write(items) {
      writes.push(items)
      return items.map(String)
    },
    ...{ itemsMost: 4, writesMost: 2, waitingMost: 8, gatherMs: 1, refuseMs: 10_000, refusal },
    ...change,
  })
  return { coalescer, writes }
}

/** A write that ends when it is told to. */
function held() {
  const ends: PromiseWithResolvers<void>[] = []
  const writes: (readonly number[])[] = []
  return {
    ends,
    writes,
    async write(items: readonly number[]) {
      const end = Promise.withResolvers<void>()
      ends.push(end)
      writes.push(items)
      await end.promise
      return items.map(String)
    },
  }
}

test('callers of one turn share a write, and each gets its own result', async () => {
  const { coalescer, writes } = coalescerOf()
  const results = await Promise.all([1, 2, 3].map(item => coalescer.add(item, {})))
  assert.deepEqual(results, ['1', '2', '3'])
  assert.deepEqual(writes, [[1, 2, 3]])
})

test('no write is larger than it may be, and no more are under way', async () => {
  let underWay = 0
  let most = 0
  const { coalescer, writes } = coalescerOf({
    waitingMost: 1000,
    async write(items) {
      most = Math.max(most, ++underWay)
      await delay(1)
      underWay--
      writes.push(items)
      return items.map(String)
    },
  })
  const items = Array.from({ length: 200 }, (_, item) => item)
  assert.deepEqual(await Promise.all(items.map(item => coalescer.add(item, {}))), items.map(String))
  assert.ok(writes.every(written => written.length <= 4))
  assert.equal(most, 2)
  assert.deepEqual(
    writes.flat().toSorted((a, b) => a - b),
    items,
  )
})

test('a write that fails is the failure of exactly those who shared it', async () => {
  const { coalescer } = coalescerOf({
    async write(items) {
      if (items.includes(2)) throw new Error('broken')
      return items.map(String)
    },
  })
  const first = [1, 2].map(item => coalescer.add(item, {}))
  const outcomes = Promise.allSettled(first)
  await Promise.allSettled(first)
  assert.equal(await coalescer.add(3, {}), '3')
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    ['rejected', 'rejected'],
  )
})

test('where too many wait, whoever comes is refused at once; who waits too long, later', async () => {
  const slow = held()
  const { coalescer } = coalescerOf({ write: slow.write, itemsMost: 1, writesMost: 1, refuseMs: 50 })
  const waiting = Array.from({ length: 9 }, (_, item) => coalescer.add(item, {}))
  const outcomes = Promise.allSettled(waiting)
  await assert.rejects(coalescer.add(9, {}), /no room/)
  assert.deepEqual(new Set((await outcomes).map(({ status }) => status)), new Set(['rejected']))
  // Nothing of those who gave up is written any more.
  slow.ends[0]?.resolve()
  await coalescer.close()
  assert.deepEqual(slow.writes, [[0]])
})

test('whoever aborts while waiting is not written', async () => {
  const slow = held()
  const { coalescer } = coalescerOf({ write: slow.write, itemsMost: 1, writesMost: 1 })
  const abort = new AbortController()
  const first = coalescer.add(1, {})
  const second = coalescer.add(2, { signal: abort.signal })
  const refused = assert.rejects(second, /gone/)
  abort.abort(new Error('gone'))
  await refused
  await assert.rejects(coalescer.add(3, { signal: abort.signal }), /gone/)
  slow.ends[0]?.resolve()
  assert.equal(await first, '1')
  await coalescer.close()
  assert.deepEqual(slow.writes, [[1]])
})

test('closing lets what waits be written and refuses the rest', async () => {
  const { coalescer, writes } = coalescerOf({ gatherMs: 20 })
  const waiting = [1, 2, 3, 4, 5, 6].map(item => coalescer.add(item, {}))
  const closing = coalescer.close()
  await assert.rejects(coalescer.add(7, {}), /no room/)
  await closing
  assert.deepEqual(await Promise.all(waiting), ['1', '2', '3', '4', '5', '6'])
  assert.equal(writes.flat().length, 6)
  await coalescer.close()
})
