// Connectors changed in the database: one change of many that began from the same secrets, and none across tenants.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { anEvent, anInstant, createTestTenant, type TestTenant } from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import type { Catalog } from './catalog.ts'
import type { Rotation } from './connector-changes.ts'
import { createCatalog } from './create-catalog.ts'

const hourMs = 60 * 60_000

let database: TestDatabase
let catalog: Catalog
let tenant: TestTenant

before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper(), now: () => anInstant })
})
after(() => database[Symbol.asyncDispose]())

const later = (ms: number) => new Date(anInstant.getTime() + ms)

async function rotationOf(change: Partial<Rotation> = {}): Promise<Rotation> {
  const { tenantId, connectorId: id } = tenant
  const row = await catalog.findTenantConnector(tenantId, id)
  assert.ok(row)
  return {
    tenantId,
    id,
    at: anInstant,
    replaces: row.sealedSecrets,
    sealedSecrets: randomBytes(48),
    previousUntil: null,
    endOverlap: true,
    ...change,
  }
}

const rotate = (rotation: Rotation) => catalog.rotateConnector(rotation, anEvent(rotation.tenantId))

const events = async () => (await catalog.listEvents(tenant.tenantId, { afterId: null, limit: 1000 })).length

test('of many changes that began from the same secrets one is made, whatever they say of an overlap', async () => {
  for (const previousUntil of [null, later(hourMs)]) {
    tenant = await createTestTenant(catalog)
    const first = await rotationOf()
    const before = await events()
    const rotations = Array.from({ length: 8 }, () => ({
      ...first,
      sealedSecrets: randomBytes(48),
      previousUntil,
    }))
    const made = await Promise.all(rotations.map(rotate))
    assert.equal(made.filter(Boolean).length, 1)
    assert.equal(await events(), before + 1)
    const row = await catalog.findConnector(tenant.connectorId)
    const winner = rotations[made.indexOf(true)]
    assert.deepEqual(Buffer.from(row?.sealedSecrets ?? []), winner?.sealedSecrets)
    assert.deepEqual(row?.firstSealedSecrets, first.replaces)
    assert.deepEqual(
      row?.previous,
      previousUntil === null ? null : { sealedSecrets: first.replaces, until: previousUntil },
    )
  }
})

test('the secrets it was made with stay through every change, those in between do not', async () => {
  tenant = await createTestTenant(catalog)
  const first = await rotationOf({ previousUntil: later(hourMs) })
  assert.ok(await rotate(first))
  // An overlap that runs is not ended by the way; at its end it is over.
  assert.equal(await rotate(await rotationOf({ endOverlap: false, at: later(hourMs - 1) })), false)
  const second = await rotationOf({ endOverlap: false, at: later(hourMs), previousUntil: later(2 * hourMs) })
  assert.ok(await rotate(second))
  const row = await catalog.findConnector(tenant.connectorId)
  assert.deepEqual(row?.firstSealedSecrets, first.replaces)
  assert.deepEqual(row?.previous?.sealedSecrets, second.replaces)
  assert.deepEqual(Buffer.from(second.replaces), first.sealedSecrets)
})

test("another tenant's connector is not found and not changed", async () => {
  tenant = await createTestTenant(catalog)
  const other = await createTestTenant(catalog)
  const rotation = { ...(await rotationOf()), tenantId: other.tenantId }
  const whose = { tenantId: other.tenantId, id: tenant.connectorId, at: anInstant }
  assert.equal(await catalog.findTenantConnector(other.tenantId, tenant.connectorId), null)
  assert.equal(await rotate(rotation), false)
  assert.equal(await catalog.endConnectorOverlap(whose, anEvent(other.tenantId)), false)
  assert.equal(await catalog.disableConnector(whose, anEvent(other.tenantId)), false)
  await catalog.notePreviousSecret(whose)
  const row = await catalog.findConnector(tenant.connectorId)
  assert.deepEqual(
    [row?.sealedSecrets, row?.disabledAt, row?.previousUsedAt],
    [rotation.replaces, null, null],
  )
})
