// Breaks the sinks of the log, one and both, in every way at hand, and counts what is recorded, refused and brought back.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type AuditEvent, decodeLeaf } from '@auricle/audit'
import { createCatalog, createPool, migrate } from '@auricle/catalog'
import type { EventId } from '@auricle/contract'
import { createFolderStore, type FolderStore } from '@auricle/objects'
import { anEvent, createTestTenant, type TestTenant } from '../../../../test/catalog-fixture.ts'
import { startOwnPostgres } from '../../../../test/own-postgres.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.ts'
import { DurableEvent } from './durable-event.ts'
import { createEventLog, type EventLogParts, type Sink } from './event-log.ts'
import { createEventWriter } from './event-writer.ts'
import { readLate } from './late-events.ts'

let database: TestDatabase
let tenant: TestTenant
let folder: string
let store: FolderStore

before(async () => {
  database = await createTestDatabase()
  const stamper = createEventWriter({ name: 'other' })
  tenant = await createTestTenant(createCatalog({ pool: database.appPool, stamper }))
  folder = await mkdtemp(join(tmpdir(), 'auricle-event-log-'))
  store = createFolderStore({ folder: join(folder, 'log-store') })
})
after(async () => {
  await database[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** Long enough for a busy machine; the lock is what runs into it. */
const patient = { hedgeMs: 150, refuseMs: 20_000, retryMs: 50, beatMs: 60_000 }
/** Where a busy machine must not be taken for a database that does not answer. */
const unhurried = { ...patient, hedgeMs: 20_000 }
const impatient = { ...patient, refuseMs: 500 }
const nowhere: EventLogParts['store'] = {
  put: () => Promise.reject(new Error('no store')),
  read: () => assert.fail('nothing is read'),
}

interface Opened {
  readonly log: ReturnType<typeof createEventLog>
  readonly sinks: Sink[]
  readonly name: string
}

let lives = 0

/** A life of a writer of its own name, on connections of its own. */
function openLog(
  stack: AsyncDisposableStack,
  change: Partial<EventLogParts> & { readonly settings?: TestDatabase['app'] } = {},
): Opened {
  const name = `life-${'abcdefghijklmnopqrstuvwxyz'.charAt(lives++)}`
  const writer = createEventWriter({ name })
  const pool = stack.adopt(createPool(change.settings ?? database.app), opened => opened.end())
  const catalog = createCatalog({ pool, stamper: writer })
  const sinks: Sink[] = []
  const onFlush = ({ sink }: { readonly sink: Sink }) => sinks.push(sink)
  const log = stack.use(createEventLog({ catalog, writer, store, times: patient, onFlush, ...change }))
  return { log, sinks, name }
}

interface Stored {
  readonly event: AuditEvent
  readonly leaf: Buffer
  readonly late: boolean
}

/** What the log of the tenant has of a writer. */
async function storedOf(name: string): Promise<readonly Stored[]> {
  const { rows } = await database.superuserPool.query<{ leaf: Buffer; late: boolean }>(
    'select leaf, late from auricle.audit_event where tenant_id = $1 order by xid, id',
    [tenant.tenantId],
  )
  return rows
    .map(({ leaf, late }) => ({ leaf, late, event: decodeLeaf(leaf) }))
    .filter(({ event }) => event.writer?.name === name)
}

const eventsOf = async (name: string, action: AuditEvent['action'] = 'tenant.changed') =>
  (await storedOf(name)).filter(({ event }) => event.action === action)

/** Until the writer has brought back so many, and has said that it is over. */
async function restored(name: string, count: number): Promise<void> {
  while ((await eventsOf(name)).length < count) await delay(20)
  while ((await eventsOf(name, 'log.restored')).length === 0) await delay(20)
}

const append = ({ log }: Opened, count: number) =>
  Promise.allSettled(Array.from({ length: count }, () => log.append(anEvent(tenant.tenantId), {})))

const recordedOf = (outcomes: readonly PromiseSettledResult<DurableEvent>[]): readonly EventId[] =>
  outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value.eventId] : []))

function assertAllRefused(outcomes: readonly PromiseSettledResult<DurableEvent>[]): void {
  for (const outcome of outcomes) {
    assert.ok(outcome.status === 'rejected')
    assert.equal(outcome.reason.code, 'log_unavailable')
    assert.ok(outcome.reason.retryAt instanceof Date)
  }
}

/** Each recorded event is there once and late, byte for byte as the store has it, and named by a `log.reconciled`. */
async function assertBroughtBack(name: string, ids: readonly EventId[]): Promise<void> {
  const stored = await storedOf(name)
  const named = stored.flatMap(({ event }) =>
    event.detail?.kind === 'reconciled' ? event.detail.events : [],
  )
  assert.equal(new Set(named).size, named.length)
  assert.deepEqual(new Set(named), new Set(stored.filter(({ late }) => late).map(({ event }) => event.id)))
  for (const id of ids) {
    const found = stored.filter(({ event }) => event.id === id)
    assert.equal(found.length, 1)
    const { leaf } = await readLate(store, tenant.tenantId, id, {})
    assert.ok(found[0]?.leaf.equals(leaf))
    assert.equal(found[0]?.late, true)
  }
}

test('200 callers at once: each gets its own durable event, in a few flushes', async () => {
  await using stack = new AsyncDisposableStack()
  const opened = openLog(stack, { times: unhurried })
  const records = Array.from({ length: 200 }, () => anEvent(tenant.tenantId))
  const events = await Promise.all(records.map(record => opened.log.append(record, {})))
  assert.ok(events.every(event => DurableEvent.is(event)))
  assert.deepEqual(
    events.map(({ eventId }) => eventId),
    records.map(({ id }) => id),
  )
  const stored = await eventsOf(opened.name)
  assert.deepEqual(new Set(stored.map(({ event }) => event.id)), new Set(records.map(({ id }) => id)))
  assert.ok(stored.every(({ late }) => !late))
  assert.ok(opened.sinks.length <= 8, `${opened.sinks.length} flushes`)
  assert.ok(opened.sinks.every(sink => sink === 'database'))
  assert.equal(opened.log.failingMs(), 0)
})

test('a flush that fails is the failure of exactly its callers', async () => {
  await using stack = new AsyncDisposableStack()
  const opened = openLog(stack, { times: unhurried })
  const taken = anEvent(tenant.tenantId)
  await opened.log.append(taken, {})
  const doomed = [anEvent(tenant.tenantId), taken, anEvent(tenant.tenantId)]
  const outcomes = await Promise.allSettled(doomed.map(record => opened.log.append(record, {})))
  for (const outcome of outcomes) assert.equal(outcome.status === 'rejected' && outcome.reason.code, 'taken')
  const after = await append(opened, 5)
  const stored = await eventsOf(opened.name)
  assert.deepEqual(new Set(stored.map(({ event }) => event.id)), new Set([taken.id, ...recordedOf(after)]))
  assert.equal(recordedOf(after).length, 5)
})

test('an object that looks like a durable event is none', () => {
  const { tenantId } = tenant
  const eventId = anEvent(tenantId).id
  assert.ok(DurableEvent.is(new DurableEvent(tenantId, eventId)))
  for (const other of [
    { tenantId, eventId },
    Object.create(DurableEvent.prototype),
    Object.assign(Object.create(DurableEvent.prototype), { tenantId, eventId }),
    structuredClone(new DurableEvent(tenantId, eventId)),
    null,
    eventId,
  ]) {
    assert.equal(DurableEvent.is(other), false)
  }
})

test('a database that only reads: the store takes what happens, and it comes back late and once', async () => {
  await using stack = new AsyncDisposableStack()
  const name = database.app.database
  const superuser = (text: string) => database.superuserPool.query(text)
  await superuser(`alter database ${name} set default_transaction_read_only = on`)
  // Sessions have it from their beginning on; the one that repairs it must not.
  const opened = openLog(stack)
  const ids: EventId[] = []
  for (let round = 0; round < 5; round++) ids.push(...recordedOf(await append(opened, 40)))
  assert.equal(ids.length, 200)
  assert.ok(opened.sinks.every(sink => sink === 'store'))
  assert.deepEqual(await storedOf(opened.name), [])
  await superuser(`alter database ${name} set default_transaction_read_only = off`)
  // Sessions that were opened meanwhile are ended, as a failover to another server would.
  await superuser(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = '${name}' and usename = '${database.app.user}'`,
  )
  await restored(opened.name, ids.length)
  await assertBroughtBack(opened.name, ids)
  assert.equal((await eventsOf(opened.name, 'log.degraded')).length, 1)
  assert.equal((await eventsOf(opened.name, 'log.restored')).length, 1)
  // And then it goes on as before.
  assert.equal(recordedOf(await append(opened, 3)).length, 3)
  assert.equal(opened.sinks.at(-1), 'database')
})

test('an insert that the database refuses: without a second sink nothing is recorded and everybody is refused', async () => {
  await using stack = new AsyncDisposableStack()
  const [bare, broken, covered] = [
    openLog(stack, { store: null }),
    openLog(stack, { store: nowhere }),
    openLog(stack),
  ]
  const insert = 'insert (tenant_id, id, leaf, sealed_private, late) on auricle.audit_event'
  await database.superuserPool.query(`revoke ${insert} from ${database.app.user}`)
  let ids: readonly EventId[]
  try {
    for (const opened of [bare, broken]) {
      assertAllRefused(await append(opened, 20))
      assertAllRefused(await append(opened, 1))
      assert.ok(opened.sinks.every(sink => sink === 'none'))
      assert.ok(opened.log.failingMs() > 0)
    }
    ids = recordedOf(await append(covered, 20))
    assert.equal(ids.length, 20)
    assert.equal(covered.log.failingMs(), 0)
  } finally {
    await database.superuserPool.query(`grant ${insert} to ${database.app.user}`)
  }
  const later = recordedOf(await append(bare, 1))
  assert.equal(later.length, 1)
  assert.equal(bare.log.failingMs(), 0)
  while ((await eventsOf(covered.name)).length < 20) await delay(20)
  await assertBroughtBack(covered.name, ids)
  // What was refused is not there: the database had not taken it.
  assert.deepEqual(
    (await eventsOf(bare.name)).map(({ event }) => event.id),
    later,
  )
})

test('a store that fails while the database is left alone: the database is asked after all', async () => {
  await using stack = new AsyncDisposableStack()
  let isStoreBroken = false
  const flaky: EventLogParts['store'] = {
    put: (...given) => (isStoreBroken ? Promise.reject(new Error('no store')) : store.put(...given)),
    read: store.read,
  }
  const times = { ...unhurried, retryMs: 60_000 }
  const opened = openLog(stack, { store: flaky, times })
  const insert = 'insert (tenant_id, id, leaf, sealed_private, late) on auricle.audit_event'
  await database.superuserPool.query(`revoke ${insert} from ${database.app.user}`)
  try {
    for (let round = 0; round < 3; round++) assert.equal(recordedOf(await append(opened, 1)).length, 1)
    isStoreBroken = true
    assertAllRefused(await append(opened, 2))
  } finally {
    await database.superuserPool.query(`grant ${insert} to ${database.app.user}`)
  }
  const ids = recordedOf(await append(opened, 5))
  assert.equal(ids.length, 5)
  assert.deepEqual(opened.sinks, ['store', 'store', 'store', 'none', 'database'])
  await opened.log[Symbol.asyncDispose]()
  const stored = await eventsOf(opened.name)
  assert.equal(stored.filter(({ late }) => late).length, 3)
  assert.equal(stored.filter(({ event }) => ids.includes(event.id)).length, 5)
})

test('a lock that is held: refused in time without a second sink, recorded there with one', async () => {
  await using stack = new AsyncDisposableStack()
  const [bare, covered] = [openLog(stack, { store: null, times: impatient }), openLog(stack)]
  const client = await database.superuserPool.connect()
  let ids: readonly EventId[]
  try {
    await client.query('begin; lock table auricle.audit_event in access exclusive mode')
    assertAllRefused(await append(bare, 3))
    ids = recordedOf(await append(covered, 30))
    assert.equal(ids.length, 30)
  } finally {
    await client.query('rollback')
    client.release()
  }
  await restored(covered.name, ids.length)
  const stored = await eventsOf(covered.name)
  assert.equal(stored.length, 30)
  assert.deepEqual(new Set(stored.map(({ event }) => event.id)), new Set(ids))
})

test('what the database committed after all is there once, and no late one', async () => {
  await using stack = new AsyncDisposableStack()
  const writer = createEventWriter({ name: 'after-all' })
  const pool = stack.adopt(createPool(database.app), opened => opened.end())
  const catalog = createCatalog({ pool, stamper: writer })
  let isLost = true
  const lossy: EventLogParts['catalog'] = {
    commitLate: catalog.commitLate,
    async appendStamped(events, options) {
      if (!isLost) return catalog.appendStamped(events, options)
      // The answer is lost on its way: nobody was told of the commit.
      await catalog.appendStamped(
        events.map(event => ({ ...event, acknowledge: () => undefined })),
        options,
      )
      throw new Error('the connection broke')
    },
  }
  const log = stack.use(createEventLog({ catalog: lossy, writer, store, times: unhurried }))
  const record = anEvent(tenant.tenantId)
  await log.append(record, {})
  isLost = false
  await log[Symbol.asyncDispose]()
  const stored = await storedOf('after-all')
  const [own, ...more] = stored.filter(({ event }) => event.id === record.id)
  assert.equal(own?.late, false)
  assert.deepEqual(more, [])
  assert.ok(stored.every(({ event }) => event.action !== 'log.reconciled'))
  const last = stored.at(-1)?.event
  // Acknowledged as what it is: there.
  assert.equal(last?.action, 'writer.stopped')
  const beats = stored.flatMap(({ event }) =>
    event.detail?.kind === 'beat' ? event.detail.acknowledged : [],
  )
  const n = Number(own?.event.writer?.n)
  assert.ok(beats.some(([first, end]) => first <= n && n <= end))
})

test('a server that hangs, then goes on: nobody waits for it, and everything is there once', async () => {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startOwnPostgres())
  await migrate({ settings: server.owner, appRole: server.app.user })
  const opened = openLog(stack, { settings: server.app })
  const before = recordedOf(await append(opened, 10))
  assert.equal(before.length, 10)
  let during: readonly EventId[]
  {
    await using _stopped = await server.freeze()
    during = recordedOf(await append(opened, 100))
    assert.equal(during.length, 100)
    assert.equal(opened.sinks.at(-1), 'store')
  }
  const pool = stack.adopt(createPool(server.app), other => other.end())
  const catalog = createCatalog({ pool, stamper: createEventWriter({ name: 'reader' }) })
  const stored = async () => {
    const rows = await catalog.listEvents(tenant.tenantId, { afterId: null, limit: 1000 })
    return rows.map(({ leaf }) => decodeLeaf(leaf))
  }
  while (!(await stored()).some(({ action }) => action === 'log.restored')) await delay(20)
  await opened.log[Symbol.asyncDispose]()
  const events = (await stored()).filter(({ action }) => action === 'tenant.changed')
  assert.equal(events.length, 110)
  assert.deepEqual(new Set(events.map(({ id }) => id)), new Set([...before, ...during]))
})
