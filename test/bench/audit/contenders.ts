// Two ways into the same table of the same server, over as many connections each: the event log, and a commit for each row.
import type { KeyObject } from 'node:crypto'
import { type AuditRecord, encodeLeaf, type StoredRecord } from '@auricle/audit'
import { createCatalog, createPool } from '@auricle/catalog'
import { type EventId, newWriterId, type TenantId } from '@auricle/contract'
import { createEventLog, createEventWriter } from '@auricle/vault'
import pg from 'pg'
import type { Place } from '../system/product.ts'
import { makeRecords } from './records.ts'

const stallMs = 30_000

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

/**
 * As the API has it: numbers, canonical bytes, shared commits, a second sink at hand; with receipts, which a row of a table
 * has none of, or without.
 */
export function openLogWay(
  place: Place,
  { tenantId, privateParts, connections }: WayOptions,
  receipts: 'receipts' | 'no receipts',
): LogWay {
  const pool = createPool(place.postgres.app, { maxConnections: connections })
  const isReceipted = receipts === 'receipts'
  const writer = createEventWriter({ name: 'bench', logName: isReceipted ? 'bench.example' : null })
  const acknowledged: EventId[] = []
  const flushes = { count: 0, events: 0 }
  let given = 0
  writer.onReceipt(() => {
    given++
  })
  const log = createEventLog({
    catalog: createCatalog({ pool, stamper: writer }),
    writer,
    store: place.adapters.logStore,
    // Where the disk stalls, that is what is to be measured.
    times: { hedgeMs: stallMs, refuseMs: stallMs },
    onFlush({ sink, events }) {
      if (sink !== 'database') throw new Error(`A flush of the benchmark went to ${sink}`)
      flushes.count++
      flushes.events += events
    },
  })
  return {
    ...{ name: isReceipted ? 'log, with receipts' : 'log', acknowledged, flushes },
    prepare: count => makeRecords(tenantId, count, privateParts),
    async append(record) {
      const { eventId } = await log.append(record, {})
      acknowledged.push(eventId)
    },
    async [Symbol.asyncDispose]() {
      await log[Symbol.asyncDispose]()
      await pool.end()
      if (isReceipted && given < acknowledged.length) throw new Error('Receipts are missing')
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
  // What breaks while nothing is asked of it is of no interest.
  pool.on('error', () => undefined)
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
