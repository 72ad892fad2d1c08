// What owes a copy is found whoever's it is, marked once, and never lost; a recovery store configured late finds it all.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newRecordingId } from '@auricle/contract'
import {
  anEvent,
  archiveRecording,
  createTestTenant,
  type TestTenant,
} from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import type { Catalog, RecordingFacts } from './catalog.ts'
import { createCatalog } from './create-catalog.ts'
import { createPool } from './pool.ts'

let database: TestDatabase
let catalog: Catalog
let one: TestTenant
let two: TestTenant

const minuteMs = 60_000
const soon = () => new Date(Date.now() + minuteMs)

before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
  one = await createTestTenant(catalog)
  two = await createTestTenant(catalog)
})
after(() => database[Symbol.asyncDispose]())

const copiesOf = (generation = 'g1') =>
  (['original', 'playback', 'peaks'] as const).map(role => ({
    ...{ role, generation: `${generation}-${role}` },
    ...{ until: new Date('2100-01-01'), held: false },
  }))

const countEvents = async () => {
  const { rows } = await database.superuserPool.query(
    'select count(*)::int as count from auricle.audit_event',
  )
  return Number(rows[0].count)
}

async function replicateAll(): Promise<void> {
  for (const { tenantId, recordingId } of await catalog.listUnreplicated(soon(), 1000)) {
    await catalog.commitReplication({ tenantId, recordingId, copies: copiesOf() }, anEvent(tenantId))
  }
}

const ids = (list: readonly { readonly recordingId: string }[]) => list.map(item => item.recordingId).sort()
const idsOf = (made: readonly RecordingFacts[]) => made.map(({ id }) => id).sort()

test('what was archived owes a copy, of whatever tenant; once marked it owes none', async () => {
  const made = [await archiveRecording(catalog, one), await archiveRecording(catalog, two)]
  assert.deepEqual(ids(await catalog.listUnreplicated(soon(), 10)), idsOf(made))
  assert.deepEqual(await catalog.listUnreplicated(new Date(Date.now() - minuteMs), 10), [])
  const backlog = await catalog.replicationBacklog()
  assert.deepEqual([backlog.objects, backlog.damaged], [6, 0])
  assert.ok(backlog.owedAt !== null && Math.abs(Date.now() - backlog.owedAt.getTime()) < minuteMs)

  const [first] = made
  const { tenantId, id: recordingId, retainUntil } = first ?? assert.fail()
  const facts = await catalog.findReplication(tenantId, recordingId)
  assert.deepEqual([facts?.keepUntil, facts?.attempts, facts?.objects.length], [retainUntil, 0, 3])
  assert.ok(facts?.objects.every(({ copy }) => copy === null))

  const replication = { tenantId, recordingId, copies: copiesOf() }
  const events = await countEvents()
  assert.equal(await catalog.commitReplication(replication, anEvent(tenantId)), 'replicated')
  assert.equal(await catalog.commitReplication(replication, anEvent(tenantId)), 'already')
  assert.equal(await countEvents(), events + 1)
  const objects = await catalog.listObjects(tenantId, recordingId)
  assert.deepEqual(objects.map(({ copy, role }) => `${role} ${copy?.generation}`).sort(), [
    'original g1-original',
    'peaks g1-peaks',
    'playback g1-playback',
  ])
  assert.deepEqual(ids(await catalog.listUnreplicated(soon(), 10)), idsOf(made.slice(1)))
  assert.equal((await catalog.replicationBacklog()).objects, 3)
  await replicateAll()
  assert.deepEqual(await catalog.replicationBacklog(), { objects: 0, damaged: 0, owedAt: null })
})

test('of several commits at once one writes, and no two wait for each other for ever', async () => {
  const { tenantId, id: recordingId } = await archiveRecording(catalog, one)
  const events = await countEvents()
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, (_, index) => {
      const copies = index % 2 === 0 ? copiesOf(`g${index}`) : copiesOf(`g${index}`).reverse()
      return catalog.commitReplication({ tenantId, recordingId, copies }, anEvent(tenantId))
    }),
  )
  assert.deepEqual(outcomes.sort(), [...Array.from({ length: 7 }, () => 'already'), 'replicated'])
  assert.equal(await countEvents(), events + 1)
  const generations = (await catalog.listObjects(tenantId, recordingId)).map(({ copy }) =>
    copy?.generation.slice(0, 2),
  )
  assert.equal(new Set(generations).size, 1, 'all of one commit')
})

test('a failed attempt is counted and waits until its time; what is marked meanwhile stays marked', async () => {
  const { tenantId, id: recordingId } = await archiveRecording(catalog, one)
  const fail = (errorCode: string, nextAttemptAt: Date) =>
    catalog.commitReplicationFailure({ tenantId, recordingId, errorCode, nextAttemptAt })
  await fail('unavailable', new Date(Date.now() + 10 * minuteMs))
  assert.deepEqual(await catalog.listUnreplicated(soon(), 10), [])
  assert.equal((await catalog.findReplication(tenantId, recordingId))?.attempts, 1)
  assert.deepEqual((await catalog.replicationBacklog()).damaged, 0)
  await fail('damaged', new Date(Date.now() - minuteMs))
  assert.deepEqual(ids(await catalog.listUnreplicated(soon(), 10)), [recordingId])
  assert.equal((await catalog.replicationBacklog()).damaged, 3)
  assert.equal((await catalog.findReplication(tenantId, recordingId))?.attempts, 2)

  await replicateAll()
  await fail('unavailable', new Date())
  assert.deepEqual(await catalog.listUnreplicated(soon(), 10), [])
  assert.deepEqual(await catalog.replicationBacklog(), { objects: 0, damaged: 0, owedAt: null })
})

test('one tenant can neither see nor mark what another owes', async () => {
  const { id: recordingId } = await archiveRecording(catalog, one)
  const theirs = { tenantId: two.tenantId, recordingId, copies: copiesOf() }
  const events = await countEvents()
  assert.equal(await catalog.findReplication(two.tenantId, recordingId), null)
  assert.equal(await catalog.commitReplication(theirs, anEvent(two.tenantId)), 'already')
  const { tenantId } = two
  const failure = { tenantId, recordingId, errorCode: 'damaged', nextAttemptAt: new Date(2100, 0) }
  await catalog.commitReplicationFailure(failure)
  assert.equal(await countEvents(), events)
  assert.deepEqual(ids(await catalog.listUnreplicated(soon(), 10)), [recordingId])
  assert.equal(await catalog.findReplication(one.tenantId, newRecordingId()), null)
  await assert.rejects(
    catalog.commitReplication({ ...theirs, tenantId: one.tenantId }, anEvent(two.tenantId)),
    {
      code: 'refused',
    },
  )
  assert.equal((await catalog.findReplication(one.tenantId, recordingId))?.objects[0]?.copy, null)
  await replicateAll()
})

test('among many that have a copy, the ones without are found by their index, the longest due first', async () => {
  const made = []
  for (let index = 0; index < 6; index++)
    made.push(await archiveRecording(catalog, index % 2 === 0 ? one : two))
  for (const [index, { tenantId, id: recordingId }] of made.entries()) {
    const nextAttemptAt = new Date(Date.now() - (index + 1) * minuteMs)
    await catalog.commitReplicationFailure({ tenantId, recordingId, errorCode: 'unavailable', nextAttemptAt })
  }
  const oldest = made.map(({ id }) => id).reverse()
  const page = await catalog.listUnreplicated(soon(), 4)
  assert.deepEqual(
    page.map(({ recordingId }) => recordingId),
    oldest.slice(0, 4),
  )
  // Copies in bulk, behind the curtain and past foreign keys: only the planner looks at them.
  const curtain = await database.superuserPool.connect()
  await curtain.query(
    `set session_replication_role = replica;
     insert into auricle.recording_object (tenant_id, recording_id, role, object_key, generation, sealed_bytes,
       plaintext_bytes, content_type, fingerprint, replicated_at, recovery_generation)
     select tenant_id, recording_id, role, object_key, generation, sealed_bytes, plaintext_bytes, content_type,
       fingerprint, now(), 'g' from (
         select (jsonb_populate_record(o, jsonb_build_object('recording_id', o.recording_id || n))).*
         from auricle.recording_object o, generate_series(1, 500) n
       ) copies`,
  )
  await curtain.query('analyze auricle.recording_object')
  curtain.release(true)
  const single = createPool(database.app, { maxConnections: 1 })
  try {
    // Once before, so that what the server reads of its own catalogues is not counted.
    await single.query('select * from auricle.unreplicated_recordings(now(), now(), 4)')
    const { rows } = await single.query({
      text: 'explain (analyze, buffers, format json) select * from auricle.unreplicated_recordings($1, now(), 4)',
      values: [soon()],
    })
    const [{ Plan: plan }] = rows[0]['QUERY PLAN']
    const pages = Number(plan['Shared Hit Blocks']) + Number(plan['Shared Read Blocks'])
    assert.ok(pages > 0 && pages < 100, `${pages} pages were read`)
  } finally {
    await single.end()
  }
  await replicateAll()
})
