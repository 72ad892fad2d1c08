import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Client, Pool } from 'pg'
import { type OwnPostgres, startOwnPostgres } from '../../../test/own-postgres.ts'
import { properties } from '../../../test/rates.ts'
import { openShutDoor, type ShutDoor } from '../../../test/shut-door.ts'
import { type LimitsUnderTest, limitsConformance } from './conformance.ts'
import { migrateLimits } from './migrate.ts'
import { createPostgresLimits, sweep } from './postgres-limits.ts'

let postgres: OwnPostgres

before(async () => {
  postgres = await startOwnPostgres()
  await migrateLimits({ owner: postgres.owner, appRole: postgres.app.user })
})
after(() => postgres[Symbol.asyncDispose]())

async function sql(text: string): Promise<Record<string, unknown>[]> {
  const client = new Client(postgres.app)
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

/** Behind a door that can be shut: the server itself is started again at once when it is killed. */
async function start(): Promise<LimitsUnderTest> {
  await sql('delete from limits.bucket; delete from limits.note')
  const { host, port } = postgres.app
  const to = { path: `${host}/.s.PGSQL.${port}` }
  let door: ShutDoor = await openShutDoor(to)
  const connection = { ...postgres.app, host: door.host, port: door.port }
  return {
    open: options => createPostgresLimits({ connection, ...options }),
    openNowhere: options => createPostgresLimits({ connection: { ...connection, port: 1 }, ...options }),
    stored: async () =>
      JSON.stringify([await sql('select * from limits.bucket'), await sql('select * from limits.note')]),
    async forget() {
      await sql('delete from limits.bucket; delete from limits.note')
    },
    async kill() {
      door.shut()
      await postgres.kill()
    },
    async back() {
      door = await openShutDoor(to, connection.port)
    },
    [Symbol.asyncDispose]: () => door[Symbol.asyncDispose](),
  }
}

describe('limits on PostgreSQL', () => limitsConformance(start, properties))

it('sweeps what says nothing any more, and nothing else', async () => {
  const at = 1_800_000_000_000
  await using limits = createPostgresLimits({
    connection: postgres.app,
    onError: error => assert.fail(error),
    now: () => at,
  })
  await sql('delete from limits.bucket; delete from limits.note')
  await limits.take('full soon', { burst: 3, everyMs: 10 })
  await limits.take('full later', { burst: 3, everyMs: 10_000 })
  await limits.remember('ends soon', 'a', 10)
  await limits.remember('ends later', 'b', 10_000)
  const pool = new Pool(postgres.app)
  await sweep(pool, at + 1000)
  await pool.end()
  const [buckets, notes] = [
    await sql('select 1 from limits.bucket'),
    await sql('select value from limits.note'),
  ]
  assert.equal(buckets.length, 1)
  assert.deepEqual(notes, [{ value: 'b' }])
})

it('may be migrated again and again, by several at once, into tables that no log repeats', async () => {
  const run = () => migrateLimits({ owner: postgres.owner, appRole: postgres.app.user })
  await Promise.all([run(), run(), run()])
  const found = await sql(`select relname from pg_class where relnamespace = 'limits'::regnamespace
    and relkind = 'r' and relpersistence <> 'u'`)
  assert.deepEqual(found, [])
  await assert.rejects(sql('drop table limits.note'), /must be owner/)
})
