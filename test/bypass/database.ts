// What can be done with the services' role of the database: which statements PostgreSQL refuses, which functions refuse
// by themselves, and that what neither refuses deletes no byte.
import { newTenantId } from '@auricle/contract'
import { ObjectError } from '@auricle/objects'
import type pg from 'pg'
import { inTenant } from '../disposition-fixture.ts'
import type { Attempt } from './attempt.ts'
import { approvedRow, type Guard, type GuardedRecording } from './guarded.ts'
import { decideLess } from './workers.ts'

const role = "the services' role"
const insufficientPrivilege = '42501'

/** `$1` is the tenant, `$2` the recording. */
const forbidden: readonly string[] = [
  'delete from auricle.recording where tenant_id = $1 and id = $2',
  'update auricle.recording set destroying_at = now() where tenant_id = $1 and id = $2',
  'update auricle.recording set destroyed_at = now() where tenant_id = $1 and id = $2',
  'update auricle.recording set source_id = null, from_number = null where tenant_id = $1 and id = $2',
  'update auricle.recording set retain_until = now() where tenant_id = $1 and id = $2',
  'update auricle.recording set started_at = now() where tenant_id = $1 and id = $2',
  'delete from auricle.recording_object where tenant_id = $1 and recording_id = $2',
  'update auricle.recording_object set wrap = null where tenant_id = $1 and recording_id = $2',
  "update auricle.recording_object set generation = '0' where tenant_id = $1 and recording_id = $2",
  "update auricle.recording_object set object_key = 'x' where tenant_id = $1 and recording_id = $2",
  'update auricle.recording_object set destroyed_at = now() where tenant_id = $1 and recording_id = $2',
  'delete from auricle.destroyed_object where tenant_id = $1 and recording_id = $2',
  'update auricle.destroyed_object set destroyed_at = now() where tenant_id = $1 and recording_id = $2',
  'delete from auricle.hold_cover where tenant_id = $1 and recording_id = $2',
  'update auricle.hold_cover set recording_id = recording_id where tenant_id = $1 and recording_id = $2',
  'update auricle.hold_cover set covered_at = now() where tenant_id = $1 and recording_id = $2',
  'delete from auricle.legal_hold where tenant_id = $1 and $2::text is not null',
  'update auricle.legal_hold set placed_at = now() where tenant_id = $1 and $2::text is not null',
  'delete from auricle.hold_clause where tenant_id = $1 and $2::text is not null',
  'update auricle.hold_clause set mailbox_id = null where tenant_id = $1 and $2::text is not null',
  'delete from auricle.retention_decision where tenant_id = $1 and recording_id = $2',
  'update auricle.retention_decision set keep_until = now() where tenant_id = $1 and recording_id = $2',
  'update auricle.retention_decision set due_at = now() where tenant_id = $1 and recording_id = $2',
  "update auricle.retention_decision set status = 'kept' where tenant_id = $1 and recording_id = $2",
  'update auricle.retention_decision set locked = false where tenant_id = $1 and recording_id = $2',
  'update auricle.retention_rule_version set definition = null where tenant_id = $1 and $2::text is not null',
  'delete from auricle.retention_rule_version where tenant_id = $1 and $2::text is not null',
  'delete from auricle.record_set_decision where tenant_id = $1 and $2::text is not null',
  'update auricle.disposition set stages = 0 where tenant_id = $1 and $2::text is not null',
  'update auricle.disposition_review set reviewed_by = $2 where tenant_id = $1',
  'delete from auricle.disposition_item where tenant_id = $1 and recording_id = $2',
  'update auricle.intake set sealed_notice = null where tenant_id = $1 and recording_id = $2',
  'update auricle.intake set object_key = $2 where tenant_id = $1',
  'delete from auricle.certificate where tenant_id = $1 and recording_id = $2',
  'delete from auricle.audit_event where tenant_id = $1 and $2::text is not null',
]

/** Without parameters. */
const forbiddenOfSchema: readonly string[] = [
  'truncate auricle.recording cascade',
  'truncate auricle.hold_cover',
  'drop table auricle.hold_cover',
  'alter table auricle.hold_cover disable row level security',
  'alter table auricle.recording disable trigger all',
  'create or replace function auricle.refuses_destruction(text, text, timestamptz) returns text language sql as $$ select null $$',
  "set session_replication_role = 'replica'",
]

/** Two people, thirty days: held by the table itself. */
const impossibleRule = `
  insert into auricle.retention_rule_version (tenant_id, rule_id, version, definition, effect, proposed_at, proposed_by,
    approved_at, approved_by, effective_from) values ($1, $2, 99, '{}', 'shortens', now(), null, now(), null, now())`

/** Leaves everything as it was. */
export async function tryDatabase(guard: Guard): Promise<readonly Attempt[]> {
  const { vault, tenantId, now } = guard
  const { appPool } = vault.database
  const attempts: Attempt[] = []
  const before = await guard.look()
  const add = async (what: string, refused: string, isRefused: boolean) => {
    const harm = isRefused ? [] : [`was not refused: ${refused}`]
    const logged = refused.startsWith('PostgreSQL') ? "PostgreSQL's log" : '-'
    attempts.push({ ...{ wall: 'database', by: role }, ...{ what, refused, logged, harm } })
  }
  const checkHarm = async (what: string) => {
    const harm = await guard.harm(before)
    if (harm.length > 0)
      attempts.push({ ...{ wall: 'database', by: role, what, harm }, refused: '-', logged: '-' })
  }
  for (const text of forbidden) {
    for (const { id } of guard.recordings) {
      const code = await codeOf(
        inTenant(appPool, tenantId, client => client.query(text, valuesOf(text, tenantId, id))),
      )
      await add(shorten(text), `PostgreSQL (${code})`, code === insufficientPrivilege)
    }
  }
  await checkHarm('all statements that have no right')
  for (const text of forbiddenOfSchema) {
    const code = await codeOf(inTenant(appPool, tenantId, client => client.query(text)))
    await add(shorten(text), `PostgreSQL (${code})`, code === insufficientPrivilege)
  }
  const [first] = guard.recordings
  const rule = await codeOf(
    inTenant(appPool, tenantId, client => client.query(impossibleRule, [tenantId, first?.rule])),
  )
  await add('insert a rule that shortens, approved by nobody else', `PostgreSQL (${rule})`, rule === '23514')

  for (const one of guard.recordings) {
    for (const call of ['begin_destruction', 'end_destruction', 'refuses_destruction']) {
      const answer = await inTenant(appPool, tenantId, async client => {
        const { rows } = await client.query(`select auricle.${call}($1, $2, $3) as answer`, [
          tenantId,
          one.id,
          now(),
        ])
        return rows[0]?.answer ?? null
      })
      await add(`auricle.${call}: ${one.reason}`, `the function: ${answer}`, answer !== null)
    }
    await inTenant(appPool, tenantId, client =>
      client.query("select auricle.stop_destruction($1, $2, 'x', $3)", [tenantId, one.id, now()]),
    )
    await add(`auricle.stop_destruction: ${one.reason}`, 'the function: nothing is being destroyed', true)
    await inTenant(appPool, tenantId, client => forgeDeleted(client, guard, one)).catch(() => undefined)
    const answer = await inTenant(appPool, tenantId, async client => {
      const { rows } = await client.query('select auricle.end_destruction($1, $2, $3) as answer', [
        ...[tenantId, one.id, now()],
      ])
      return rows[0]?.answer ?? null
    })
    await add(
      `rows that say it was deleted, then auricle.end_destruction: ${one.reason}`,
      `the function: ${answer}`,
      answer !== null,
    )
    await checkHarm(`all functions: ${one.reason}`)
  }
  const elsewhere = await inTenant(appPool, newTenantId(), async client => {
    const { rows } = await client.query('select auricle.begin_destruction($1, $2, $3) as answer', [
      ...[tenantId, first?.id, now()],
    ])
    return rows[0]?.answer ?? null
  }).catch((error: unknown) => String(error))
  await add(
    'auricle.begin_destruction, of another tenant',
    `the function: ${elsewhere}`,
    elsewhere === 'absent',
  )
  return attempts
}

/**
 * What PostgreSQL lets the role write, all of it at once: covers released, a decision that says less, approvals of two
 * people, rows that say it was deleted. The database believes it; the bytes stay. The recordings are lost to the rows.
 */
export async function tryForging(guard: Guard): Promise<readonly Attempt[]> {
  const { vault, tenantId, now } = guard
  const { appPool } = vault.database
  const attempts: Attempt[] = []
  for (const one of guard.recordings) {
    const [before] = (await guard.look()).filter(({ id }) => id === one.id)
    const what = `covers released, a decision that says less, two approvals, all forged: ${one.reason}`
    await inTenant(appPool, tenantId, client =>
      client.query(
        `update auricle.hold_cover set released_at = now() - interval '2 days', released_after = 0
         where tenant_id = $1 and recording_id = $2 and released_at is null`,
        [tenantId, one.id],
      ),
    )
    if (!one.reason.startsWith('held after')) {
      const reviewers = [guard.clinic.complianceOfficer.row.id, guard.clinic.administrator.row.id] as const
      await approvedRow(vault, tenantId, one, reviewers, now())
    }
    await decideLess(guard, one)
    const begun = await inTenant(appPool, tenantId, async client => {
      const { rows } = await client.query('select auricle.begin_destruction($1, $2, $3) as answer', [
        ...[tenantId, one.id, now()],
      ])
      return rows[0]?.answer ?? null
    })
    const refusals = new Set<string>()
    for (const { where } of one.reason === 'undecided' ? [] : (before?.stored ?? [])) {
      const [name, key = ''] = where.split(' ')
      const store = name === 'primary' ? guard.primary : guard.recovery
      refusals.add(
        await store.delete(key).catch((error: unknown) => (error instanceof ObjectError ? error.code : '?')),
      )
    }
    const isKept = [...refusals].every(code => code === 'held' || code === 'retained')
    const harm = isKept ? [] : [`${one.reason}: the store said ${[...refusals]}`]
    const stored = (await guard.look()).find(({ id }) => id === one.id)?.stored
    if (JSON.stringify(stored) !== JSON.stringify(before?.stored))
      harm.push(`${one.reason}: the stores have changed`)
    const store =
      refusals.size === 0 ? 'nothing but the database keeps it' : `the store: ${[...refusals].join(', ')}`
    attempts.push({
      ...{ wall: 'database', by: role, what, harm },
      refused: `${begun === null ? 'not by the database' : `the function: ${begun}`}; ${store}`,
      logged: begun === null ? 'no event, which the log shows by its absence' : '-',
    })
  }
  return attempts
}

async function forgeDeleted(
  client: pg.PoolClient,
  { tenantId }: Guard,
  { id }: GuardedRecording,
): Promise<void> {
  await client.query(
    `insert into auricle.destroyed_object (tenant_id, recording_id, store, object_key, generation, role, sealed_bytes,
       destroyed_at)
     select o.tenant_id, o.recording_id, s.store, o.object_key,
       case s.store when 'primary' then o.generation else o.recovery_generation end, o.role, o.sealed_bytes, now()
     from auricle.recording_object o cross join (values ('primary'), ('recovery')) s (store)
     where o.tenant_id = $1 and o.recording_id = $2`,
    [tenantId, id],
  )
}

const valuesOf = (text: string, tenantId: string, id: string) =>
  text.includes('$2') ? [tenantId, id] : [tenantId]

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt
    return 'done'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

const shorten = (text: string) => {
  const [what = ''] = text
    .trim()
    .replace(/\s+/g, ' ')
    .split(/ where | as \$\$/)
  return what
}
