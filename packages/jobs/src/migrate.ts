// Makes the queue's tables, as their owner, and lets the application use them without being able to change them.
import { runMigrations } from 'bullmq'
import { Client, escapeIdentifier } from 'pg'
import { type JobsConnection, jobsSchema } from './postgres-connection.ts'

/**
 * Brings the queue's schema to the version of this code. Idempotent; several at once wait for each other. Commit
 * points: the schema first, then the grants; after a stop between them the next run finds the schema and grants.
 */
export async function migrateJobs(
  options: { readonly owner: JobsConnection; readonly appRole: string },
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  signal?.throwIfAborted()
  const client = new Client({ ...options.owner, application_name: 'auricle-jobs-migration' })
  // A connection that breaks rejects the query under way; without a listener it would also end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await runMigrations(client, jobsSchema)
    const role = escapeIdentifier(options.appRole)
    await client.query(`
      BEGIN;
      SELECT pg_advisory_xact_lock(hashtext('auricle:jobs:grants'));
      GRANT USAGE ON SCHEMA ${jobsSchema} TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${jobsSchema} TO ${role};
      REVOKE INSERT, UPDATE, DELETE ON ${jobsSchema}.migration FROM ${role};
      GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA ${jobsSchema} TO ${role};
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${jobsSchema} TO ${role};
      COMMIT;
    `)
  } finally {
    await client.end()
  }
}
