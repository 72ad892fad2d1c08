import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { properties } from '../../../test/rates.ts'
import { startRedis } from '../../../test/redis.ts'
import { type LimitsUnderTest, limitsConformance } from './conformance.ts'
import { createRedisLimits } from './redis-limits.ts'

async function start(): Promise<LimitsUnderTest> {
  await using opening = new AsyncDisposableStack()
  const server = opening.use(await startRedis())
  const client = server.client()
  const connection = server.settings
  const open = opening.move()
  return {
    open: options => createRedisLimits({ connection, ...options }),
    openNowhere: options =>
      createRedisLimits({
        connection: { ...connection, nodes: [{ host: '127.0.0.1', port: 1 }] },
        ...options,
      }),
    async stored() {
      const keys = await client.keys('*')
      return JSON.stringify([keys, await Promise.all(keys.map(key => client.get(key)))])
    },
    async forget() {
      await client.flushall()
      await client.script('FLUSH')
    },
    kill: () => server.kill(),
    back: () => server.restart(),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

describe('limits on Redis', () => limitsConformance(start, properties))

it('leaves no key behind for ever', async () => {
  await using server = await startRedis()
  await using limits = createRedisLimits({
    connection: server.settings,
    onError: error => assert.fail(error),
  })
  await limits.take('a', { burst: 3, everyMs: 10 })
  await limits.remember('a', 'noted', 10)
  const client = server.client()
  const keys = await client.keys('*')
  assert.equal(keys.length, 2)
  for (const key of keys) {
    assert.match(key, /^auricle:limits:[A-Za-z0-9_-]{43}$/)
    const left = await client.pttl(key)
    assert.ok(left > 0 && left <= 61_000, `${left} ms`)
  }
})
