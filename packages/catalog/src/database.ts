// How statements reach the database: on a connection of the pool, in a transaction, in a tenant's transaction.
import type { AuditRecord, RecordStamper, StampedRecord, StoredRecord } from '@auricle/audit'
import type pg from 'pg'
import { orAbort } from './abort.ts'
import type { QueryOptions } from './catalog.ts'
import { CatalogError } from './error.ts'
import { isLostConnection, toCatalogError } from './failure.ts'
import type { Row } from './row.ts'

export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
  /** Prepared once a connection under this name. */
  readonly name?: string
}

/** Where statements are run: in autocommit, or within one transaction. */
export interface Session {
  rows(statement: Statement): Promise<readonly Row[]>
  /** Number of rows that the statement wrote. */
  write(statement: Statement): Promise<number>
  /** What to insert for these records; their writer is told when the transaction has committed. */
  stamp(records: readonly AuditRecord[]): readonly StoredRecord[]
}

export interface Database {
  /**
   * One statement, one round trip, committed when it returns. A function is asked for it when a connection is there.
   */
  once(statement: Statement | (() => Statement), options?: QueryOptions): Promise<readonly Row[]>
  /** All statements of `work` commit together when it resolves; none if it throws. */
  transaction<Result>(work: (session: Session) => Promise<Result>, options?: QueryOptions): Promise<Result>
  /** A transaction that sees and writes the rows of one tenant. */
  inTenant<Result>(
    tenantId: string,
    work: (session: Session) => Promise<Result>,
    options?: QueryOptions,
  ): Promise<Result>
  /** The same for reading alone: all statements see one state of the database, and may take longer. */
  inSnapshot<Result>(
    tenantId: string,
    work: (session: Session) => Promise<Result>,
    options?: QueryOptions,
  ): Promise<Result>
}

const tenantPattern = /^ten_[0-9a-z]{26}$/
/** What counts all of a tenant, of which there may be many millions, takes longer than other statements may. */
const forCounting = "set_config('statement_timeout', '2min', true)"

/**
 * Abort means: stop waiting, give up the connection, reject with the signal's reason. The server may still finish a
 * statement that it has begun, and a commit among them.
 */
export function createDatabase(pool: pg.Pool, stamper: RecordStamper): Database {
  async function transaction<Result>(
    begin: string,
    work: (session: Session) => Promise<Result>,
    options: QueryOptions,
  ): Promise<Result> {
    return await onConnection(pool, options, async client => {
      await client.query(begin)
      const stamped: StampedRecord[] = []
      try {
        const result = await work(sessionOn(client, stamper, stamped))
        await commit(client)
        for (const record of stamped) record.acknowledge()
        return result
      } catch (error) {
        await rollBack(client)
        throw error
      }
    })
  }

  return {
    once: (statement, options = {}) => {
      return onConnection(pool, options, async client => {
        const { rows } = await run(client, typeof statement === 'function' ? statement() : statement)
        return rows
      })
    },
    transaction: (work, options = {}) => transaction('begin', work, options),
    inTenant: (tenantId, work, options = {}) => {
      return transaction(`begin; select ${ofTenant(tenantId)}`, work, options)
    },
    inSnapshot: (tenantId, work, options = {}) => {
      const begin = 'begin isolation level repeatable read read only'
      return transaction(`${begin}; select ${ofTenant(tenantId)}, ${forCounting}`, work, options)
    },
  }
}

/** Goes with `begin` in one round trip; such a query takes no parameters, hence the pattern. */
function ofTenant(tenantId: string): string {
  if (!tenantPattern.test(tenantId)) throw new CatalogError('not_found', 'There is no such tenant')
  return `set_config('auricle.tenant', '${tenantId}', true)`
}

const run = (client: pg.PoolClient, statement: Statement) =>
  client.query<Row>({ ...statement, values: [...statement.values] })

function sessionOn(client: pg.PoolClient, stamper: RecordStamper, stamped: StampedRecord[]): Session {
  return {
    rows: async statement => (await run(client, statement)).rows,
    write: async statement => (await run(client, statement)).rowCount ?? 0,
    stamp(records) {
      const own = stamper.stamp(records)
      stamped.push(...own)
      return own
    },
  }
}

/** A transaction in which a statement failed ends with `commit` as well, and is rolled back by it. */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('commit')
  if (command !== 'COMMIT') throw new CatalogError('refused', 'The database rolled the transaction back')
}

/** Marks a connection that is in no state to be used again. */
const spent = new WeakSet<pg.PoolClient>()

async function rollBack(client: pg.PoolClient): Promise<void> {
  try {
    await client.query('rollback')
  } catch {
    // The connection is gone and its transaction with it. The error that led here is the one to report.
    spent.add(client)
  }
}

async function onConnection<Result>(
  pool: pg.Pool,
  { signal }: QueryOptions,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted()
  let client: pg.PoolClient | null = null
  // A connection that breaks while it is ours reports it here and to the query; unheard, it would end the process.
  const onLost = (): void => {
    if (client !== null) spent.add(client)
  }
  try {
    client = await acquire(pool, signal)
    client.on('error', onLost)
    return await orAbort(work(client), signal)
  } catch (error) {
    if (client !== null && (signal?.aborted || (error instanceof Error && isLostConnection(error))))
      spent.add(client)
    signal?.throwIfAborted()
    throw toCatalogError(error)
  } finally {
    if (client !== null) {
      client.release(spent.has(client))
      if (!spent.has(client)) client.off('error', onLost)
    }
  }
}

async function acquire(pool: pg.Pool, signal: AbortSignal | undefined): Promise<pg.PoolClient> {
  const connecting = pool.connect()
  try {
    return await orAbort(connecting, signal)
  } catch (error) {
    // The pool hands it out all the same, later; it goes straight back.
    if (signal?.aborted) connecting.then(late => late.release()).catch(() => {})
    throw error
  }
}
