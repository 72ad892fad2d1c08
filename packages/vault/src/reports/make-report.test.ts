// A report of one section asks the database for what that section shows and no more; what it shows is the same.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Catalog, createCatalog } from '@auricle/catalog'
import { ReportSection } from '@auricle/contract'
import fc from 'fast-check'
import { createTestTenant } from '../../../../test/catalog-fixture.ts'
import { aStamper } from '../../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.ts'
import { someHistory } from '../../../../test/retention-history.ts'
import { plantHistory } from '../../../../test/retention-history-rows.ts'
import { makeReport } from './make-report.ts'

let database: TestDatabase
let catalog: Catalog
before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
})
after(() => database[Symbol.asyncDispose]())

test('each section alone is what it is in the whole report, and no other is there', async () => {
  const shown = new Set<ReportSection>()
  await fc.assert(
    fc.asyncProperty(someHistory, async history => {
      const tenant = await createTestTenant(catalog)
      const { tenantId } = tenant
      await plantHistory(database.superuserPool, tenant, history, () => Buffer.from('sealed'))
      const [first] = history.asOf
      await database.superuserPool.query(
        `insert into auricle.drift_run (tenant_id, id, started_at, ended_at, recordings, objects)
         values ($1, 'dri_00000000000000000000000001', $2, $2, 2, 6)`,
        [tenantId, first],
      )
      for (const asOf of history.asOf) {
        const asked = { tenantId, columns: null, asOf, madeAt: asOf, linesMost: 5, cursor: null }
        const whole = await makeReport({ catalog }, { ...asked, sections: ReportSection.options }, {})
        for (const section of ReportSection.options) {
          const {
            tenant: of,
            asOf: at,
            madeAt,
            zone,
            ...parts
          } = await makeReport({ catalog }, { ...asked, sections: [section] }, {})
          assert.deepEqual([of, at, madeAt, zone], [whole.tenant, whole.asOf, whole.madeAt, whole.zone])
          const others = Object.fromEntries(ReportSection.options.map(name => [name, null]))
          assert.deepEqual(parts, { ...others, [section]: whole[section] })
          if (/[1-9]/.test(JSON.stringify(whole[section]))) shown.add(section)
        }
      }
    }),
    { numRuns: 15 },
  )
  assert.equal(shown.size, ReportSection.options.length, `only ${[...shown]} showed anything`)
})
