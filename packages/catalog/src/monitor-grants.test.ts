// What the monitor's role may see and do, asked of PostgreSQL itself.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { addAccessRows, anEvent, createTestTenant, type TestTenant } from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import { createCatalog } from './create-catalog.ts'
import { createLogView } from './log-view.ts'
import { migrate } from './migrate.ts'

let database: TestDatabase
let tenants: readonly TestTenant[]

before(async () => {
  database = await createTestDatabase()
  const catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
  tenants = [await createTestTenant(catalog), await createTestTenant(catalog)]
  for (const tenant of tenants) {
    await catalog.appendEvents([anEvent(tenant.tenantId)])
    await addAccessRows(database.appPool, tenant)
  }
})
after(() => database[Symbol.asyncDispose]())

const logTables = [
  'audit_checkpoint',
  'audit_event',
  'audit_log',
  'audit_patient',
  'audit_seal',
  'audit_tile',
]
const anchorTables = ['anchor_checkpoint', 'anchor_leaf', 'anchor_log', 'anchor_tile']

test('the role reads the log and nothing else, and writes nothing', async () => {
  const { rows } = await database.superuserPool.query<{ privilege: string }>(
    `select table_name || ' ' || lower(privilege_type) as privilege from information_schema.table_privileges
     where grantee = $1 order by 1`,
    [database.monitor.user],
  )
  assert.deepEqual(
    rows.map(({ privilege }) => privilege),
    [...anchorTables, ...logTables, 'migration'].map(name => `${name} select`),
  )
  const others = await database.superuserPool.query<{ name: string }>(
    `select p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname = 'auricle' and has_function_privilege($1, p.oid, 'execute')`,
    [database.monitor.user],
  )
  assert.deepEqual(others.rows, [])
  for (const text of [
    'select from auricle.app_user',
    'select from auricle.recording',
    'select from auricle.log_key',
    'insert into auricle.audit_event (tenant_id, id, leaf) values (null, null, null)',
    'update auricle.audit_seal set seq = seq',
    'delete from auricle.audit_event',
    'create table auricle.mine ()',
    'create temporary table mine ()',
  ]) {
    await assert.rejects(database.monitorPool.query(text), { code: '42501' }, text)
  }
})

test('it sees the rows of every tenant, without saying which it is', async () => {
  for (const name of logTables) {
    const { rows } = await database.monitorPool.query<{ tenant_id: string }>(
      `select distinct tenant_id from auricle.${name} order by 1`,
    )
    assert.deepEqual(
      rows.map(row => row.tenant_id),
      tenants.map(({ tenantId }) => tenantId).sort(),
      name,
    )
  }
})

test('granting again changes nothing, and a role that is not there is no failure', async () => {
  const policies = () =>
    database.superuserPool.query(`select oid from pg_policy where polname = 'monitor' order by oid`)
  const before = await policies()
  assert.equal(before.rowCount, logTables.length)
  const options = { settings: database.owner, appRole: database.app.user }
  assert.equal(await migrate({ ...options, monitorRole: database.monitor.user }), 0)
  assert.equal(await migrate({ ...options, monitorRole: 'nobody; drop schema auricle' }), 0)
  assert.deepEqual((await policies()).rows, before.rows)
})

test('events without a seal are found by tenant, whatever the logs say', async () => {
  const watch = createLogView({ pool: database.monitorPool })
  const everything = { fromId: 'evt_0', toId: 'evt_z', before: new Date(Date.now() + 1000) }
  const unsealed = await watch.findUnsealed(everything)
  assert.deepEqual(
    unsealed.map(({ tenantId }) => tenantId).sort(),
    tenants.map(({ tenantId }) => tenantId).sort(),
  )
  assert.deepEqual(await watch.findUnsealed({ ...everything, before: new Date(0) }), [])
  assert.match((await watch.firstEventId()) ?? '', /^evt_/)
})
