// The queue's connections to PostgreSQL, and how BullMQ is told that the database is away.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PgPool } from 'bullmq'
import { Pool, type PoolConfig } from 'pg'
import {
  closedMessage,
  codeOf,
  createOutages,
  errorPauseMs,
  isSocketOutage,
  type OutageWatch,
} from './outage.ts'

/** How to connect as one role: what the `pg` driver takes. */
export type JobsConnection = Pick<
  PoolConfig,
  'connectionString' | 'host' | 'port' | 'user' | 'password' | 'database' | 'ssl'
>

/** The schema that BullMQ uses with a pool it did not make itself; fixed in its code (postgres-connection.js, 6.7). */
export const jobsSchema = 'bullmq'

/** One waits for notifications for ever; the queue's statements are short and share the others. */
const connectionsMost = 4
const connectTimeoutMs = 5000
/** Nothing the queue does takes a second; a statement that hangs must not hold a connection for ever. */
const statementTimeoutMs = 30_000
/** How long the end waits for the server to close its side of each connection. */
const closeTimeoutMs = 1000

/**
 * A pool for BullMQ that survives the database: while it restarts, calls fail in the one way that makes BullMQ pause
 * before it tries again. Without this a worker spins and reports each attempt (jobs/src/conformance.ts).
 */
export function createQueuePool(connection: JobsConnection, watch: OutageWatch): PgPool {
  const pool = new Pool({
    ...connection,
    application_name: 'auricle-jobs',
    options: `-c search_path=${jobsSchema}`,
    max: connectionsMost,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    keepAlive: true,
  })
  const outages = createOutages(isPostgresOutage, watch)
  // A connection that breaks while idle belongs to nobody else.
  pool.on('error', outages.failed)
  const connected = new Set<unknown>()
  pool.on('connect', client => connected.add(client))
  pool.on('remove', client => connected.delete(client))
  // `pool.end()` resolves before its connections are closed (pg-pool 3), and a database that is stopped right after it
  // would break them, the ones that BullMQ took its listeners off included.
  const end = async () => {
    outages.end()
    await pool.end()
    const signal = AbortSignal.timeout(closeTimeoutMs)
    // Rejects when the time is over: then the server is gone or silent, and there is nothing to wait for.
    while (connected.size > 0 && !signal.aborted)
      await once(pool, 'remove', { signal }).catch(() => undefined)
  }

  // BullMQ describes the driver's pool in a type of its own, whose overloads the compiler cannot match with pg's.
  return new Proxy(pool as unknown as PgPool, {
    get(target, name) {
      if (name === 'query' || name === 'connect') {
        return async (...args: unknown[]) => {
          try {
            const result = await Reflect.apply(target[name], target, args)
            outages.answered()
            return result
          } catch (error) {
            const told = outages.failed(error)
            // BullMQ waits out an outage; anything else that goes wrong it tries again at once, for ever.
            if (told === error) await sleep(errorPauseMs)
            throw told
          }
        }
      }
      // BullMQ would pass on the errors of idle connections, which are dealt with above.
      if (name === 'on') return () => target
      if (name === 'end') return end
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Appendix A of PostgreSQL's manual: shutting down, crashed, starting up or stopping, too many connections. */
const outageCodes: ReadonlySet<string> = new Set(['57P01', '57P02', '57P03', '53300'])
const connectionExceptionClass = '08'
/** Errors of the driver (pg 8) that have no code. */
const outageMessage =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed)/

export function isPostgresOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error.message === closedMessage || isSocketOutage(error)) return true
  const code = codeOf(error)
  if (code === null) return outageMessage.test(error.message)
  return outageCodes.has(code) || code.startsWith(connectionExceptionClass)
}
