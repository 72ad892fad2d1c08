// The one place where configuration chooses adapters: what comes out is the same whatever is behind it.
import { type Catalog, type CatalogOptions, createCatalog, createPool, migrate } from '@auricle/catalog'
import { type Jobs, migrateJobs } from '@auricle/jobs'
import type { KeyService, OnKeyUse } from '@auricle/keys'
import { type Limits, migrateLimits } from '@auricle/limits'
import type { Mailer } from '@auricle/mail'
import type { ObjectStore } from '@auricle/objects'
import type { Config, Secrets } from '../config.ts'
import type { Logger } from '../logger.ts'
import { type Database, openDatabase } from './database.ts'
import type { Inspected } from './fitness.ts'
import { lateJobs } from './jobs.ts'
import { openKeys, openKeyUses } from './keys.ts'
import { openLimits } from './limits.ts'
import { openMailer } from './mail.ts'
import {
  compareLocations,
  type OpenedStore,
  openLogStore,
  openRecovery,
  openStore,
  type SweepTemporary,
} from './objects.ts'

export interface Adapters extends AsyncDisposable {
  readonly catalog: Catalog
  readonly objects: ObjectStore
  /** Null where none is configured. */
  readonly recovery: ObjectStore | null
  /** Where the log is published, and where events go while the database cannot have them. */
  readonly logStore: ObjectStore
  /** Where reports on a schedule are stored; null where none is configured. */
  readonly reportStore: ObjectStore | null
  /** Null where no mail server is configured. */
  readonly mailer: Mailer | null
  /** What crashed writers left in any of the stores. */
  readonly sweepTemporary: SweepTemporary
  /** For composition roots, which guard it before a use case gets it. */
  readonly keys: KeyService
  readonly noteKeyUse: OnKeyUse
  /** Rate limits and the memory of what was seen lately. */
  readonly limits: Limits
  /** Opened by the first call, since only the worker needs a queue. */
  readonly openJobs: () => Promise<Jobs>
  /** Stores and keys, for `refuseUnfit` and `inspectAll`. */
  readonly inspected: readonly Inspected[]
}

export interface OpenAdapters {
  readonly config: Config
  readonly secrets: Secrets
  readonly logger: Logger
  /** Numbers the events that this process writes. */
  readonly stamper: CatalogOptions['stamper']
  /** See `openDatabase`. */
  readonly database: 'start' | 'join'
  readonly signal?: AbortSignal | undefined
}

/** Migrates where it may; then everything is open, and disposing closes it in reverse. */
export async function openAdapters(options: OpenAdapters): Promise<Adapters> {
  const { config, secrets, logger, stamper, signal } = options
  await using opening = new AsyncDisposableStack()
  const database = opening.use(await openDatabase(config, secrets, options.database, { logger, signal }))
  await migrateDatabase(database, signal)
  const pool = opening.adopt(
    createPool(database.app, { onIdleError: error => logger.debug('An idle connection broke', { error }) }),
    opened => opened.end(),
  )
  const catalog = createCatalog({ pool, stamper })
  await catalog.check({ signal })
  const keys = opening.use(await openKeys({ config, secrets, catalog, signal }))
  const objects = await openStore(config.objects)
  const recovery = await openRecovery(config)
  const logStore = await openLogStore(config.logStore)
  const reportStore = config.reportStore === null ? null : await openStore(config.reportStore)
  const mailer = await openMailer(config, secrets)
  const limits = opening.use(await openLimits(database, secrets, logger))
  const jobs = opening.use(lateJobs(database, secrets, logger))
  const opened = opening.move()
  return {
    catalog,
    objects: objects.store,
    recovery: recovery?.store ?? null,
    logStore: logStore.store,
    reportStore: reportStore?.store ?? null,
    mailer,
    sweepTemporary: sweepAll([objects, recovery, logStore, reportStore]),
    keys,
    noteKeyUse: openKeyUses(config),
    limits,
    openJobs: jobs.open,
    inspected: [
      { name: 'objects', inspect: objects.store.inspect },
      ...(recovery === null ? [] : inspectedRecovery(objects, recovery)),
      { name: 'log store', inspect: logStore.store.inspect },
      { name: 'keys', inspect: keys.inspect },
    ],
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Its role has this name everywhere: who migrates need not know how the monitor connects. */
const monitorRole = 'auricle_monitor'

function inspectedRecovery(objects: OpenedStore, recovery: OpenedStore): readonly Inspected[] {
  const compare = compareLocations(objects, recovery)
  return [
    { name: 'recovery', inspect: recovery.store.inspect },
    ...(compare === null ? [] : [{ name: 'recovery location', inspect: compare }]),
  ]
}

function sweepAll(stores: readonly (OpenedStore | null)[]): SweepTemporary {
  return async options => {
    let swept = 0
    for (const store of stores) swept += (await store?.sweepTemporary?.(options)) ?? 0
    return swept
  }
}

async function migrateDatabase({ owner, app }: Database, signal: AbortSignal | undefined): Promise<void> {
  if (owner === null) return
  await migrate({ settings: owner, appRole: app.user, monitorRole, signal })
  await migrateJobs({ owner, appRole: app.user }, { signal })
  await migrateLimits({ owner, appRole: app.user }, { signal })
}
