// Attempts: taken once, by the right answer, in time, and never readable where they lie.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newAttemptId } from '@auricle/contract'
import { anInstant, createTestTenant, type TestTenant } from '../../../test/catalog-fixture.ts'
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
  catalog = createCatalog({ pool: database.appPool })
  tenant = await createTestTenant(catalog)
  other = await createTestTenant(catalog)
})
after(() => database[Symbol.asyncDispose]())

const later = (ms: number) => new Date(anInstant.getTime() + ms)

async function added(): Promise<AttemptRow> {
  const attempt: AttemptRow = {
    tenantId: tenant.tenantId,
    id: newAttemptId(),
    kind: 'test',
    data: '{"nonce":"a secret nonce"}',
    createdAt: anInstant,
    expiresAt: later(60_000),
  }
  await catalog.addAttempt(attempt, tenant.columns)
  return attempt
}

test('of many who take one at once, one gets it', async () => {
  const { tenantId, id, kind, data } = await added()
  const taken = await Promise.all(
    Array.from({ length: 8 }, () =>
      catalog.spendAttempt({ tenantId, id, kind, now: later(1000) }, tenant.columns),
    ),
  )
  assert.deepEqual(
    taken.filter(one => one !== null),
    [data],
  )
})

test('another kind, another tenant, another id, and too late find nothing, and leave it there', async () => {
  const { tenantId, id, kind, data } = await added()
  const now = later(59_999)
  const wrong = [
    { tenantId, id, kind: 'other', now },
    { tenantId: other.tenantId, id, kind, now },
    { tenantId, id: newAttemptId(), kind, now },
    { tenantId, id, kind, now: later(60_000) },
  ]
  for (const attempt of wrong) assert.equal(await catalog.spendAttempt(attempt, tenant.columns), null)
  assert.equal(await catalog.spendAttempt({ tenantId, id, kind, now }, tenant.columns), data)
})

test('there is one of an id', async () => {
  const attempt = await added()
  await assert.rejects(catalog.addAttempt(attempt, tenant.columns), { code: 'taken' })
})

test('its data is sealed, for its own row and its own tenant', async () => {
  const { tenantId, id, kind } = await added()
  const { rows } = await database.superuserPool.query('select data from auricle.attempt where id = $1', [id])
  assert.ok(!Buffer.from(rows[0].data).includes('nonce'))
  const moved = await added()
  await database.superuserPool.query('update auricle.attempt set data = $2 where id = $1', [
    moved.id,
    rows[0].data,
  ])
  await assert.rejects(
    catalog.spendAttempt({ tenantId, id: moved.id, kind, now: later(1000) }, tenant.columns),
    { code: 'damaged' },
  )
  await assert.rejects(catalog.spendAttempt({ tenantId, id, kind, now: later(1000) }, other.columns), {
    code: 'damaged',
  })
})
