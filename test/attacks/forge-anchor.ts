// A log over all logs made anew by whoever has its key: what is put into write-once storage beside or in place of the true
// one.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Bytes,
  createTree,
  decodeAnchorLeaf,
  encodeAnchorLeaf,
  encodeEntries,
  entriesPath,
  formatCheckpoint,
  leafHash,
  partialTiles,
  type Tile,
  tilePath,
  tileWidth,
} from '@auricle/audit'
import { signWithAnchorKey } from './superuser.ts'
import type { World } from './world.ts'

export interface Forgery {
  /** Leaves in place of those that there are. */
  readonly change: (leaves: readonly Bytes[]) => readonly Bytes[]
  /** Removes what was published first, which takes the administrator of the storage as well. */
  readonly instead: boolean
  readonly sign?: (text: string) => Promise<string>
}

/** Signed and complete, of the name and the form that the true one has. Objects that there are stay as they are. */
export async function forgeAnchor(world: World, { change, instead, sign }: Forgery): Promise<void> {
  const { logStore, anchorKey } = world
  const leaves = change(await anchorLeaves(world))
  if (instead) await rm(join(world.storeFolder, 'objects', 'anchor'), { recursive: true, force: true })
  const tree = createTree()
  for (const leaf of leaves) tree.append(leafHash(leaf))
  const put = async (key: string, bytes: Uint8Array) => {
    await logStore.put(`anchor/${key}`, once(bytes), { retainUntil: null })
  }
  for (let first = 0; first < leaves.length; first += tileWidth) {
    const bundle = leaves.slice(first, first + tileWidth)
    await put(entriesPath(first / tileWidth, bundle.length), encodeEntries(bundle))
  }
  for (const tile of allTiles(leaves.length)) await put(tilePath(tile), hashesOf(leaves, tile))
  const text = formatCheckpoint({ origin: anchorKey.name, size: tree.size, root: tree.root() })
  const note = await (sign ?? (given => signWithAnchorKey(world, given)))(text)
  await put(`checkpoint/${String(tree.size).padStart(20, '0')}`, Buffer.from(note))
}

/** Every checkpoint of the tenant in the leaves says another root. */
export const withOtherRoots =
  ({ origin }: World) =>
  (leaves: readonly Bytes[]): readonly Bytes[] =>
    leaves.map(leaf => {
      const { at, checkpoint } = decodeAnchorLeaf(leaf)
      if (checkpoint?.origin !== origin) return leaf
      const root = leafHash(checkpoint.root)
      return encodeAnchorLeaf({ at, checkpoint: { ...checkpoint, root } })
    })

async function anchorLeaves({ superuser }: World): Promise<readonly Bytes[]> {
  const { rows } = await superuser.query<{ leaf: Buffer }>(
    'select leaf from auricle.anchor_leaf order by seq',
  )
  return rows.map(({ leaf }) => new Uint8Array(leaf))
}

/** Those that the newest published state has, which is what the witness signed last. */
export async function publishedAnchorLeaves(world: World): Promise<readonly Bytes[]> {
  const { rows } = await world.superuser.query<{ size: string | null }>(
    'select max(size) as size from auricle.anchor_checkpoint where published_at is not null',
  )
  return (await anchorLeaves(world)).slice(0, Number(rows[0]?.size ?? 0))
}

/** Of one level: no attack makes more than a few leaves. */
function allTiles(size: number): readonly Tile[] {
  const full = Array.from({ length: Math.floor(size / tileWidth) }, (_, index) => ({
    level: 0,
    index,
    width: tileWidth,
  }))
  return [...full, ...partialTiles(size).filter(({ level }) => level === 0)]
}

function hashesOf(leaves: readonly Bytes[], { index, width }: Tile): Uint8Array {
  const first = index * tileWidth
  return Buffer.concat(leaves.slice(first, first + width).map(leafHash))
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
