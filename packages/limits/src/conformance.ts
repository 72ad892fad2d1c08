// What limits must do, whatever keeps them: the test cases that each store runs against itself.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { takeFrom } from './bucket.ts'
import { LimitsError } from './error.ts'
import type { Limits, Rate } from './limits.ts'
import type { LimitsOptions } from './shared-limits.ts'

/** One server, on which each case uses keys of its own. */
export interface LimitsUnderTest extends AsyncDisposable {
  open(options: LimitsOptions): Limits
  /** Opens limits on a server that is not there. */
  openNowhere(options: LimitsOptions): Limits
  /** Everything that is stored, as text. */
  stored(): Promise<string>
  /** Forgets everything. */
  forget(): Promise<void>
  /** Kills the server, which stays away until `back`. */
  kill(): Promise<void>
  back(): Promise<void>
}

/** What a store may take from `fast-check`, which only tests have. */
export interface Properties {
  check(
    property: (
      rate: Rate,
      steps: readonly { readonly afterMs: number; readonly takes: number }[],
    ) => Promise<void>,
  ): Promise<void>
}

const quiet = { onError: (error: unknown) => assert.fail(String(error)) }
const rate = { burst: 5, everyMs: 1000 }
const phone = '+15550001111'

/** Defines the cases over a server that `start` starts. */
export function limitsConformance(start: () => Promise<LimitsUnderTest>, properties: Properties): void {
  describe('a token bucket', () => {
    it('lets a burst through and then a trickle, as the arithmetic says', async () => {
      await using server = await start()
      let at = 1_800_000_000_000
      await using limits = server.open({ ...quiet, now: () => at })
      await properties.check(async (someRate, steps) => {
        const key = randomUUID()
        let fullAt: number | null = null
        for (const { afterMs, takes } of steps) {
          at += afterMs
          for (let i = 0; i < takes; i++) {
            const expected = takeFrom(fullAt, someRate, at)
            fullAt = expected.fullAt
            assert.deepEqual(await limits.take(key, someRate), expected.taken)
          }
        }
      })
    })

    it('never gives more than it has, to however many at once, from however many processes', async () => {
      await using server = await start()
      const at = 1_800_000_000_000
      await using one = server.open({ ...quiet, now: () => at })
      await using two = server.open({ ...quiet, now: () => at })
      for (const burst of [1, 7, 40]) {
        const key = randomUUID()
        const takes = Array.from({ length: 100 }, (_, i) =>
          (i % 2 === 0 ? one : two).take(key, { burst, everyMs: 1000 }),
        )
        const taken = await Promise.all(takes)
        assert.equal(taken.filter(({ allowed }) => allowed).length, burst)
        for (const result of taken) if (!result.allowed) assert.equal(result.retryAfterMs, 1000)
      }
    })

    it('goes by the clock of the server', async () => {
      await using server = await start()
      await using limits = server.open(quiet)
      const key = randomUUID()
      const quick = { burst: 2, everyMs: 100 }
      assert.ok((await limits.take(key, quick)).allowed)
      assert.ok((await limits.take(key, quick)).allowed)
      let result = await limits.take(key, quick)
      assert.ok(!result.allowed && result.retryAfterMs <= quick.everyMs)
      while (!result.allowed) {
        await delay(result.retryAfterMs)
        result = await limits.take(key, quick)
      }
    })

    it('is one a key', async () => {
      await using server = await start()
      await using limits = server.open(quiet)
      const [a, b] = [randomUUID(), randomUUID()]
      for (let i = 0; i < rate.burst; i++) assert.ok((await limits.take(a, rate)).allowed)
      assert.ok(!(await limits.take(a, rate)).allowed)
      assert.ok((await limits.take(b, rate)).allowed)
    })

    it('of a clock that was set back gives a token after one burst of time at most', async () => {
      await using server = await start()
      let at = 1_800_000_000_000
      await using limits = server.open({ ...quiet, now: () => at })
      const key = randomUUID()
      for (let i = 0; i < rate.burst; i++) await limits.take(key, rate)
      at -= 3_600_000
      const result = await limits.take(key, rate)
      assert.ok(!result.allowed && result.retryAfterMs <= rate.burst * rate.everyMs)
    })
  })

  describe('the memory of what was seen', () => {
    it('knows nothing until it is told, and the first that it is told until that ends', async () => {
      await using server = await start()
      let at = 1_800_000_000_000
      await using limits = server.open({ ...quiet, now: () => at })
      const key = randomUUID()
      assert.equal(await limits.seen(key), null)
      assert.equal(await limits.seen(key), null)
      await limits.remember(key, 'first: of two', 10_000)
      await limits.remember(key, 'second', 10_000)
      assert.equal(await limits.seen(key), 'first: of two')
      at += 9_999
      assert.equal(await limits.seen(key), 'first: of two')
      at += 1
      assert.equal(await limits.seen(key), null)
      await limits.remember(key, 'third', 10_000)
      assert.equal(await limits.seen(key), 'third')
    })

    it('is of one mind, however many tell it at once', async () => {
      await using server = await start()
      await using limits = server.open(quiet)
      const key = randomUUID()
      await Promise.all(Array.from({ length: 30 }, (_, i) => limits.remember(key, `value ${i}`, 10_000)))
      const seen = await limits.seen(key)
      assert.match(seen ?? '', /^value \d+$/)
      assert.equal(await limits.seen(key), seen)
    })

    it('does not mix with the buckets of the same name', async () => {
      await using server = await start()
      await using limits = server.open(quiet)
      const key = randomUUID()
      await limits.remember(key, 'a value', 10_000)
      assert.ok((await limits.take(key, { burst: 1, everyMs: 1000 })).allowed)
      assert.equal(await limits.seen(key), 'a value')
    })
  })

  it('what a key says is stored nowhere', async () => {
    await using server = await start()
    await using limits = server.open(quiet)
    await limits.take(phone, rate)
    await limits.remember(phone, 'noted', 10_000)
    const stored = await server.stored()
    assert.ok(stored.includes('noted'))
    assert.ok(!stored.includes(phone.slice(1)))
  })

  describe('a store that is away', () => {
    it('forgets, and goes on', async () => {
      await using server = await start()
      await using limits = server.open(quiet)
      const key = randomUUID()
      await limits.remember(key, 'noted', 10_000)
      for (let i = 0; i < rate.burst; i++) await limits.take(key, rate)
      await server.forget()
      assert.equal(await limits.seen(key), null)
      assert.ok((await limits.take(key, rate)).allowed)
    })

    it('is told once, limits on in this process, says that it does not know, and is told again when back', async () => {
      await using server = await start()
      const told: string[] = []
      await using limits = server.open({
        timeoutMs: 2000,
        onError: error => told.push(error.code),
        onRecovered: () => told.push('back'),
      })
      const key = randomUUID()
      const slow = { burst: 3, everyMs: 3_600_000 }
      assert.ok((await limits.take(key, slow)).allowed)
      await server.kill()
      const results = []
      for (let i = 0; i < 5; i++) results.push((await limits.take(key, slow)).allowed)
      // A fresh bucket of this process: it cannot know what was taken from the other.
      assert.deepEqual(results, [true, true, true, false, false])
      await assert.rejects(
        limits.seen(key),
        error => error instanceof LimitsError && error.code === 'unavailable',
      )
      await assert.rejects(limits.remember(key, 'x', 1000), { name: 'LimitsError', code: 'unavailable' })
      assert.deepEqual(told, ['unavailable'])
      await server.back()
      while (told.length < 2) {
        await limits.take(randomUUID(), slow)
        await delay(20)
      }
      assert.deepEqual(told, ['unavailable', 'back'])
      assert.equal(await limits.seen(key), null)
    })

    it('and never was there, limits all the same', async () => {
      await using server = await start()
      const told: string[] = []
      await using limits = server.openNowhere({ timeoutMs: 300, onError: error => told.push(error.code) })
      const key = randomUUID()
      const results = []
      for (let i = 0; i < 7; i++) results.push((await limits.take(key, rate)).allowed)
      assert.equal(results.filter(Boolean).length, rate.burst)
      await assert.rejects(limits.seen(key), { code: 'unavailable' })
      assert.deepEqual(told, ['unavailable'])
    })

    it('is not what an abort means', async () => {
      await using server = await start()
      await using limits = server.open(quiet)
      const reason = new Error('the request is gone')
      const signal = AbortSignal.abort(reason)
      await assert.rejects(limits.take('a', rate, { signal }), error => error === reason)
      await assert.rejects(limits.seen('a', { signal }), error => error === reason)
    })
  })
}
