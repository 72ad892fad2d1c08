// The logs of tenants as they are read: leaves and tiles by their places, and signed checkpoints.
import { EventId, TenantId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { Database } from './database.ts'
import { CatalogError } from './error.ts'
import type { SignedCheckpoint } from './log-store.ts'
import { bytes, firstOrNull, integer, orNull, parsed, type Row, text, time } from './row.ts'

/** Which log. */
export interface LogName {
  readonly tenantId: TenantId
  readonly year: number
}

/** Places of leaves: `from` inclusive, `to` exclusive. */
export interface LeafRange {
  readonly from: number
  readonly to: number
}

/** As C2SP tlog-tiles counts them: `width` hashes of subtrees of 256^level leaves. */
export interface TilePlace {
  readonly level: number
  readonly index: number
  readonly width: number
}

export interface SealedLeaf {
  readonly seq: number
  readonly id: EventId
  readonly leafHash: Uint8Array
  /** Null where its event is gone, which no one here may do. */
  readonly leaf: Uint8Array | null
  /** Null where it has none, or it was dropped. */
  readonly sealedPrivate: Uint8Array | null
}

export interface CheckpointRow extends SignedCheckpoint {
  readonly publishedAt: Date | null
}

export interface LogReadingCatalog {
  /** In order of their places. Leaves that are missing are left out: count them. */
  readLeaves(log: LogName, range: LeafRange, options?: QueryOptions): Promise<readonly SealedLeaf[]>
  /** The hashes of a tile one after the other. Throws `damaged` where there are not as many. */
  readTile(log: LogName, tile: TilePlace, options?: QueryOptions): Promise<Uint8Array>
  /** The largest checkpoint that an anchor of `anchorSize` leaves holds, at `index` there. Null where it holds none. */
  findAnchored(
    log: LogName,
    anchorSize: number,
    options?: QueryOptions,
  ): Promise<(CheckpointRow & { readonly index: number; readonly leaf: Uint8Array }) | null>
  /** The place of the first event that says it happened after `after`; null where none does. */
  findFirstAfter(log: LogName, after: Date, options?: QueryOptions): Promise<number | null>
  /** Of that size, or the largest, or the largest that is known to have been published. */
  findCheckpoint(
    log: LogName,
    which: number | 'newest' | 'published',
    options?: QueryOptions,
  ): Promise<CheckpointRow | null>
  /** Of each log with checkpoints that are not published, the newest, and when the oldest of them was signed. */
  listUnpublished(options?: QueryOptions): Promise<readonly UnpublishedLog[]>
}

export interface UnpublishedLog extends LogName {
  readonly size: number
  readonly oldest: Date
}

export function createLogReading(database: Database): LogReadingCatalog {
  return {
    async readLeaves({ tenantId, year }, { from, to }, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            name: 'read_leaves',
            text: `select s.seq, s.event_id, s.leaf_hash, e.leaf, e.sealed_private from auricle.audit_seal s
                   left join auricle.audit_event e on e.tenant_id = s.tenant_id and e.id = s.event_id
                   where s.tenant_id = $1 and s.year = $2 and s.seq >= $3 and s.seq < $4 order by s.seq`,
            values: [tenantId, year, from, to],
          }),
        options,
      )
      return found.map(row => ({
        seq: integer(row, 'seq'),
        id: parsed(row, 'event_id', EventId),
        leafHash: bytes(row, 'leaf_hash'),
        leaf: orNull(row, 'leaf', bytes),
        sealedPrivate: orNull(row, 'sealed_private', bytes),
      }))
    },

    async readTile({ tenantId, year }, tile, options) {
      const { text, values } = tileQuery(tile, {
        leaves: 'auricle.audit_seal where tenant_id = $4 and year = $5 and',
        tiles: 'auricle.audit_tile where tenant_id = $4 and year = $5 and',
      })
      const found = await database.inTenant(
        tenantId,
        session => session.rows({ text, values: [...values, tenantId, year] }),
        options,
      )
      return tileOf(found, tile)
    },

    async findCheckpoint({ tenantId, year }, which, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select size, root, note, sealed_at as at, published_at from auricle.audit_checkpoint
                   where tenant_id = $1 and year = $2 and ($3::bigint is null or size = $3)
                     and (not $4::boolean or published_at is not null)
                   order by size desc limit 1`,
            values: [tenantId, year, typeof which === 'number' ? which : null, which === 'published'],
          }),
        options,
      )
      return firstOrNull(found, readCheckpoint)
    },

    async findAnchored({ tenantId, year }, anchorSize, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select c.size, c.root, c.note, c.sealed_at as at, c.published_at, a.seq as index, a.leaf
                   from auricle.audit_checkpoint c
                   join auricle.anchor_leaf a
                     on a.tenant_id = c.tenant_id and a.year = c.year and a.size = c.size
                   where c.tenant_id = $1 and c.year = $2 and a.seq < $3
                   order by c.size desc
                   limit 1`,
            values: [tenantId, year, anchorSize],
          }),
        options,
      )
      return firstOrNull(found, row => ({
        ...readCheckpoint(row),
        index: integer(row, 'index'),
        leaf: bytes(row, 'leaf'),
      }))
    },

    async findFirstAfter({ tenantId, year }, after, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select min(seq) as seq from auricle.audit_seal where tenant_id = $1 and year = $2 and at > $3`,
            values: [tenantId, year, after],
          }),
        options,
      )
      return firstOrNull(found, row => orNull(row, 'seq', integer))
    },

    async listUnpublished(options) {
      const found = await database.once(
        { text: 'select * from auricle.unpublished_checkpoints()', values: [] },
        options,
      )
      return found.map(row => ({
        tenantId: parsed(row, 'tenant_id', TenantId),
        year: integer(row, 'year'),
        size: integer(row, 'size'),
        oldest: time(row, 'oldest'),
      }))
    },
  }
}

/** Tiles that are not full are not stored: level 0 is leaves, and above it stand the roots of the full ones below. */
export function tileQuery(
  { level, index, width }: TilePlace,
  from: { readonly leaves: string; readonly tiles: string },
): { readonly text: string; readonly values: readonly number[] } {
  const fullWidth = 256
  const first = index * fullWidth
  if (width === fullWidth) {
    return {
      text: `select hashes from ${from.tiles} level = $1 and idx = $2 and $3::integer = 256`,
      values: [level, index, width],
    }
  }
  if (level === 0) {
    return {
      text: `select string_agg(leaf_hash, '' order by seq) as hashes
             from ${from.leaves} seq >= $1 and seq < $2 and $3::integer = 0`,
      values: [first, first + width, level],
    }
  }
  return {
    text: `select string_agg(root, '' order by idx) as hashes
           from ${from.tiles} idx >= $1 and idx < $2 and level = $3`,
    values: [first, first + width, level - 1],
  }
}

export function tileOf(found: readonly Row[], { width }: TilePlace): Uint8Array {
  const hashBytes = 32
  const hashes = firstOrNull(found, row => orNull(row, 'hashes', bytes))
  if (hashes?.length === width * hashBytes) return hashes
  throw new CatalogError('damaged', 'A tile of the log is not there as it was')
}

export function readCheckpoint(row: Row): CheckpointRow {
  return {
    size: integer(row, 'size'),
    root: bytes(row, 'root'),
    note: text(row, 'note'),
    at: time(row, 'at'),
    publishedAt: orNull(row, 'published_at', time),
  }
}
