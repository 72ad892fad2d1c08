import { createTestDatabase } from '../test/postgres.ts'
import { createCatalog } from '../packages/catalog/src/index.ts'
import { createTestTenant } from '../test/catalog-fixture.ts'
await using d = await createTestDatabase()
const r = await d.superuserPool.query(`select oprname, oprleft::regtype, proname, proleakproof from pg_operator o join pg_proc p on p.oid=o.oprcode where oprname in ('>','<','=','>=') and oprleft in ('xid8'::regtype,'text'::regtype,'int8'::regtype,'int4'::regtype,'timestamptz'::regtype, 'int2'::regtype) and oprleft=oprright`)
console.table(r.rows)
const c = createCatalog({pool:d.appPool})
const t = await createTestTenant(c)
await d.superuserPool.query(`insert into auricle.audit_event(tenant_id,id,leaf) select $1, 'evt_'||g, 'x'::bytea from generate_series(1,200000) g`,[t.tenantId])
await d.superuserPool.query('analyze auricle.audit_event')
const cl = await d.appPool.connect()
await cl.query(`select set_config('auricle.tenant', $1, false)`,[t.tenantId])
for (const q of [
 `select id from auricle.audit_event e where tenant_id='${t.tenantId}' and (xid,id) > ('10'::xid8,'evt_1') and xid < pg_snapshot_xmin(pg_current_snapshot()) order by xid,id limit 10`,
 `select id from auricle.audit_event e where tenant_id='${t.tenantId}' and (xid,id) > ('100000'::xid8,'evt_1') and xid < pg_snapshot_xmin(pg_current_snapshot()) order by xid,id limit 10`,
 `select id from auricle.audit_event e where tenant_id='${t.tenantId}' and (xid,id) > ('100000'::xid8,'evt_1') order by xid,id limit 1`])
 console.log((await cl.query('explain (analyze,buffers) '+q)).rows.map(x=>x['QUERY PLAN']).join('\n'))
cl.release()
