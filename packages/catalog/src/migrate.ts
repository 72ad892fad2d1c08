// Brings a database to the schema of this code: each migration once, in order, whole or not at all.
import pg from 'pg'
import { orAbort } from './abort.ts'
import { CatalogError } from './error.ts'
import { toCatalogError } from './failure.ts'
import { type Migration, readMigrations } from './migrations.ts'
import { grantMonitor } from './monitor-grants.ts'
import { type DatabaseSettings, sessionSettings } from './pool.ts'

export interface MigrateOptions {
  /** How to connect as the role that owns the schema. */
  readonly settings: DatabaseSettings
  /** The role of the services, which must exist and may own nothing. */
  readonly appRole: string
  /** The role of the monitor; what it may see is granted where that role exists. Default: nothing is granted. */
  readonly monitorRole?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Default: those that the package carries. */
  readonly migrations?: readonly Migration[] | undefined
}

/** Any number that nothing else in the database locks; these are the bytes of "auricle". */
const advisoryLock = '27432206995778661'

const bookkeeping = `
  create schema if not exists auricle;
  create table if not exists auricle.migration (
    version integer primary key,
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default clock_timestamp()
  )`

/**
 * Applies what is missing and returns how many migrations that were. Safe to run again and by several at once. Commit
 * point: one transaction a migration, its record included. Throws `outdated_schema` where the database has a migration
 * that this code does not know or knows otherwise. Abort ends the connection; a migration that was under way is undone.
 */
export async function migrate(options: MigrateOptions): Promise<number> {
  const { settings, signal, migrations } = options
  signal?.throwIfAborted()
  const known = migrations ?? (await readMigrations())
  const client = new pg.Client({
    ...sessionSettings(settings, 'auricle migrate'),
    // A migration of a large table, or waiting for somebody else's, takes as long as it takes.
    statement_timeout: 0,
    lock_timeout: 0,
  })
  // Whoever waits for the connection hears of its loss; unheard, the event would end the process.
  client.on('error', () => {})
  try {
    return await orAbort(migrateOn(client, known, options), signal)
  } catch (error) {
    signal?.throwIfAborted()
    throw toCatalogError(error)
  } finally {
    // Ends the session, and the advisory lock with it. After an abort nobody waits for what the server still does.
    const ended = client.end()
    if (signal?.aborted) ended.catch(() => {})
    else await ended
  }
}

async function migrateOn(
  client: pg.Client,
  known: readonly Migration[],
  { appRole, monitorRole }: Pick<MigrateOptions, 'appRole' | 'monitorRole'>,
): Promise<number> {
  await client.connect()
  await client.query('select pg_advisory_lock($1)', [advisoryLock])
  const count = await applyMissing(client, known, appRole)
  if (monitorRole !== undefined) await grantMonitor(client, monitorRole)
  return count
}

async function applyMissing(
  client: pg.Client,
  known: readonly Migration[],
  appRole: string,
): Promise<number> {
  await client.query(bookkeeping)
  const applied = await readApplied(client)
  checkApplied(applied, known)
  const missing = known.slice(applied.length)
  for (const migration of missing) await apply(client, migration, appRole)
  return missing.length
}

async function apply(client: pg.Client, migration: Migration, appRole: string): Promise<void> {
  await client.query('begin')
  try {
    // psql's notation, so that a file can also be run by hand with -v app_role=...
    await client.query(migration.sql.replaceAll(':"app_role"', pg.escapeIdentifier(appRole)))
    await client.query('insert into auricle.migration (version, name, sha256) values ($1, $2, $3)', [
      migration.version,
      migration.name,
      migration.sha256,
    ])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}

export interface AppliedMigration {
  readonly version: number
  readonly sha256: string
}

/** What a database has had applied, in order. */
async function readApplied(client: Pick<pg.ClientBase, 'query'>): Promise<readonly AppliedMigration[]> {
  const { rows } = await client.query<AppliedMigration>(
    'select version, sha256 from auricle.migration order by version',
  )
  return rows
}

/** Throws `outdated_schema` unless what was applied is a beginning of what this code knows. */
export function checkApplied(applied: readonly AppliedMigration[], known: readonly Migration[]): void {
  for (const [index, { version, sha256 }] of applied.entries()) {
    const migration = known[index]
    if (migration === undefined || migration.version !== version) {
      throw new CatalogError(
        'outdated_schema',
        `The database has migration ${version}, which this version of Auricle does not know. Use a newer version.`,
      )
    }
    if (migration.sha256 !== sha256) {
      throw new CatalogError(
        'outdated_schema',
        `Migration ${version} (${migration.name}) is not the one that was applied. Applied migrations never change.`,
      )
    }
  }
}
