// Leaves events in write-once storage as a process does that dies, and looks that each comes into the log once.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { decodeLeaf, newRecord, type StampedRecord } from '@auricle/audit'
import { type Catalog, createCatalog } from '@auricle/catalog'
import { newEventId } from '@auricle/contract'
import { createFolderStore, type FolderStore } from '@auricle/objects'
import { anEvent, createTestTenant, type TestTenant } from '../../../../test/catalog-fixture.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.ts'
import { createEventWriter } from './event-writer.ts'
import { latePrefix, putLate } from './late-events.ts'
import { createLateReconciler, type ReconcileParts } from './reconcile-late.ts'

let database: TestDatabase
let catalog: Catalog
let tenant: TestTenant
let folder: string
let store: FolderStore
let altered: string[]

before(async () => {
  database = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'auricle-reconcile-'))
})
after(async () => {
  await database[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})
let round = 0
beforeEach(async () => {
  catalog = createCatalog({ pool: database.appPool, stamper: createEventWriter({ name: 'worker' }) })
  tenant = await createTestTenant(catalog)
  store = createFolderStore({ folder: join(folder, String(++round)) })
  altered = []
})

const partsOf = (change: Partial<ReconcileParts> = {}): ReconcileParts => ({
  ...{ catalog, store, by: 'worker' },
  onAltered: ({ eventId }) => altered.push(eventId),
  ...change,
})

/** As a process leaves them. */
async function leave(count: number): Promise<readonly StampedRecord[]> {
  const writer = createEventWriter({ name: 'dead' })
  const stamped = writer.stamp(Array.from({ length: count }, () => anEvent(tenant.tenantId)))
  for (const record of stamped) await putLate(store, record, new Date(), {})
  return stamped
}

async function stored() {
  const { rows } = await database.superuserPool.query<{
    id: string
    leaf: Buffer
    late: boolean
    sealed_private: Buffer | null
  }>('select id, leaf, late, sealed_private from auricle.audit_event where tenant_id = $1', [tenant.tenantId])
  return rows.map(row => ({ ...row, event: decodeLeaf(row.leaf) }))
}

test('what was left comes once, byte for byte and late, and an event names it', async () => {
  const left = await leave(120)
  const reconciler = createLateReconciler(partsOf())
  assert.equal(await reconciler.run({}), 121)
  assert.equal(await reconciler.run({}), 0)
  assert.equal(await createLateReconciler(partsOf()).run({}), 0)
  const rows = await stored()
  const dead = rows.filter(({ event }) => event.writer?.name === 'dead')
  assert.deepEqual(new Set(dead.map(({ id }) => id)), new Set(left.map(({ id }) => id)))
  for (const { id, leaf, late, sealed_private } of dead) {
    const record = left.find(one => one.id === id)
    assert.ok(late && leaf.equals(record?.leaf ?? Buffer.alloc(0)))
    assert.deepEqual(
      sealed_private,
      record?.sealedPrivate === null ? null : Buffer.from(record?.sealedPrivate ?? []),
    )
  }
  const named = rows.flatMap(({ event }) => (event.detail?.kind === 'reconciled' ? event.detail.events : []))
  assert.equal(named.length, 121)
  assert.deepEqual(new Set<string>(named), new Set(left.map(({ id }) => id)))
  assert.deepEqual(altered, [])
})

test('several at once, and the process itself, bring each once', async () => {
  const left = await leave(40)
  const reconciled = () => anEvent(tenant.tenantId)
  const brought = await Promise.all([
    ...[1, 2, 3].map(() => createLateReconciler(partsOf()).run({})),
    catalog.commitLate(tenant.tenantId, left, reconciled).then(({ missing }) => missing.length),
  ])
  assert.equal(
    brought.reduce((sum, count) => sum + count),
    41,
  )
  const rows = await stored()
  assert.equal(rows.filter(({ event }) => event.writer?.name === 'dead').length, 41)
})

test('what the database has already is left as it is', async () => {
  const left = await leave(3)
  await catalog.appendStamped(left)
  assert.equal(await createLateReconciler(partsOf()).run({}), 0)
  const rows = (await stored()).filter(({ event }) => event.writer?.name === 'dead')
  assert.ok(rows.every(({ late }) => !late))
  assert.equal(rows.length, 4)
})

test('later runs look at the last hours only, and at everything once a day', async () => {
  let now = new Date()
  const reconciler = createLateReconciler(partsOf({ now: () => now }))
  assert.equal(await reconciler.run({}), 0)
  await leave(2)
  assert.equal(await reconciler.run({}), 3)
  const old = new Date(now.getTime() - 20 * 60 * 60_000)
  const writer = createEventWriter({ name: 'dead' })
  const id = newEventId({
    now: () => old.getTime(),
    random: length => crypto.getRandomValues(new Uint8Array(length)),
  })
  const record = anEvent(tenant.tenantId)
  for (const one of writer.stamp([newRecord({ ...record.event, id }, record.sealedPrivate)])) {
    await putLate(store, one, new Date(), {})
  }
  // Its beginning is of now.
  assert.equal(await reconciler.run({}), 1)
  now = new Date(now.getTime() + 24 * 60 * 60_000)
  assert.equal(await reconciler.run({}), 1)
})

test('what is no event of ours stays out, is told, and holds up nothing', async () => {
  const [good] = await leave(1)
  const put = (key: string, text: string) => {
    const source = async function* () {
      yield Buffer.from(text)
    }
    return store.put(key, source(), { retainUntil: null })
  }
  const other = await createTestTenant(catalog)
  const [foreign] = createEventWriter({ name: 'dead' }).stamp([anEvent(other.tenantId)])
  const leaf = Buffer.from(foreign?.leaf ?? []).toString('base64')
  const own = latePrefix(tenant.tenantId)
  const bad = [newEventId(), newEventId(), newEventId(), newEventId(), newEventId()]
  const texts = [
    'not JSON',
    JSON.stringify({ leaf: 'AAAA', private: null }),
    JSON.stringify({ leaf, private: null }),
    `${JSON.stringify({ leaf, private: null })}${' '.repeat(70_000)}`,
    '',
  ]
  for (const [index, id] of bad.entries()) await put(`${own}${id}`, texts[index] ?? '')
  // Another's event under the other's own id, in this tenant's folder.
  await put(`${own}${foreign?.id}`, JSON.stringify({ leaf, private: null }))
  await put(`${own}no-event`, 'x')
  assert.equal(await createLateReconciler(partsOf()).run({}), 2)
  assert.deepEqual(new Set(altered), new Set([...bad, foreign?.id]))
  const rows = await stored()
  assert.ok(rows.some(({ id }) => id === good?.id))
  assert.ok(!rows.some(({ id }) => bad.includes(id as never)))
})

test('an object that differs from what the log has under its id is told, and changes nothing', async () => {
  const [, own] = await leave(1)
  assert.ok(own)
  const others = createEventWriter({ name: 'forged' }).stamp([newRecord(decodeLeaf(own.leaf), null)])
  await catalog.appendStamped(others)
  const { altered: found, missing } = await catalog.commitLate(tenant.tenantId, [own], () => assert.fail())
  assert.deepEqual([found, missing], [[own.id], []])
  const row = (await stored()).find(({ id }) => id === own.id)
  assert.equal(row?.event.writer?.name, 'forged')
})
