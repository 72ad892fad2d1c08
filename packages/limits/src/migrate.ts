// Makes the tables of limits, as their owner, and lets the application use them.
import { Client, escapeIdentifier, type PoolConfig } from 'pg'

/** How to connect as one role: what the `pg` driver takes. */
export type LimitsConnection = Pick<
  PoolConfig,
  'connectionString' | 'host' | 'port' | 'user' | 'password' | 'database' | 'ssl'
>

/**
 * Idempotent, in one transaction; several at once wait for each other. The tables are unlogged: they cost no
 * write-ahead log, and a database that crashed finds them empty, which is what limits may be at any time.
 */
export async function migrateLimits(
  options: { readonly owner: LimitsConnection; readonly appRole: string },
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  signal?.throwIfAborted()
  const client = new Client({ ...options.owner, application_name: 'auricle-limits-migration' })
  // A connection that breaks rejects the query under way; without a listener it would also end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    const role = escapeIdentifier(options.appRole)
    await client.query(`
      BEGIN;
      SELECT pg_advisory_xact_lock(hashtext('auricle:limits'));
      CREATE SCHEMA IF NOT EXISTS limits;
      CREATE UNLOGGED TABLE IF NOT EXISTS limits.bucket (
        key bytea PRIMARY KEY,
        full_at_ms float8 NOT NULL,
        allowed boolean NOT NULL
      ) WITH (fillfactor = 50);
      CREATE UNLOGGED TABLE IF NOT EXISTS limits.note (
        key bytea PRIMARY KEY,
        value text NOT NULL,
        expires_at_ms float8 NOT NULL
      );
      CREATE INDEX IF NOT EXISTS note_expires_at_ms ON limits.note (expires_at_ms);
      GRANT USAGE ON SCHEMA limits TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA limits TO ${role};
      COMMIT;
    `)
  } finally {
    await client.end()
  }
}
