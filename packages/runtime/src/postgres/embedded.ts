// The embedded PostgreSQL of one machine: made on the first start, kept running while we live, stopped with us.
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Account } from './account.ts'
import { type Binaries, prepareBinaries } from './binaries.ts'
import { claimFolder } from './claim.ts'
import { databaseName, type Passwords, prepareCluster, roles } from './cluster.ts'
import { PostgresError } from './error.ts'
import { stopOrphan } from './orphan.ts'
import {
  findPlace,
  makeFolder,
  makeHome,
  type Place,
  preparePlace,
  prepareSystemFolder,
  systemFolder,
} from './place.ts'
import { findBarrier } from './reach.ts'
import { type Server, type ServerExit, startServer } from './server.ts'
import { socketPort, writeSettings } from './settings.ts'

/** How to connect as one role: what the `pg` driver takes. */
export interface DatabaseSettings {
  /** Folder of the Unix socket. */
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
}

/** What the launcher reports; a pino logger fits. */
export interface PostgresLog {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
}

export interface EmbeddedPostgresOptions {
  /** Folder of the database; made if missing. */
  readonly home: string
  readonly log: PostgresLog
  /** Called when the server ended although nobody stopped it; it is being started again. */
  readonly onExit?: ((exit: ServerExit) => void) | undefined
  /** Aborts the start; a server that runs is stopped by `stop()`. */
  readonly signal?: AbortSignal | undefined
}

export interface EmbeddedPostgres extends AsyncDisposable {
  /** Owns the schema and runs migrations; no superuser. */
  readonly owner: DatabaseSettings
  /** What services connect as; cannot change the schema. */
  readonly app: DatabaseSettings
  /** What the monitor connects as: it reads the log. Null where the server was started before there was one. */
  readonly monitor: DatabaseSettings | null
  /** For tests and repair only. */
  readonly superuser: DatabaseSettings
  /** Where the database's files and logs are: `home`, or the folder that it names. */
  readonly folder: string
  /** The server process of this moment; null while it is being started again. */
  readonly pid: number | null
  /** Stops the server after its checkpoint. Idempotent. */
  stop(): Promise<void>
}

const firstBackoffMs = 100
const longestBackoffMs = 10_000
/** A server that ran this long was well: its next failure starts the backoff anew. */
const steadyAfterMs = 60_000
/** After a SIGKILL its children need a moment to end and let go of shared memory. */
const startAttempts = 6
/** sockaddr_un.sun_path holds 108 bytes with the final zero (unix(7)); macOS holds 104. */
const maxSocketPathBytes = process.platform === 'darwin' ? 103 : 107

/**
 * Starts PostgreSQL on `home` and resolves once it takes connections. Throws `PostgresError`: `in_use` where another
 * process runs it there, `unsupported`, `unusable` or `start_failed` with a sentence that says what to do.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, signal } = options
  await using opening = new AsyncDisposableStack()
  const home = await makeHome(path.resolve(options.home))
  opening.use(await claimFolder(home))
  const place = await findPlace(home)
  await preparePlace(place)
  // A folder that was copied names the same database as its origin.
  if (place.folder !== home) opening.use(await claimFolder(place.folder))
  if (await stopOrphan(place.dataFolder, { signal })) {
    log.warn({ folder: place.folder }, 'Stopped a PostgreSQL that a killed process had left running')
  }
  const binaries = await findBinaries(place)
  const passwords = await prepareCluster(place, binaries, { signal })
  const socketFolder = await chooseSocketFolder(place)
  if (socketFolder !== place.socketFolder)
    opening.defer(() => rm(socketFolder, { recursive: true, force: true }))
  await writeSettings(place, socketFolder)
  const supervisor = opening.use(await supervise(place, binaries, options))
  log.info({ folder: place.folder, pid: supervisor.pid }, 'PostgreSQL is ready')

  const running = opening.move()
  let stopping: Promise<void> | null = null
  const stop = (): Promise<void> => {
    stopping ??= running.disposeAsync()
    return stopping
  }
  return {
    ...connections(passwords, socketFolder),
    folder: place.folder,
    get pid() {
      return supervisor.pid
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function findBinaries(place: Place): Promise<Binaries> {
  const { account } = place
  if (account === null) return await prepareBinaries({ account, copyParent: place.folder })
  return await prepareBinaries({
    account,
    copyParent: systemFolder,
    prepareParent: () => prepareSystemFolder(account),
  })
}

/** How each role connects through the socket in `host`. */
export function connections(
  passwords: Passwords,
  host: string,
): Pick<EmbeddedPostgres, 'owner' | 'app' | 'monitor' | 'superuser'> {
  const connection = (user: string, password: string): DatabaseSettings => {
    return { host, port: socketPort, database: databaseName, user, password }
  }
  return {
    owner: connection(roles.owner, passwords.owner),
    app: connection(roles.app, passwords.app),
    monitor: passwords.monitor === null ? null : connection(roles.monitor, passwords.monitor),
    superuser: connection(roles.superuser, passwords.superuser),
  }
}

/** The folder for the socket: within the place, or a short private one where its path would be too long. */
async function chooseSocketFolder(place: Place): Promise<string> {
  const fits = (folder: string): boolean => {
    return Buffer.byteLength(path.join(folder, `.s.PGSQL.${socketPort}`)) <= maxSocketPathBytes
  }
  if (fits(place.socketFolder)) return place.socketFolder
  for (const parent of new Set([os.tmpdir(), '/tmp'])) {
    if (!fits(path.join(parent, 'auricle-XXXXXX')) || !(await isOpenTo(parent, place.account))) continue
    const folder = await mkdtemp(path.join(parent, 'auricle-'))
    await makeFolder(folder, 0o700, place.account)
    return folder
  }
  throw new PostgresError(
    'unusable',
    `The path ${place.folder} is too long for PostgreSQL's socket. Choose a shorter one.`,
  )
}

async function isOpenTo(folder: string, account: Account | null): Promise<boolean> {
  return account === null || (await findBarrier(folder, account)) === null
}

/** Keeps one server running until disposal. */
async function supervise(
  place: Place,
  binaries: Binaries,
  { log, onExit, signal }: EmbeddedPostgresOptions,
): Promise<AsyncDisposable & { readonly pid: number | null }> {
  const ending = new AbortController()
  let server: Server | null = await startPatiently(place, binaries, signal)
  const watching = watch()
  return {
    get pid() {
      return server?.pid ?? null
    },
    async [Symbol.asyncDispose]() {
      ending.abort()
      await server?.stop()
      await watching
    },
  }

  async function watch(): Promise<void> {
    let backoffMs = firstBackoffMs
    while (server !== null) {
      const startedAt = performance.now()
      const exit = await server.exited
      server = null
      if (ending.signal.aborted) return
      log.warn({ ...exit }, 'PostgreSQL ended unexpectedly and is being started again')
      onExit?.(exit)
      if (performance.now() - startedAt > steadyAfterMs) backoffMs = firstBackoffMs
      while (server === null && !ending.signal.aborted) {
        await pause(backoffMs)
        backoffMs = Math.min(backoffMs * 2, longestBackoffMs)
        server = await startAgain()
      }
    }
  }

  async function startAgain(): Promise<Server | null> {
    try {
      const started = await startServer(place, binaries, { signal: ending.signal })
      log.info({ pid: started.pid }, 'PostgreSQL is ready again')
      return started
    } catch (error) {
      if (!ending.signal.aborted) log.warn({ err: error }, 'PostgreSQL did not start; trying again')
      return null
    }
  }

  async function pause(ms: number): Promise<void> {
    // Rejects only when disposal cuts it short.
    await sleep(ms, undefined, { signal: ending.signal, ref: false }).catch(() => {})
  }
}

/** The first start fails for good only after a few attempts, since what a killed server left takes a moment to go. */
async function startPatiently(
  place: Place,
  binaries: Binaries,
  signal: AbortSignal | undefined,
): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startServer(place, binaries, { signal })
    } catch (error) {
      const mayPass = error instanceof PostgresError && /shared memory block/.test(error.message)
      if (!mayPass || attempt === startAttempts) throw error
      await sleep(firstBackoffMs * 2 ** attempt, undefined, signal === undefined ? {} : { signal })
    }
  }
}
