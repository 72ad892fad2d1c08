// The log as the monitor's role sees it: rows of all tenants, read and never written.
import type { RecordStamper } from '@auricle/audit'
import { TenantId } from '@auricle/contract'
import type pg from 'pg'
import type { QueryOptions } from './catalog.ts'
import { createDatabase } from './database.ts'
import { CatalogError } from './error.ts'
import { bytes, firstOrNull, integer, orNull, parsed, type Row, text, texts, time } from './row.ts'

export interface WatchedLog {
  readonly tenantId: TenantId
  readonly year: number
  readonly origin: string
  /** What the row of the log says; rows of leaves and checkpoints may say otherwise. */
  readonly size: number
  /** The largest checkpoint at the same moment; null without any. */
  readonly signed: { readonly size: number; readonly root: Uint8Array } | null
}

/** A seal, and the event that it is of. Everything is as the rows have it. */
export interface WatchedLeaf {
  readonly seq: number
  readonly eventId: string
  readonly sealedHash: Uint8Array
  readonly at: Date
  readonly action: string
  readonly outcome: string
  readonly actorId: string
  readonly objectId: string | null
  /** In no particular order. */
  readonly patients: readonly string[]
  /** Null where the event's row is not there. */
  readonly event: {
    readonly leaf: Uint8Array
    /** SHA-256 of the sealed private part; null without one. */
    readonly privateDigest: Uint8Array | null
  } | null
}

export interface WatchedUnsealed {
  readonly tenantId: TenantId
  readonly count: number
  readonly oldest: Date
}

export interface LogView {
  listLogs(options?: QueryOptions): Promise<readonly WatchedLog[]>
  /** From `from` to before `to`, in the order of their numbers; fewer where some are not there. */
  readLeaves(log: LogOf, from: number, to: number, options?: QueryOptions): Promise<readonly WatchedLeaf[]>
  /** Hashes of the seals from `from` to before `to`; fewer where some are not there. */
  readHashes(log: LogOf, from: number, to: number, options?: QueryOptions): Promise<readonly Uint8Array[]>
  /** 256 hashes of a full tile; null where it is not there. */
  readTile(log: LogOf, level: number, index: number, options?: QueryOptions): Promise<Uint8Array | null>
  /** Seals from `from` to before `to`, and how many of them have an event with the same hash. */
  countLeaves(
    log: LogOf,
    from: number,
    to: number,
    options?: QueryOptions,
  ): Promise<{ readonly seals: number; readonly events: number }>
  /**
   * By tenant, events without a seal that were recorded before `before`. Looks at events whose ids begin from `fromId` to
   * before `toId`, which is when they were made.
   */
  findUnsealed(
    range: { readonly fromId: string; readonly toId: string; readonly before: Date },
    options?: QueryOptions,
  ): Promise<readonly WatchedUnsealed[]>
  /** The first id that any tenant's events have; null without any. */
  firstEventId(options?: QueryOptions): Promise<string | null>
  /** The hash under which an event is sealed; null where it is not. */
  findSeal(
    tenantId: string,
    eventId: string,
    options?: QueryOptions,
  ): Promise<{ readonly year: number; readonly seq: number; readonly sealedHash: Uint8Array } | null>
  /** Leaves of sealed events about an event that may say that its private part was dropped. */
  findDrops(tenantId: string, eventId: string, options?: QueryOptions): Promise<readonly Uint8Array[]>
  /** The leaf of an event, sealed or not; null where there is none. */
  findLeaf(tenantId: string, eventId: string, options?: QueryOptions): Promise<Uint8Array | null>
}

export type LogOf = Pick<WatchedLog, 'tenantId' | 'year'>

/** Every tenant that has an event, by a step in the index for each: a list of tenants could lack one. */
const tenants = `
  with recursive tenants as (
    (select tenant_id from auricle.audit_event order by tenant_id limit 1)
    union all
    select (
      select e.tenant_id from auricle.audit_event e where e.tenant_id > t.tenant_id order by e.tenant_id limit 1
    ) from tenants t where t.tenant_id is not null
  )`

/** It writes no events: its role could not. */
const readsOnly: RecordStamper = {
  stamp() {
    throw new CatalogError('refused', 'The monitor writes nothing')
  },
}

/** `pool` is connected as the role of the monitor, and stays the caller's to end. */
export function createLogView({ pool }: { readonly pool: pg.Pool }): LogView {
  const database = createDatabase(pool, readsOnly)
  return {
    async listLogs(options) {
      const found = await database.once(
        {
          text: `select l.tenant_id, l.year, l.origin, l.size, c.size as signed_size, c.root as signed_root
                 from auricle.audit_log l left join lateral (
                   select c.size, c.root from auricle.audit_checkpoint c
                   where c.tenant_id = l.tenant_id and c.year = l.year order by c.size desc limit 1
                 ) c on true order by l.tenant_id, l.year`,
          values: [],
        },
        options,
      )
      return found.map(readLog)
    },

    async readLeaves({ tenantId, year }, from, to, options) {
      const found = await database.once(
        {
          name: 'watch_leaves',
          text: `select s.seq, s.event_id, s.leaf_hash, s.at, s.action, s.outcome, s.actor_id, s.object_id,
                   e.leaf, sha256(e.sealed_private) as private_digest, coalesce(p.patients, '{}') as patients
                 from auricle.audit_seal s
                 left join auricle.audit_event e on e.tenant_id = s.tenant_id and e.id = s.event_id
                 left join (
                   select seq, array_agg(patient_id) as patients from auricle.audit_patient
                   where tenant_id = $1 and year = $2 and seq >= $3 and seq < $4 group by seq
                 ) p on p.seq = s.seq
                 where s.tenant_id = $1 and s.year = $2 and s.seq >= $3 and s.seq < $4 order by s.seq`,
          values: [tenantId, year, from, to],
        },
        options,
      )
      return found.map(readLeaf)
    },

    async readHashes({ tenantId, year }, from, to, options) {
      const found = await database.once(
        {
          name: 'watch_hashes',
          text: `select seq, leaf_hash from auricle.audit_seal
                 where tenant_id = $1 and year = $2 and seq >= $3 and seq < $4 order by seq`,
          values: [tenantId, year, from, to],
        },
        options,
      )
      return found.map(row => bytes(row, 'leaf_hash'))
    },

    async readTile({ tenantId, year }, level, index, options) {
      const found = await database.once(
        {
          name: 'watch_tile',
          text: `select hashes from auricle.audit_tile
                 where tenant_id = $1 and year = $2 and level = $3 and idx = $4`,
          values: [tenantId, year, level, index],
        },
        options,
      )
      return firstOrNull(found, row => bytes(row, 'hashes'))
    },

    async countLeaves({ tenantId, year }, from, to, options) {
      const [row = {}] = await database.once(
        {
          name: 'watch_count',
          text: `select count(*) as seals, count(e.id) as events from auricle.audit_seal s
                 left join auricle.audit_event e on e.tenant_id = s.tenant_id and e.id = s.event_id
                   and e.leaf_hash = s.leaf_hash
                 where s.tenant_id = $1 and s.year = $2 and s.seq >= $3 and s.seq < $4`,
          values: [tenantId, year, from, to],
        },
        options,
      )
      return { seals: integer(row, 'seals'), events: integer(row, 'events') }
    },

    async findUnsealed({ fromId, toId, before }, options) {
      const found = await database.once(
        {
          name: 'watch_unsealed',
          text: `${tenants}
                 select t.tenant_id, u.count, u.oldest from tenants t cross join lateral (
                   select count(*) as count, min(e.recorded_at) as oldest from auricle.audit_event e
                   where e.tenant_id = t.tenant_id and e.id >= $1 and e.id < $2 and e.recorded_at < $3
                     and not exists (
                       select from auricle.audit_seal s where s.tenant_id = e.tenant_id and s.event_id = e.id
                     )
                 ) u where u.count > 0`,
          values: [fromId, toId, before],
        },
        options,
      )
      return found.map(row => ({
        tenantId: parsed(row, 'tenant_id', TenantId),
        count: integer(row, 'count'),
        oldest: time(row, 'oldest'),
      }))
    },

    async firstEventId(options) {
      const found = await database.once(
        {
          text: `${tenants}
                 select min(u.id) as id from tenants t cross join lateral (
                   select e.id from auricle.audit_event e where e.tenant_id = t.tenant_id order by e.id limit 1
                 ) u`,
          values: [],
        },
        options,
      )
      return firstOrNull(found, row => orNull(row, 'id', text))
    },

    async findSeal(tenantId, eventId, options) {
      const found = await database.once(
        {
          name: 'watch_seal',
          text: `select year, seq, leaf_hash from auricle.audit_seal where tenant_id = $1 and event_id = $2`,
          values: [tenantId, eventId],
        },
        options,
      )
      return firstOrNull(found, row => ({
        year: integer(row, 'year'),
        seq: integer(row, 'seq'),
        sealedHash: bytes(row, 'leaf_hash'),
      }))
    },

    async findDrops(tenantId, eventId, options) {
      const found = await database.once(
        {
          name: 'watch_drops',
          text: `select e.leaf from auricle.audit_seal s
                 join auricle.audit_event e on e.tenant_id = s.tenant_id and e.id = s.event_id
                   and e.leaf_hash = s.leaf_hash
                 where s.tenant_id = $1 and s.object_id = $2 and s.action = 'private_part.dropped'`,
          values: [tenantId, eventId],
        },
        options,
      )
      return found.map(row => bytes(row, 'leaf'))
    },

    async findLeaf(tenantId, eventId, options) {
      const found = await database.once(
        {
          name: 'watch_leaf',
          text: 'select leaf from auricle.audit_event where tenant_id = $1 and id = $2',
          values: [tenantId, eventId],
        },
        options,
      )
      return firstOrNull(found, row => bytes(row, 'leaf'))
    },
  }
}

function readLog(row: Row): WatchedLog {
  return {
    tenantId: parsed(row, 'tenant_id', TenantId),
    year: integer(row, 'year'),
    origin: text(row, 'origin'),
    size: integer(row, 'size'),
    signed:
      row['signed_size'] === null
        ? null
        : { size: integer(row, 'signed_size'), root: bytes(row, 'signed_root') },
  }
}

function readLeaf(row: Row): WatchedLeaf {
  const leaf = orNull(row, 'leaf', bytes)
  return {
    seq: integer(row, 'seq'),
    eventId: text(row, 'event_id'),
    sealedHash: bytes(row, 'leaf_hash'),
    at: time(row, 'at'),
    action: text(row, 'action'),
    outcome: text(row, 'outcome'),
    actorId: text(row, 'actor_id'),
    objectId: orNull(row, 'object_id', text),
    patients: texts(row, 'patients'),
    event: leaf === null ? null : { leaf, privateDigest: orNull(row, 'private_digest', bytes) },
  }
}
