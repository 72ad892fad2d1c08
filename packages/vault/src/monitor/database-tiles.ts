// The tree as the rows of the database have it: full tiles from theirs, what is not full from seals and lower tiles.
import { type Bytes, equalBytes, rootAt, type Tile, tileHash, tileReader, tileWidth } from '@auricle/audit'
import type { LogOf, LogView } from '@auricle/catalog'

type Watch = Pick<LogView, 'readHashes' | 'readTile'>

/** The root of the first `size` leaves; null where rows that it needs are not there. */
export async function databaseRoot(
  watch: Watch,
  log: LogOf,
  size: number,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Bytes | null> {
  try {
    return await rootAt(
      size,
      tileReader(tile => readTile(watch, log, tile, options), size),
    )
  } catch (error) {
    if (error instanceof MissingRows) return null
    throw error
  }
}

/** Whether a full tile is made of the seals below it; false also where either is not there. */
export async function isTileOfSeals(
  watch: Watch,
  log: LogOf,
  index: number,
  hashes: readonly Uint8Array[],
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  const tile = await watch.readTile(log, 0, index, options)
  return tile !== null && equalBytes(tile, join(hashes))
}

class MissingRows extends Error {}

async function readTile(
  watch: Watch,
  log: LogOf,
  { level, index, width }: Tile,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<Bytes> {
  if (width === tileWidth) {
    const tile = await watch.readTile(log, level, index, options)
    if (tile === null) throw new MissingRows()
    return new Uint8Array(tile)
  }
  const first = index * tileWidth
  if (level === 0) {
    const hashes = await watch.readHashes(log, first, first + width, options)
    if (hashes.length !== width) throw new MissingRows()
    return join(hashes)
  }
  const below: Bytes[] = []
  for (let number = first; number < first + width; number++) {
    const tile = await readTile(watch, log, { level: level - 1, index: number, width: tileWidth }, options)
    below.push(tileHash(tile))
  }
  return join(below)
}

const join = (hashes: readonly Uint8Array[]): Bytes => new Uint8Array(Buffer.concat(hashes))
