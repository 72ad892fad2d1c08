// A migrated database of a test's own, on the server that the whole run shares.
//
//   await using database = await createTestDatabase()
//   const catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
import { randomBytes } from 'node:crypto'
import { createPool, type DatabaseSettings } from '@auricle/catalog'
import pg from 'pg'
import { type SharedPostgres, settingsVariable, startSharedPostgres } from './shared-postgres.ts'

/** Settings and pools of one database, by role. The superuser is for looking behind the curtain only. */
export interface TestDatabase extends AsyncDisposable {
  readonly owner: DatabaseSettings
  readonly app: DatabaseSettings
  readonly monitor: DatabaseSettings
  readonly superuser: DatabaseSettings
  readonly ownerPool: pg.Pool
  readonly appPool: pg.Pool
  readonly monitorPool: pg.Pool
  readonly superuserPool: pg.Pool
}

let own: Promise<SharedPostgres & AsyncDisposable> | null = null

async function findServer(): Promise<SharedPostgres> {
  const settings = process.env[settingsVariable]
  if (settings !== undefined) return JSON.parse(settings) as SharedPostgres
  own ??= startOwn()
  return await own
}

/** A file that is run without the global setup starts a server itself, for as long as it runs. */
async function startOwn(): Promise<SharedPostgres & AsyncDisposable> {
  const server = await startSharedPostgres()
  // Not a hook of the test runner: those run in the order they were set, and the file's own need the server.
  process.once('beforeExit', async () => {
    await server[Symbol.asyncDispose]()
  })
  return server
}

export interface TestDatabaseOptions {
  /** Without any schema of ours, for tests that migrate it themselves. */
  readonly empty?: boolean | undefined
}

/** Makes a database with the newest schema; disposal ends its pools and drops it. */
export async function createTestDatabase({ empty = false }: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = await findServer()
  const name = `test_${randomBytes(8).toString('hex')}`
  const { user, database: template } = server.owner
  await administer(server, [
    `create database ${name} template ${empty ? 'template0' : template} owner ${user}`,
    // Rights on a database are not copied with it.
    `revoke all on database ${name} from public`,
    `grant connect on database ${name} to ${server.app.user}, ${server.monitor.user}`,
  ])
  const settings = {
    owner: { ...server.owner, database: name },
    app: { ...server.app, database: name },
    monitor: { ...server.monitor, database: name },
    superuser: { ...server.superuser, database: name },
  }
  const pools = {
    ownerPool: createPool(settings.owner),
    appPool: createPool(settings.app, { maxConnections: 20 }),
    monitorPool: createPool(settings.monitor),
    superuserPool: new pg.Pool(settings.superuser),
  }
  pools.superuserPool.on('error', () => {})
  return {
    ...settings,
    ...pools,
    async [Symbol.asyncDispose]() {
      await Promise.all(Object.values(pools).map(pool => pool.end()))
      await administer(server, [`drop database ${name} with (force)`])
    },
  }
}

/** Statements on the database of databases; they run outside transactions. */
async function administer(server: SharedPostgres, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ ...server.superuser, database: 'postgres' })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}
