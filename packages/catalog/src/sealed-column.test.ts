// Sealed columns and blind indexes: what opens, what must not, and what the database's files show.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { archiveRecording, createTestTenant } from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase } from '../../../test/postgres.ts'
import { digitsOf, indexNumber } from './blind-index.ts'
import { deriveColumnKeys } from './column-keys.ts'
import { createCatalog } from './create-catalog.ts'
import { type ColumnPlace, openColumn, sealColumn } from './sealed-column.ts'

const keys = deriveColumnKeys(new Uint8Array(32).fill(7))
const place: ColumnPlace = { tenantId: 'ten_a', table: 'recording', column: 'note', rowId: 'rec_a' }
const damaged = { name: 'CatalogError', code: 'damaged' }

test('any text comes back, and no two seals of it are the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), value => {
      const sealed = sealColumn(keys, place, value)
      assert.equal(openColumn(keys, place, sealed), value)
      assert.notDeepEqual(sealColumn(keys, place, value), sealed)
    }),
  )
})

test('every flipped bit and every cut is refused', () => {
  const sealed = sealColumn(keys, place, 'a note')
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const altered = Uint8Array.from(sealed)
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.throws(() => openColumn(keys, place, altered), damaged, `bit ${bit}`)
  }
  for (let length = 0; length < sealed.length; length++) {
    assert.throws(() => openColumn(keys, place, sealed.subarray(0, length)), damaged, `${length} bytes`)
  }
})

test('a value moved to another tenant, table, column or row does not open, nor under other keys', () => {
  const sealed = sealColumn(keys, place, 'a note')
  for (const part of ['tenantId', 'table', 'column', 'rowId'] as const) {
    assert.throws(() => openColumn(keys, { ...place, [part]: `${place[part]}x` }, sealed), damaged, part)
  }
  assert.throws(() => openColumn(deriveColumnKeys(new Uint8Array(32)), place, sealed), damaged)
})

test('the layout is the documented one', () => {
  const iv = new Uint8Array(12).fill(1)
  const sealed = sealColumn(keys, place, 'a note', () => iv)
  // Computed from docs/catalog.md with another implementation of HKDF and AES-GCM.
  assert.equal(
    Buffer.from(sealed).toString('hex'),
    '010101010101010101010101014662b3b00462e65fee3397a4dd1e788959a6e3cf377a',
  )
  const index = indexNumber(keys, 'recording.from_number', '+1 (202) 555-0100')
  assert.equal(Buffer.from(index ?? []).toString('hex'), '8ce6cbecec99df4dee8eb268816424fe')
})

test('numbers are compared by their digits', () => {
  for (const [value, digits] of [
    ['+1 (202) 555-0100', '12025550100'],
    ['0012025550100', '0012025550100'],
    ['sip:1001@10.0.0.5;transport=udp', '1001'],
    ['tel:+1-202-555-0100;ext=12', '12025550100'],
    ['anonymous', ''],
    ['\u0661\u0662', ''],
  ] as const) {
    assert.equal(digitsOf(value), digits)
  }
})

test('an index differs by column and by tenant, and a value without digits has none', () => {
  const from = indexNumber(keys, 'recording.from_number', '12025550100')
  assert.deepEqual(from, indexNumber(keys, 'recording.from_number', '+1 202 555 0100'))
  assert.equal(from?.length, 16)
  assert.notDeepEqual(from, indexNumber(keys, 'recording.to_number', '12025550100'))
  const others = deriveColumnKeys(randomBytes(32))
  assert.notDeepEqual(from, indexNumber(others, 'recording.from_number', '12025550100'))
  assert.equal(indexNumber(keys, 'recording.from_number', 'anonymous'), null)
  assert.equal(indexNumber(keys, 'recording.from_number', null), null)
})

test('no byte of any table, index or log of the database shows what was sealed', async () => {
  await using database = await createTestDatabase()
  const catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
  const tenant = await createTestTenant(catalog)
  const marked = {
    sourceId: 'canary-source-1',
    from: '+1 900 555 0171',
    fromName: 'canary-name-1',
    to: '19005550172',
    patientReference: 'canary-mrn-1',
    note: 'canary-note-1',
  }
  const recording = await archiveRecording(catalog, tenant, marked)
  const found = await catalog.listRecordings(
    tenant.tenantId,
    { mailboxIds: null, withoutLabels: [], number: '1 (900) 555-0172', limit: 5 },
    tenant.columns,
  )
  assert.deepEqual(
    found.recordings.map(({ id }) => id),
    [recording.id],
  )

  await database.superuserPool.query('checkpoint')
  const { rows } = await database.superuserPool.query<{ name: string; content: Buffer }>(
    `select c.relname as name, pg_read_binary_file(pg_relation_filepath(c.oid)) as content
     from pg_class c where c.relkind in ('r', 'i', 't') and pg_relation_filepath(c.oid) is not null`,
  )
  const shows = (marker: string) =>
    rows.filter(({ content }) => content.includes(marker)).map(({ name }) => name)
  for (const marker of ['canary-', '900 555', '19005550171', '19005550172', 'JBSWY3DPEHPK3PXP']) {
    assert.deepEqual(shows(marker), [], marker)
  }
  assert.deepEqual(shows('Front desk'), ['mailbox'], 'the scan finds what is not sealed')
})
