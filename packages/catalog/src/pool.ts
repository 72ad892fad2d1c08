// Connections to the database: safe defaults for every session, and none at all where the role or the server is not
// one to trust rows to.
import pg from 'pg'
import { CatalogError } from './error.ts'
import type { Row } from './row.ts'

export interface DatabaseSettings {
  /** Host name, or the folder of a Unix socket. */
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
  /** As the driver takes it; leave out for a Unix socket. */
  readonly ssl?: pg.ConnectionConfig['ssl']
}

export interface PoolOptions {
  /** In `pg_stat_activity` and the server's log. */
  readonly applicationName?: string | undefined
  /** Most connections at once; 1 or more, default 10. */
  readonly maxConnections?: number | undefined
  /** Told of connections that broke while idle; the next query opens another. */
  readonly onIdleError?: ((error: Error) => void) | undefined
}

const defaultMaxConnections = 10
const connectTimeoutMs = 5_000
const idleTimeoutMs = 30_000

/** For every session; the server ends what takes longer. */
const sessionLimits = {
  statement_timeout: 30_000,
  lock_timeout: 10_000,
  idle_in_transaction_session_timeout: 60_000,
} as const

/** A pool for the role of the services. Each new connection is checked (`checkSessionFacts`) before its first use. */
export function createPool(settings: DatabaseSettings, options: PoolOptions = {}): pg.Pool {
  const pool = new pg.Pool({
    ...sessionSettings(settings, options.applicationName),
    max: options.maxConnections ?? defaultMaxConnections,
    idleTimeoutMillis: idleTimeoutMs,
    onConnect: checkSession,
  })
  // Without a listener, a server that goes away would end our process.
  pool.on('error', error => options.onIdleError?.(error))
  return pool
}

/** What the driver needs to open a session of ours. */
export function sessionSettings(settings: DatabaseSettings, applicationName = 'auricle'): pg.ClientConfig {
  const { host, port, database, user, password, ssl } = settings
  return {
    host,
    port,
    database,
    user,
    password,
    ...(ssl === undefined ? {} : { ssl }),
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    options: '-c timezone=UTC -c datestyle=ISO -c search_path=pg_catalog',
    ...sessionLimits,
  }
}

/** Asks what `checkSessionFacts` judges. */
export const sessionFacts = `
  select not (r.rolsuper or r.rolbypassrls) as bound,
    current_setting('fsync') = 'on' and current_setting('full_page_writes') = 'on'
      and current_setting('synchronous_commit') <> 'off' as durable
  from pg_catalog.pg_roles r where r.rolname = current_user`

/** Judges a new connection before its first use. */
async function checkSession(client: Pick<pg.ClientBase, 'query'>): Promise<void> {
  checkSessionFacts((await client.query<Row>(sessionFacts)).rows)
}

/**
 * Throws `refused` on a session whose role row-level security does not bind, or whose server acknowledges commits that
 * a power failure would undo.
 */
export function checkSessionFacts([facts]: readonly Row[]): void {
  if (facts === undefined || facts['bound'] !== true) {
    throw new CatalogError(
      'refused',
      'The database role is a superuser or bypasses row-level security. Connect as the role of the services.',
    )
  }
  if (facts['durable'] !== true) {
    throw new CatalogError(
      'refused',
      'The database may lose committed rows: fsync, full_page_writes and synchronous_commit must be on.',
    )
  }
}
