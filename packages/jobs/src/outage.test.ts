import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTo, createServer, type Socket } from 'node:net'
import { after, before, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Job, newIntakeId, newTenantId } from '@auricle/contract'
import { type OwnPostgres, startOwnPostgres } from '../../../test/own-postgres.ts'
import { isOutage } from './connection.ts'
import { JobError } from './error.ts'
import { migrateJobs } from './migrate.ts'
import { createPostgresJobs } from './postgres-jobs.ts'

const timing = { lockMs: 800, stalledCheckMs: 300, retryMs: 50 }
const kills = 4
const jobsAtLeast = 100

let postgres: OwnPostgres

before(async () => {
  postgres = await startOwnPostgres()
  await migrateJobs({ owner: postgres.owner, appRole: postgres.app.user })
})
after(() => postgres[Symbol.asyncDispose]())

it('every job that was taken runs, however often the database is killed meanwhile', async () => {
  const errors: unknown[] = []
  const failures: unknown[] = []
  let recoveries = 0
  await using jobs = await createPostgresJobs({
    connection: postgres.app,
    onError: error => errors.push(error),
    onRecovered: () => {
      recoveries++
    },
  })
  const done = new Set<string>()
  await using _workers = await jobs.startWorkers({
    concurrency: 4,
    timing,
    onFailure: failure => {
      failures.push(failure)
    },
    handler: async job => {
      await delay(10)
      if (job.type === 'archive') done.add(job.intakeId)
    },
  })

  // As the outbox does: it hands over again whatever was refused.
  const enqueue = async (job: Extract<Job, { type: 'archive' }>): Promise<void> => {
    for (;;) {
      try {
        return await jobs.enqueue(job, { jobId: `archive-${job.intakeId}` })
      } catch (error) {
        assert.ok(error instanceof JobError && error.code === 'unavailable', String(error))
        await delay(20)
      }
    }
  }
  let isKilling = true
  const killer = (async () => {
    for (let i = 0; i < kills; i++) {
      await delay(100 + Math.random() * 200)
      await postgres.kill()
    }
    isKilling = false
  })()
  const taken: string[] = []
  while (isKilling || taken.length < jobsAtLeast) {
    const job = { type: 'archive', tenantId: newTenantId(), intakeId: newIntakeId() } as const
    await enqueue(job)
    taken.push(job.intakeId)
  }
  await killer
  while (!taken.every(id => done.has(id))) await delay(20)

  assert.deepEqual(failures, [])
  const outages = errors.filter(isLost)
  assert.ok(outages.length >= 1 && recoveries >= 1)
  // Lost locks and jobs finished twice are named; the outage itself is told once each time, not once an attempt.
  assert.ok(errors.length <= 20 * kills, `${errors.length} reports of ${kills} kills`)
})

it('closes while the database is away', async () => {
  // A door in front of the database that can be shut for good.
  const sockets = new Set<Socket>()
  const door = createServer(client => {
    const inner = connectTo({ path: `${postgres.app.host}/.s.PGSQL.${postgres.app.port}` })
    for (const socket of [client, inner]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
    }
    client.pipe(inner).pipe(client)
  })
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
  const address = door.address()
  assert.ok(typeof address === 'object' && address !== null)

  const errors: unknown[] = []
  const jobs = await createPostgresJobs({
    connection: { ...postgres.app, host: '127.0.0.1', port: address.port },
    timeoutMs: 300,
    onError: error => errors.push(error),
  })
  const workers = await jobs.startWorkers({
    concurrency: 1,
    timing,
    onFailure: () => undefined,
    handler: async () => undefined,
  })
  door.close()
  for (const socket of sockets) socket.destroy()
  const job: Job = { type: 'archive', tenantId: newTenantId(), intakeId: newIntakeId() }
  await assert.rejects(jobs.enqueue(job, { jobId: 'archive-1' }), { code: 'unavailable' })
  await workers[Symbol.asyncDispose]()
  await jobs[Symbol.asyncDispose]()
  assert.ok(errors.some(isLost))
})

it('tells an outage from a mistake', () => {
  const withCode = (code: string) => Object.assign(new Error('x'), { code })
  for (const code of ['ECONNREFUSED', '57P01', '57P03', '08006', 'ENOENT'])
    assert.ok(isOutage(withCode(code)), code)
  for (const code of ['23505', '42P01', '57014', 'BM001']) assert.ok(!isOutage(withCode(code)), code)
  assert.ok(isOutage(new Error('Connection terminated unexpectedly')))
  assert.ok(!isOutage(new Error('could not renew lock for job 1')))
})

function isLost(error: unknown): boolean {
  return error instanceof JobError && error.code === 'unavailable'
}
