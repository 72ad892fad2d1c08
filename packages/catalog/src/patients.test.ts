// Patients under random names: one name a reference and tenant, told to nobody without the key.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newPatientId } from '@auricle/contract'
import fc from 'fast-check'
import { archiveRecording, createTestTenant, type TestTenant } from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
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

const ensure = (reference: string, of = tenant) =>
  catalog.ensurePatient(of.tenantId, reference, of.columns).then(id => id ?? assert.fail())

test('whatever the reference, it has one name, is found by it, and reads back as it was given first', async () => {
  const first = new Map<string, string>()
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 64 }).filter(text => text.trim() !== ''),
      fc.constantFrom('', ' ', '\t\n '),
      async (reference, space) => {
        const id = await ensure(reference)
        assert.equal(await ensure(`${space}${reference.normalize('NFD')}${space}`), id)
        assert.equal(await catalog.findPatient(tenant.tenantId, reference, tenant.columns), id)
        if (!first.has(id)) first.set(id, reference)
        const opened = await catalog.findPatientReference(tenant.tenantId, id, tenant.columns)
        assert.equal(opened, first.get(id))
      },
    ),
    { numRuns: 40 },
  )
  assert.notEqual(await ensure('MRN-1'), await ensure('mrn-1'))
})

test('asked for by many at once it is made once', async () => {
  const ids = await Promise.all(Array.from({ length: 16 }, () => ensure('at once')))
  assert.equal(new Set(ids).size, 1)
})

test('the same reference has another name with another tenant, and neither opens for the other', async () => {
  const [mine, theirs] = [await ensure('MRN-7'), await ensure('MRN-7', other)]
  assert.notEqual(mine, theirs)
  assert.equal(await catalog.findPatientReference(tenant.tenantId, theirs, tenant.columns), null)
  assert.equal(await catalog.findPatient(tenant.tenantId, 'MRN-7', other.columns), null)
  await assert.rejects(catalog.findPatientReference(tenant.tenantId, mine, other.columns), {
    code: 'damaged',
  })
})

test('nobody has no name, and an unknown one stands for nobody', async () => {
  for (const blank of ['', ' ', '\n\t'])
    assert.equal(await catalog.ensurePatient(tenant.tenantId, blank, tenant.columns), null)
  assert.equal(await catalog.findPatient(tenant.tenantId, ' ', tenant.columns), null)
  assert.equal(await catalog.findPatient(tenant.tenantId, 'nobody', tenant.columns), null)
  assert.equal(await catalog.findPatientReference(tenant.tenantId, newPatientId(), tenant.columns), null)
})

test('recordings from before get their names, all but those whose reference does not open', async () => {
  const old = await createTestTenant(catalog)
  const { tenantId, columns } = old
  const made = []
  for (const patientReference of ['A', 'B', 'A', null, ' ', 'C'])
    made.push(await archiveRecording(catalog, old, { patientReference }))
  const damaged = made.at(-1)?.id ?? assert.fail()
  await database.superuserPool.query(
    `update auricle.recording set patient_reference = '\\x01' where id = $1`,
    [damaged],
  )
  const ids = await catalog.listUnnamedRecordings(tenantId, null, 10)
  assert.equal(ids.length, 5)
  assert.deepEqual(await catalog.listUnnamedRecordings(tenantId, ids[1] ?? null, 2), ids.slice(2, 4))
  assert.deepEqual(await catalog.nameRecordings(tenantId, ids, columns), { named: 3, damaged: 1 })
  const rows = await database.superuserPool.query(
    'select id, patient_id from auricle.recording where tenant_id = $1',
    [tenantId],
  )
  const names = new Map(rows.rows.map(row => [row.id, row.patient_id]))
  const [a, b, again, none, blank] = made.map(({ id }) => names.get(id))
  assert.equal(a, await ensure('A', old))
  assert.equal(b, await ensure('B', old))
  assert.deepEqual([again, none, blank, names.get(damaged)], [a, null, null, null])
  // Whose patient has a name now may be kept otherwise.
  const stale = await catalog.listStale(tenantId, { after: null, limit: 10 })
  const named = made.filter(({ id }) => (names.get(id) ?? null) !== null).map(({ id }) => id)
  assert.deepEqual(stale.map(({ recordingId }) => recordingId).sort(), named.sort())
  assert.deepEqual(await catalog.nameRecordings(tenantId, ids, columns), { named: 0, damaged: 1 })
})

test('the database holds no reference in clear', async () => {
  await ensure('a reference to look for')
  const { rows } = await database.superuserPool.query('select t::text as row from auricle.patient t')
  const hex = Buffer.from('a reference to look for').toString('hex')
  for (const { row } of rows) assert.ok(!row.includes('a reference') && !row.includes(hex))
})
