// The log over all logs: its leaves are the checkpoints of tenants' logs, in the order in which they were published.
import type { QueryOptions } from './catalog.ts'
import type { Database } from './database.ts'
import {
  type CheckpointRow,
  type LeafRange,
  type LogName,
  readCheckpoint,
  type TilePlace,
  tileOf,
  tileQuery,
} from './log-reading.ts'
import type { SignedCheckpoint, StoredTile } from './log-store.ts'
import { bytes, firstOrNull, integer, text } from './row.ts'

export interface AnchorRow {
  readonly origin: string
  readonly size: number
  readonly frontier: Uint8Array
}

export interface AnchorLeaf {
  readonly leaf: Uint8Array
  /** Null for the time alone. */
  readonly of: (LogName & { readonly size: number }) | null
}

export interface AnchorCommit {
  readonly fromSize: number
  readonly at: Date
  readonly leaves: readonly AnchorLeaf[]
  readonly tiles: readonly StoredTile[]
  readonly frontier: Uint8Array
}

export interface AnchorCatalog {
  findAnchor(options?: QueryOptions): Promise<AnchorRow | null>
  /** The log with that origin, unless there is one; returns the one there is then. */
  openAnchor(origin: string, options?: QueryOptions): Promise<AnchorRow>
  /** Where the checkpoint's leaf is; null where it has none. */
  findAnchorIndex(log: LogName, size: number, options?: QueryOptions): Promise<number | null>
  /**
   * The leaves, and the mark on each checkpoint among them, and on those before it, that it is published. `moved`, and
   * nothing written, where the log is not at `fromSize` any more.
   */
  appendAnchor(commit: AnchorCommit, options?: QueryOptions): Promise<'appended' | 'moved'>
  /** In order of their places. */
  readAnchorLeaves(range: LeafRange, options?: QueryOptions): Promise<readonly Uint8Array[]>
  /** As `readTile`. */
  readAnchorTile(tile: TilePlace, options?: QueryOptions): Promise<Uint8Array>
  /** As `findCheckpoint`. */
  findAnchorCheckpoint(
    which: number | 'newest' | 'published',
    options?: QueryOptions,
  ): Promise<CheckpointRow | null>
  /** False where there is one of that size already. */
  addAnchorCheckpoint(checkpoint: SignedCheckpoint, options?: QueryOptions): Promise<boolean>
  markAnchorPublished(size: number, at: Date, options?: QueryOptions): Promise<void>
}

export function createAnchorStore(database: Database): AnchorCatalog {
  const find = async (options?: QueryOptions): Promise<AnchorRow | null> => {
    const found = await database.once({ text: 'select * from auricle.anchor_log', values: [] }, options)
    return firstOrNull(found, row => ({
      origin: text(row, 'origin'),
      size: integer(row, 'size'),
      frontier: bytes(row, 'frontier'),
    }))
  }

  return {
    findAnchor: find,

    async openAnchor(origin, options) {
      await database.once(
        {
          text: 'insert into auricle.anchor_log (origin) values ($1) on conflict do nothing',
          values: [origin],
        },
        options,
      )
      return (await find(options)) ?? { origin, size: 0, frontier: new Uint8Array(0) }
    },

    async findAnchorIndex({ tenantId, year }, size, options) {
      const found = await database.once(
        {
          text: 'select seq from auricle.anchor_leaf where tenant_id = $1 and year = $2 and size = $3',
          values: [tenantId, year, size],
        },
        options,
      )
      return firstOrNull(found, row => integer(row, 'seq'))
    },

    appendAnchor({ fromSize, at, leaves, tiles, frontier }, options) {
      return database.transaction(async session => {
        const moved = await session.write({
          text: 'update auricle.anchor_log set size = $2, frontier = $3 where size = $1',
          values: [fromSize, fromSize + leaves.length, frontier],
        })
        if (moved === 0) return 'moved'
        await session.write({
          text: `insert into auricle.anchor_leaf (seq, leaf, at, tenant_id, year, size)
                 select $1::bigint + l.place - 1, l.leaf, $2, l.tenant_id, l.year, l.size
                 from unnest($3::bytea[], $4::text[], $5::integer[], $6::bigint[])
                   with ordinality l (leaf, tenant_id, year, size, place)`,
          values: [
            fromSize,
            at,
            leaves.map(({ leaf }) => leaf),
            leaves.map(({ of }) => of?.tenantId ?? null),
            leaves.map(({ of }) => of?.year ?? null),
            leaves.map(({ of }) => of?.size ?? null),
          ],
        })
        await session.write({
          text: `insert into auricle.anchor_tile (level, idx, hashes, root)
                 select * from unnest($1::smallint[], $2::bigint[], $3::bytea[], $4::bytea[])`,
          values: [
            tiles.map(({ level }) => level),
            tiles.map(({ index }) => index),
            tiles.map(({ hashes }) => hashes),
            tiles.map(({ root }) => root),
          ],
        })
        for (const { of } of leaves) {
          if (of === null) continue
          await session.rows({
            text: `select set_config('auricle.tenant', $1, true)`,
            values: [of.tenantId],
          })
          await session.write({
            text: `update auricle.audit_checkpoint set published_at = $4
                   where tenant_id = $1 and year = $2 and size <= $3 and published_at is null`,
            values: [of.tenantId, of.year, of.size, at],
          })
        }
        return 'appended'
      }, options)
    },

    async readAnchorLeaves({ from, to }, options) {
      const found = await database.once(
        {
          text: 'select leaf from auricle.anchor_leaf where seq >= $1 and seq < $2 order by seq',
          values: [from, to],
        },
        options,
      )
      return found.map(row => bytes(row, 'leaf'))
    },

    async readAnchorTile(tile, options) {
      const { text, values } = tileQuery(tile, {
        leaves: 'auricle.anchor_leaf where',
        tiles: 'auricle.anchor_tile where',
      })
      return tileOf(await database.once({ text, values }, options), tile)
    },

    async findAnchorCheckpoint(which, options) {
      const found = await database.once(
        {
          text: `select size, root, note, signed_at as at, published_at from auricle.anchor_checkpoint
                 where ($1::bigint is null or size = $1) and (not $2::boolean or published_at is not null)
                 order by size desc limit 1`,
          values: [typeof which === 'number' ? which : null, which === 'published'],
        },
        options,
      )
      return firstOrNull(found, readCheckpoint)
    },

    async addAnchorCheckpoint({ size, root, note, at }, options) {
      const added = await database.once(
        {
          text: `insert into auricle.anchor_checkpoint (size, root, note, signed_at) values ($1, $2, $3, $4)
                 on conflict do nothing returning size`,
          values: [size, root, note, at],
        },
        options,
      )
      return added.length > 0
    },

    async markAnchorPublished(size, at, options) {
      await database.once(
        {
          text: `update auricle.anchor_checkpoint set published_at = $2
                 where size <= $1 and published_at is null`,
          values: [size, at],
        },
        options,
      )
    },
  }
}
