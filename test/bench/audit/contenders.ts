// Two ways into the same table of the same server, over as many connections each: the event log, and a commit for each row.
import type { KeyObject } from 'node:crypto'
import { type AuditRecord, encodeLeaf, type StoredRecord } from '@auricle/audit'
import { createCatalog, createPool } from '@auricle/catalog'
import { type EventId, newWriterId, type TenantId } from '@auricle/contract'
import { createEventLog, createEventWriter } from '@auricle/vault'
import pg from 'pg'
import type { Place } from '../system/product.ts'
import { makeRecords } from './records.ts'

/** What it wants to be given, made before the clock runs, and how it makes one of them durable. */
export interface Way<Item = unknown> extends AsyncDisposable {
  readonly name: string
  prepare(count: number): Promise<readonly Item[]>
  append(item: Item): Promise<void>
}

export interface LogWay extends Way<AuditRecord> {
  /** Events that the log said are durable. */
  readonly acknowledged: EventId[]
  /** Commits of the log's own so far, and the events in them. */
  readonly flushes: { count: number; events: number }
}

export interface WayOptions {
  readonly tenantId: TenantId
  readonly privateParts: KeyObject
  readonly connections: number
}

/** As the API has it: numbers, canonical bytes, shared commits, a second sink at hand. */
export function openLogWay(place: Place, { tenantId, privateParts, connections }: WayOptions): LogWay {
  const pool = createPool(place.postgres.app, { maxConnections: connections })
  const writer = createEventWriter({ name: 'bench' })
  const acknowledged: EventId[] = []
  const flushes = { count: 0, events: 0 }
  const log = createEventLog({
    catalog: createCatalog({ pool, stamper: writer }),
    writer,
    store: place.adapters.logStore,
    onFlush({ sink, events }) {
      if (sink !== 'database') throw new Error(`A flush of the benchmark went to ${sink}`)
      flushes.count++
      flushes.events += events
    },
  })
  return {
    ...{ name: 'log', acknowledged, flushes },
    prepare: count => makeRecords(tenantId, count, privateParts),
    async append(record) {
      const { eventId } = await log.append(record, {})
      acknowledged.push(eventId)
    },
    async [Symbol.asyncDispose]() {
      await log[Symbol.asyncDispose]()
      await pool.end()
    },
  }
}

/** The fastest that a program does that commits each row: bytes at hand, a prepared statement, no transaction of its own. */
export function openPlainWay(
  place: Place,
  { tenantId, privateParts, connections }: WayOptions,
): Way<StoredRecord> {
  const pool = new pg.Pool({
    ...place.postgres.app,
    max: connections,
    options: `-c auricle.tenant=${tenantId}`,
  })
  const writerId = newWriterId()
  let n = 0
  const text = 'insert into auricle.audit_event (tenant_id, id, leaf, sealed_private) values ($1, $2, $3, $4)'
  return {
    name: 'plain',
    async prepare(count) {
      const records = await makeRecords(tenantId, count, privateParts)
      return records.map(({ event, ...record }) => {
        const leaf = encodeLeaf({ ...event, writer: { id: writerId, name: 'bench', n: n++ } })
        return { ...record, leaf }
      })
    },
    async append({ id, leaf, sealedPrivate }) {
      await pool.query({ name: 'insert_one', text, values: [tenantId, id, leaf, sealedPrivate] })
    },
    [Symbol.asyncDispose]: () => pool.end(),
  }
}
