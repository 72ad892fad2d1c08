export {
  type DatabaseSettings,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  type PostgresLog,
  startEmbeddedPostgres,
} from './embedded.ts'
export { PostgresError, type PostgresErrorCode } from './error.ts'
export { findDatabaseFolder } from './place.ts'
export { findRunningPostgres } from './running.ts'
export type { ServerExit } from './server.ts'
