// Certificates on PostgreSQL: added with a transaction or not at all, issued once, listed by when recordings went.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { newCertificateId, newEventId, type RecordingId } from '@auricle/contract'
import {
  anEvent,
  anInstant,
  archiveRecording,
  createTestTenant,
  type TestTenant,
} from '../../../test/catalog-fixture.ts'
import { type Destroyed, destroyRows, eventIdOf } from '../../../test/destroyed.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import type { Catalog } from './catalog.ts'
import { addCertificate } from './certificates.ts'
import { createCatalog } from './create-catalog.ts'
import { createDatabase } from './database.ts'

const dayMs = 86_400_000
const later = (days: number) => new Date(anInstant.getTime() + days * dayMs)

let database: TestDatabase
let catalog: Catalog
let tenant: TestTenant
let foreign: TestTenant

before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
})
beforeEach(async () => {
  tenant = await createTestTenant(catalog)
  foreign = await createTestTenant(catalog)
})
after(() => database[Symbol.asyncDispose]())

async function destroyed(at: Date, of: TestTenant = tenant): Promise<Destroyed & { id: RecordingId }> {
  const { id } = await archiveRecording(catalog, of, { receivedAt: anInstant })
  const parts = { pool: database.appPool, catalog }
  return { ...(await destroyRows(parts, { tenantId: of.tenantId, recordingId: id }, { at })), id }
}

describe('certificates', () => {
  test('are issued once, with their event, and found by their recording', async () => {
    const { id, claims, ...rest } = await destroyed(later(4000))
    const unissued = await catalog.listUnissuedCertificates(tenant.tenantId, { afterId: null, limit: 10 })
    assert.deepEqual(unissued, [
      {
        ...{ id: claims.jti, recordingId: id, dispositionId: claims.disposition, claims, issued: null },
        ...{ eventId: eventIdOf({ claims, ...rest }), lastCopyAt: later(4035) },
      },
    ])
    const issue = (jws: string) =>
      catalog.issueCertificate(
        { tenantId: tenant.tenantId, id: claims.jti, jws, at: later(4001) },
        anEvent(tenant.tenantId),
      )
    const events = async () =>
      (await catalog.listEvents(tenant.tenantId, { afterId: null, limit: 1000 })).length
    const before = await events()
    assert.deepEqual(await Promise.all([issue('one'), issue('one')]).then(all => all.toSorted()), [
      false,
      true,
    ])
    assert.equal(await issue('two'), false)
    assert.equal(await events(), before + 1)
    const found = await catalog.findCertificate(tenant.tenantId, id)
    assert.deepEqual(found?.issued, { jws: 'one', at: later(4001) })
    const none = await catalog.listUnissuedCertificates(tenant.tenantId, { afterId: null, limit: 10 })
    assert.deepEqual(none, [])
  })

  test('are of their tenant alone', async () => {
    const { id, claims } = await destroyed(later(4000))
    assert.equal(await catalog.findCertificate(foreign.tenantId, id), null)
    const wrong = { tenantId: foreign.tenantId, id: claims.jti, jws: 'one', at: later(1) }
    assert.equal(await catalog.issueCertificate(wrong, anEvent(foreign.tenantId)), false)
    const page = { from: null, to: null, cursor: null, limit: 10 }
    assert.deepEqual((await catalog.listCertificates(foreign.tenantId, page)).certificates, [])
  })

  test('are listed from the newest destruction on, page by page, within the times asked for', async () => {
    const made = []
    for (const days of [3000, 3001, 3001, 3002]) made.push(await destroyed(later(days)))
    const idsOf = async (from: Date | null, to: Date | null, limit: number) => {
      const ids: string[] = []
      for (let cursor: string | null = null, pages = 0; pages < 10; pages++) {
        const page = await catalog.listCertificates(tenant.tenantId, { from, to, cursor, limit })
        ids.push(...page.certificates.map(({ recordingId }) => recordingId))
        cursor = page.nextCursor
        if (cursor === null) break
      }
      return ids
    }
    const ids = made.map(({ id }) => id)
    const [oldest = '', ...others] = ids
    const newest = others.pop() ?? ''
    const expected = [newest, ...others.toSorted().reverse(), oldest]
    assert.deepEqual(await idsOf(null, null, 1), expected)
    assert.deepEqual(await idsOf(null, null, 3), expected)
    assert.deepEqual(await idsOf(later(3001), later(3002), 50), expected.slice(1, 3))
    const bad = { from: null, to: null, cursor: 'none', limit: 1 }
    await assert.rejects(catalog.listCertificates(tenant.tenantId, bad), { code: 'bad_cursor' })
  })

  test('come with the transaction that adds them, or not at all', async () => {
    const { id, claims } = await destroyed(later(4000))
    const other = await archiveRecording(catalog, tenant)
    const transactions = createDatabase(database.appPool, aStamper())
    const certificate = {
      ...{ tenantId: tenant.tenantId, dispositionId: claims.disposition, eventId: newEventId(), claims },
      id: newCertificateId(),
    }
    const add = (recordingId: RecordingId, fails: boolean) =>
      transactions.inTenant(tenant.tenantId, async session => {
        await addCertificate(session, { ...certificate, recordingId })
        if (fails) throw new Error('as it is')
      })
    await assert.rejects(add(other.id, true))
    assert.equal(await catalog.findCertificate(tenant.tenantId, other.id), null)
    await add(other.id, false)
    assert.deepEqual((await catalog.findCertificate(tenant.tenantId, other.id))?.claims, claims)
    await assert.rejects(add(id, false), { code: 'taken' })
  })
})
