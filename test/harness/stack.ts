// The product as it runs for real: PostgreSQL, ingest, worker and api as processes of their own in a temporary folder,
// on folders, a keyring and the queue in PostgreSQL, or on Google's services and Redis.
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ObjectStore } from '@auricle/objects'
import { openAdapters, readConfig } from '@auricle/runtime'
import {
  type DatabaseSettings,
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '@auricle/runtime/postgres'
import { createEventLog, createEventWriter, type EventLog } from '@auricle/vault'
import pg from 'pg'
import { findFreePort } from './free-port.ts'
import { type Google, openStoresOf, startGoogle } from './google.ts'
import { type ServiceProcess, startService } from './service-process.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** As root, PostgreSQL's own user has to pass through the folder. */
const passableMode = 0o711

export type ServiceName = 'ingest' | 'worker' | 'api'
export type Backend = 'local' | 'google'

/** As a command line has it. */
export function parseBackend(text: string): Backend {
  if (text !== 'local' && text !== 'google') throw new RangeError('A backend is local or google')
  return text
}

export interface StackOptions {
  /** Names the temporary folder. */
  readonly name: string
  readonly logLevel: 'debug' | 'info'
  readonly workerConcurrency: number
  /** Variables of one service beyond the common ones; they win. */
  readonly env?: Partial<Record<ServiceName, Readonly<Record<string, string>>>>
  readonly nodeOptions?: Partial<Record<ServiceName, readonly string[]>>
  /** A recovery store in a folder beside the data. Default: none. On Google there is always one. */
  readonly recovery?: boolean
  /** Default: local. */
  readonly backend?: Backend
  /** Decides what goes wrong with Google's services, once they are told to. Default: 1. */
  readonly seed?: number
  /** What reaches Google's key service and Redis is written down in the folder. Default: no. */
  readonly recordsRequests?: boolean
  /** The folder stays when the run is over. */
  readonly keep?: boolean
}

export interface Stack extends AsyncDisposable {
  /** Holds everything: data, database, logs, the temporary folders of the processes. */
  readonly folder: string
  readonly dataFolder: string
  readonly logFolder: string
  readonly temporaryFolder: string
  readonly postgres: EmbeddedPostgres
  readonly services: Readonly<Record<ServiceName, ServiceProcess>>
  readonly urls: { readonly ingest: string; readonly api: string }
  /** The adapters that the harness itself works with, on the same database, objects and keys; on Google as the operator. */
  readonly adapters: Awaited<ReturnType<typeof openAdapters>>
  /** The harness's own way into the audit log. */
  readonly log: EventLog
  /** Looks behind the curtain, past row-level security. */
  readonly superuser: pg.Pool
  /** The same for objects, past the rights of the operator. */
  readonly stores: { readonly objects: ObjectStore; readonly recovery: ObjectStore | null }
  /** Null on the local backend. */
  readonly google: Google | null
}

/** The schema is made and the harness's adapters are open; the services are started by `startServices`. */
export async function openStack(
  options: StackOptions,
): Promise<Omit<Stack, 'services'> & { startServices(): Promise<Stack> }> {
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), `auricle-${options.name}-`))
  if (options.keep !== true) opening.defer(() => rm(folder, { recursive: true, force: true }))
  await chmod(folder, passableMode)
  const [dataFolder, logFolder, temporaryFolder] = ['data', 'logs', 'tmp'].map(name => join(folder, name))
  if (dataFolder === undefined || logFolder === undefined || temporaryFolder === undefined)
    throw new TypeError()
  for (const made of [dataFolder, logFolder, temporaryFolder]) await mkdir(made)

  const postgres = opening.use(
    await startEmbeddedPostgres({
      home: join(folder, 'database'),
      log: { info: () => undefined, warn: () => undefined },
    }),
  )
  const [ingestPort, apiPort] = [await findFreePort(), await findFreePort()]
  const { backend = 'local', seed = 1 } = options
  const recordTo = options.recordsRequests === true ? join(folder, 'requests') : null
  if (recordTo !== null) await mkdir(recordTo)
  const google = backend === 'google' ? opening.use(await startGoogle({ seed, recordTo })) : null
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: temporaryFolder,
    DATABASE_URL: databaseUrl(postgres.app),
    AURICLE_DATA: dataFolder,
    AURICLE_INGEST_PORT: String(ingestPort),
    AURICLE_API_PORT: String(apiPort),
    ...(options.recovery === true ? { AURICLE_RECOVERY: join(folder, 'recovery') } : {}),
    AURICLE_WORKER_CONCURRENCY: String(options.workerConcurrency),
    AURICLE_LOG_LEVEL: options.logLevel,
    AURICLE_LOG_FORMAT: 'json',
  }
  const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => silent }
  const writer = createEventWriter({ name: 'harness' })
  const adapters = opening.use(
    await openAdapters({
      ...readConfig({
        ...env,
        ...google?.env('operator'),
        AURICLE_DATABASE_OWNER_URL: databaseUrl(postgres.owner),
      }),
      logger: silent,
      stamper: writer,
      database: 'join',
    }),
  )
  const log = opening.use(createEventLog({ ...adapters, writer, store: adapters.logStore }))
  const superuser = opening.adopt(
    new pg.Pool({ ...postgres.superuser, max: 4, application_name: 'auricle-harness' }),
    pool => pool.end(),
  )
  superuser.on('error', nothing)
  const stores = google === null ? adapters : await openStoresOf(google)
  const opened = opening.move()
  stopOnSignal(opened)
  const base = {
    folder,
    dataFolder,
    logFolder,
    temporaryFolder,
    postgres,
    urls: { ingest: `http://127.0.0.1:${ingestPort}`, api: `http://127.0.0.1:${apiPort}` },
    adapters,
    log,
    superuser,
    stores,
    google,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
  const start = async (name: ServiceName, readyMessage: string): Promise<ServiceProcess> => {
    const temporary = join(temporaryFolder, name)
    await mkdir(temporary)
    const service = opened.use(
      startService({
        name,
        main: join(root, 'services', name, 'src', 'main.ts'),
        nodeOptions: options.nodeOptions?.[name] ?? [],
        env: { ...env, ...google?.env(name), TMPDIR: temporary, ...options.env?.[name] },
        cwd: temporary,
        logFile: join(logFolder, `${name}.log`),
        readyMessage,
      }),
    )
    return service
  }
  return {
    ...base,
    async startServices() {
      const services = {
        ingest: await start('ingest', 'Listening'),
        worker: await start('worker', 'Working'),
        api: await start('api', 'Listening'),
      }
      await Promise.all(Object.values(services).map(service => service.ready()))
      return { ...base, services }
    },
  }
}

const nothing = () => undefined
const interrupted = 130

/** Ctrl-C takes the processes and the folder with it. */
function stopOnSignal(opened: AsyncDisposableStack): void {
  const stop = () => {
    // What was under way fails now, one thing after another, and must not end us before all is taken down.
    process.on('uncaughtException', nothing)
    opened.disposeAsync().then(
      () => process.exit(interrupted),
      () => process.exit(1),
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, stop)
    opened.defer(() => {
      process.off(signal, stop)
    })
  }
}

function databaseUrl({ host, port, database, user, password }: DatabaseSettings): string {
  const part = encodeURIComponent
  return `postgres://${part(user)}:${part(password)}@localhost:${port}/${part(database)}?host=${part(host)}`
}
