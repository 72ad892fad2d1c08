// A tenant with a decade of recordings, made by the database itself: decisions, holds, disposals, objects, copies.
//
// What is made is the same for the same counts. Foreign keys are not asked, which is the superuser's to decide; every row
// would pass them.
import { newConnectorId, newTenantId, type TenantId } from '@auricle/contract'
import type pg from 'pg'

export interface SeedCounts {
  readonly recordings: number
  /** How many of them should be gone by now and are not. */
  readonly due: number
}

/** The instant up to which everything happens. */
export const seededUntil = new Date('2026-11-01T00:00:00.000Z')

const mailboxes = 40
const rules = 6
const holds = 12

/** Resolves to the tenant. Takes a connection of a superuser, and nothing else may use it meanwhile. */
export async function seedDecade(client: pg.ClientBase, counts: SeedCounts): Promise<TenantId> {
  const tenantId = newTenantId()
  await client.query('begin')
  await client.query('set local session_replication_role = replica')
  await client.query("set local timezone = 'UTC'")
  await client.query("select set_config('auricle.tenant', $1, true)", [tenantId])
  for (const [text, values] of statements(tenantId, counts)) await client.query(text, [...values])
  await client.query('commit')
  for (const table of analyzed) await client.query(`vacuum analyze auricle.${table}`)
  return tenantId
}

const analyzed = [
  ...['recording', 'recording_object', 'retention_decision', 'hold_cover', 'disposition_item'],
  ...['disposition', 'certificate', 'legal_hold'],
] as const

type Statement = readonly [text: string, values: readonly unknown[]]

/** Ids of seeded rows say their number: 26 characters, the last 24 of them digits. */
const idOf = (prefix: string, number: string) => `'${prefix}_01' || lpad((${number})::text, 24, '0')`

function* statements(tenantId: TenantId, { recordings, due }: SeedCounts): Generator<Statement> {
  const until = seededUntil
  const connectorId = newConnectorId()
  yield [
    `insert into auricle.tenant (id, slug, name, keep_days, column_secret, created_at, storage_price)
     values ($1, $2, 'A practice', 30, '{}', $3::timestamptz - interval '11 years', $4)`,
    [
      tenantId,
      tenantId.replace('_', '-'),
      until,
      JSON.stringify({ currency: 'USD', perGibibyteMonth: 0.02 }),
    ],
  ]
  yield [
    `insert into auricle.mailbox (tenant_id, id, address, name)
     select $1, ${idOf('mbx', 'n')}, (1000 + n)::text, 'Extension ' || n from generate_series(0, ${mailboxes - 1}) n`,
    [tenantId],
  ]
  yield [
    `insert into auricle.connector (tenant_id, id, kind, name, max_bytes, idle_timeout_ms, allowed_hosts, sealed_secrets,
       created_at) values ($1, $2, 'standard', 'PBX', 1, 1, '[]', '', $3)`,
    [tenantId, connectorId, until],
  ]
  yield [
    `insert into auricle.retention_rule (tenant_id, id, name, created_at)
     select $1, ${idOf('rul', 'n')}, 'Rule ' || n, $2::timestamptz - interval '11 years'
     from generate_series(0, ${rules - 1}) n`,
    [tenantId, until],
  ]
  // From the oldest to the newest. A third is gone, all that is due at the end of it is not.
  yield [
    `insert into auricle.recording (tenant_id, id, connector_id, intake_id, mailbox_id, kind, source_id, from_number,
       from_index, to_index, started_at, received_at, archived_at, duration_ms, audio_state, retain_until,
       destroying_at, destroyed_at, stored_bytes, copied_at)
     select $1, ${idOf('rec', 'n')}, $2, ${idOf('int', 'n')}, ${idOf('mbx', `n % ${mailboxes}`)},
       case when n % 3 = 0 then 'recording' else 'voicemail' end,
       case when gone then null else decode(md5(n::text) || md5(n::text), 'hex') end,
       case when gone then null else decode(md5(n::text) || md5(n::text), 'hex') end,
       case when gone then null else decode(md5((n % 5000)::text) || md5(''), 'hex') end,
       case when gone then null else decode(md5((n % 100)::text) || md5(''), 'hex') end,
       at, at + interval '1 minute', at + interval '2 minutes', 20000 + (n * 7919) % 300000, 'ready',
       at + interval '30 days',
       case when gone then at + interval '3 years 30 days' end, case when gone then at + interval '3 years 31 days' end,
       (20000 + (n * 7919) % 300000) * 19 + 1324, at + interval '7 minutes'
     from (
       select n, $3::timestamptz - interval '10 years' + (interval '10 years' * n) / $4 as at,
         n < $4 / 3 and n >= $5 as gone
       from generate_series(0, $4::bigint - 1) n
     ) g`,
    [tenantId, connectorId, until, recordings, due],
  ]
  yield [
    `insert into auricle.recording_object (tenant_id, recording_id, role, object_key, generation, sealed_bytes,
       plaintext_bytes, content_type, fingerprint, replicated_at, recovery_generation, replication_owed_at,
       replication_due_at, destroyed_at)
     select r.tenant_id, r.id, o.role, 'recordings/' || r.id || '/' || o.role, '1',
       o.bytes + (r.duration_ms * o.rate) / 1000, o.bytes + (r.duration_ms * o.rate) / 1000, 'audio/wav',
       decode(md5(r.id) || md5(o.role), 'hex'), r.archived_at + interval '5 minutes', '1', r.archived_at, r.archived_at,
       r.destroyed_at
     from auricle.recording r
     cross join (values ('original', 512, 16000), ('playback', 512, 3000), ('peaks', 300, 20)) o (role, bytes, rate)
     where r.tenant_id = $1`,
    [tenantId],
  ]
  // What is made from these tables is planned by how full they are.
  yield ['analyze auricle.recording', []]
  // Of every fourth, what was decided first has been decided anew since.
  yield [
    `insert into auricle.retention_decision (tenant_id, recording_id, decided_at, superseded_at, revision, status,
       keep_until, disposal, locked)
     select r.tenant_id, r.id, r.archived_at, r.archived_at + interval '90 days', 1, 'unruled', r.retain_until, 'none', false
     from auricle.recording r where r.tenant_id = $1 and right(r.id, 4)::integer % 4 = 0`,
    [tenantId],
  ]
  yield [
    `insert into auricle.retention_decision (tenant_id, recording_id, decided_at, superseded_at, revision, status,
       rule_id, rule_version, keep_until, due_at, disposal, locked)
     select tenant_id, id, decided_at, destroyed_at, 1, status, case when status <> 'unruled' then ${idOf('rul', `n % ${rules}`)} end,
       case when status <> 'unruled' then 1 + n % 2 end, keep_until,
       case when status = 'kept' then keep_until + interval '30 days' end,
       case when status <> 'kept' then 'none' when n % 5 = 0 then 'automatic' else 'review' end, n % 2 = 0
     from (
       select r.tenant_id, r.id, r.destroyed_at, n,
         case when n % 4 = 0 then r.archived_at + interval '90 days' else r.archived_at end as decided_at,
         case when r.destroyed_at is not null or n < $3 then 'kept' when n % 20 = 0 then 'undecided'
           when n % 20 = 1 then 'waiting' when n % 20 = 2 then 'unruled' when n % 20 = 3 then 'permanent'
           else 'kept' end as status,
         case when r.destroyed_at is not null then r.archived_at + interval '3 years'
           when n < $3 then $2::timestamptz - interval '60 days'
           else $2::timestamptz + interval '1 day' + (interval '7 years' * (n % 1009)) / 1009 end as keep_until
       from (select r.*, right(r.id, 9)::integer as n from auricle.recording r where r.tenant_id = $1) r
     ) d`,
    [tenantId, until, due],
  ]
  yield ['analyze auricle.retention_decision', []]
  yield [
    `insert into auricle.legal_hold (tenant_id, id, matter, placed_at)
     select $1, ${idOf('hld', 'n')}, '', $2::timestamptz - interval '2 years' from generate_series(0, ${holds - 1}) n`,
    [tenantId, until],
  ]
  yield [
    `insert into auricle.hold_cover (tenant_id, hold_id, recording_id, covered_at, released_at,
       released_after)
     select r.tenant_id, ${idOf('hld', `n / 37 % ${holds}`)}, r.id, greatest(r.archived_at, $2::timestamptz - interval '2 years'),
       case when n % 5 = 0 then $2::timestamptz - interval '1 year' end, case when n % 5 = 0 then 0 end
     from (select r.*, right(r.id, 9)::integer as n from auricle.recording r where r.tenant_id = $1) r
     where n % 37 = 0 and r.destroyed_at is null and n >= $3`,
    [tenantId, until, due],
  ]
  yield [
    `insert into auricle.disposition (tenant_id, id, state, kind, proposed_at, stages, ready_at, ended_at)
     select $1, ${idOf('dsp', 'n')}, 'done', 'automatic', $2::timestamptz, 0, $2, $2
     from generate_series(0, ($3::bigint / 3) / 1000) n`,
    [tenantId, until, recordings],
  ]
  yield [
    `insert into auricle.disposition_item (tenant_id, disposition_id, recording_id, state, rule_id, rule_version,
       keep_until, due_at, changed_at)
     select d.tenant_id, ${idOf('dsp', 'n / 1000')}, d.recording_id, 'destroyed', d.rule_id, d.rule_version, d.keep_until,
       d.due_at, d.destroyed_at
     from (
       select d.*, right(d.recording_id, 9)::integer as n, r.destroyed_at
       from auricle.retention_decision d
       join auricle.recording r on r.tenant_id = d.tenant_id and r.id = d.recording_id
       where d.tenant_id = $1 and d.status = 'kept' and r.destroyed_at is not null
     ) d`,
    [tenantId],
  ]
  yield [
    `insert into auricle.certificate (tenant_id, id, recording_id, disposition_id, event_id, claims, last_copy_at)
     select i.tenant_id, ${idOf('crt', 'right(i.recording_id, 9)::integer')}, i.recording_id, i.disposition_id,
       ${idOf('evt', 'right(i.recording_id, 9)::integer')}, '{}', i.changed_at + interval '35 days'
     from auricle.disposition_item i where i.tenant_id = $1`,
    [tenantId],
  ]
}
