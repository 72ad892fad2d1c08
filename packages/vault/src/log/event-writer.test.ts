// Holds the writer to its numbers: each spent once, in each tenant by itself, and told as committed only where it is.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type AuditEvent, type AuditRecord, decodeLeaf } from '@auricle/audit'
import { createCatalog } from '@auricle/catalog'
import { newTenantId, type TenantId } from '@auricle/contract'
import { anEvent, anIntake, createTestTenant, type TestTenant } from '../../../../test/catalog-fixture.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.ts'
import { createEventWriter } from './event-writer.ts'

let database: TestDatabase
let tenant: TestTenant

before(async () => {
  database = await createTestDatabase()
  tenant = await createTestTenant(
    createCatalog({ pool: database.appPool, stamper: createEventWriter({ name: 'other' }) }),
  )
})
after(() => database[Symbol.asyncDispose]())

/** A catalog, and what was acknowledged of what it stamped. */
function catalogOf(name: string) {
  const writer = createEventWriter({ name })
  const acknowledged: string[] = []
  const stamper = {
    stamp: (records: readonly AuditRecord[]) =>
      writer.stamp(records).map(record => ({
        ...record,
        acknowledge() {
          acknowledged.push(record.id)
          record.acknowledge()
        },
      })),
  }
  return { writer, acknowledged, catalog: createCatalog({ pool: database.appPool, stamper }) }
}

async function eventsOf(name: string, tenantId: TenantId): Promise<readonly AuditEvent[]> {
  const { rows } = await database.superuserPool.query<{ leaf: Buffer }>(
    'select leaf from auricle.audit_event where tenant_id = $1',
    [tenantId],
  )
  const own = rows.map(({ leaf }) => decodeLeaf(leaf)).filter(({ writer }) => writer?.name === name)
  return own.toSorted((a, b) => Number(a.writer?.n) - Number(b.writer?.n))
}

const numbersOf = (events: readonly AuditEvent[]) => events.map(({ writer }) => writer?.n)

test('a tenant sees the writer begin, then every number once', async () => {
  const { catalog, writer } = catalogOf('first')
  const other = await createTestTenant(catalog)
  for (const _ of [1, 2, 3]) await catalog.appendEvents([anEvent(tenant.tenantId), anEvent(tenant.tenantId)])
  const events = await eventsOf('first', tenant.tenantId)
  assert.deepEqual(numbersOf(events), [0, 1, 2, 3, 4, 5, 6])
  const [started] = events
  assert.equal(started?.action, 'writer.started')
  assert.deepEqual(started?.detail, { kind: 'started', receiptKey: null })
  assert.deepEqual(started?.object, { type: 'writer', id: writer.id, version: null })
  assert.ok(events.every(event => event.writer?.id === writer.id))
  const elsewhere = await eventsOf('first', other.tenantId)
  assert.deepEqual(
    numbersOf(elsewhere),
    elsewhere.map((_, index) => index),
  )
  assert.equal(elsewhere.filter(({ action }) => action === 'writer.started').length, 1)
})

test('two lives have two ids, and count by themselves', async () => {
  const lives = [catalogOf('life'), catalogOf('life')]
  for (const { catalog } of lives) await catalog.appendEvents([anEvent(tenant.tenantId)])
  const events = await eventsOf('life', tenant.tenantId)
  assert.deepEqual(numbersOf(events), [0, 0, 1, 1])
  assert.equal(new Set(events.map(event => event.writer?.id)).size, 2)
})

test('200 at once: no number twice, none left out, one beginning', async () => {
  const { catalog, acknowledged } = catalogOf('crowd')
  await Promise.all(Array.from({ length: 200 }, () => catalog.appendEvents([anEvent(tenant.tenantId)])))
  const events = await eventsOf('crowd', tenant.tenantId)
  assert.deepEqual(
    numbersOf(events),
    Array.from({ length: 201 }, (_, index) => index),
  )
  assert.equal(events.filter(({ action }) => action === 'writer.started').length, 1)
  assert.equal(new Set(acknowledged).size, 201)
})

test('what was not committed is not acknowledged: a lost batch, a rolled back transaction, a delivery sent twice', async () => {
  const { catalog, acknowledged } = catalogOf('lost')
  const { tenantId, connectorId } = tenant
  const taken = anEvent(tenantId)
  await catalog.appendEvents([taken])
  assert.equal(acknowledged.length, 2)
  await assert.rejects(catalog.appendEvents([anEvent(tenantId), taken]), { code: 'taken' })
  await assert.rejects(
    catalog.createMailbox(
      { id: 'mbx_none' as never, tenantId: newTenantId(), address: '1', name: 'x' },
      anEvent(tenantId),
    ),
  )
  const delivered = anIntake(tenant)
  await catalog.commitIntake(delivered, anEvent(tenantId))
  assert.equal(acknowledged.length, 3)
  const again = anIntake(tenant, { sourceKey: delivered.sourceKey })
  assert.equal((await catalog.commitIntake(again, anEvent(tenantId))).status, 'duplicate')
  assert.equal(connectorId, again.connectorId)
  await catalog.createMailbox(
    { id: `mbx_${tenantId.slice(4)}` as never, tenantId, address: '7001', name: 'Ward' },
    anEvent(tenantId),
  )
  const stored = await eventsOf('lost', tenantId)
  assert.deepEqual(new Set(acknowledged), new Set(stored.map(({ id }) => id)))
  assert.equal(acknowledged.length, 4)
})

test('a beginning that was lost is told again', () => {
  let now = new Date('2026-05-01T12:00:00.000Z')
  const writer = createEventWriter({ name: 'api', now: () => now })
  const tenantId = newTenantId()
  const actions = () => writer.stamp([anEvent(tenantId)]).map(({ leaf }) => decodeLeaf(leaf).action)
  assert.deepEqual(actions(), ['writer.started', 'tenant.changed'])
  assert.deepEqual(actions(), ['tenant.changed'])
  now = new Date(now.getTime() + 2_000)
  assert.deepEqual(actions(), ['writer.started', 'tenant.changed'])
  now = new Date(now.getTime() + 2_000)
  for (const record of writer.stamp([anEvent(tenantId)])) record.acknowledge()
  now = new Date(now.getTime() + 2_000)
  assert.deepEqual(actions(), ['tenant.changed'])
})

test('a statement whose connection was broken off is not acknowledged, whether it was committed or not', async () => {
  const { catalog, acknowledged } = catalogOf('aborted')
  const abort = new AbortController()
  const client = await database.superuserPool.connect()
  try {
    await client.query('begin; lock table auricle.audit_event in access exclusive mode')
    const appending = catalog.appendEvents([anEvent(tenant.tenantId)], { signal: abort.signal })
    const refused = assert.rejects(appending, { name: 'AbortError' })
    abort.abort(new DOMException('given up', 'AbortError'))
    await refused
  } finally {
    await client.query('rollback')
    client.release()
  }
  assert.deepEqual(acknowledged, [])
})
