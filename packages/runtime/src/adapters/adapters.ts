// The one place where configuration chooses adapters: what comes out is the same whatever is behind it.
import { access } from 'node:fs/promises'
import { type Catalog, createCatalog, createPool, migrate } from '@auricle/catalog'
import { createPostgresJobs, type Jobs, migrateJobs } from '@auricle/jobs'
import { createLocalKeyService, type KeyService } from '@auricle/keys'
import { createPostgresLimits, type Limits, migrateLimits } from '@auricle/limits'
import { createFolderStore, type FolderStore } from '@auricle/objects'
import type { Config, Secrets } from '../config.ts'
import { RuntimeError } from '../error.ts'
import type { Logger } from '../logger.ts'
import { type Database, openDatabase } from './database.ts'

export interface Adapters extends AsyncDisposable {
  readonly catalog: Catalog
  readonly objects: FolderStore
  readonly keys: KeyService
  /** Rate limits and the memory of what was seen lately. */
  readonly limits: Limits
  /** Opened by the first call, since only the worker needs a queue. */
  readonly openJobs: () => Promise<Jobs>
}

export interface OpenAdapters {
  readonly config: Config
  readonly secrets: Secrets
  readonly logger: Logger
  /** See `openDatabase`. */
  readonly database: 'start' | 'join'
  readonly signal?: AbortSignal | undefined
}

/** Migrates where it may; then everything is open, and disposing closes it in reverse. */
export async function openAdapters(options: OpenAdapters): Promise<Adapters> {
  const { config, secrets, logger, signal } = options
  await using opening = new AsyncDisposableStack()
  const database = opening.use(await openDatabase(config, secrets, options.database, { logger, signal }))
  await migrateDatabase(database, signal)
  const pool = opening.adopt(
    createPool(database.app, { onIdleError: error => logger.debug('An idle connection broke', { error }) }),
    opened => opened.end(),
  )
  const catalog = createCatalog({ pool })
  await catalog.check({ signal })
  await refuseLostKeyring(config, catalog, signal)
  const keys = await createLocalKeyService({
    file: config.keys.file,
    passphrase: secrets.keyringPassphrase?.reveal(),
  })
  const objects = createFolderStore({ folder: config.objects.folder })
  const limits = opening.use(openLimits(database, logger))
  const jobs = opening.use(lateJobs(database, logger))
  const opened = opening.move()
  return {
    catalog,
    objects,
    keys,
    limits,
    openJobs: jobs.open,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** A new keyring opens nothing of what an old one closed, so it must not take its place unasked. */
async function refuseLostKeyring(
  { keys: { file } }: Pick<Config, 'keys'>,
  catalog: Pick<Catalog, 'listSigningKeys'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const isThere = await access(file).then(
    () => true,
    (error: unknown) => !(error instanceof Error && 'code' in error && error.code === 'ENOENT'),
  )
  if (isThere || (await catalog.listSigningKeys({ signal })).length === 0) return
  throw new RuntimeError(
    'keyring_lost',
    `The database is in use, but its keyring ${file} is not there. Put your copy of it back: without it nothing that is stored can be opened.`,
  )
}

async function migrateDatabase({ owner, app }: Database, signal: AbortSignal | undefined): Promise<void> {
  if (owner === null) return
  await migrate({ settings: owner, appRole: app.user, signal })
  await migrateJobs({ owner, appRole: app.user }, { signal })
  await migrateLimits({ owner, appRole: app.user }, { signal })
}

function openLimits({ app }: Database, logger: Logger): Limits {
  return createPostgresLimits({
    connection: app,
    onError: error => logger.warn('Limits hold in each process alone: their store is away', { error }),
    onRecovered: () => logger.info('The store of limits answers again'),
  })
}

function lateJobs({ app }: Database, logger: Logger) {
  let opening: Promise<Jobs> | null = null
  return {
    open: () => {
      opening ??= createPostgresJobs({
        connection: app,
        onError: error => logger.warn('The queue has trouble', { error }),
        onRecovered: () => logger.info('The queue answers again'),
      })
      return opening
    },
    async [Symbol.asyncDispose]() {
      await (await opening?.catch(() => null))?.[Symbol.asyncDispose]()
    },
  }
}
