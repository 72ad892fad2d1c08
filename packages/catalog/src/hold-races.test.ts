// Legal holds against whatever archives, relabels or destroys at the same moment, on connections of their own, in either
// order: what a hold is about is held, or it is named as gone.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { newDispositionId, newPatientId, newRuleId, type RecordingId } from '@auricle/contract'
import pg from 'pg'
import {
  anEvent,
  anIntake,
  archiveRecording,
  createTestTenant,
  type TestTenant,
} from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { aClause, createHolding, everything, type Holding } from '../../../test/holds.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import { indexReference } from './blind-index.ts'
import type { Catalog } from './catalog.ts'
import { createCatalog } from './create-catalog.ts'

let database: TestDatabase
let catalog: Catalog
let tenant: TestTenant
let holding: Holding

const event = async () => anEvent(tenant.tenantId)

before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
})
beforeEach(async () => {
  tenant = await createTestTenant(catalog)
  holding = createHolding(catalog, database.appPool, tenant)
})
after(() => database[Symbol.asyncDispose]())

describe('at the same time as', () => {
  /** A connection of the services' role with a transaction of the tenant open. */
  async function connection() {
    const client = new pg.Client(database.app)
    await client.connect()
    await client.query('begin')
    await client.query("select set_config('auricle.tenant', $1, true)", [tenant.tenantId])
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    return {
      query: <R extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
        client.query<R>(text, values),
      pid: rows[0]?.pid ?? 0,
      async [Symbol.asyncDispose]() {
        await client.end()
      },
    }
  }

  async function until(condition: string, pid: number): Promise<void> {
    while (true) {
      const { rows } = await database.superuserPool.query(`select from pg_stat_activity where ${condition}`, [
        pid,
      ])
      if (rows.length > 0) return
      await setTimeout(5)
    }
  }
  /** Resolves when some session waits for a lock that `pid` has. */
  const waitsFor = (pid: number) => until('$1 = any (pg_blocking_pids(pid))', pid)
  const isBlocked = (pid: number) => until('pid = $1 and cardinality(pg_blocking_pids(pid)) > 0', pid)

  const coverIn = (client: Awaited<ReturnType<typeof connection>>, id: RecordingId) =>
    client.query('select auricle.cover_recording($1, $2, $3)', [tenant.tenantId, id, holding.tick()])

  /** An archive as far as the recording's row, in a transaction of its own. */
  async function archiving() {
    const intake = anIntake(tenant)
    await catalog.commitIntake(intake, await event())
    const template = await archiveRecording(catalog, tenant)
    const client = await connection()
    await client.query(
      `insert into auricle.recording select (jsonb_populate_record(r, jsonb_build_object(
         'id', $2::text, 'intake_id', $3::text))).* from auricle.recording r where r.id = $1`,
      [template.id, intake.recordingId, intake.id],
    )
    return { client, id: intake.recordingId }
  }

  test('an archive: whichever is first, the new recording is held', async () => {
    {
      // The archive has looked for holds, and has yet to commit: the hold waits for it and finds the recording.
      const { client, id } = await archiving()
      await using _ = client
      await coverIn(client, id)
      const placing = holding.place({ clauses: [everything] })
      await waitsFor(client.pid)
      await client.query('commit')
      const hold = await placing
      assert.deepEqual(await holding.covers(id), [hold.id])
    }
    {
      // The row is written and nobody looked yet: the hold does not see it, and is seen.
      const { client, id } = await archiving()
      await using _ = client
      const hold = await holding.place({ clauses: [everything] })
      await coverIn(client, id)
      await client.query('commit')
      assert.ok((await holding.covers(id)).includes(hold.id))
    }
    {
      // The hold has covered what there is and has yet to commit: the archive waits for it.
      const { client, id } = await archiving()
      await using _ = client
      const { promise: looked, resolve: look } = Promise.withResolvers<void>()
      const { promise: going, resolve: go } = Promise.withResolvers<void>()
      const hold = holding.aHold({ clauses: [everything] })
      const placing = catalog.placeHold(hold, tenant.columns, async () => {
        look()
        await going
        return anEvent(tenant.tenantId)
      })
      await looked
      const covering = coverIn(client, id)
      await isBlocked(client.pid)
      go()
      await placing
      await covering
      await client.query('commit')
      assert.ok((await holding.covers(id)).includes(hold.id))
    }
  })

  test('a label put on: whichever is first, the recording is held', async () => {
    const label = async (client: Awaited<ReturnType<typeof connection>>, id: RecordingId) => {
      await client.query("update auricle.recording set labels = '{vip}' where id = $1", [id])
    }
    const asksForVip = { clauses: [aClause({ label: 'vip' })] }
    const one = await archiveRecording(catalog, tenant)
    {
      await using client = await connection()
      await label(client, one.id)
      await coverIn(client, one.id)
      const placing = holding.place(asksForVip)
      await waitsFor(client.pid)
      await client.query('commit')
      const hold = await placing
      assert.deepEqual(await holding.covers(one.id), [hold.id])
    }
    const two = await archiveRecording(catalog, tenant)
    {
      await using client = await connection()
      await label(client, two.id)
      const hold = await holding.place(asksForVip)
      assert.deepEqual(await holding.covers(two.id), [])
      await coverIn(client, two.id)
      await client.query('commit')
      assert.ok((await holding.covers(two.id)).includes(hold.id))
    }
  })

  test('the naming of patients: neither waits for the other for ever, and the recording is held', async () => {
    const { tenantId, columns } = tenant
    const { id } = await archiveRecording(catalog, tenant, { patientReference: 'MRN-41' })
    const asked = await catalog.ensurePatient(tenantId, 'MRN-42', columns)
    // Somebody else makes the same patient: the naming has its recordings by then, and waits.
    await using client = await connection()
    const patientId = newPatientId()
    await client.query(
      `insert into auricle.patient (tenant_id, id, reference_index, reference, created_at)
       values ($1, $2, $3, '\\x01', now())`,
      [tenantId, patientId, indexReference(columns, 'MRN-41')],
    )
    const naming = catalog.nameRecordings(tenantId, [id], columns)
    await waitsFor(client.pid)
    const { promise: looked, resolve: look } = Promise.withResolvers<void>()
    const scope = { clauses: [aClause({ patientId: asked }), everything] }
    const placing = catalog.placeHold(holding.aHold(scope), columns, async () => {
      look()
      return anEvent(tenantId)
    })
    await looked
    await client.query('commit')
    assert.deepEqual(await naming, { named: 1, damaged: 0 })
    assert.equal((await placing).covered, 1)
    assert.equal((await holding.covers(id)).length, 1)
  })

  /** A recording that may be destroyed, as far as rules and reviewers go. */
  async function doomed(): Promise<RecordingId> {
    const { id } = await archiveRecording(catalog, tenant, { patientReference: null })
    const disposition = newDispositionId()
    const rule = newRuleId()
    const long = new Date(0)
    await holding.inTenant(
      `insert into auricle.disposition (tenant_id, id, state, kind, proposed_at, stages, ready_at)
       values ($1, $2, 'destroying', 'automatic', $3, 0, $3)`,
      [tenant.tenantId, disposition, long],
    )
    await holding.inTenant(
      `insert into auricle.disposition_item (tenant_id, disposition_id, recording_id, state, rule_id, rule_version,
         keep_until, due_at, changed_at) values ($1, $2, $3, 'listed', $4, 1, $5, $5, $5)`,
      [tenant.tenantId, disposition, id, rule, long],
    )
    await holding.inTenant(
      'update auricle.retention_decision set superseded_at = now() where recording_id = $1',
      [id],
    )
    await holding.inTenant(
      `insert into auricle.retention_decision (tenant_id, recording_id, decided_at, revision, status, rule_id,
         rule_version, keep_until, due_at, disposal, locked)
       values ($1, $2, now(), 0, 'kept', $3, 1, $4, $4, 'automatic', false)`,
      [tenant.tenantId, id, rule, long],
    )
    return id
  }
  type Run = (text: string, values: unknown[]) => Promise<readonly { readonly refusal: string | null }[]>
  const refusal = async (run: Run, name: string, id: RecordingId) => {
    const values = [tenant.tenantId, id, holding.tick()]
    const [row] = await run(`select auricle.${name}($1, $2, $3) as refusal`, values)
    return row?.refusal
  }
  const inClient =
    ({ query }: Awaited<ReturnType<typeof connection>>): Run =>
    async (text, values) =>
      (await query<{ refusal: string | null }>(text, values)).rows

  for (const name of ['refuses_destruction', 'begin_destruction'] as const) {
    test(`${name}: what looked first is waited for, and nothing is looked at after`, async () => {
      const scopes = [() => ({ clauses: [everything] }), (id: RecordingId) => ({ recordings: [id] })]
      for (const scope of scopes) {
        const id = await doomed()
        await using client = await connection()
        assert.equal(await refusal(inClient(client), name, id), null)
        const placing = holding.place(scope(id))
        await waitsFor(client.pid)
        // The same transaction looks again while the hold waits: it is not refused, and does not wait either.
        assert.equal(await refusal(inClient(client), name, id), null)
        await client.query('commit')
        const hold = await placing
        assert.deepEqual(hold.destroying, name === 'begin_destruction' ? [id] : [])
        assert.deepEqual(await holding.covers(id), [hold.id])
        assert.equal(await refusal(holding.inTenant, name, id), 'held')
        await holding.release(hold.id)
        assert.equal(await refusal(holding.inTenant, name, id), null)
      }
    })

    test(`${name}: a hold that was placed first is seen, also one that has yet to commit`, async () => {
      const id = await doomed()
      const { promise: looked, resolve: look } = Promise.withResolvers<void>()
      const { promise: going, resolve: go } = Promise.withResolvers<void>()
      const placing = catalog.placeHold(holding.aHold({ recordings: [id] }), tenant.columns, async () => {
        look()
        await going
        return anEvent(tenant.tenantId)
      })
      await looked
      await using client = await connection()
      const asked = refusal(inClient(client), name, id)
      await isBlocked(client.pid)
      go()
      await placing
      assert.equal(await asked, 'held')
      await client.query('commit')
    })
  }

  test('its own end: a release and a recording that comes under it leave nothing held for ever', async () => {
    for (let round = 0; round < 10; round++) {
      const hold = await holding.place({ clauses: [everything] })
      const { id } = await archiveRecording(catalog, tenant)
      await Promise.all([holding.release(hold.id), holding.cover(id), holding.cover(id)])
      assert.deepEqual(await holding.covers(id), [])
    }
  })

  test('the end of another: stores are asked by whichever release is last', async () => {
    for (let round = 0; round < 10; round++) {
      const { id } = await archiveRecording(catalog, tenant)
      const [one, two] = [
        await holding.place({ recordings: [id] }),
        await holding.place({ recordings: [id] }),
      ]
      await holding.forgetStoreWork()
      await Promise.all(
        round % 2 === 0
          ? [holding.release(one.id), holding.release(two.id)]
          : [holding.release(one.id), holding.releaseCover(two.id, id)],
      )
      assert.deepEqual(await holding.covers(id), [])
      assert.ok((await holding.askedStores()).has(id))
    }
  })

  test('others of its kind: many holds over the same recordings all stand', async () => {
    const ids: RecordingId[] = []
    for (let index = 0; index < 5; index++) ids.push((await archiveRecording(catalog, tenant)).id)
    const holds = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        holding.place(index % 2 === 0 ? { clauses: [everything] } : { recordings: ids.toReversed() }),
      ),
    )
    assert.ok(holds.every(({ covered }) => covered === ids.length))
    for (const id of ids) assert.equal((await holding.covers(id)).length, holds.length)
  })

  test('a change that told nobody: what a clause asks for by then is not destroyed, and is held from then on', async () => {
    const id = await doomed()
    const hold = await holding.place({ clauses: [aClause({ label: 'vip' })] })
    assert.equal(await refusal(holding.inTenant, 'refuses_destruction', id), null)
    await holding.inTenant("update auricle.recording set labels = '{vip}' where id = $1", [id])
    assert.deepEqual(await holding.covers(id), [])
    assert.equal(await refusal(holding.inTenant, 'refuses_destruction', id), 'held')
    assert.deepEqual(await holding.covers(id), [hold.id])
    assert.ok((await holding.askedStores()).has(id))
    // What somebody took out stays out.
    assert.equal(await holding.releaseCover(hold.id, id), true)
    assert.equal(await refusal(holding.inTenant, 'refuses_destruction', id), null)
  })

  test('the naming of a patient: what may be the one whom a hold is about is not destroyed before', async () => {
    const id = await doomed()
    const reference = `MRN-${randomBytes(4).toString('hex')}`
    const patientId = await catalog.ensurePatient(tenant.tenantId, reference, tenant.columns)
    assert.equal(await refusal(holding.inTenant, 'refuses_destruction', id), null)
    const hold = await holding.place({ clauses: [aClause({ patientId })] })
    assert.equal(await refusal(holding.inTenant, 'refuses_destruction', id), null)
    await database.superuserPool.query(
      `update auricle.recording set patient_reference = '\\x01' where id = $1`,
      [id],
    )
    assert.equal(await refusal(holding.inTenant, 'refuses_destruction', id), 'held')
    await holding.release(hold.id)
    assert.equal(await refusal(holding.inTenant, 'refuses_destruction', id), null)
  })
})
