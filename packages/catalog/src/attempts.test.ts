// Attempts on a real database: taken once, by the right kind of answer, in time, within their tenant.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newAttemptId } from '@auricle/contract'
import { anInstant, createTestTenant, type TestTenant } from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import type { AttemptRow } from './attempts.ts'
import type { Catalog } from './catalog.ts'
import { createCatalog } from './create-catalog.ts'

let database: TestDatabase
let catalog: Catalog
let tenant: TestTenant
let other: TestTenant

before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
  tenant = await createTestTenant(catalog)
  other = await createTestTenant(catalog)
})
after(() => database[Symbol.asyncDispose]())

const expiresAt = new Date(anInstant.getTime() + 300_000)

async function add(change: Partial<AttemptRow> = {}) {
  const { tenantId, columns } = tenant
  const attempt = {
    ...{ tenantId, id: newAttemptId(), kind: 'a_kind', data: '{"challenge":"swordfish"}' },
    ...{ createdAt: anInstant, expiresAt },
    ...change,
  }
  await catalog.addAttempt(attempt, columns)
  return { tenantId: attempt.tenantId, id: attempt.id, kind: attempt.kind, now: anInstant }
}

test('it is found as often as one likes, and taken once, however many come at the same time', async () => {
  const answer = await add({ userId: tenant.userId })
  const found = { userId: tenant.userId, data: '{"challenge":"swordfish"}' }
  assert.deepEqual(await catalog.findAttempt(answer, tenant.columns), found)
  const taken = await Promise.all([1, 2, 3, 4].map(() => catalog.spendAttempt(answer, tenant.columns)))
  assert.deepEqual(
    taken.filter(data => data !== null),
    [found.data],
  )
  assert.equal(await catalog.findAttempt(answer, tenant.columns), null)
  assert.equal(await catalog.spendAttempt(answer, tenant.columns), null)
  assert.equal(await catalog.tenantOfAttempt(answer.id), tenant.tenantId)
})

test('another kind, another tenant, another id and a later time do not find it, and leave it to be taken', async () => {
  const answer = await add()
  const misses = [
    { ...answer, kind: 'another_kind' },
    { ...answer, tenantId: other.tenantId },
    { ...answer, id: newAttemptId() },
    { ...answer, now: expiresAt },
  ]
  for (const miss of misses) {
    assert.equal(await catalog.findAttempt(miss, tenant.columns), null)
    assert.equal(await catalog.spendAttempt(miss, tenant.columns), null)
  }
  const justInTime = { ...answer, now: new Date(expiresAt.getTime() - 1) }
  assert.equal(await catalog.spendAttempt(justInTime, tenant.columns), '{"challenge":"swordfish"}')
  assert.equal(await catalog.tenantOfAttempt(newAttemptId()), null)
})

test('an id is taken once', async () => {
  const { id } = await add()
  await assert.rejects(add({ id }), { name: 'CatalogError', code: 'taken' })
  await assert.rejects(add({ id, tenantId: other.tenantId }), { name: 'CatalogError', code: 'taken' })
})

test('what it holds is sealed, and does not open in the place of another', async () => {
  const one = await add()
  const two = await add({ data: 'other' })
  const pool = database.superuserPool
  const { rows } = await pool.query('select data from auricle.attempt where id = $1', [one.id])
  assert.equal(rows[0].data.includes('swordfish'), false)
  await pool.query(
    'update auricle.attempt set data = (select data from auricle.attempt where id = $1) where id = $2',
    [one.id, two.id],
  )
  await assert.rejects(catalog.findAttempt(two, tenant.columns), { name: 'CatalogError', code: 'damaged' })
})
