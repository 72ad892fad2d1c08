// Migrations: again, at once by several, altered, unknown, failing; and the check at the start of a service.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newTenantId, newTokenId, newUserId } from '@auricle/contract'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import { createCatalog } from './create-catalog.ts'
import { migrate } from './migrate.ts'
import { type Migration, readMigrations } from './migrations.ts'

const outdated = { name: 'CatalogError', code: 'outdated_schema' }

function run(
  database: TestDatabase,
  migrations?: readonly Migration[],
  signal?: AbortSignal,
): Promise<number> {
  return migrate({ settings: database.owner, appRole: database.app.user, migrations, signal })
}

test('several at once on an empty database apply each migration once; running again applies none', async () => {
  await using database = await createTestDatabase({ empty: true })
  const catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
  await assert.rejects(catalog.check())
  const known = await readMigrations()
  const counts = await Promise.all([run(database), run(database), run(database), run(database)])
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    known.length,
  )
  assert.equal(await run(database), 0)
  await catalog.check()
})

test('an altered or unknown migration is refused, by migrate and by check', async () => {
  await using database = await createTestDatabase()
  const catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
  const known = await readMigrations()
  const altered = known.map(migration => {
    return migration.version === 1 ? { ...migration, sha256: '0'.repeat(64) } : migration
  })
  await assert.rejects(run(database, altered), outdated)
  await assert.rejects(run(database, known.slice(0, 1)), outdated)
  await database.superuserPool.query("insert into auricle.migration values (9999, 'later', 'x')")
  await assert.rejects(catalog.check(), outdated)
  await database.superuserPool.query('delete from auricle.migration where version > 2')
  await assert.rejects(catalog.check(), outdated)
})

test('a migration that fails leaves nothing of itself, and those before it stay', async () => {
  await using database = await createTestDatabase()
  const known = await readMigrations()
  const version = known.length + 1
  const next = { version, name: 'next', sql: 'create table auricle.next ()', sha256: 'a' }
  const broken = {
    version: version + 1,
    name: 'broken',
    sql: 'create table auricle.half (); select 1 / 0',
    sha256: 'b',
  }
  await assert.rejects(run(database, [...known, next, broken]), { name: 'CatalogError', code: 'refused' })
  const { rows } = await database.superuserPool.query(
    "select to_regclass('auricle.next') is not null as next, to_regclass('auricle.half') is not null as half",
  )
  assert.deepEqual(rows, [{ next: true, half: false }])
  const mended = { ...broken, sql: 'create table auricle.half ()', sha256: 'c' }
  assert.equal(await run(database, [...known, next, mended]), 1)
})

test('people and tokens from before roles were granted keep what they had', async () => {
  await using database = await createTestDatabase({ empty: true })
  const known = await readMigrations()
  await run(database, known.slice(0, 5))
  const at = new Date('2026-01-02T03:04:05.000Z')
  const later = new Date('2099-01-02T03:04:05.000Z')
  const tenants = [newTenantId(), newTenantId()]
  const people = new Map(tenants.map(tenantId => [tenantId, { both: newUserId(), none: newUserId() }]))
  for (const [tenantId, { both, none }] of people) {
    const insert = (text: string, values: readonly unknown[]) =>
      database.superuserPool.query(text, [tenantId, ...values])
    await insert(
      `insert into auricle.tenant (id, slug, name, keep_days, column_secret, created_at)
       values ($1, $2, 'A practice', 30, '{}', $3)`,
      [tenantId.slice(-8), at],
    )
    const user = `insert into auricle.app_user (tenant_id, id, login, name, roles, password_hash, totp_secret, created_at)
                  values ($1, $2, $3, 'Somebody', $4, 'hash', 'secret', $5)`
    await insert(user, [both, 'both', ['clinician', 'administrator'], at])
    await insert(user, [none, 'none', [], at])
    for (const [id, purpose] of [
      [newTokenId(), 'session'],
      [newTokenId(), 'program'],
    ]) {
      await insert(
        `insert into auricle.token (tenant_id, id, user_id, purpose, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6)`,
        [id, both, purpose, at, later],
      )
    }
  }
  assert.equal(await run(database), known.length - 5)

  const catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
  for (const [tenantId, { both, none }] of people) {
    const users = await catalog.listUsers(tenantId)
    assert.deepEqual(
      users.map(({ id, roles, kind, disabledAt }) => ({ id, roles, kind, disabledAt })),
      [
        { id: both, roles: ['administrator', 'clinician'], kind: 'person', disabledAt: null },
        { id: none, roles: [], kind: 'person', disabledAt: null },
      ],
    )
    const tokens = await catalog.listTokens(tenantId)
    assert.deepEqual(tokens.map(({ purpose, scopes }) => [purpose, scopes?.length ?? null]).sort(), [
      ['personal', 9],
      ['session', null],
    ])
    for (const { id } of tokens) {
      const bearer = await catalog.findBearer(tenantId, id, at)
      assert.deepEqual(bearer?.access.roles, ['administrator', 'clinician'])
    }
  }
  const { rows } = await database.superuserPool.query(
    `select source, granted_at, until, id ~ '^grt_[0-7][0-9a-hjkmnp-tv-z]{25}$' as is_id from auricle.role_grant`,
  )
  const grant = { source: 'operator', granted_at: at, until: null, is_id: true }
  assert.deepEqual(rows, [grant, grant, grant, grant])
})

test('abort ends a wait for somebody else who migrates', async () => {
  await using database = await createTestDatabase()
  const known = await readMigrations()
  const slow = { version: known.length + 1, name: 'slow', sql: 'select pg_sleep(30)', sha256: 'd' }
  const first = new AbortController()
  const second = new AbortController()
  const firstRun = run(database, [...known, slow], first.signal)
  const secondRun = run(database, [...known, slow], second.signal)
  second.abort(new Error('changed my mind'))
  await assert.rejects(secondRun, { message: 'changed my mind' })
  first.abort(new Error('me too'))
  await assert.rejects(firstRun, { message: 'me too' })
})

test('a server that is not there is unavailable', async () => {
  await using database = await createTestDatabase({ empty: true })
  const settings = { ...database.owner, host: '/nothing-here' }
  await assert.rejects(migrate({ settings, appRole: database.app.user }), {
    name: 'CatalogError',
    code: 'unavailable',
  })
})

test('the carried files are numbered without gaps', async () => {
  const known = await readMigrations()
  assert.deepEqual(
    known.map(({ version }) => version),
    known.map((_, index) => index + 1),
  )
})
