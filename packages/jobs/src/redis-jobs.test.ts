import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Job, newIntakeId, newTenantId } from '@auricle/contract'
import type { Redis } from 'ioredis'
import { type OwnRedis, startRedis } from '../../../test/redis.ts'
import { openShutDoor } from '../../../test/shut-door.ts'
import { jobsConformance, type QueueUnderTest } from './conformance.ts'
import type { Jobs } from './jobs.ts'
import { isRedisOutage } from './redis-connection.ts'
import { createRedisJobs } from './redis-jobs.ts'

const quick = { lockMs: 800, stalledCheckMs: 300, retryMs: 50 }
/** Every acknowledged write is on disk, as PostgreSQL's is. */
const durable = { appendonly: 'yes', appendfsync: 'always' }

const archive = () => ({ type: 'archive', tenantId: newTenantId(), intakeId: newIntakeId() }) as const

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(10)
}

async function makeQueue(): Promise<QueueUnderTest> {
  await using opening = new AsyncDisposableStack()
  const server = opening.use(await startRedis(durable))
  const client = server.client()
  const open = opening.move()
  const connection = server.settings
  const each = async (change: (key: string) => Promise<unknown>) => {
    for (const key of await jobKeys(client)) await change(key)
  }
  return {
    open: options => createRedisJobs({ connection, ...options }),
    async openBehindDoor(options) {
      const door = open.use(await openShutDoor({ host: '127.0.0.1', port: server.port }))
      const nodes = [{ host: door.host, port: door.port }]
      return {
        jobs: await createRedisJobs({ connection: { ...connection, nodes }, ...options }),
        shut: door.shut,
      }
    },
    program: {
      imports: `import { createRedisJobs } from ${JSON.stringify(import.meta.resolve('./redis-jobs.ts'))}`,
      open: `createRedisJobs({ connection: ${JSON.stringify(connection)}, onError: console.error })`,
    },
    openNowhere: options =>
      createRedisJobs({ connection: { ...connection, nodes: [{ host: '127.0.0.1', port: 1 }] }, ...options }),
    stored: () => everything(client),
    storedJobs: async () => (await jobKeys(client)).length,
    spoil: json => each(key => client.hset(key, 'data', json)),
    setStalls: count => each(key => client.hset(key, 'stc', String(count))),
    async kill() {
      await server.kill()
      await server.restart()
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

async function jobKeys(client: Redis): Promise<string[]> {
  const keys = await client.keys('{auricle}:auricle:archive-*')
  return keys.filter(key => !key.endsWith(':lock'))
}

async function everything(client: Redis): Promise<string> {
  const read: Record<string, (key: string) => Promise<unknown>> = {
    hash: key => client.hgetall(key),
    list: key => client.lrange(key, 0, -1),
    set: key => client.smembers(key),
    stream: key => client.xrange(key, '-', '+'),
    string: key => client.get(key),
    zset: key => client.zrange(key, '0', '-1', 'WITHSCORES'),
  }
  const found = (await client.keys('*')).map(async key => [key, await read[await client.type(key)]?.(key)])
  return JSON.stringify(await Promise.all(found))
}

describe('on Redis', () => jobsConformance(makeQueue))

interface Running extends AsyncDisposable {
  readonly jobs: Jobs
  readonly done: ReadonlySet<string>
  readonly told: readonly string[]
}

async function run(
  server: OwnRedis,
  handler: (job: Job) => Promise<void> = async () => undefined,
): Promise<Running> {
  await using opening = new AsyncDisposableStack()
  const told: string[] = []
  const jobs = opening.use(
    await createRedisJobs({
      connection: server.settings,
      onError: error => told.push(String(error)),
      onRecovered: () => told.push('back'),
    }),
  )
  const done = new Set<string>()
  opening.use(
    await jobs.startWorkers({
      concurrency: 2,
      timing: quick,
      onFailure: ({ reason }) => {
        told.push(reason)
      },
      handler: async job => {
        await handler(job)
        if (job.type === 'archive') done.add(job.intakeId)
      },
    }),
  )
  const open = opening.move()
  return { jobs, done, told, [Symbol.asyncDispose]: () => open.disposeAsync() }
}

describe('a Redis that forgets', () => {
  it('all of it, while workers wait: what is enqueued next runs at once', async () => {
    await using server = await startRedis()
    await using running = await run(server)
    const client = server.client()
    for (let round = 0; round < 5; round++) {
      // The worker waits in a blocking call on a key that the flush removes.
      await delay(50)
      await client.flushall()
      const job = archive()
      await running.jobs.enqueue(job, { jobId: 'archive-1' })
      await until(() => running.done.has(job.intakeId))
    }
    assert.deepEqual(running.told, [])
  })

  it('all of it, while a job runs: the job may end, and its id is free', async () => {
    await using server = await startRedis()
    const gate = Promise.withResolvers<void>()
    let runs = 0
    await using running = await run(server, async () => {
      runs++
      if (runs === 1) await gate.promise
    })
    const client = server.client()
    const job = archive()
    await running.jobs.enqueue(job, { jobId: 'archive-1' })
    await until(() => runs === 1)
    await client.flushall()
    await running.jobs.enqueue(job, { jobId: 'archive-1' })
    await until(() => runs === 2)
    gate.resolve()
    await until(async () => (await running.jobs.counts()).active === 0)
    const next = archive()
    await running.jobs.enqueue(next, { jobId: 'archive-2' })
    await until(() => running.done.has(next.intakeId))
  })

  it('the lock of a job that runs: its handler is told to stop, since another may have it', async () => {
    await using server = await startRedis()
    const [started, stopped] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const told: string[] = []
    await using jobs = await createRedisJobs({
      connection: server.settings,
      onError: error => told.push(String(error)),
    })
    await using _workers = await jobs.startWorkers({
      concurrency: 1,
      timing: quick,
      onFailure: ({ reason }) => assert.fail(reason),
      handler: async (_job, { signal }) => {
        started.resolve()
        await once(signal, 'abort')
        stopped.resolve()
        signal.throwIfAborted()
      },
    })
    await jobs.enqueue(archive(), { jobId: 'archive-1' })
    await started.promise
    await server.client().flushall()
    await stopped.promise
    // It is no failure of the job's, and nothing is left of it.
    await until(() => told.length > 0)
    assert.deepEqual(await jobs.counts(), { waiting: 0, active: 0, delayed: 0, failed: 0 })
  })

  it('its scripts alone', async () => {
    await using server = await startRedis()
    await using running = await run(server)
    const client = server.client()
    for (let round = 0; round < 3; round++) {
      await client.script('FLUSH')
      const job = archive()
      await running.jobs.enqueue(job, { jobId: 'archive-1' })
      await until(() => running.done.has(job.intakeId))
    }
    assert.deepEqual(running.told, [])
  })

  it('all of it when it is killed: workers go on by themselves', async () => {
    await using server = await startRedis()
    await using running = await run(server)
    for (let round = 0; round < 3; round++) {
      await server.kill()
      await server.restart()
      const job = archive()
      // As the outbox does.
      await until(() =>
        running.jobs.enqueue(job, { jobId: 'archive-1' }).then(
          () => true,
          () => false,
        ),
      )
      await until(() => running.done.has(job.intakeId))
    }
    const outages = running.told.filter(line => line.includes('lost the server'))
    assert.equal(outages.length, 3)
    assert.equal(running.told.filter(line => line === 'back').length, 3)
  })
})

it('a Redis that hangs holds nobody up for longer than agreed, and goes on where it was', async () => {
  await using server = await startRedis()
  await using jobs = await createRedisJobs({
    connection: server.settings,
    timeoutMs: 300,
    onError: () => undefined,
  })
  const done = new Set<string>()
  await using _workers = await jobs.startWorkers({
    concurrency: 1,
    timing: quick,
    onFailure: () => undefined,
    handler: async job => {
      if (job.type === 'archive') done.add(job.intakeId)
    },
  })
  server.freeze()
  const job = archive()
  try {
    await assert.rejects(jobs.enqueue(job, { jobId: 'archive-1' }), { code: 'unavailable' })
    assert.equal((await jobs.inspect())[0]?.state, 'away')
  } finally {
    server.thaw()
  }
  // What was refused may still be taken; handing it over again is what makes sure.
  await until(() =>
    jobs.enqueue(job, { jobId: 'archive-1' }).then(
      () => true,
      () => false,
    ),
  )
  await until(() => done.has(job.intakeId))
})

it('a Redis that is full is an outage, and over when there is room', async () => {
  await using server = await startRedis({ 'maxmemory-policy': 'noeviction' })
  await using running = await run(server)
  const client = server.client()
  await client.config('SET', 'maxmemory', '1')
  await assert.rejects(running.jobs.enqueue(archive(), { jobId: 'archive-1' }), { code: 'unavailable' })
  const memory = (await running.jobs.inspect()).find(({ name }) => name === 'queue memory')
  assert.equal(memory?.state, 'bad')
  await client.config('SET', 'maxmemory', '0')
  const job = archive()
  await until(() =>
    running.jobs.enqueue(job, { jobId: 'archive-1' }).then(
      () => true,
      () => false,
    ),
  )
  await until(() => running.done.has(job.intakeId))
})

it('tells an outage of Redis from a mistake', () => {
  for (const message of [
    "Stream isn't writeable and enableOfflineQueue options is false",
    'LOADING Redis is loading the dataset in memory',
    "READONLY You can't write against a read only replica. script: 1, on @user_script:1.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    'CLUSTERDOWN The cluster is down',
    'WRONGPASS invalid username-password pair or user is disabled.',
  ]) {
    assert.ok(isRedisOutage(new Error(message)), message)
  }
  for (const message of [
    'NOPERM this user has no permissions',
    'Missing lock for job archive-1. moveToFinished',
  ]) {
    assert.ok(!isRedisOutage(new Error(message)), message)
  }
  assert.ok(isRedisOutage(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })))
})
