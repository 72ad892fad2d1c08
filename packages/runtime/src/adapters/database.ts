// Where the database is: ours, started or found running, or somebody else's by URL.

import type { Config, Secrets } from '../config.ts'
import { RuntimeError } from '../error.ts'
import type { Logger } from '../logger.ts'
import { type DatabaseSettings, findRunningPostgres, startEmbeddedPostgres } from '../postgres/index.ts'
import { databaseSettings } from './database-url.ts'

export interface Database {
  readonly app: DatabaseSettings
  /** Null where this process may not migrate: then the schema is checked, not changed. */
  readonly owner: DatabaseSettings | null
}

/**
 * `start`: the embedded server belongs to this process and is stopped by disposing. `join`: one that runs already is
 * used; where none does, it is started for as long as this process needs it.
 */
export async function openDatabase(
  config: Pick<Config, 'database'>,
  secrets: Pick<Secrets, 'database'>,
  mode: 'start' | 'join',
  { logger, signal }: { readonly logger: Logger; readonly signal?: AbortSignal | undefined },
): Promise<Database & AsyncDisposable> {
  if (config.database.kind === 'url') {
    if (secrets.database === null) throw new RuntimeError('bad_config', 'DATABASE_URL is missing')
    const { url, ownerUrl } = secrets.database
    const owner = ownerUrl === null ? null : databaseSettings(ownerUrl.reveal())
    return { app: databaseSettings(url.reveal()), owner, [Symbol.asyncDispose]: async () => {} }
  }
  const home = config.database.folder
  const running = mode === 'join' ? await findRunningPostgres(home) : null
  if (running !== null) return { ...running, [Symbol.asyncDispose]: async () => {} }
  const log = {
    info: (_facts: object, message: string) => logger.debug(message),
    warn: (_facts: object, message: string) => logger.warn(message),
  }
  return startEmbeddedPostgres({ home, log, signal })
}
