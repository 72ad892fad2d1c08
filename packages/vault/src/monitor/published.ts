// What of the log is in write-once storage, as the monitor reads it: checkpoints, hashes and leaves by their place.
import {
  type Bytes,
  decodeEntries,
  entriesPath,
  rootAt,
  type Tile,
  tilePath,
  tileReader,
  tileWidth,
} from '@auricle/audit'
import type { LogOf } from '@auricle/catalog'
import type { ObjectStore } from '@auricle/objects'
import { isError } from '../error.ts'

/** Where a log lies in the store: `log/{tenant}/{year}` or `anchor`. */
export const placeOfLog = ({ tenantId, year }: LogOf): string => `log/${tenantId}/${year}`
export const placeOfAnchor = 'anchor'

const sizeDigits = 20

export interface Published {
  /** The largest size, from `from` on, that has a checkpoint; null without one. */
  largestSize(place: string, from: number): Promise<number | null>
  /** Of each of these, null where it is not there; an outage is an error. */
  checkpoint(place: string, size: number): Promise<string | null>
  tile(place: string, tile: Tile): Promise<Bytes | null>
  entries(place: string, index: number, width: number): Promise<readonly Bytes[] | null>
}

export function createPublished(
  store: Pick<ObjectStore, 'read' | 'list'>,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Published {
  const readWhole = async (key: string): Promise<Bytes | null> => {
    try {
      return await gather(store.read(key, null, { signal }))
    } catch (error) {
      if (isError(error, 'ObjectError', 'not_found')) return null
      throw error
    }
  }
  return {
    async largestSize(place, from) {
      const prefix = `${place}/checkpoint/`
      let largest: number | null = null
      for await (const { key } of store.list(prefix, { from: `${prefix}${padded(from)}`, signal })) {
        const size = sizeIn(key.slice(prefix.length))
        if (size !== null && size >= from && (largest === null || size > largest)) largest = size
      }
      return largest
    },
    async checkpoint(place, size) {
      const bytes = await readWhole(`${place}/checkpoint/${padded(size)}`)
      return bytes === null ? null : new TextDecoder().decode(bytes)
    },
    tile: (place, tile) => readWhole(`${place}/${tilePath(tile)}`),
    async entries(place, index, width) {
      const bytes = await readWhole(`${place}/${entriesPath(index, width)}`)
      return bytes === null ? null : decodeEntries(bytes)
    },
  }
}

/** Leaves from `from` to before `to` of a log that is published up to `to`; null where a bundle is not there. */
export async function publishedLeaves(
  published: Published,
  place: string,
  from: number,
  to: number,
): Promise<readonly Bytes[] | null> {
  const leaves: Bytes[] = []
  for (let index = Math.floor(from / tileWidth); index * tileWidth < to; index++) {
    const first = index * tileWidth
    const width = Math.min(tileWidth, to - first)
    const bundle = await published.entries(place, index, width)
    if (bundle === null || bundle.length !== width) return null
    leaves.push(...bundle.slice(Math.max(0, from - first)))
  }
  return leaves
}

const padded = (size: number): string => String(size).padStart(sizeDigits, '0')

function sizeIn(name: string): number | null {
  const size = /^\d{20}$/.test(name) ? Number(name) : Number.NaN
  return Number.isSafeInteger(size) ? size : null
}

async function gather(source: AsyncIterable<Uint8Array>): Promise<Bytes> {
  const pieces: Uint8Array[] = []
  for await (const piece of source) pieces.push(piece)
  return new Uint8Array(Buffer.concat(pieces))
}

/** The root of the first `size` leaves by the tiles of a log that is published up to `published`; null where one is not there. */
export async function publishedRoot(
  source: Published,
  place: string,
  size: number,
  publishedSize: number,
): Promise<Bytes | null> {
  try {
    const reader = tileReader(async tile => {
      const bytes = await source.tile(place, tile)
      if (bytes === null) throw new MissingTile()
      return bytes
    }, publishedSize)
    return await rootAt(size, reader)
  } catch (error) {
    if (error instanceof MissingTile) return null
    throw error
  }
}

class MissingTile extends Error {}
