// Where rate limits and the memory of what was seen are kept: in Redis where there is one, in the database otherwise.
import { createPostgresLimits, createRedisLimits, type Limits } from '@auricle/limits'
import type { Secrets } from '../config.ts'
import type { Logger } from '../logger.ts'
import type { Database } from './database.ts'
import { redisSettings } from './redis-url.ts'

/** Connects by itself and goes on without: a store that is away stops nothing. */
export async function openLimits(
  { app }: Pick<Database, 'app'>,
  { redisUrl }: Pick<Secrets, 'redisUrl'>,
  logger: Logger,
): Promise<Limits> {
  const watch = {
    onError: (error: unknown) =>
      logger.warn('Limits hold in each process alone: their store is away', { error }),
    onRecovered: () => logger.info('The store of limits answers again'),
  }
  return redisUrl === null
    ? createPostgresLimits({ connection: app, ...watch })
    : createRedisLimits({ connection: await redisSettings(redisUrl.reveal()), ...watch })
}
