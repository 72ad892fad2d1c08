import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { rates, steps } from '../../../test/rates.ts'
import { addressGroup } from './address.ts'
import { createLocalBuckets, takeFrom } from './bucket.ts'

it('one number is the same as counting tokens', () => {
  fc.assert(
    fc.property(rates, steps, (rate, taken) => {
      let at = 1_800_000_000_000
      let fullAt: number | null = null
      let tokens = rate.burst
      for (const { afterMs, takes } of taken) {
        at += afterMs
        tokens = Math.min(rate.burst, tokens + afterMs / rate.everyMs)
        for (let i = 0; i < takes; i++) {
          const result = takeFrom(fullAt, rate, at)
          fullAt = result.fullAt
          // Where counting ends within a hair of a token, either answer is right.
          if (Math.abs(tokens - 1) * rate.everyMs < 0.01) {
            tokens = result.taken.allowed ? tokens - 1 : tokens
            continue
          }
          assert.equal(result.taken.allowed, tokens >= 1)
          if (result.taken.allowed) tokens -= 1
          else assert.ok(Math.abs(result.taken.retryAfterMs - (1 - tokens) * rate.everyMs) < 1.1)
        }
      }
    }),
  )
})

it('never lets more through in any time than a burst and what that time refills', () => {
  fc.assert(
    fc.property(rates, steps, (rate, taken) => {
      let at = 0
      const buckets = createLocalBuckets(() => at)
      let through = 0
      for (const { afterMs, takes } of taken) {
        at += afterMs
        for (let i = 0; i < takes; i++) if (buckets.take('a', rate).allowed) through++
      }
      assert.ok(through <= rate.burst + at / rate.everyMs + 1e-6)
    }),
  )
})

it('forgets the bucket that was left alone longest, and holds no more than ten thousand', () => {
  const buckets = createLocalBuckets(() => 0)
  const rate = { burst: 1, everyMs: 1000 }
  for (let i = 0; i < 10_000; i++) assert.ok(buckets.take(`key ${i}`, rate).allowed)
  assert.ok(!buckets.take('key 0', rate).allowed)
  assert.ok(buckets.take('one more', rate).allowed)
  assert.ok(!buckets.take('key 0', rate).allowed)
  assert.ok(buckets.take('key 1', rate).allowed)
})

it('an address is itself, and of IPv6 its network', () => {
  const groups: [string | null, string][] = [
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [null, 'unknown'],
  ]
  for (const [address, group] of groups) assert.equal(addressGroup(address), group)
})
