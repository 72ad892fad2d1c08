import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { properties } from '../../../test/rates.ts'
import { startRedis, startRedisCluster } from '../../../test/redis.ts'
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

it('works in a cluster, each key where its slot is', async () => {
  await using cluster = await startRedisCluster()
  await using limits = createRedisLimits({
    connection: cluster.settings,
    onError: error => assert.fail(error),
  })
  for (let i = 0; i < 20; i++) {
    assert.ok((await limits.take(`key ${i}`, { burst: 1, everyMs: 60_000 })).allowed)
    assert.ok(!(await limits.take(`key ${i}`, { burst: 1, everyMs: 60_000 })).allowed)
    await limits.remember(`key ${i}`, `value ${i}`, 60_000)
    assert.equal(await limits.seen(`key ${i}`), `value ${i}`)
  }
  for (const server of cluster.servers) assert.ok((await server.client().dbsize()) > 0)
})

it('a server that hangs holds nobody up for longer than agreed', async () => {
  await using server = await startRedis()
  const told: string[] = []
  await using limits = createRedisLimits({
    connection: server.settings,
    timeoutMs: 200,
    onError: error => told.push(error.code),
  })
  const rate = { burst: 1, everyMs: 60_000 }
  assert.ok((await limits.take('a', rate)).allowed)
  server.freeze()
  try {
    // By the bucket of this process.
    assert.ok((await limits.take('a', rate)).allowed)
    assert.ok(!(await limits.take('a', rate)).allowed)
  } finally {
    server.thaw()
  }
  assert.deepEqual(told, ['unavailable'])
})

it('needs no more rights than the account of the queue has', async () => {
  await using server = await startRedis()
  const rights = ['~{auricle}:*', '~auricle:limits:*', '+@all', '-@dangerous', '-@admin', '+info']
  await server.client().acl('SETUSER', 'auricle', 'on', '>a-password', ...rights)
  const connection = { ...server.settings, username: 'auricle', password: 'a-password', database: 2 }
  await using limits = createRedisLimits({ connection, onError: error => assert.fail(error) })
  assert.ok((await limits.take('a', { burst: 1, everyMs: 60_000 })).allowed)
  assert.ok(!(await limits.take('a', { burst: 1, everyMs: 60_000 })).allowed)
  await limits.remember('a', 'noted', 60_000)
  assert.equal(await limits.seen('a'), 'noted')
  assert.equal(await server.client().dbsize(), 0)
})
