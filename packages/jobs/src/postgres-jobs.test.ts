import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Job, newIntakeId, newTenantId } from '@auricle/contract'
import { Client } from 'pg'
import { type OwnPostgres, startOwnPostgres } from '../../../test/own-postgres.ts'
import { JobError } from './error.ts'
import { migrateJobs } from './migrate.ts'
import { createPostgresJobs, type PostgresJobs } from './postgres-jobs.ts'
import type { JobFailure } from './workers.ts'

const quick = { lockMs: 800, stalledCheckMs: 300, retryMs: 50 }
const marker = '+15550001111 said something private'

let postgres: OwnPostgres
let errors: unknown[] = []
const onError = (error: unknown) => errors.push(error)
const noFailure = (failure: JobFailure) => assert.fail(`no job was to fail: ${failure.reason}`)

before(async () => {
  postgres = await startOwnPostgres()
  await migrateJobs({ owner: postgres.owner, appRole: postgres.app.user })
})
beforeEach(async () => {
  errors = []
  await sql('truncate bullmq.job, bullmq.event, bullmq.dedup, bullmq.meta cascade')
})
after(() => postgres[Symbol.asyncDispose]())

const open = (): Promise<PostgresJobs> => createPostgresJobs({ connection: postgres.app, onError })
const archive = (): Job => ({ type: 'archive', tenantId: newTenantId(), intakeId: newIntakeId() })

async function sql(text: string): Promise<Record<string, unknown>[]> {
  const client = new Client(postgres.owner)
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(10)
}

describe('the queue', () => {
  it('works where its owner gives nobody leave to run new functions', async () => {
    await sql(`alter default privileges revoke execute on functions from public;
               drop schema bullmq cascade`)
    await migrateJobs({ owner: postgres.owner, appRole: postgres.app.user })
    await using jobs = await open()
    await jobs.enqueue(archive(), { jobId: 'archive-1' })
    assert.equal((await jobs.counts()).waiting, 1)
  })

  it('hands a job over exactly as it was given, and forgets it', async () => {
    await using jobs = await open()
    const job = archive()
    const seen: Job[] = []
    await using _workers = await jobs.startWorkers({
      concurrency: 2,
      onFailure: noFailure,
      handler: async taken => {
        seen.push(taken)
      },
    })
    await jobs.enqueue(job, { jobId: 'archive-1' })
    await until(() => seen.length === 1)
    assert.deepEqual(seen, [job])
    await until(async () => (await sql('select 1 from bullmq.job')).length === 0)
    assert.deepEqual(await jobs.counts(), { waiting: 0, active: 0, delayed: 0, failed: 0 })
    assert.deepEqual(errors, [])
  })

  it('takes an id once while it waits or runs, and again after success or failure', async () => {
    await using jobs = await open()
    const job = archive()
    for (let i = 0; i < 3; i++) await jobs.enqueue(job, { jobId: 'archive-1' })
    assert.equal((await jobs.counts()).waiting, 1)

    let runs = 0
    let failures = 0
    const gate = Promise.withResolvers<void>()
    await using _workers = await jobs.startWorkers({
      concurrency: 2,
      onFailure: () => {
        failures++
      },
      handler: async () => {
        runs++
        if (runs === 1) await gate.promise
        if (runs === 2) throw new Error('first time round')
      },
    })
    await until(() => runs === 1)
    await jobs.enqueue(job, { jobId: 'archive-1' })
    gate.resolve()
    await until(async () => (await jobs.counts()).active === 0)
    assert.equal(runs, 1)

    await jobs.enqueue(job, { jobId: 'archive-1' })
    await until(() => failures === 1)
    await until(async () => (await jobs.counts()).failed === 1)
    await jobs.enqueue(job, { jobId: 'archive-1' })
    await until(() => runs === 3)
  })

  it('refuses ids that BullMQ would refuse or misread', async () => {
    await using jobs = await open()
    for (const jobId of ['', 'a:b', '123', 'a b', 'x'.repeat(129)]) {
      await assert.rejects(jobs.enqueue(archive(), { jobId }), { name: 'JobError', code: 'bad_job' })
    }
  })

  it('stops waiting when told to, with the reason it was told', async () => {
    await using jobs = await open()
    const reason = new Error('the request is gone')
    const signal = AbortSignal.abort(reason)
    await assert.rejects(jobs.enqueue(archive(), { jobId: 'archive-1', signal }), error => error === reason)
  })

  it('keeps nothing that an error says: only which kind of failure it was', async () => {
    await using jobs = await open()
    const failures: JobFailure[] = []
    await using _workers = await jobs.startWorkers({
      concurrency: 1,
      onFailure: failure => {
        failures.push(failure)
      },
      handler: async () => {
        throw new Error(marker)
      },
    })
    const job = archive()
    await jobs.enqueue(job, { jobId: 'archive-1' })
    await until(() => failures.length === 1)
    assert.equal(failures[0]?.reason, 'handler')
    assert.deepEqual(failures[0]?.job, job)
    assert.match(String(failures[0]?.error), /private/)
    const rows = [...(await sql('select * from bullmq.job')), ...(await sql('select * from bullmq.event'))]
    assert.ok(rows.length > 0)
    assert.ok(!JSON.stringify(rows).includes('private'))
    assert.equal(rows[0]?.['failed_reason'], 'handler')
  })

  it('reports what is no job of ours, and goes on', async () => {
    await using jobs = await open()
    const job = archive()
    await jobs.enqueue(job, { jobId: 'archive-1' })
    await sql(`update bullmq.job set data = '{"type":"archive","number":"+15550001111"}'`)
    await jobs.enqueue(job, { jobId: 'archive-2' })
    const failures: JobFailure[] = []
    const seen: Job[] = []
    await using _workers = await jobs.startWorkers({
      concurrency: 1,
      onFailure: failure => {
        failures.push(failure)
      },
      handler: async taken => {
        seen.push(taken)
      },
    })
    await until(() => seen.length === 1 && failures.length === 1)
    assert.equal(failures[0]?.reason, 'unreadable')
    assert.equal(failures[0]?.job, null)
  })

  it('reports an error of whoever is told of a failure, and goes on', async () => {
    await using jobs = await open()
    let runs = 0
    const thrown = new Error('no row to write to')
    await using _workers = await jobs.startWorkers({
      concurrency: 1,
      onFailure: () => {
        throw thrown
      },
      handler: async () => {
        runs++
        throw new Error('failed')
      },
    })
    await jobs.enqueue(archive(), { jobId: 'archive-1' })
    await jobs.enqueue(archive(), { jobId: 'archive-2' })
    await until(() => runs === 2 && errors.length === 2)
    assert.ok(errors.every(error => error === thrown))
  })
})

describe('stopping', () => {
  it('waits for running jobs when it is disposed', async () => {
    await using jobs = await open()
    const gate = Promise.withResolvers<void>()
    let finished = 0
    const workers = await jobs.startWorkers({
      concurrency: 1,
      onFailure: noFailure,
      handler: async () => {
        await gate.promise
        finished++
      },
    })
    await jobs.enqueue(archive(), { jobId: 'archive-1' })
    await until(async () => (await jobs.counts()).active === 1)
    const disposed = workers[Symbol.asyncDispose]()
    gate.resolve()
    await disposed
    assert.equal(finished, 1)
    await until(async () => (await sql('select 1 from bullmq.job')).length === 0)
  })

  it('gives the job back when its signal aborts, for the next worker at once', async () => {
    await using jobs = await open()
    const stop = new AbortController()
    const started = Promise.withResolvers<void>()
    const workers = await jobs.startWorkers({
      concurrency: 1,
      signal: stop.signal,
      onFailure: noFailure,
      handler: async (_job, { signal }) => {
        started.resolve()
        await once(signal, 'abort')
        signal.throwIfAborted()
      },
    })
    await jobs.enqueue(archive(), { jobId: 'archive-1' })
    await started.promise
    stop.abort()
    await workers[Symbol.asyncDispose]()
    assert.deepEqual(await jobs.counts(), { waiting: 1, active: 0, delayed: 0, failed: 0 })

    let runs = 0
    await using _next = await jobs.startWorkers({
      concurrency: 1,
      onFailure: noFailure,
      handler: async () => {
        runs++
      },
    })
    await until(() => runs === 1)
    assert.deepEqual(errors, [])
  })
})

describe('a worker that dies', () => {
  const killedMidJob = async (): Promise<void> => {
    const program = `
      import { createPostgresJobs } from ${JSON.stringify(import.meta.resolve('./postgres-jobs.ts'))}
      const jobs = await createPostgresJobs({ connection: ${JSON.stringify(postgres.app)}, onError: console.error })
      await jobs.startWorkers({
        concurrency: 1, timing: ${JSON.stringify(quick)}, onFailure: console.error,
        handler: async () => { console.log('running'); await new Promise(() => {}) },
      })`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'close')
  }

  it('has its job run again by another', async () => {
    await using jobs = await open()
    const job = archive()
    await jobs.enqueue(job, { jobId: 'archive-1' })
    await killedMidJob()
    assert.equal((await jobs.counts()).active, 1)
    const seen: Job[] = []
    await using _workers = await jobs.startWorkers({
      concurrency: 1,
      timing: quick,
      onFailure: noFailure,
      handler: async taken => {
        seen.push(taken)
      },
    })
    await until(() => seen.length === 1)
    assert.deepEqual(seen, [job])
  })

  it('too often over the same job is reported, and the job leaves the queue', async () => {
    await using jobs = await open()
    const job = archive()
    await jobs.enqueue(job, { jobId: 'archive-1' })
    await killedMidJob()
    // As if three more had died over it.
    await sql('update bullmq.job set stalled_count = 3')
    const failures: JobFailure[] = []
    await using _workers = await jobs.startWorkers({
      concurrency: 1,
      timing: quick,
      onFailure: failure => {
        failures.push(failure)
      },
      handler: () => assert.fail('it was not to run again'),
    })
    await until(() => failures.length === 1)
    assert.equal(failures[0]?.reason, 'abandoned')
    assert.deepEqual(failures[0]?.job, job)
    await until(async () => (await jobs.counts()).failed === 1)
  })

  it('is not the one that merely waits long: a lock is renewed while its handler runs', async () => {
    await using jobs = await open()
    let runs = 0
    const done = Promise.withResolvers<void>()
    const handler = async () => {
      runs++
      await delay(3 * (quick.lockMs + quick.stalledCheckMs))
      done.resolve()
    }
    await using _one = await jobs.startWorkers({
      concurrency: 1,
      timing: quick,
      onFailure: noFailure,
      handler,
    })
    await using _two = await jobs.startWorkers({
      concurrency: 1,
      timing: quick,
      onFailure: noFailure,
      handler,
    })
    await jobs.enqueue(archive(), { jobId: 'archive-1' })
    await done.promise
    assert.equal(runs, 1)
  })
})

describe('the role of the application', () => {
  it('can use the queue and not change it', async () => {
    const client = new Client(postgres.app)
    await client.connect()
    try {
      for (const text of [
        'create table bullmq.mine (id int)',
        'drop table bullmq.job',
        'truncate bullmq.job',
        'delete from bullmq.migration',
        'alter table bullmq.job add column mine int',
      ]) {
        await assert.rejects(client.query(text), /permission denied|must be owner/, text)
      }
    } finally {
      await client.end()
    }
  })

  it('is refused a queue that was never migrated, in words', async () => {
    await sql('alter schema bullmq rename to elsewhere')
    try {
      await assert.rejects(open(), { name: 'JobError', code: 'bad_schema', transient: false })
    } finally {
      await sql('alter schema elsewhere rename to bullmq')
    }
  })

  it('may be granted again and again', async () => {
    const run = () => migrateJobs({ owner: postgres.owner, appRole: postgres.app.user })
    await Promise.all([run(), run(), run()])
  })
})

it('says so when there is no database at all', async () => {
  const nowhere = { host: '127.0.0.1', port: 1, user: 'nobody', password: 'none', database: 'none' }
  const opening = createPostgresJobs({ connection: nowhere, onError })
  await assert.rejects(
    opening,
    error => error instanceof JobError && error.code === 'unavailable' && error.transient,
  )
})
