// A PostgreSQL of one test's own, for tests that kill it.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type DatabaseSettings, startEmbeddedPostgres } from '@auricle/runtime'
import pg from 'pg'

const ownerAndOthersEnter = 0o755
const exitPollMs = 5

export interface OwnPostgres extends AsyncDisposable {
  readonly owner: DatabaseSettings
  readonly app: DatabaseSettings
  /** Ends the server with SIGKILL, once it runs, and resolves when it is gone. It is started again by itself. */
  kill(): Promise<void>
  /** Stops the server and all its sessions where they are; disposing lets them go on. */
  freeze(): Promise<AsyncDisposable>
}

export async function startOwnPostgres(): Promise<OwnPostgres> {
  await using opening = new AsyncDisposableStack()
  const home = await mkdtemp(join(tmpdir(), 'auricle-own-postgres-'))
  opening.defer(() => rm(home, { recursive: true, force: true }))
  await chmod(home, ownerAndOthersEnter)
  const silent = { info: () => undefined, warn: () => undefined }
  const server = opening.use(await startEmbeddedPostgres({ home: join(home, 'database'), log: silent }))
  const open = opening.move()
  return {
    owner: server.owner,
    app: server.app,
    async kill() {
      while (server.pid === null) await delay(exitPollMs)
      const { pid } = server
      process.kill(pid, 'SIGKILL')
      while (server.pid === pid) await delay(exitPollMs)
    },
    async freeze() {
      while (server.pid === null) await delay(exitPollMs)
      const client = new pg.Client(server.superuser)
      await client.connect()
      const { rows } = await client.query<{ pid: number }>(
        'select pid from pg_stat_activity where pid <> pg_backend_pid()',
      )
      await client.end()
      const stopped = [server.pid, ...rows.map(({ pid }) => pid)]
      for (const pid of stopped) process.kill(pid, 'SIGSTOP')
      return {
        async [Symbol.asyncDispose]() {
          for (const pid of stopped) process.kill(pid, 'SIGCONT')
        },
      }
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}
