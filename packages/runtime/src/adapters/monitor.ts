// What the monitor reads: the log's rows as its own role, and what is published of the log. It opens nothing else of the
// vault: no key, no recording, no queue.
import { createLogView, createPool, type LogView } from '@auricle/catalog'
import type { ObjectStore } from '@auricle/objects'
import type { Config, Secrets } from '../config.ts'
import { RuntimeError } from '../error.ts'
import type { Logger } from '../logger.ts'
import { type DatabaseSettings, findRunningPostgres } from '../postgres/index.ts'
import { databaseSettings } from './database-url.ts'
import { openLogStore } from './objects.ts'

export interface MonitorAdapters extends AsyncDisposable {
  readonly watch: LogView
  readonly logStore: Pick<ObjectStore, 'read' | 'list'>
}

export interface OpenMonitorAdapters {
  readonly config: Pick<Config, 'database' | 'logStore'>
  readonly secrets: Pick<Secrets, 'monitorDatabaseUrl'>
  readonly logger: Logger
}

const connectionsMost = 2

/** Throws `bad_config` where nothing says how to reach the database. */
export async function openMonitorAdapters({
  config,
  secrets,
  logger,
}: OpenMonitorAdapters): Promise<MonitorAdapters> {
  const settings = await findSettings(config, secrets)
  const pool = createPool(settings, {
    applicationName: 'auricle monitor',
    maxConnections: connectionsMost,
    onIdleError: error => logger.debug('An idle connection broke', { error }),
  })
  const { store } = await openLogStore(config.logStore)
  return {
    watch: createLogView({ pool }),
    logStore: store,
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

async function findSettings(
  { database }: Pick<Config, 'database'>,
  { monitorDatabaseUrl }: Pick<Secrets, 'monitorDatabaseUrl'>,
): Promise<DatabaseSettings> {
  if (monitorDatabaseUrl !== null) return databaseSettings(monitorDatabaseUrl.reveal())
  if (database.kind === 'url')
    throw new RuntimeError(
      'bad_config',
      'The monitor connects as a role of its own: set AURICLE_MONITOR_DATABASE_URL (docs/monitor.md)',
    )
  const running = await findRunningPostgres(database.folder)
  if (running === null)
    throw new RuntimeError(
      'bad_config',
      'No database runs on this data folder, and AURICLE_MONITOR_DATABASE_URL names no other',
    )
  if (running.monitor === null)
    throw new RuntimeError(
      'bad_config',
      'The database was started before there was a monitor: start it again',
    )
  return running.monitor
}
