// What one would ask at a prompt: how many recordings, bytes and hours there are by rule, kind, mailbox, age and state.
import type { TenantId } from '@auricle/contract'
import type pg from 'pg'

/** Resolves to how many groups there are. */
export async function plainAggregate(pool: pg.Pool, tenantId: TenantId, asOf: Date): Promise<number> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query("select set_config('auricle.tenant', $1, true)", [tenantId])
    const { rowCount } = await client.query(plainText, [tenantId, asOf])
    await client.query('commit')
    return rowCount ?? 0
  } finally {
    client.release()
  }
}

const plainText = `
  select d.rule_id, d.rule_version, r.kind, r.mailbox_id, extract(year from age($2, r.received_at)) as years,
    case when exists (
      select from auricle.hold_cover c
      join auricle.legal_hold h on h.tenant_id = c.tenant_id and h.id = c.hold_id
      where c.tenant_id = r.tenant_id and c.recording_id = r.id and c.covered_at <= $2
        and (c.released_at is null or c.released_at > $2) and (h.released_at is null or h.released_at > $2)
    ) then 'held' when d.due_at <= $2 then 'due' else d.status end as state,
    count(*), sum(r.stored_bytes), sum(r.duration_ms)
  from auricle.recording r
  left join auricle.retention_decision d on d.tenant_id = r.tenant_id and d.recording_id = r.id
    and d.decided_at <= $2 and (d.superseded_at is null or d.superseded_at > $2)
  where r.tenant_id = $1 and r.archived_at <= $2 and (r.destroyed_at is null or r.destroyed_at > $2)
  group by d.rule_id, d.rule_version, r.kind, r.mailbox_id, years, state`
