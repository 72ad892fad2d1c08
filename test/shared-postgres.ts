// One PostgreSQL for a whole run of tests: a temporary server, and a migrated database to copy for each test file.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DatabaseSettings, migrate } from '@auricle/catalog'
import { startEmbeddedPostgres } from '@auricle/runtime/postgres'

/** How test processes reach the server. */
export interface SharedPostgres {
  readonly owner: DatabaseSettings
  readonly app: DatabaseSettings
  readonly monitor: DatabaseSettings
  readonly superuser: DatabaseSettings
}

/** Variable of the environment that hands the settings to the test processes, as JSON. */
export const settingsVariable = 'AURICLE_TEST_POSTGRES'

/** As root, PostgreSQL's own user has to pass through the folder. */
const passableMode = 0o711

/** Starts a server in a temporary folder and migrates its database, which nobody connects to afterwards. */
export async function startSharedPostgres(): Promise<SharedPostgres & AsyncDisposable> {
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'auricle-tests-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  await chmod(folder, passableMode)
  const silent = { info: () => {}, warn: () => {} }
  const server = opening.use(await startEmbeddedPostgres({ home: join(folder, 'postgres'), log: silent }))
  const { monitor } = server
  if (monitor === null) throw new Error('a server just made has every role')
  await migrate({ settings: server.owner, appRole: server.app.user, monitorRole: monitor.user })
  const running = opening.move()
  return {
    owner: server.owner,
    app: server.app,
    monitor,
    superuser: server.superuser,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
