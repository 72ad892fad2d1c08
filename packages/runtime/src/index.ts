export { type Adapters, type OpenAdapters, openAdapters } from './adapters/adapters.ts'
export { type Inspected, inspectAll, refuseUnfit } from './adapters/fitness.ts'
export { type MonitorAdapters, openMonitorAdapters } from './adapters/monitor.ts'
export { apiUrl, type Config, type Endpoint, ingestUrl, readConfig, type Secrets } from './config.ts'
export { disableCoreDumps } from './core-dumps.ts'
export { describeError, type ErrorDescription } from './describe-error.ts'
export { RuntimeError, type RuntimeErrorCode } from './error.ts'
export { eventLogHooks } from './event-log-hooks.ts'
export { createHealth, type HealthParts } from './health.ts'
export { type Listening, type ListenOptions, listen } from './listen.ts'
export { lockFolder } from './lock-folder.ts'
export type { LogFields } from './log-fields.ts'
export type { LogState } from './log-metrics.ts'
export { logReceipts } from './log-receipts.ts'
export { createLogger, type Logger, type LoggerOptions, type LogLevel } from './logger.ts'
export { createMetrics, type Metrics } from './metrics.ts'
export { readIfPresent, writeDurably } from './postgres/durable.ts'
export {
  type DatabaseSettings,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  type PostgresLog,
  startEmbeddedPostgres,
} from './postgres/embedded.ts'
export { PostgresError, type PostgresErrorCode } from './postgres/error.ts'
export { findDatabaseFolder } from './postgres/place.ts'
export { type MainProcess, runProcess, type ServiceParts } from './run-process.ts'
export { type ProcessHandle, type RunOptions, runService } from './run-service.ts'
export { Secret } from './secret.ts'
