import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { anEvent, anIntake, createTestTenant } from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase } from '../../../test/postgres.ts'
import { createCatalog } from './create-catalog.ts'
import { createPool } from './pool.ts'

const rows = 1200
/** Four or five rows a page: reading them all takes some 300. */
const noticeBytes = 1500
/** An index's way down, with what the server's own catalogues cost. */
const pagesMost = 100

test('a connection that saw the table empty still finds one source among many by its index', async () => {
  await using database = await createTestDatabase()
  // One connection for everything, so that its plans were made when there was nothing to read.
  await using pool = closing(createPool(database.app, { maxConnections: 1 }))
  const catalog = createCatalog({ pool: pool.pool, stamper: aStamper() })
  const tenant = await createTestTenant(catalog)
  const { tenantId, connectorId } = tenant
  const nobody = randomBytes(32)
  for (let call = 0; call < 10; call++) {
    assert.equal(await catalog.findIntakeBySource(tenantId, connectorId, nobody), null)
  }
  for (let row = 0; row < rows; row++) {
    await catalog.commitIntake(
      anIntake(tenant, { sealedNotice: randomBytes(noticeBytes) }),
      anEvent(tenantId),
    )
  }
  const explained = await pool.pool.query({
    text: `explain (analyze, buffers, format json)
      select * from auricle.find_intake_by_source($1, $2, $3)`,
    values: [tenantId, connectorId, nobody],
  })
  const [{ Plan: plan }] = explained.rows[0]['QUERY PLAN']
  const pages = Number(plan['Shared Hit Blocks']) + Number(plan['Shared Read Blocks'])
  assert.ok(pages > 0 && pages < pagesMost, `${pages} pages were read`)
})

function closing(pool: ReturnType<typeof createPool>) {
  return { pool, [Symbol.asyncDispose]: () => pool.end() }
}
