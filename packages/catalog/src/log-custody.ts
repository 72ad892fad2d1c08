// Who grows the logs, with which key, and in which cluster.
import { LogKeyId, Wrap } from '@auricle/contract'
import type pg from 'pg'
import { orAbort } from './abort.ts'
import type { QueryOptions } from './catalog.ts'
import type { Database } from './database.ts'
import { toCatalogError } from './failure.ts'
import { bytes, firstOrNull, orNull, parsed, type Row, text, time } from './row.ts'

export interface LogKeyRow {
  readonly id: LogKeyId
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly wrapped: Wrap
  readonly createdAt: Date
  readonly retiredAt: Date | null
}

/** Lasts until it is disposed or its connection breaks. */
export interface Leadership extends AsyncDisposable {
  /** Aborted when it is lost; what was begun before is still refused or taken as a whole. */
  readonly lost: AbortSignal
}

export interface LogCustodyCatalog {
  /** Null where another process has it. Of all processes on a database one has it at most, as far as it can be known. */
  lead(options?: QueryOptions): Promise<Leadership | null>
  /** All keys that ever signed checkpoints of tenants' logs, oldest first. */
  listLogKeys(options?: QueryOptions): Promise<readonly LogKeyRow[]>
  /** Retires the key in use and puts this one in its place; false where that was another than `retiring`. */
  changeLogKey(key: LogKeyRow, retiring: LogKeyId | null, options?: QueryOptions): Promise<boolean>
  /** The cluster that the numbers of transactions are of, as it was adopted and as it is; `adopted` is null at first. */
  findCluster(options?: QueryOptions): Promise<{ readonly adopted: string | null; readonly current: string }>
  adoptCluster(systemIdentifier: string, at: Date, options?: QueryOptions): Promise<void>
}

/** Any number does that nobody else uses in this database. */
const leaderLock = 4_207_311_001

export function createLogCustody(database: Database, pool: pg.Pool): LogCustodyCatalog {
  return {
    lead: options => takeLead(pool, options),

    async listLogKeys(options) {
      const text = 'select * from auricle.log_key order by created_at, id'
      return (await database.once({ text, values: [] }, options)).map(readLogKey)
    },

    changeLogKey(key, retiring, options) {
      return database.transaction(async session => {
        const retired = await session.write({
          text: 'update auricle.log_key set retired_at = $2 where id = $1 and retired_at is null',
          values: [retiring, key.createdAt],
        })
        if (retiring !== null && retired === 0) return false
        const added = await session.write({
          text: `insert into auricle.log_key (id, public_key, wrapped, created_at) values ($1, $2, $3, $4)
                 on conflict do nothing`,
          values: [key.id, key.publicKey, JSON.stringify(key.wrapped), key.createdAt],
        })
        return added > 0
      }, options)
    },

    async findCluster(options) {
      const found = await database.once(
        {
          text: `select s.system_identifier::text as current, c.system_identifier as adopted
                 from pg_control_system() s left join auricle.log_cluster c on true`,
          values: [],
        },
        options,
      )
      return {
        adopted: firstOrNull(found, row => orNull(row, 'adopted', text)),
        current: firstOrNull(found, row => text(row, 'current')) ?? '',
      }
    },

    async adoptCluster(systemIdentifier, at, options) {
      await database.once(
        {
          text: `insert into auricle.log_cluster (system_identifier, seen_at) values ($1, $2)
                 on conflict (single) do update set system_identifier = $1, seen_at = $2`,
          values: [systemIdentifier, at],
        },
        options,
      )
    },
  }
}

/** The lock is the session's: it goes with the connection, whatever becomes of this process. */
async function takeLead(pool: pg.Pool, { signal }: QueryOptions = {}): Promise<Leadership | null> {
  const lost = new AbortController()
  try {
    const client = await pool.connect()
    const onLost = (error: Error) => lost.abort(error)
    client.on('error', onLost)
    const release = (spoilt: boolean) => {
      client.release(spoilt)
      if (!spoilt) client.off('error', onLost)
    }
    const query = client.query<Row>('select pg_try_advisory_lock($1) as taken', [leaderLock])
    const { rows } = await orAbort(query, signal).catch((error: unknown) => {
      release(true)
      throw error
    })
    if (rows[0]?.['taken'] !== true) {
      release(false)
      return null
    }
    return {
      lost: lost.signal,
      async [Symbol.asyncDispose]() {
        // A connection that goes back with the lock would keep it from everybody, so where it cannot be let go it ends.
        const unlocked = await client.query('select pg_advisory_unlock($1)', [leaderLock]).then(
          () => true,
          () => false,
        )
        release(!unlocked || lost.signal.aborted)
      },
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw toCatalogError(error)
  }
}

function readLogKey(row: Row): LogKeyRow {
  return {
    id: parsed(row, 'id', LogKeyId),
    publicKey: bytes(row, 'public_key'),
    wrapped: parsed(row, 'wrapped', Wrap),
    createdAt: time(row, 'created_at'),
    retiredAt: orNull(row, 'retired_at', time),
  }
}
