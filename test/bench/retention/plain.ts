// What one would ask at a prompt: the recordings of a tenant with what was decided of them, counted by four columns.
import type { TenantId } from '@auricle/contract'
import type pg from 'pg'

/** Resolves to how many groups there are. */
export async function plainAggregate(pool: pg.Pool, tenantId: TenantId, asOf: Date): Promise<number> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query("select set_config('auricle.tenant', $1, true)", [tenantId])
    const { rowCount } = await client.query(
      `select d.rule_id, d.rule_version, r.kind, r.mailbox_id, d.status, count(*), sum(r.stored_bytes), sum(r.duration_ms)
       from auricle.recording r
       left join auricle.retention_decision d on d.tenant_id = r.tenant_id and d.recording_id = r.id
         and d.decided_at <= $2 and (d.superseded_at is null or d.superseded_at > $2)
       where r.tenant_id = $1 and r.archived_at <= $2 and (r.destroyed_at is null or r.destroyed_at > $2)
       group by d.rule_id, d.rule_version, r.kind, r.mailbox_id, d.status`,
      [tenantId, asOf],
    )
    await client.query('commit')
    return rowCount ?? 0
  } finally {
    client.release()
  }
}
