import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Client } from 'pg'
import { type OwnPostgres, startOwnPostgres } from '../../../test/own-postgres.ts'
import { openShutDoor } from '../../../test/shut-door.ts'
import { jobsConformance, type QueueUnderTest } from './conformance.ts'
import { migrateJobs } from './migrate.ts'
import { isPostgresOutage } from './postgres-connection.ts'
import { createPostgresJobs } from './postgres-jobs.ts'

let postgres: OwnPostgres

before(async () => {
  postgres = await startOwnPostgres()
  await migrateJobs({ owner: postgres.owner, appRole: postgres.app.user })
})
after(() => postgres[Symbol.asyncDispose]())

const open = () => createPostgresJobs({ connection: postgres.app, onError: () => undefined })

async function sql(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new Client(postgres.owner)
  await client.connect()
  try {
    return (await client.query(text, values)).rows
  } finally {
    await client.end()
  }
}

async function makeQueue(): Promise<QueueUnderTest> {
  await using opening = new AsyncDisposableStack()
  await sql('truncate bullmq.job, bullmq.event, bullmq.dedup, bullmq.meta cascade')
  const connection = postgres.app
  const stored = async () => [
    ...(await sql('select * from bullmq.job')),
    ...(await sql('select * from bullmq.event')),
  ]
  const open = opening.move()
  return {
    open: options => createPostgresJobs({ connection, ...options }),
    async openBehindDoor(options) {
      const { host, port } = postgres.app
      const door = open.use(await openShutDoor({ path: `${host}/.s.PGSQL.${port}` }))
      const way = { ...connection, host: door.host, port: door.port }
      return { jobs: await createPostgresJobs({ connection: way, ...options }), shut: door.shut }
    },
    program: {
      imports: `import { createPostgresJobs } from ${JSON.stringify(import.meta.resolve('./postgres-jobs.ts'))}`,
      open: `createPostgresJobs({ connection: ${JSON.stringify(connection)}, onError: console.error })`,
    },
    openNowhere: options =>
      createPostgresJobs({
        connection: { host: '127.0.0.1', port: 1, user: 'nobody', password: 'none', database: 'none' },
        ...options,
      }),
    stored: async () => JSON.stringify(await stored()),
    storedJobs: async () => (await sql('select 1 from bullmq.job')).length,
    async spoil(json) {
      await sql('update bullmq.job set data = $1', [json])
    },
    async setStalls(count) {
      await sql('update bullmq.job set stalled_count = $1', [count])
    },
    kill: () => postgres.kill(),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

describe('on PostgreSQL', () => jobsConformance(makeQueue))

describe('the role of the application', () => {
  it('can use the queue where its owner gives nobody leave to run new functions', async () => {
    await sql(`alter default privileges revoke execute on functions from public;
               drop schema bullmq cascade`)
    await migrateJobs({ owner: postgres.owner, appRole: postgres.app.user })
    await using jobs = await open()
    assert.equal((await jobs.counts()).waiting, 0)
  })

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

it('tells an outage of the database from a mistake', () => {
  const withCode = (code: string) => Object.assign(new Error('x'), { code })
  for (const code of ['ECONNREFUSED', '57P01', '57P03', '08006', 'ENOENT'])
    assert.ok(isPostgresOutage(withCode(code)), code)
  for (const code of ['23505', '42P01', '57014', 'BM001']) assert.ok(!isPostgresOutage(withCode(code)), code)
  assert.ok(isPostgresOutage(new Error('Connection terminated unexpectedly')))
  assert.ok(!isPostgresOutage(new Error('could not renew lock for job 1')))
})
