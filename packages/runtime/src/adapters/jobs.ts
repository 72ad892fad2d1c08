// The queue that the configuration means: in Redis where there is one, in the database otherwise.
import { createPostgresJobs, createRedisJobs, type Jobs } from '@auricle/jobs'
import type { Secrets } from '../config.ts'
import type { Logger } from '../logger.ts'
import type { Database } from './database.ts'
import { redisSettings } from './redis-url.ts'

/** Opened by the first call, since only the worker needs a queue; all calls share it. */
export function lateJobs(
  { app }: Pick<Database, 'app'>,
  { redisUrl }: Pick<Secrets, 'redisUrl'>,
  logger: Logger,
): AsyncDisposable & { readonly open: () => Promise<Jobs> } {
  const watch = {
    onError: (error: unknown) => logger.warn('The queue has trouble', { error }),
    onRecovered: () => logger.info('The queue answers again'),
  }
  const create = async (): Promise<Jobs> =>
    redisUrl === null
      ? createPostgresJobs({ connection: app, ...watch })
      : createRedisJobs({ connection: await redisSettings(redisUrl.reveal()), ...watch })
  let opening: Promise<Jobs> | null = null
  return {
    open: () => {
      opening ??= create()
      return opening
    },
    async [Symbol.asyncDispose]() {
      await (await opening?.catch(() => null))?.[Symbol.asyncDispose]()
    },
  }
}
