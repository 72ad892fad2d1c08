// Every event gets exactly one place, whoever writes at the same time and wherever the sequencer dies.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  createTree,
  decodeLeaf,
  equalBytes,
  leafHash,
  parseCheckpoint,
  parseVerifierKey,
  verifyNote,
} from '@auricle/audit'
import type { TenantId } from '@auricle/contract'
import { createTestTenant } from '../../../../test/catalog-fixture.ts'
import {
  aPlayback,
  appendMany,
  openTestLog,
  sealAll,
  type TestLog,
  testLogName,
} from '../../../../test/log-fixture.ts'
import { createSequencer } from './sequence.ts'

let log: TestLog
before(async () => {
  log = await openTestLog()
})
after(() => log[Symbol.asyncDispose]())

interface Sealed {
  readonly seq: string
  readonly event_id: string
  readonly leaf_hash: Buffer
  readonly leaf: Buffer
}

/** What the log holds, checked against every law that it has to obey. */
async function checkLog(tenantId: TenantId, of = log): Promise<readonly Sealed[]> {
  const pool = of.database.superuserPool
  const [row] = (await of.catalog.listLogs(tenantId)).slice(-1)
  assert.ok(row !== undefined)
  const { rows } = await pool.query<Sealed>(
    `select s.seq, s.event_id, s.leaf_hash, e.leaf from auricle.audit_seal s
     join auricle.audit_event e on e.tenant_id = s.tenant_id and e.id = s.event_id
     where s.tenant_id = $1 and s.year = $2 order by s.seq`,
    [tenantId, row.year],
  )
  assert.equal(rows.length, row.size)
  const tree = createTree()
  const roots = new Map<number, Uint8Array>()
  rows.forEach(({ seq, leaf, leaf_hash }, place) => {
    assert.equal(Number(seq), place)
    assert.ok(equalBytes(leafHash(leaf), leaf_hash))
    tree.append(leafHash(leaf))
    roots.set(tree.size, tree.root())
  })
  assert.equal(new Set(rows.map(({ event_id }) => event_id)).size, rows.length)
  const unsealed = await pool.query(
    `select from auricle.audit_event e where tenant_id = $1
       and not exists (select from auricle.audit_seal s where s.tenant_id = $1 and s.event_id = e.id)`,
    [tenantId],
  )
  assert.equal(unsealed.rowCount, 0)
  const opened = decodeLeaf(new Uint8Array(rows[0]?.leaf ?? []))
  assert.equal(opened.action, 'log.opened')
  const key = parseVerifierKey(opened.detail?.kind === 'opened' ? (opened.detail.keys[0] ?? '') : '')
  const checkpoints = await pool.query<{ size: string; root: Buffer; note: string }>(
    'select size, root, note from auricle.audit_checkpoint where tenant_id = $1 and year = $2 order by size',
    [tenantId, row.year],
  )
  for (const { size, root, note } of checkpoints.rows) {
    assert.ok(equalBytes(root, roots.get(Number(size)) ?? new Uint8Array()))
    const { note: read } = await verifyNote(note, [key])
    const checkpoint = parseCheckpoint(read.text)
    assert.deepEqual([checkpoint.origin, checkpoint.size], [row.origin, Number(size)])
    assert.ok(equalBytes(checkpoint.root, root))
  }
  assert.equal(Number(checkpoints.rows.at(-1)?.size), row.size)
  return rows
}

/** Writes rows in transactions that take `ms`, as fast as it can, until told to stop. */
async function writeSlowly(
  pool: TestLog['database']['appPool'],
  tenantId: TenantId,
  until: AbortSignal,
): Promise<number> {
  const client = await pool.connect()
  let written = 0
  try {
    while (!until.aborted) {
      await client.query('begin')
      await client.query(`select set_config('auricle.tenant', $1, true)`, [tenantId])
      for (let row = 0; row < 1 + Math.floor(Math.random() * 3); row++) {
        const { id } = aPlayback(tenantId)
        await client.query('insert into auricle.audit_event (tenant_id, id, leaf) values ($1, $2, $3)', [
          tenantId,
          id,
          Buffer.from(`auricle-audit/1\n{"id":"${id}"}`),
        ])
        written++
        await delay(1 + Math.random() * 6)
      }
      await client.query('commit')
    }
  } finally {
    client.release()
  }
  return written
}

test('with 24 writers at once every row is sealed exactly once, where a poll by id would have missed some', async () => {
  const { tenantId } = await createTestTenant(log.catalog)
  const before = await log.database.superuserPool.query<{ count: string }>(
    'select count(*) from auricle.audit_event where tenant_id = $1',
    [tenantId],
  )
  const stop = new AbortController()
  const pool = log.database.appPool
  const writers = Array.from({ length: 18 }, () => writeSlowly(pool, tenantId, stop.signal))
  const superuser = log.database.superuserPool
  const more = Array.from({ length: 6 }, () => writeSlowly(superuser, tenantId, stop.signal))
  const polled = new Set<string>()
  let lastId = ''
  await using keeper = log.keeper()
  for (let round = 0; round < 25; round++) {
    await keeper.seal({})
    const { rows } = await superuser.query<{ id: string }>(
      'select id from auricle.audit_event where tenant_id = $1 and id > $2 order by id',
      [tenantId, lastId],
    )
    for (const { id } of rows) polled.add(id)
    lastId = rows.at(-1)?.id ?? lastId
    await delay(20)
  }
  stop.abort()
  const written = (await Promise.all([...writers, ...more])).reduce((sum, count) => sum + count, 0)
  await sealAll(keeper)
  const rows = await checkLog(tenantId)
  assert.equal(rows.length, 1 + Number(before.rows[0]?.count) + written)
  const { rows: late } = await superuser.query<{ id: string }>(
    'select id from auricle.audit_event where tenant_id = $1 and id <= $2',
    [tenantId, lastId],
  )
  assert.ok(late.some(({ id }) => !polled.has(id)))
})

test('two that both take themselves for the leader seal everything once', async () => {
  const { tenantId } = await createTestTenant(log.catalog)
  await using keeper = log.keeper()
  await sealAll(keeper)
  const parts = await sequencerParts()
  const [one, other] = [createSequencer(parts), createSequencer(parts)]
  const writing = appendMany(log.catalog, tenantId, 3000)
  let isWriting = true
  const written = writing.finally(() => {
    isWriting = false
  })
  const sealUntilDone = async (sequencer: typeof one) => {
    while (isWriting || (await sequencer.seal(tenantId, 1, {}))) await sequencer.seal(tenantId, 1, {})
  }
  await Promise.all([written, sealUntilDone(one), sealUntilDone(other)])
  for (const sequencer of [one, other]) while (await sequencer.seal(tenantId, 8, {}));
  await checkLog(tenantId)
})

test('of two keepers one has the lead, and the other takes over from what is stored', async () => {
  const first = log.keeper()
  await using second = log.keeper()
  await appendMany(log.catalog, log.tenantId, 300)
  await sealAll(first)
  const before = await log.catalog.findNewestLog(log.tenantId)
  await appendMany(log.catalog, log.tenantId, 300)
  assert.equal(await second.seal({}), false)
  assert.equal((await log.catalog.findNewestLog(log.tenantId))?.size, before?.size)
  await first[Symbol.asyncDispose]()
  await sealAll(second)
  await checkLog(log.tenantId)
})

test('a connection that breaks is not the leader any more', async () => {
  await using keeper = log.keeper()
  await sealAll(keeper)
  await log.database.superuserPool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid in (select pid from pg_locks where locktype = 'advisory')`,
  )
  await appendMany(log.catalog, log.tenantId, 10)
  for (let round = 0; round < 10; round++) await keeper.seal({}).catch(() => undefined)
  await checkLog(log.tenantId)
})

test('behind a long transaction nothing is skipped, and the age of what waits is told', async () => {
  const { tenantId } = await createTestTenant(log.catalog)
  await using keeper = log.keeper()
  await sealAll(keeper)
  const client = await log.database.appPool.connect()
  await client.query('begin')
  await client.query(`select set_config('auricle.tenant', $1, true)`, [tenantId])
  const { id } = aPlayback(tenantId)
  await client.query('insert into auricle.audit_event (tenant_id, id, leaf) values ($1, $2, $3)', [
    tenantId,
    id,
    Buffer.from('held'),
  ])
  await appendMany(log.catalog, tenantId, 20)
  const before = await log.catalog.findNewestLog(tenantId)
  await keeper.seal({})
  assert.equal((await log.catalog.findNewestLog(tenantId))?.size, before?.size)
  const waiting = (await log.catalog.listUnsealed()).find(of => of.tenantId === tenantId)
  assert.ok(waiting !== undefined)
  await delay(30)
  const still = (await log.catalog.listUnsealed()).find(of => of.tenantId === tenantId)
  assert.deepEqual(still?.oldest, waiting.oldest)
  await client.query('commit')
  client.release()
  await sealAll(keeper)
  const rows = await checkLog(tenantId)
  assert.equal(rows.length, (before?.size ?? 0) + 21)
  assert.deepEqual(await log.catalog.listUnsealed(), [])
  // What cannot be read has its place like everything else.
  const seal = await log.database.superuserPool.query(
    'select action from auricle.audit_seal where event_id = $1',
    [id],
  )
  assert.equal(seal.rows[0]?.action, 'unreadable')
})

test('killed between the seals and their commit, it leaves nothing and does it again', async () => {
  const { tenantId } = await createTestTenant(log.catalog)
  await appendMany(log.catalog, tenantId, 700)
  // The child waits for this lock in the middle of its transaction, with its seals written.
  const blocker = await log.database.superuserPool.connect()
  await blocker.query('begin; lock table auricle.audit_checkpoint in exclusive mode')
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('../../../../test/log-keeper-child.ts', import.meta.url))],
    {
      stdio: ['pipe', 'ignore', 'inherit'],
    },
  )
  const exited = once(child, 'exit')
  child.stdin.end(JSON.stringify({ database: log.database.app, folder: log.folder, name: testLogName }))
  const isWaiting = async () => {
    const { rows } = await log.database.superuserPool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
         and query like '%insert into auricle.audit_checkpoint%'`,
    )
    return rows.length > 0
  }
  while (!(await isWaiting())) await delay(20)
  child.kill('SIGKILL')
  await exited
  await blocker.query('rollback')
  blocker.release()
  assert.equal(await log.catalog.findNewestLog(tenantId), null)
  await using keeper = log.keeper()
  // The lock of the one that was killed goes with its connection.
  for (;;) {
    await sealAll(keeper)
    if ((await log.catalog.findNewestLog(tenantId)) !== null) break
    await delay(20)
  }
  await checkLog(tenantId)
})

async function sequencerParts() {
  const { openLogKey } = await import('./log-keys.ts')
  const { catalog, keys, store } = log
  const now = () => new Date()
  return {
    ...{ catalog, store, now, name: testLogName },
    key: (year: number) => openLogKey({ catalog, keys, now }, year, {}),
    batchMost: 64,
  }
}
