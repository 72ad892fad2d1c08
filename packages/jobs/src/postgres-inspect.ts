// What a look at the database says about the queue that it holds.
import type { Finding } from '@auricle/contract'
import type { PgPool } from 'bullmq'
import { clockFinding } from './clock-finding.ts'

/** BullMQ asks for 13 and advises 14. */
const versionLeast = 140_000

export async function inspectPostgres(pool: PgPool): Promise<readonly Finding[]> {
  const { rows } = await pool.query(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
            pg_is_in_recovery() as replica, extract(epoch from clock_timestamp())::float8 * 1000 as "nowMs"`,
  )
  const [{ version, number, replica, nowMs }] = rows as [
    { version: string; number: number; replica: boolean; nowMs: number },
  ]
  const isOld = number < versionLeast
  return [
    {
      name: 'queue server',
      state: replica ? 'bad' : isOld ? 'warn' : 'ok',
      found: `PostgreSQL ${version}${replica ? ', a replica, which cannot be written to' : ''}`,
      mend: replica
        ? 'Connect to the primary server.'
        : isOld
          ? 'Move to PostgreSQL 14 or a later one.'
          : null,
    },
    clockFinding(nowMs),
  ]
}
