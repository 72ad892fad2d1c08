// A tree that grows leaf by leaf and gives out each tile as it fills: what the sequencer keeps of a log in memory.
//
// Of each level of tiles it holds the one that is not full, at most 255 hashes. The subtrees of those, from the highest
// level to the lowest, are the frontier of the whole tree (RFC 6962 section 2.1; C2SP tlog-tiles for the levels).
import {
  type Bytes,
  createTree,
  type Frontier,
  partialTiles,
  type Tile,
  type Tree,
  tileWidth,
} from '@auricle/audit'
import type { StoredTile } from '@auricle/catalog'

const hashBytes = 32

export type ReadTile = (tile: Tile) => Promise<Bytes>

export interface GrowingTree {
  readonly size: number
  root(): Bytes
  frontier(): Frontier
  /** The tiles that the leaf fills, the lowest level first. */
  append(leafHash: Uint8Array): readonly StoredTile[]
  /** The tiles that are not full, with their hashes. */
  partial(): readonly (Tile & { readonly hashes: Bytes })[]
}

/** A level's tile while it is not full. */
interface Level {
  index: number
  hashes: Uint8Array[]
  tree: Tree
}

/** The tree of `size` leaves, whose tiles `readTile` has. Rejects as that does. */
export async function restoreTree(size: number, readTile: ReadTile): Promise<GrowingTree> {
  const levels: Level[] = []
  let left = size
  for (let level = 0; left > 0; level++) {
    left = Math.floor(left / tileWidth)
    levels[level] = { index: left, hashes: [], tree: createTree() }
  }
  const tiles = await Promise.all(
    partialTiles(size).map(async tile => ({ tile, bytes: await readTile(tile) })),
  )
  for (const { tile, bytes } of tiles) {
    const level = levels[tile.level]
    if (level === undefined) continue
    for (let at = 0; at < bytes.length; at += hashBytes) add(level, bytes.subarray(at, at + hashBytes))
  }
  return growing(size, levels)
}

function growing(startSize: number, levels: Level[]): GrowingTree {
  let size = startSize
  const frontier = (): Frontier => ({
    size,
    hashes: levels.toReversed().flatMap(({ tree }) => tree.frontier().hashes),
  })
  return {
    get size() {
      return size
    },
    root: () => createTree(frontier()).root(),
    frontier,
    append(leafHash) {
      size += 1
      const full: StoredTile[] = []
      let hash = leafHash
      for (let number = 0; ; number++) {
        const level = levels[number] ?? { index: 0, hashes: [], tree: createTree() }
        levels[number] = level
        add(level, hash)
        if (level.hashes.length < tileWidth) return full
        const root = level.tree.root()
        full.push({ level: number, index: level.index, hashes: Buffer.concat(level.hashes), root })
        levels[number] = { index: level.index + 1, hashes: [], tree: createTree() }
        hash = root
      }
    },
    partial: () =>
      levels.flatMap(({ index, hashes }, level) =>
        hashes.length === 0
          ? []
          : [{ level, index, width: hashes.length, hashes: new Uint8Array(Buffer.concat(hashes)) }],
      ),
  }
}

function add(level: Level, hash: Uint8Array): void {
  level.hashes.push(hash)
  level.tree.append(hash)
}
