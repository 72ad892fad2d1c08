// Puts a log into write-once storage as C2SP tlog-tiles lays it out: entries, then the tiles over them, then the
// checkpoint that says how large it is.
//
// Nothing is copied on trust: the tree is grown again from the bytes that are put there, on top of what was published
// last, and has to come to the root that was signed. Every object is created once, so doing it again after a crash puts
// what is missing and finds the rest as it is.
import { encodeEntries, entriesPath, equalBytes, type Tile, tilePath, tileWidth } from '@auricle/audit'
import type { CallOptions } from '@auricle/sealed'
import { type GrowingTree, type ReadTile, restoreTree } from './growing-tree.ts'
import { LogRefusal } from './log-refusal.ts'
import { fastLeafHash } from './seal-facts.ts'
import { checkpointKey, type LogStore, type PublishedState, putOnce } from './write-once.ts'

/** A tree as the database has it. */
export interface TreeSource {
  readonly readTile: ReadTile
  /** The leaves of these places, `to` exclusive, in order; fewer where some are missing. */
  readonly readLeaves: (range: {
    readonly from: number
    readonly to: number
  }) => Promise<readonly Uint8Array[]>
}

export interface Publication {
  readonly store: LogStore
  /** Ends with a slash. */
  readonly prefix: string
  readonly source: TreeSource
  /** Null where nothing was. */
  readonly published: PublishedState | null
  readonly checkpoint: { readonly size: number; readonly root: Uint8Array; readonly note: string }
  readonly now: Date
}

/** Bundles of entries, each with its tiles, that are read and put at once. */
const bundlesAtOnce = 16
/** Objects that are put at the same time. */
const putsAtOnce = 8

/**
 * Commit point: the checkpoint. Throws `LogRefusal` where what is there does not add up to it, and as the store and the
 * source do.
 */
export async function publishTree(publication: Publication, { signal }: CallOptions): Promise<void> {
  const { store, prefix, source, checkpoint, now } = publication
  const tree = await goOn(publication)
  const put = (path: string, bytes: Uint8Array) => putOnce(store, prefix + path, bytes, { now, signal })
  const last = Math.ceil(checkpoint.size / tileWidth)
  for (let bundle = Math.floor(tree.size / tileWidth); bundle < last; bundle += bundlesAtOnce) {
    signal?.throwIfAborted()
    const range = {
      from: bundle * tileWidth,
      to: Math.min((bundle + bundlesAtOnce) * tileWidth, checkpoint.size),
    }
    const leaves = await source.readLeaves(range)
    if (leaves.length !== range.to - range.from)
      throw new LogRefusal('incomplete', 'Leaves of a log are missing in the database')
    const entries = bundlesOf(leaves)
    const tiles = leaves.slice(tree.size - range.from).flatMap(leaf => tree.append(fastLeafHash(leaf)))
    await each(entries, ({ index, bytes, width }) => put(entriesPath(bundle + index, width), bytes))
    await each(tiles, tile => put(tilePath({ ...tile, width: tileWidth }), tile.hashes))
  }
  if (tree.size !== checkpoint.size || !equalBytes(tree.root(), checkpoint.root))
    throw new LogRefusal('incomplete', 'The leaves of a log do not add up to the root that was signed')
  await each(tree.partial(), tile => put(tilePath(tile), tile.hashes))
  await putOnce(store, checkpointKey(prefix, checkpoint.size), Buffer.from(checkpoint.note), { now, signal })
}

/** The tree as it was published last, grown on by the leaves up to `size`, with nothing put anywhere. */
export async function growFrom(
  publication: Pick<Publication, 'source' | 'published'>,
  size: number,
  { signal }: CallOptions,
): Promise<GrowingTree> {
  const tree = await goOn(publication)
  while (tree.size < size) {
    signal?.throwIfAborted()
    const to = Math.min(size, tree.size + bundlesAtOnce * tileWidth)
    const leaves = await publication.source.readLeaves({ from: tree.size, to })
    if (leaves.length === 0) throw new LogRefusal('incomplete', 'Leaves of a log are missing in the database')
    for (const leaf of leaves) tree.append(fastLeafHash(leaf))
  }
  return tree
}

/** The tree that was published last, from the hashes that the database has of it. */
async function goOn({ published, source }: Pick<Publication, 'source' | 'published'>): Promise<GrowingTree> {
  const tree = await restoreTree(published?.size ?? 0, source.readTile)
  if (published !== null && !equalBytes(tree.root(), published.root))
    throw new LogRefusal('forked', 'What was published of a log is no beginning of what the database has')
  return tree
}

function bundlesOf(
  leaves: readonly Uint8Array[],
): readonly (Pick<Tile, 'index' | 'width'> & { readonly bytes: Uint8Array })[] {
  return Array.from({ length: Math.ceil(leaves.length / tileWidth) }, (_, index) => {
    const within = leaves.slice(index * tileWidth, (index + 1) * tileWidth)
    return { index, width: within.length, bytes: encodeEntries(within) }
  })
}

/** All of them, a few at a time. The first that fails is what fails, after those under way have ended. */
export async function each<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
  atOnce = putsAtOnce,
): Promise<void> {
  const left = items.values()
  let failure: { readonly error: unknown } | null = null
  const take = async () => {
    for (const item of left) {
      if (failure !== null) return
      await work(item).catch((error: unknown) => {
        failure ??= { error }
      })
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, take))
  if (failure !== null) throw (failure as { readonly error: unknown }).error
}
