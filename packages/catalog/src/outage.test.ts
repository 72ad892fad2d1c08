// What callers see when the database goes away, is too slow, or is not one to trust; and that nothing committed is lost.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { anEvent, anIntake, createTestTenant } from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { startOwnPostgres } from '../../../test/own-postgres.ts'
import { createTestDatabase } from '../../../test/postgres.ts'
import { createCatalog } from './create-catalog.ts'
import { CatalogError } from './error.ts'
import { migrate } from './migrate.ts'
import { createPool } from './pool.ts'

test('the server is killed under load: what was acknowledged is there, the rest failed as unavailable', async () => {
  await using cleanup = new AsyncDisposableStack()
  const server = cleanup.use(await startOwnPostgres())
  await migrate({ settings: server.owner, appRole: server.app.user })
  const pool = createPool(server.app)
  cleanup.defer(() => pool.end())
  const catalog = createCatalog({ pool, stamper: aStamper() })
  const tenant = await createTestTenant(catalog)

  const acknowledged: string[] = []
  const failures: unknown[] = []
  const over = new AbortController()
  const deliver = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const intake = anIntake(tenant)
      try {
        await catalog.commitIntake(intake, anEvent(tenant.tenantId))
        acknowledged.push(intake.id)
      } catch (error) {
        failures.push(error)
        await sleep(20)
      }
    }
  }
  const load = Promise.all([deliver(), deliver(), deliver(), deliver()])
  for (let kill = 0; kill < 2; kill++) {
    const goal = acknowledged.length + 20
    while (acknowledged.length < goal) await sleep(5)
    // One transaction is under way when the server dies.
    const interrupted = catalog.drainOutbox(5, async () => {
      await server.kill()
      await sleep(50)
    })
    await assert.rejects(interrupted, { name: 'CatalogError', code: 'unavailable', transient: true })
  }
  const goal = acknowledged.length + 20
  while (acknowledged.length < goal) await sleep(5)
  over.abort()
  await load

  for (const error of failures) {
    assert.ok(error instanceof CatalogError && error.code === 'unavailable', String(error))
  }
  const ids = acknowledged.map(id => id as Parameters<typeof catalog.findIntake>[1])
  assert.deepEqual(await catalog.findMissingIntakes(tenant.tenantId, ids), [])
  const relayed = new Set<string>()
  const relay = async (rows: readonly { intakeId: string }[]) => {
    for (const { intakeId } of rows) relayed.add(intakeId)
  }
  while ((await catalog.drainOutbox(100, relay)) > 0);
  assert.deepEqual(
    acknowledged.filter(id => !relayed.has(id)),
    [],
  )
})

test('abort stops the wait with the reason of the signal, and the pool goes on', async () => {
  await using database = await createTestDatabase()
  const pool = createPool(database.app, { maxConnections: 1 })
  const catalog = createCatalog({ pool, stamper: aStamper() })
  const tenant = await createTestTenant(catalog)
  await catalog.commitIntake(anIntake(tenant), anEvent(tenant.tenantId))
  const reason = new Error('the client went away')
  const aborted = AbortSignal.abort(reason)
  await assert.rejects(catalog.findTenant(tenant.tenantId, { signal: aborted }), reason)

  const holder = new AbortController()
  const waiter = new AbortController()
  const taken = Promise.withResolvers<void>()
  const holding = catalog.drainOutbox(
    1,
    async () => {
      taken.resolve()
      await once(holder.signal, 'abort')
    },
    { signal: holder.signal },
  )
  await taken.promise
  const waiting = catalog.findTenant(tenant.tenantId, { signal: waiter.signal })
  waiter.abort(reason)
  await assert.rejects(waiting, reason, 'while it waits for a connection')
  holder.abort(reason)
  await assert.rejects(holding, reason, 'in the middle of a transaction')
  assert.equal(await catalog.drainOutbox(1, async () => {}), 1, 'which was undone')
  await pool.end()
})

test('no message, property or cause of an error quotes a value of a row', async () => {
  await using database = await createTestDatabase()
  const catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
  const tenant = await createTestTenant(catalog)
  const secret = 'SECRET-2025550100'
  const box = { id: 'mbx_x' as never, tenantId: tenant.tenantId, address: secret, name: secret }
  await catalog.createMailbox(box, anEvent(tenant.tenantId))
  for (const attempt of [
    () => catalog.createMailbox({ ...box, id: 'mbx_y' as never }, anEvent(tenant.tenantId)),
    () => catalog.addMailboxOwner(tenant.tenantId, secret as never, tenant.userId, anEvent(tenant.tenantId)),
    () => catalog.commitIntake(anIntake(tenant, { audioBytes: secret as never }), anEvent(tenant.tenantId)),
    () => catalog.commitIntake(anIntake(tenant, { objectKey: `${secret}\0` }), anEvent(tenant.tenantId)),
  ]) {
    const error: unknown = await attempt().then(
      () => assert.fail(),
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof CatalogError)
    const shown: string[] = []
    for (let part: unknown = error; part instanceof Error; part = part.cause) {
      shown.push(String(part), part.stack ?? '', JSON.stringify(part, Object.getOwnPropertyNames(part)))
    }
    assert.doesNotMatch(shown.join(), /SECRET|2025550100/)
  }
})

test('a role that row-level security does not bind gets no connection', async () => {
  await using database = await createTestDatabase()
  const refused = { name: 'CatalogError', code: 'refused' }
  const superuser = createPool(database.superuser)
  await assert.rejects(createCatalog({ pool: superuser, stamper: aStamper() }).listTenants(), refused)
  await superuser.end()

  const role = `bypasser_${database.app.database}`
  await database.superuserPool.query(`create role ${role} login bypassrls password 'only-here'`)
  await database.superuserPool.query(`grant connect on database ${database.app.database} to ${role}`)
  const bypasser = createPool({ ...database.app, user: role, password: 'only-here' })
  await assert.rejects(createCatalog({ pool: bypasser, stamper: aStamper() }).listTenants(), refused)
  await bypasser.end()
  await database.superuserPool.query(`drop owned by ${role}; drop role ${role}`)
})

test('a server that may lose commits gets none either', async () => {
  await using database = await createTestDatabase()
  await database.superuserPool.query(
    `alter role ${database.app.user} in database ${database.app.database} set synchronous_commit = off`,
  )
  const pool = createPool(database.app)
  await assert.rejects(createCatalog({ pool, stamper: aStamper() }).listTenants(), {
    name: 'CatalogError',
    code: 'refused',
  })
  await pool.end()
})

test('a wrong password is refused for good, a missing server is unavailable for now', async () => {
  await using database = await createTestDatabase()
  const wrong = createPool({ ...database.app, password: 'wrong' })
  await assert.rejects(createCatalog({ pool: wrong, stamper: aStamper() }).check(), {
    code: 'refused',
    transient: false,
  })
  await wrong.end()
  const absent = createPool({ ...database.app, host: join(tmpdir(), 'nothing-here') })
  await assert.rejects(createCatalog({ pool: absent, stamper: aStamper() }).check(), {
    code: 'unavailable',
    transient: true,
  })
  await absent.end()
})
