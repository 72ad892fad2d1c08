// What is published is enough by itself, comes in an order that a crash cannot spoil, and is never contradicted.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  createTree,
  decodeAnchorLeaf,
  decodeEntries,
  decodeLeaf,
  entriesPath,
  equalBytes,
  leafHash,
  parseCheckpoint,
  parseVerifierKey,
  partialTiles,
  rootAt,
  tilePath,
  tileReader,
  tileWidth,
  toBase64,
  verifyNote,
} from '@auricle/audit'
import type { TenantId } from '@auricle/contract'
import { type FolderStore, ObjectError } from '@auricle/objects'
import { createTestTenant } from '../../../../test/catalog-fixture.ts'
import { appendMany, openTestLog, sealAll, type TestLog, testLogName } from '../../../../test/log-fixture.ts'
import type { LogWatch } from './keeper.ts'
import { anchorPrefix, checkpointKey, type LogStore, logPrefix, readAll } from './write-once.ts'

let log: TestLog
before(async () => {
  log = await openTestLog()
})
after(() => log[Symbol.asyncDispose]())

async function keysUnder(prefix: string, store: FolderStore = log.store): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix)) keys.push(key)
  return keys.sort()
}

/** What the folder alone tells of a log: every checkpoint holds for the entries, and for the tiles by C2SP's paths. */
async function rebuild(prefix: string, store: FolderStore = log.store) {
  const read = async (key: string) => new Uint8Array(await readAll(store, key, {}))
  const keys = await Promise.all(
    (await keysUnder(`${prefix}key/`, store)).map(async key =>
      parseVerifierKey(
        Buffer.from(await read(key))
          .toString()
          .trim(),
      ),
    ),
  )
  const notes = await Promise.all(
    (await keysUnder(`${prefix}checkpoint/`, store)).map(async key =>
      Buffer.from(await read(key)).toString(),
    ),
  )
  const checkpoints = await Promise.all(
    notes.map(async note => parseCheckpoint((await verifyNote(note, keys)).note.text)),
  )
  const size = checkpoints.at(-1)?.size ?? 0
  const tree = createTree()
  const leaves: Uint8Array[] = []
  const roots = new Map<number, Uint8Array>()
  for (let index = 0; index * tileWidth < size; index++) {
    const width = Math.min(tileWidth, size - index * tileWidth)
    for (const leaf of decodeEntries(await read(prefix + entriesPath(index, width)))) {
      leaves.push(leaf)
      tree.append(leafHash(leaf))
      roots.set(tree.size, tree.root())
    }
  }
  assert.equal(tree.size, size)
  for (const checkpoint of checkpoints) {
    assert.ok(equalBytes(checkpoint.root, roots.get(checkpoint.size) ?? new Uint8Array()))
    const readTile = tileReader(tile => read(prefix + tilePath(tile)), checkpoint.size)
    assert.ok(equalBytes(await rootAt(checkpoint.size, readTile), checkpoint.root))
    for (const tile of partialTiles(checkpoint.size))
      assert.ok((await store.head(prefix + tilePath(tile))) !== null)
  }
  return { leaves, checkpoints }
}

const year = () => new Date().getUTCFullYear()

function watched() {
  const refused: { readonly tenantId: TenantId | null; readonly code: string }[] = []
  const failed: unknown[] = []
  const watch: LogWatch = {
    refused: (tenantId, code) => refused.push({ tenantId, code }),
    failed: (_, error) => failed.push(error),
  }
  return { refused, failed, watch }
}

test('the folder alone rebuilds every root, of each log and of the log over all logs', async () => {
  await using keeper = log.keeper()
  // Odd sizes, so that tiles of every kind come about; the last is beyond one tile of the second level.
  for (const count of [1, 254, 3, 700, 1]) {
    await appendMany(log.catalog, log.tenantId, count)
    await sealAll(keeper)
    await keeper.publish({})
  }
  const { leaves, checkpoints } = await rebuild(logPrefix(log.tenantId, year()))
  const row = await log.catalog.findNewestLog(log.tenantId)
  assert.equal(leaves.length, row?.size)
  assert.equal(checkpoints.length, 5)
  const anchor = await rebuild(anchorPrefix)
  const anchored = anchor.leaves.map(leaf => decodeAnchorLeaf(leaf).checkpoint)
  for (const { origin, size, root } of checkpoints) {
    assert.ok(
      anchored.some(of => of?.origin === origin && of.size === size && toBase64(of.root) === toBase64(root)),
    )
  }
  assert.deepEqual(await log.catalog.listUnpublished(), [])
  for (const key of await keysUnder('')) {
    const kept = await log.store.head(key)
    assert.ok((kept?.retainUntil?.getTime() ?? 0) > Date.now() + 6 * 365 * 86_400_000, key)
  }
})

test('entries and tiles come before the checkpoint that stands on them', async () => {
  const { tenantId } = await createTestTenant(log.catalog)
  const order: string[] = []
  const store: LogStore = {
    ...log.store,
    async put(key, source, options) {
      const result = await log.store.put(key, source, options)
      order.push(key)
      return result
    },
  }
  await using keeper = log.keeper({ store })
  await appendMany(log.catalog, tenantId, 300)
  await sealAll(keeper)
  await keeper.publish({})
  const own = order.filter(key => key.startsWith(logPrefix(tenantId, year())))
  const place = (part: string) => own.findLastIndex(key => key.includes(part))
  assert.ok(place('tile/entries/') < own.findIndex(key => key.includes('tile/0/')))
  assert.equal(place('checkpoint/'), own.length - 1)
  assert.ok(order.indexOf(own.at(-1) ?? '') < order.findIndex(key => key.startsWith('anchor/tile/')))
  assert.ok(order.at(-1)?.startsWith('anchor/checkpoint/'))
})

for (const [between, dieAfter] of [
  ['commit and publication', 'tile/entries/'],
  ['tiles and checkpoint', 'tile/0/'],
  ['checkpoint and the log over all logs', '^log/.*/checkpoint/'],
  ['the log over all logs and its checkpoint', '^anchor/tile/'],
  ['the last checkpoint and its mark', '^anchor/checkpoint/'],
] as const) {
  test(`killed between ${between}, the next one goes on and contradicts nothing`, async () => {
    await using own = await openTestLog()
    await appendMany(own.catalog, own.tenantId, 300)
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('../../../../test/log-keeper-child.ts', import.meta.url))],
      {
        stdio: ['pipe', 'ignore', 'inherit'],
      },
    )
    const exited = once(child, 'exit')
    child.stdin.end(
      JSON.stringify({ database: own.database.app, folder: own.folder, name: testLogName, dieAfter }),
    )
    assert.equal((await exited)[1], 'SIGKILL')
    const { refused, failed, watch } = watched()
    await using keeper = own.keeper({ watch })
    while (
      (await own.catalog.listUnpublished()).length > 0 ||
      (await own.catalog.findAnchorCheckpoint('published')) === null
    ) {
      await keeper.publish({})
    }
    await appendMany(own.catalog, own.tenantId, 10)
    await sealAll(keeper)
    await keeper.publish({})
    assert.deepEqual([refused, failed], [[], []])
    const { leaves } = await rebuild(logPrefix(own.tenantId, year()), own.store)
    assert.equal(leaves.length, (await own.catalog.findNewestLog(own.tenantId))?.size)
    await rebuild(anchorPrefix, own.store)
  })
}

test('a year begins with what the one before ended with, and both verify', async () => {
  const { tenantId } = await createTestTenant(log.catalog)
  let now = new Date('2031-12-31T23:59:59.000Z')
  await using keeper = log.keeper({ now: () => now })
  await sealAll(keeper)
  await keeper.publish({})
  now = new Date('2032-01-01T00:00:01.000Z')
  await appendMany(log.catalog, tenantId, 5)
  await sealAll(keeper)
  await keeper.publish({})
  // A clock that goes back opens no log again.
  now = new Date('2031-12-31T23:59:58.000Z')
  await appendMany(log.catalog, tenantId, 1)
  await sealAll(keeper)
  await keeper.publish({})
  const [older, newer] = await log.catalog.listLogs(tenantId)
  assert.deepEqual([older?.year, newer?.year, newer?.size], [2031, 2032, 7])
  const [before, after] = await Promise.all([
    rebuild(logPrefix(tenantId, 2031)),
    rebuild(logPrefix(tenantId, 2032)),
  ])
  const opened = decodeLeaf(after.leaves[0] ?? new Uint8Array())
  const last = before.checkpoints.at(-1)
  assert.ok(opened.detail?.kind === 'opened' && last !== undefined)
  assert.deepEqual(opened.detail.previous, {
    origin: last.origin,
    size: last.size,
    root: toBase64(last.root),
  })
  const keys = await log.catalog.listLogKeys()
  assert.equal(keys.filter(({ retiredAt }) => retiredAt === null).length, 1)
  assert.equal(keys.at(-1)?.createdAt.getUTCFullYear(), 2032)
})

test('rows cut off behind what was published are noticed before anything is signed', async () => {
  const { tenantId } = await createTestTenant(log.catalog)
  {
    await using keeper = log.keeper()
    await appendMany(log.catalog, tenantId, 400)
    await sealAll(keeper)
    const first = await log.catalog.findNewestLog(tenantId)
    assert.ok(first !== null)
    await keeper.publish({})
    await appendMany(log.catalog, tenantId, 50)
    await sealAll(keeper)
    await keeper.publish({})
    // As a restore of yesterday's backup, or an administrator who is tired of the last fifty events.
    const client = await log.database.superuserPool.connect()
    const cut = [tenantId, first.size]
    await client.query('begin; set local session_replication_role = replica')
    for (const table of ['audit_seal', 'audit_checkpoint', 'audit_event', 'audit_tile'])
      await client.query(`alter table auricle.${table} disable trigger all`)
    await client.query(
      `delete from auricle.audit_event e using auricle.audit_seal s
       where s.tenant_id = $1 and s.seq >= $2 and e.tenant_id = $1 and e.id = s.event_id`,
      cut,
    )
    await client.query('delete from auricle.audit_seal where tenant_id = $1 and seq >= $2', cut)
    await client.query('delete from auricle.audit_checkpoint where tenant_id = $1 and size > $2', cut)
    await client.query('update auricle.audit_log set size = $2, frontier = $3 where tenant_id = $1', [
      ...cut,
      first.frontier,
    ])
    await client.query('commit')
    client.release()
  }
  const { refused, watch } = watched()
  await using keeper = log.keeper({ watch })
  await appendMany(log.catalog, tenantId, 7)
  await sealAll(keeper)
  await keeper.seal({})
  assert.deepEqual(refused, [{ tenantId, code: 'truncated' }])
  const newest = await log.catalog.findCheckpoint({ tenantId, year: year() }, 'newest')
  assert.ok((newest?.size ?? 0) < 420)
  const { rows } = await log.database.superuserPool.query(
    'select kind from auricle.alert where tenant_id = $1',
    [tenantId],
  )
  assert.deepEqual(rows, [{ kind: 'log_refused' }])
})

test('an altered leaf is not published, and its log not gone on with', async () => {
  const { tenantId } = await createTestTenant(log.catalog)
  const { refused, watch } = watched()
  await using keeper = log.keeper({ watch })
  await appendMany(log.catalog, tenantId, 20)
  await sealAll(keeper)
  const client = await log.database.superuserPool.connect()
  await client.query('begin; alter table auricle.audit_event disable trigger all')
  await client.query(
    `update auricle.audit_event e set leaf = leaf || ' ' from auricle.audit_seal s
     where s.tenant_id = $1 and s.seq = 11 and e.tenant_id = $1 and e.id = s.event_id`,
    [tenantId],
  )
  await client.query('alter table auricle.audit_event enable always trigger append_only; commit')
  client.release()
  await keeper.publish({})
  await keeper.publish({})
  assert.deepEqual(
    refused.filter(of => of.tenantId === tenantId),
    [{ tenantId, code: 'incomplete' }],
  )
  assert.deepEqual(await keysUnder(`${logPrefix(tenantId, year())}checkpoint/`), [])
})

test('while write-once storage is away events are sealed and not signed, and signed once it is back', async () => {
  const { tenantId } = await createTestTenant(log.catalog)
  let isAway = true
  let now = Date.now()
  const store: LogStore = {
    ...log.store,
    async *list(prefix, options) {
      if (isAway) throw new ObjectError('unavailable', 'The store is away')
      yield* log.store.list(prefix, options)
    },
  }
  await using keeper = log.keeper({ store, now: () => new Date(now) })
  await appendMany(log.catalog, tenantId, 5)
  await sealAll(keeper)
  const log1 = { tenantId, year: year() }
  assert.ok(((await log.catalog.findNewestLog(tenantId))?.size ?? 0) > 5)
  assert.equal(await log.catalog.findCheckpoint(log1, 'newest'), null)
  isAway = false
  now += 20_000
  await keeper.seal({})
  const signed = await log.catalog.findCheckpoint(log1, 'newest')
  assert.equal(signed?.size, (await log.catalog.findNewestLog(tenantId))?.size)
})

test('something else where a checkpoint is to be published stops that log and no other', async () => {
  const one = await createTestTenant(log.catalog)
  const other = await createTestTenant(log.catalog)
  const { refused, watch } = watched()
  await using keeper = log.keeper({ watch })
  await sealAll(keeper)
  const row = await log.catalog.findNewestLog(one.tenantId)
  const prefix = logPrefix(one.tenantId, year())
  async function* forged() {
    yield Buffer.from('forged')
  }
  await log.store.put(prefix + entriesPath(0, row?.size ?? 0), forged(), { retainUntil: null })
  await keeper.publish({})
  assert.deepEqual(
    refused.filter(of => of.tenantId === one.tenantId),
    [{ tenantId: one.tenantId, code: 'conflict' }],
  )
  assert.equal((await rebuild(logPrefix(other.tenantId, year()))).checkpoints.length, 1)
  assert.equal(await log.store.head(checkpointKey(prefix, row?.size ?? 0)), null)
})

test('after ten minutes of silence the time alone is signed', async () => {
  await using own = await openTestLog()
  let now = Date.now()
  await using keeper = own.keeper({ now: () => new Date(now) })
  await sealAll(keeper)
  await keeper.publish({})
  const before = (await rebuild(anchorPrefix, own.store)).leaves.length
  now += 9 * 60_000
  await keeper.publish({})
  assert.equal((await rebuild(anchorPrefix, own.store)).leaves.length, before)
  now += 60_000
  await keeper.publish({})
  const { leaves } = await rebuild(anchorPrefix, own.store)
  assert.equal(leaves.length, before + 1)
  assert.deepEqual(decodeAnchorLeaf(leaves.at(-1) ?? new Uint8Array()), {
    at: new Date(now).toISOString(),
    checkpoint: null,
  })
})
