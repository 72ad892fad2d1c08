// Limits in PostgreSQL: one statement a question, on the database's own clock, in tables that may be empty tomorrow.
import { Pool } from 'pg'
import { slackMs } from './bucket.ts'
import type { Limits } from './limits.ts'
import type { LimitsConnection } from './migrate.ts'
import { createSharedLimits, type LimitStore, type LimitsOptions } from './shared-limits.ts'

export interface PostgresLimitsOptions extends LimitsOptions {
  readonly connection: LimitsConnection
}

const connectionsMost = 3
const statementTimeoutMs = 5000
const sweepEveryMs = 60_000
/** What one sweep deletes at most of each table, so that it never holds anybody up. */
const sweepMost = 1000

const clock = `coalesce($1::float8, extract(epoch from clock_timestamp())::float8 * 1000)`

/** See `takeFrom`; `excluded.full_at_ms` is a full bucket less one token, so its clock can be had from it. */
const takeSql = `
  with clock as materialized (select ${clock} as now),
  rate as (select $3::float8 as burst, $4::float8 as every)
  insert into limits.bucket as b (key, full_at_ms, allowed)
  select $2, clock.now + rate.every, true from clock, rate
  on conflict (key) do update set (full_at_ms, allowed) = (
    select case when fits then at + every else at end, fits
    from (
      select at, every, at - now - (burst - 1) * every <= ${slackMs} as fits
      from clock, rate,
        lateral (select least(greatest(b.full_at_ms, now), now + burst * every) as at) bounded
    ) judged
  )
  returning allowed, full_at_ms - (select now from clock) - ($3::float8 - 1) * $4::float8 as "waitMs"`

const seenSql = `select value from limits.note where key = $2 and expires_at_ms > ${clock}`

const rememberSql = `
  with clock as materialized (select ${clock} as now)
  insert into limits.note as n (key, value, expires_at_ms)
  select $2, $3, now + $4::float8 from clock
  on conflict (key) do update set value = excluded.value, expires_at_ms = excluded.expires_at_ms
  where n.expires_at_ms <= (select now from clock)`

const sweepSql = (table: string, column: string) => `
  delete from limits.${table} where ctid = any (array(
    select ctid from limits.${table} where ${column} < ${clock} limit ${sweepMost} for update skip locked))`

/** Connects when it is first asked. The tables are made by `migrateLimits`. */
export function createPostgresLimits(options: PostgresLimitsOptions): Limits {
  const pool = new Pool({
    ...options.connection,
    application_name: 'auricle-limits',
    max: connectionsMost,
    statement_timeout: statementTimeoutMs,
    connectionTimeoutMillis: statementTimeoutMs,
    keepAlive: true,
  })
  // A connection that breaks while idle belongs to nobody; the next question finds out.
  pool.on('error', () => undefined)
  return createSharedLimits(createStore(pool, options.now), options)
}

function createStore(pool: Pool, now: (() => number) | undefined): LimitStore {
  const nowMs = () => now?.() ?? null
  let sweptAt = performance.now()
  let sweeping: Promise<unknown> = Promise.resolve()
  const sweepNowAndThen = () => {
    if (performance.now() - sweptAt < sweepEveryMs) return
    sweptAt = performance.now()
    // Nobody waits for it, and one that failed is made up for by the next.
    sweeping = sweep(pool, nowMs()).catch(() => undefined)
  }
  return {
    async take(key, { burst, everyMs }) {
      sweepNowAndThen()
      const { rows } = await pool.query<{ allowed: boolean; waitMs: number }>({
        name: 'take',
        text: takeSql,
        values: [nowMs(), key, burst, everyMs],
      })
      const [row] = rows
      if (row === undefined || row.allowed) return { allowed: true }
      return { allowed: false, retryAfterMs: Math.max(1, Math.ceil(row.waitMs)) }
    },
    async seen(key) {
      const { rows } = await pool.query<{ value: string }>(seenSql, [nowMs(), key])
      return rows[0]?.value ?? null
    },
    async remember(key, value, ttlMs) {
      sweepNowAndThen()
      await pool.query(rememberSql, [nowMs(), key, value, ttlMs])
    },
    async close() {
      await sweeping
      await pool.end()
    },
  }
}

/** Deletes what says nothing any more: buckets that are full and notes that have ended. */
export async function sweep(pool: Pick<Pool, 'query'>, nowMs: number | null): Promise<void> {
  await pool.query(sweepSql('bucket', 'full_at_ms'), [nowMs])
  await pool.query(sweepSql('note', 'expires_at_ms'), [nowMs])
}
