// Tenants apart and the log unchangeable, asked of PostgreSQL itself: a table added later is tested without a word here.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type pg from 'pg'
import {
  addAccessRows,
  anEvent,
  anIntake,
  archiveRecording,
  aToken,
  createTestTenant,
  type TestTenant,
} from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import { createCatalog } from './create-catalog.ts'

/** Tables of the deployment; everything else belongs to tenants. */
const deploymentTables: ReadonlySet<string> = new Set([
  'migration',
  'signing_key',
  'anchor_log',
  'anchor_leaf',
  'anchor_tile',
  'anchor_checkpoint',
  'log_key',
  'log_cluster',
])
/** Tables whose triggers refuse an update, or a removal, before it is known of which rows. */
const neverChanged: ReadonlySet<string> = new Set(['audit_seal', 'audit_patient', 'audit_tile'])
const neverRemoved: ReadonlySet<string> = new Set([...neverChanged, 'audit_event', 'audit_checkpoint'])
const insufficientPrivilege = '42501'

interface Table {
  readonly name: string
  readonly tenantColumn: string
  /** Columns that an insert may name. */
  readonly columns: readonly string[]
}

let database: TestDatabase
let tables: readonly Table[]
let one: TestTenant
let two: TestTenant

before(async () => {
  database = await createTestDatabase()
  const catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
  one = await createTestTenant(catalog)
  two = await createTestTenant(catalog)
  for (const tenant of [one, two]) {
    await archiveRecording(catalog, tenant)
    await catalog.commitIntake(anIntake(tenant), anEvent(tenant.tenantId))
    await catalog.addToken(aToken(tenant), anEvent(tenant.tenantId))
    await addAccessRows(database.appPool, tenant)
  }
  tables = await readTables()
})
after(() => database[Symbol.asyncDispose]())

async function readTables(): Promise<readonly Table[]> {
  const { rows } = await database.superuserPool.query<{ name: string; columns: string[] }>(
    `select c.relname as name, array_agg(a.attname::text) filter (where a.attgenerated = '') as columns
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
       join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where n.nspname = 'auricle' and c.relkind in ('r', 'p') group by c.relname order by c.relname`,
  )
  return rows
    .filter(({ name }) => !deploymentTables.has(name))
    .map(({ name, columns }) => {
      return { name, columns, tenantColumn: columns.includes('tenant_id') ? 'tenant_id' : 'id' }
    })
}

/** Runs one statement in a transaction of the given tenant (null: none) that is then undone. */
async function attempt(pool: pg.Pool, tenantId: string | null, text: string, values: unknown[] = []) {
  const client = await pool.connect()
  try {
    await client.query('begin')
    if (tenantId !== null) await client.query("select set_config('auricle.tenant', $1, true)", [tenantId])
    return { state: null, count: (await client.query(text, values)).rowCount ?? 0 }
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error, String(error))
    return { state: error.code, count: 0 }
  } finally {
    await client.query('rollback')
    client.release()
  }
}

describe('row-level security', () => {
  test('is on and forced for every table of tenants, and each has rows to protect', async () => {
    for (const { name, tenantColumn } of tables) {
      const { rows } = await database.superuserPool.query(
        `select relrowsecurity and relforcerowsecurity as forced from pg_class where oid = $1::regclass`,
        [`auricle.${name}`],
      )
      assert.equal(rows[0].forced, true, name)
      for (const { tenantId } of [one, two]) {
        const own = await database.superuserPool.query(
          `select from auricle.${name} where ${tenantColumn} = $1`,
          [tenantId],
        )
        assert.ok((own.rowCount ?? 0) > 0, `${name} has no row to test with`)
      }
    }
  })

  test('alone keeps tenants apart: every table, every statement, no tenant or another', async () => {
    // With every privilege granted, what is left to refuse is row-level security, and the log's triggers.
    const generous = await createTestDatabase()
    await using _ = generous
    const catalog = createCatalog({ pool: generous.appPool, stamper: aStamper() })
    const owner = await createTestTenant(catalog)
    const stranger = await createTestTenant(catalog)
    await archiveRecording(catalog, owner)
    await catalog.commitIntake(anIntake(owner), anEvent(owner.tenantId))
    await catalog.addToken(aToken(owner), anEvent(owner.tenantId))
    await addAccessRows(generous.appPool, owner)
    await generous.superuserPool.query(
      `grant all on all tables in schema auricle to ${generous.app.user};
       grant all on all sequences in schema auricle to ${generous.app.user}`,
    )
    for (const { name, tenantColumn, columns } of tables) {
      const theirs = `${tenantColumn} = '${owner.tenantId}'`
      const { rows } = await generous.superuserPool.query(
        `select to_jsonb(t) as row from auricle.${name} t where ${theirs} limit 1`,
      )
      const list = columns.join(', ')
      const insert = `insert into auricle.${name} (${list}) overriding system value
        select ${list} from jsonb_populate_record(null::auricle.${name}, $1)`
      const sees = await attempt(generous.appPool, owner.tenantId, `select from auricle.${name}`)
      assert.ok(sees.count > 0, `${name}: its own tenant sees it`)
      for (const tenantId of [null, '', stranger.tenantId]) {
        const as = `${name} as ${tenantId === null ? 'nobody' : tenantId || 'the empty tenant'}`
        const select = await attempt(
          generous.appPool,
          tenantId,
          `select from auricle.${name} where ${theirs}`,
        )
        assert.deepEqual(select, { state: null, count: 0 }, `select ${as}`)
        const inserted = await attempt(generous.appPool, tenantId, insert, [JSON.stringify(rows[0].row)])
        assert.equal(inserted.state, insufficientPrivilege, `insert ${as}`)
        for (const [statement, isRefused] of [
          [
            `update auricle.${name} set ${tenantColumn} = ${tenantColumn} where ${theirs}`,
            neverChanged.has(name),
          ],
          [`delete from auricle.${name} where ${theirs}`, neverRemoved.has(name)],
        ] as const) {
          const { state, count } = await attempt(generous.appPool, tenantId, statement)
          assert.equal(count, 0, `${statement} as ${as}`)
          assert.equal(state, isRefused ? insufficientPrivilege : null, `${statement} as ${as}`)
        }
      }
      const moved = await attempt(
        generous.appPool,
        owner.tenantId,
        `update auricle.${name} set ${tenantColumn} = '${stranger.tenantId}'`,
      )
      assert.equal(moved.state, insufficientPrivilege, `${name}: a row cannot be given to another tenant`)
    }
  })

  test('binds the owner of the tables too, outside the directory', async () => {
    const directory = new Set([
      ...['tenant', 'connector', 'intake', 'outbox', 'recording_object'],
      ...['store_work', 'retention_rule_version', 'retention_decision', 'report_schedule'],
      ...[
        'identity_provider',
        'token_issuer',
        'break_glass',
        'alert',
        'attempt',
        'spent_token',
        'token',
        'invitation',
      ],
    ])
    for (const { name } of tables) {
      const { count } = await attempt(database.ownerPool, null, `select from auricle.${name}`)
      assert.equal(count > 0, directory.has(name), name)
    }
  })

  test('binds inside functions, and no tenant is left behind on the connection', async () => {
    await database.superuserPool.query(
      `create function auricle.forgetful(p_tenant text) returns bigint language plpgsql as $$
       begin
         perform set_config('auricle.tenant', p_tenant, true);
         return (select count(*) from auricle.intake where tenant_id <> p_tenant);
       end $$;
       grant execute on function auricle.forgetful to ${database.app.user}`,
    )
    const client = await database.appPool.connect()
    try {
      const { rows } = await client.query('select auricle.forgetful($1) as foreign_rows', [one.tenantId])
      assert.equal(rows[0].foreign_rows, '0')
      await client.query('select * from auricle.find_bearer($1, $2, now())', [one.tenantId, 'tok_0'])
      assert.equal((await client.query('select from auricle.intake')).rowCount, 0)
    } finally {
      client.release()
    }
  })
})

describe('the role of the services', () => {
  const may = (text: string, values: unknown[] = []) => attempt(database.appPool, one.tenantId, text, values)

  test('has exactly these privileges', async () => {
    const { rows } = await database.superuserPool.query<{ privilege: string }>(
      `select distinct table_name || ' ' || lower(privilege_type)
         || case when whole then '' else ' (' || string_agg(column_name, ' ' order by column_name) || ')' end as privilege
       from (
         select table_name, privilege_type, column_name, exists (
           select from information_schema.table_privileges t
           where t.grantee = c.grantee and t.table_schema = c.table_schema and t.table_name = c.table_name
             and t.privilege_type = c.privilege_type
         ) as whole
         from information_schema.column_privileges c where grantee = $1 and table_schema = 'auricle'
       ) p group by table_name, privilege_type, whole order by 1`,
      [database.app.user],
    )
    assert.deepEqual(
      rows.map(({ privilege }) => privilege),
      [
        'activity_finding insert',
        'activity_finding select',
        'activity_finding update (verdict)',
        'activity_review insert',
        'activity_review select',
        'activity_review update (note signed_at signed_by)',
        'alert insert',
        'alert select',
        'alert update (acknowledged_at acknowledged_by)',
        'anchor_checkpoint insert',
        'anchor_checkpoint select',
        'anchor_checkpoint update (published_at)',
        'anchor_leaf insert',
        'anchor_leaf select',
        'anchor_log insert',
        'anchor_log select',
        'anchor_log update (frontier size)',
        'anchor_tile insert',
        'anchor_tile select',
        'app_user insert',
        'app_user select',
        'app_user update (disabled_at failed_attempts locked_until name password_hash totp_last_step totp_secret)',
        'attempt insert',
        'attempt select',
        'attempt update (used_at)',
        'audit_checkpoint insert',
        'audit_checkpoint select',
        'audit_checkpoint update (published_at)',
        'audit_event insert (id late leaf sealed_private tenant_id)',
        'audit_event select',
        'audit_log insert',
        'audit_log select',
        'audit_log update (closed_at cursor_id cursor_xid frontier size)',
        'audit_patient insert',
        'audit_patient select',
        'audit_seal insert',
        'audit_seal select',
        'audit_tile insert',
        'audit_tile select',
        'break_glass insert',
        'break_glass select',
        'break_glass update (ended_at review_note reviewed_at reviewed_by verdict)',
        'certificate insert',
        'certificate select',
        'certificate update (issued_at jws)',
        'connector insert',
        'connector select',
        'connector update (disabled_at first_sealed_secrets previous_sealed_secrets previous_until previous_used_at sealed_secrets)',
        'delegation insert',
        'delegation select',
        'delegation update (ended_at ended_by)',
        'destroyed_object insert',
        'destroyed_object select',
        'disclosure insert',
        'disclosure select',
        'disclosure_suspension insert',
        'disclosure_suspension select',
        'disclosure_suspension update (ended_at)',
        'disposition insert',
        'disposition select',
        'disposition update (ended_at ended_by ready_at state)',
        'disposition_item insert',
        'disposition_item select',
        'disposition_item update (attempts changed_at first_failed_at found next_attempt_at reason state)',
        'disposition_review insert',
        'disposition_review select',
        'drift_finding insert',
        'drift_finding select',
        'drift_run insert',
        'drift_run select',
        'drift_run update (counts ended_at objects recordings)',
        'emergency_code insert',
        'emergency_code select',
        'emergency_code update (revoked_at used_at)',
        'external_identity insert',
        'external_identity select',
        'hold_clause insert',
        'hold_clause select',
        'hold_cover insert',
        'hold_cover select',
        'hold_cover update (released_after released_at released_by)',
        'hold_custodian insert',
        'hold_custodian select',
        'hold_custodian update (acknowledged_at)',
        'identity_provider insert',
        'identity_provider select',
        'identity_provider update (client_secret disabled_at name settings)',
        'intake insert',
        'intake select',
        'intake update (attempts last_error_code next_attempt_at state touched_at)',
        'invitation insert',
        'invitation select',
        'invitation update (revoked_at used_at)',
        'issuer_subject insert',
        'issuer_subject select',
        'issuer_subject update (removed_at scopes)',
        'legal_hold insert',
        'legal_hold select',
        'legal_hold update (release_reason released_at released_by)',
        'log_cluster insert',
        'log_cluster select',
        'log_cluster update (seen_at system_identifier)',
        'log_key insert',
        'log_key select',
        'log_key update (retired_at)',
        'mailbox insert',
        'mailbox select',
        'mailbox_owner insert',
        'mailbox_owner select',
        'migration select',
        'outbox insert (intake_id tenant_id)',
        'passkey insert',
        'passkey select',
        'passkey update (is_backed_up name removed_at sign_count used_at)',
        'patient insert',
        'patient select',
        'patient update (birth_date)',
        'record_set_decision insert',
        'record_set_decision select',
        'record_set_decision update (superseded_at)',
        'recording insert',
        'recording select',
        'recording update (copied_at heard_at heard_by labels patient_id)',
        'recording_object insert',
        'recording_object select',
        'recording_object update (recovery_generation recovery_held recovery_until replicated_at replication_attempts replication_due_at replication_error store_held store_until)',
        'recovery_code insert',
        'recovery_code select',
        'recovery_code update (removed_at used_at)',
        'report_run insert',
        'report_run select',
        'report_run update (attempts ended_at error outcome stored)',
        'report_schedule insert',
        'report_schedule select',
        'report_schedule update (ended_at ended_by next_run_at)',
        'retention_decision insert',
        'retention_decision select',
        'retention_decision update (revision superseded_at)',
        'retention_event insert',
        'retention_event select',
        'retention_event update (withdrawn_at withdrawn_by)',
        'retention_rule insert',
        'retention_rule select',
        'retention_rule_version insert',
        'retention_rule_version select',
        'retention_rule_version update (applied_at approved_at approved_by effective_from withdrawn_at withdrawn_by)',
        'role_grant insert',
        'role_grant select',
        'role_grant update (revoked_at revoked_by until)',
        'role_request insert',
        'role_request select',
        'role_request update (decided_at decided_by outcome)',
        'signing_key insert',
        'signing_key select',
        'spent_token insert',
        'spent_token select',
        'store_work insert',
        'store_work select',
        'store_work update (asked_at attempts due_at error)',
        'team insert',
        'team select',
        'team update (name)',
        'team_mailbox insert',
        'team_mailbox select',
        'team_member insert',
        'team_member select',
        'team_member update (provider_id supervises)',
        'tenant insert',
        'tenant select',
        'tenant update (break_glass_ms disposition_stages idle_ms name policy_revision retention_zone review_ms session_ms shortening_days storage_price waiting_days working_hours)',
        'token insert',
        'token select',
        'token update (end_reason factors provider_session revoked_at seen_at verified_at)',
        'token_issuer insert',
        'token_issuer select',
        'token_issuer update (disabled_at settings)',
      ],
    )
    const tableWide = await database.superuserPool.query(
      `select lower(privilege_type) || ' ' || table_name as privilege from information_schema.table_privileges
       where grantee = $1 and privilege_type not in ('SELECT', 'INSERT') order by 1`,
      [database.app.user],
    )
    // What these say is said again by the log; everything else keeps its row when it ends.
    assert.deepEqual(
      tableWide.rows.map(({ privilege }) => privilege),
      ['delete mailbox_owner', 'delete store_work', 'delete team_mailbox', 'delete team_member'],
    )
  })

  test('cannot change the log, the schema, its own rights or its session beyond them', async () => {
    const refused = [
      'update auricle.audit_event set leaf = leaf',
      'delete from auricle.audit_event',
      'truncate auricle.audit_event',
      'alter table auricle.audit_event disable trigger append_only',
      'alter table auricle.audit_event disable row level security',
      'drop policy own_tenant on auricle.audit_event',
      'drop table auricle.outbox',
      `insert into auricle.audit_event (tenant_id, id, leaf, xid) values ('${one.tenantId}', 'evt_x', '', '1')`,
      `insert into auricle.audit_event (tenant_id, id, leaf, recorded_at) values ('${one.tenantId}', 'evt_x', '', now())`,
      "set session_replication_role = 'replica'",
      `set role ${database.owner.user}`,
      `set session authorization ${database.owner.user}`,
      `alter role ${database.app.user} superuser`,
      `alter role ${database.app.user} bypassrls`,
      'create table auricle.extra ()',
      'create table public.extra ()',
      'create temporary table extra ()',
      'create schema extra',
      "create function auricle.extra() returns integer language sql as 'select 1'",
      'create or replace function auricle.tenant_ids() returns setof text language sql as $$ select null $$',
      'create extension pgcrypto',
      'create role extra',
      'create database extra',
      'select rolpassword from pg_authid',
      "copy auricle.tenant to '/tmp/auricle-copy'",
      "copy auricle.tenant to program 'true'",
      "select pg_read_file('PG_VERSION')",
      'select * from auricle.outbox',
      'delete from auricle.recording',
      "update auricle.recording set retain_until = now() - interval '100 years'",
      'update auricle.intake set object_key = null',
      'update auricle.recording_object set object_key = generation',
      'delete from auricle.app_user',
      'delete from auricle.role_grant',
      "update auricle.role_grant set role = 'administrator'",
      "update auricle.role_request set role = 'administrator'",
      'update auricle.role_request set requested_by = user_id',
      'delete from auricle.delegation',
      'update auricle.delegation set until = until',
      "update auricle.token set scopes = '{people.manage}'",
      'update auricle.break_glass set until = until',
      'delete from auricle.break_glass',
      'update auricle.spent_token set expires_at = now()',
      'select auricle.refuse_change()',
      'set row_security = off; select * from auricle.intake',
    ]
    for (const text of refused) {
      const { state } = await may(text)
      // 25001: not in a transaction; 0A000: triggers are not called. Neither does anything.
      assert.ok([insufficientPrivilege, '25001', '0A000'].includes(String(state)), `${text}: ${state}`)
    }
  })

  test('meets triggers on the log where its privileges were ever widened, and so does the owner', async () => {
    for (const pool of [database.ownerPool, database.superuserPool]) {
      for (const text of ['update auricle.audit_event set leaf = leaf', 'delete from auricle.audit_event']) {
        assert.equal((await attempt(pool, one.tenantId, text)).state, insufficientPrivilege)
        const replica = await attempt(
          pool,
          one.tenantId,
          `set local session_replication_role = replica; ${text}`,
        )
        assert.equal(replica.state, insufficientPrivilege)
      }
      assert.equal((await attempt(pool, null, 'truncate auricle.audit_event')).state, insufficientPrivilege)
    }
  })
})

test('functions that look across tenants are the known ones, with a fixed search path, and public may run none', async () => {
  const { rows } = await database.superuserPool.query<{
    name: string
    definer: boolean
    config: string[] | null
    open: boolean
  }>(
    `select p.proname as name, p.prosecdef as definer, p.proconfig as config,
       p.proacl is null or exists (select from aclexplode(p.proacl) a where a.grantee = 0) as open
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname = 'auricle' and p.proname <> 'forgetful' order by p.proname`,
  )
  assert.deepEqual(
    rows.filter(({ open }) => open),
    [],
  )
  const definers = rows.filter(({ definer }) => definer)
  assert.deepEqual(
    definers.map(({ name }) => name),
    [
      'begin_destruction',
      'drop_private_part',
      'due_report_schedules',
      'end_destruction',
      'expired_break_glass',
      'issuer_of',
      'open_alerts',
      'overdue_reviews',
      'refuses_destruction',
      'remove_outbox',
      'remove_spent',
      'replication_backlog',
      'stalled_intakes',
      'stop_destruction',
      'store_backlog',
      'take_outbox',
      'take_store_work',
      'tenant_ids',
      'tenant_of_attempt',
      'tenant_of_connector',
      'tenant_of_invitation',
      'tenant_of_provider',
      'tenant_of_slug',
      'tenants_with_due_rules',
      'tenants_with_stale_decisions',
      'token_owner',
      'unreplicated_recordings',
    ],
  )
  for (const { name, config } of definers) assert.deepEqual(config, ['search_path=pg_catalog, pg_temp'], name)
})
