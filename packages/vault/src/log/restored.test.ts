// After a restore into another cluster, and whatever else came into the database past the sequencer: sealed once.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newEventId, type TenantId } from '@auricle/contract'
import { createTestTenant } from '../../../../test/catalog-fixture.ts'
import { appendMany, openTestLog, sealAll, type TestLog } from '../../../../test/log-fixture.ts'

let log: TestLog
before(async () => {
  log = await openTestLog()
})
after(() => log[Symbol.asyncDispose]())

const superuser = (text: string, values: readonly unknown[] = []) =>
  log.database.superuserPool.query({ text, values: [...values] })

/** Rows as a dump brings them: with the numbers that transactions had in the cluster they come from. */
async function bringRows(tenantId: TenantId, xids: readonly string[]): Promise<void> {
  for (const xid of xids) {
    await superuser('insert into auricle.audit_event (tenant_id, id, xid, leaf) values ($1, $2, $3, $4)', [
      tenantId,
      newEventId(),
      xid,
      Buffer.from(`auricle-audit/1\n{"action":"tenant.changed","at":"2026-01-01T00:00:00.000Z"}`),
    ])
  }
}

async function countOf(tenantId: TenantId) {
  const { rows } = await superuser(
    `select (select count(*)::int from auricle.audit_event where tenant_id = $1) as events,
       (select count(*)::int from auricle.audit_seal where tenant_id = $1) as seals,
       (select count(distinct event_id)::int from auricle.audit_seal where tenant_id = $1) as sealed,
       (select max(seq)::int + 1 from auricle.audit_seal where tenant_id = $1) as next`,
    [tenantId],
  )
  return rows[0]
}

async function assertAllSealed(tenantId: TenantId): Promise<void> {
  const { events, seals, sealed, next } = await countOf(tenantId)
  assert.deepEqual([seals, sealed, next], [events, events, events])
  assert.deepEqual(await log.catalog.listUnsealed(), [])
}

test('in another cluster everything that came along is sealed once, and what is written then as well', async () => {
  const { tenantId } = await createTestTenant(log.catalog)
  {
    await using keeper = log.keeper()
    await appendMany(log.catalog, tenantId, 50)
    await sealAll(keeper)
    await keeper.publish({})
  }
  // Transactions had far higher numbers where the dump was made; some were not sealed, and the cursor stands there too.
  await bringRows(tenantId, ['900000000001', '900000000002', '3', '900000000003'])
  await superuser('update auricle.audit_log set cursor_xid = $2 where tenant_id = $1', [
    tenantId,
    '900000000002',
  ])
  await superuser("update auricle.log_cluster set system_identifier = '7000000000000000001'")
  const adopted: number[] = []
  await using keeper = log.keeper({ watch: { adopted: count => adopted.push(count) } })
  await appendMany(log.catalog, tenantId, 20)
  await sealAll(keeper)
  await assertAllSealed(tenantId)
  await appendMany(log.catalog, tenantId, 20)
  await sealAll(keeper)
  await keeper.publish({})
  await assertAllSealed(tenantId)
  assert.equal(adopted.length, 1)
  assert.ok((adopted[0] ?? 0) >= 4)
  const { adopted: known, current } = await log.catalog.findCluster()
  assert.equal(known, current)
})

test('a restore that is cut off begins again, and seals nothing twice', async () => {
  const { tenantId } = await createTestTenant(log.catalog)
  await bringRows(tenantId, ['900000000011', '900000000012'])
  await superuser("update auricle.log_cluster set system_identifier = '7000000000000000002'")
  const stop = new AbortController()
  const first = log.keeper({
    watch: {
      sealed: () => stop.abort(new Error('killed')),
    },
  })
  await assert.rejects(
    async () => {
      while (await first.seal({ signal: stop.signal }));
      stop.signal.throwIfAborted()
    },
    { message: 'killed' },
  )
  await first[Symbol.asyncDispose]()
  await using second = log.keeper()
  await sealAll(second)
  await assertAllSealed(tenantId)
})

test('what the sequencer could not have seen is found by the sweep, sealed and told', async () => {
  const { tenantId } = await createTestTenant(log.catalog)
  const found: { readonly tenantId: TenantId; readonly count: number }[] = []
  let now = Date.now()
  await using keeper = log.keeper({
    now: () => new Date(now),
    watch: { stragglers: (id, count) => found.push({ tenantId: id, count }) },
  })
  await appendMany(log.catalog, tenantId, 5)
  await sealAll(keeper)
  // Behind the cursor, where no transaction of this cluster can write any more.
  await bringRows(tenantId, ['5', '6'])
  await sealAll(keeper)
  assert.equal(await keeper.sweep({}), 0)
  now += 61_000
  assert.equal(await keeper.sweep({}), 2)
  assert.deepEqual(found, [{ tenantId, count: 2 }])
  await sealAll(keeper)
  await assertAllSealed(tenantId)
  const { rows } = await superuser('select kind from auricle.alert where tenant_id = $1', [tenantId])
  assert.deepEqual(rows, [{ kind: 'log_stragglers' }])
  assert.equal(await keeper.sweep({}), 0)
})
