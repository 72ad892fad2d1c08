// Recordings that the rules have done with, and what stands in the way of their end: rows for tests of dispositions.
import {
  type DispositionId,
  newDispositionId,
  newHoldId,
  newRuleId,
  type RecordingId,
  type RuleId,
  type TenantId,
} from '@auricle/contract'
import type pg from 'pg'

export interface DecidedRow {
  readonly status?: 'kept' | 'undecided' | 'waiting' | 'unruled' | 'permanent'
  readonly disposal?: 'automatic' | 'review' | 'none'
  readonly decidedAt?: Date
  readonly keepUntil?: Date
  readonly dueAt?: Date
  readonly ruleId?: RuleId
  readonly ruleVersion?: number
  readonly revision?: number
}

/** Runs as the services' role, in the tenant's transaction. */
export async function inTenant<Result>(
  pool: pg.Pool,
  tenantId: TenantId,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query("select set_config('auricle.tenant', $1, true)", [tenantId])
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

/** A new decision on the recording, in the place of the one before. Returns the rule that governs. */
export async function decideRow(
  pool: pg.Pool,
  { tenantId, recordingId }: { readonly tenantId: TenantId; readonly recordingId: RecordingId },
  at: Date,
  row: DecidedRow = {},
): Promise<RuleId> {
  const { status = 'kept', ruleId = newRuleId(), ruleVersion = 1, revision = 0 } = row
  const { decidedAt = at, keepUntil = at, disposal = 'review' } = row
  const dueAt = status === 'kept' ? (row.dueAt ?? keepUntil) : null
  await inTenant(pool, tenantId, async client => {
    await client.query(
      `update auricle.retention_decision set superseded_at = greatest($3, decided_at)
       where tenant_id = $1 and recording_id = $2 and superseded_at is null`,
      [tenantId, recordingId, decidedAt],
    )
    await client.query(
      `insert into auricle.retention_decision (tenant_id, recording_id, decided_at, revision, status, rule_id,
         rule_version, keep_until, due_at, disposal, locked) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, false)`,
      [tenantId, recordingId, decidedAt, revision, status, ruleId, ruleVersion, keepUntil, dueAt, disposal],
    )
  })
  return ruleId
}

/** A hold on these recordings, placed as a hold is: alone among all of the tenant. Returns how to release it. */
export async function placeHoldRow(
  pool: pg.Pool,
  tenantId: TenantId,
  recordingIds: readonly RecordingId[],
  at: Date,
): Promise<(at: Date) => Promise<void>> {
  const id = newHoldId()
  await inTenant(pool, tenantId, async client => {
    await client.query('select auricle.lock_holds($1)', [tenantId])
    await client.query(
      "insert into auricle.legal_hold (tenant_id, id, matter, placed_at) values ($1, $2, 'sealed', $3)",
      [tenantId, id, at],
    )
    for (const recordingId of recordingIds)
      await client.query(
        'insert into auricle.hold_cover (tenant_id, hold_id, recording_id, covered_at) values ($1, $2, $3, $4)',
        [tenantId, id, recordingId, at],
      )
  })
  return releasedAt =>
    inTenant(pool, tenantId, async client => {
      await client.query(
        `update auricle.legal_hold set released_at = $3, release_reason = 'sealed' where tenant_id = $1 and id = $2`,
        [tenantId, id, releasedAt],
      )
      await client.query(
        'update auricle.hold_cover set released_at = $3, released_after = 0 where tenant_id = $1 and hold_id = $2',
        [tenantId, id, releasedAt],
      )
    })
}

/** One of the functions that mark and empty a recording: null, or why not. */
export async function callDestruction(
  pool: pg.Pool,
  name: 'refuses_destruction' | 'begin_destruction' | 'end_destruction',
  { tenantId, recordingId }: { readonly tenantId: TenantId; readonly recordingId: RecordingId },
  at: Date,
): Promise<string | null> {
  return inTenant(pool, tenantId, async client => {
    const { rows } = await client.query<{ refusal: string | null }>(
      `select auricle.${name}($1, $2, $3) as refusal`,
      [tenantId, recordingId, at],
    )
    return rows[0]?.refusal ?? null
  })
}

/** An automatic disposition of one recording, ready at once. */
export async function readyRow(
  pool: pg.Pool,
  { tenantId, recordingId }: { readonly tenantId: TenantId; readonly recordingId: RecordingId },
  at: Date,
  { ruleId, ruleVersion = 1 }: { readonly ruleId: RuleId; readonly ruleVersion?: number },
): Promise<DispositionId> {
  const id = newDispositionId()
  await inTenant(pool, tenantId, async client => {
    await client.query(
      `insert into auricle.disposition (tenant_id, id, state, kind, proposed_at, stages, ready_at)
       values ($1, $2, 'waiting', 'automatic', $3, 0, $3)`,
      [tenantId, id, at],
    )
    await client.query(
      `insert into auricle.disposition_item (tenant_id, disposition_id, recording_id, state, rule_id, rule_version,
         keep_until, due_at, changed_at) values ($1, $2, $3, 'listed', $4, $5, $6, $6, $6)`,
      [tenantId, id, recordingId, ruleId, ruleVersion, at],
    )
  })
  return id
}
