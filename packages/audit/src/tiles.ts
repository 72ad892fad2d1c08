// How a log lies in files (C2SP tlog-tiles): hashes by 256 in tiles, leaves by 256 in bundles, and what they are called.
import { type Bytes, concat, sha256Bytes } from './bytes.ts'
import { parseDecimal } from './decimal.ts'
import { AuditError } from './error.ts'
import { foldRight, nodeHash } from './merkle.ts'
import type { HashReader } from './proofs.ts'

/** Hashes in a full tile, leaves in a full bundle. */
export const tileWidth = 256
const tileHeight = 8
const maxLevel = 63
/** Of each entry in a bundle, as the two bytes before it can say. */
const maxEntryBytes = 65_535
const lengthBytes = 2

/** `width` hashes of subtrees of 256^`level` leaves each, the first of them the (256 x `index`)-th. */
export interface Tile {
  readonly level: number
  readonly index: number
  /** 256 where the tile is full and will never change, else less. */
  readonly width: number
}

/** `tile/0/x001/000` of a full tile, `tile/0/x001/000.p/17` of a partial one. */
export function tilePath({ level, index, width }: Tile): string {
  if (!Number.isInteger(level) || level < 0 || level > maxLevel) refuse('there is no such level of tiles')
  return `tile/${level}/${place(index, width)}`
}

/** The inverse of `tilePath`. Throws `AuditError('bad_tree')` for any other text. */
export function parseTilePath(path: string): Tile {
  const [, levelText, rest] =
    /^tile\/(\d{1,2})\/([0-9xp./]+)$/.exec(path) ?? refuse('this is no path of a tile')
  const level = parseDecimal(levelText ?? '')
  if (level === null || level > maxLevel) refuse('there is no such level of tiles')
  return { level, ...parsePlace(rest ?? '') }
}

/** Where the leaves below a tile of level 0 lie. */
export const entriesPath = (index: number, width: number): string => `tile/entries/${place(index, width)}`

/** The inverse of `entriesPath`. Throws `AuditError('bad_tree')` for any other text. */
export function parseEntriesPath(path: string): Pick<Tile, 'index' | 'width'> {
  const [, rest] = /^tile\/entries\/([0-9xp./]+)$/.exec(path) ?? refuse('this is no path of entries')
  return parsePlace(rest ?? '')
}

/** Each leaf after its length in two bytes, the higher first. Throws `AuditError('bad_tree')` for more than fit. */
export function encodeEntries(leaves: readonly Uint8Array[]): Bytes {
  if (leaves.length > tileWidth) refuse('a bundle of entries is too long')
  return concat(
    ...leaves.flatMap(leaf => {
      if (leaf.length > maxEntryBytes) refuse('an entry is too long')
      return [Uint8Array.of(Math.floor(leaf.length / 256), leaf.length % 256), leaf]
    }),
  )
}

/** The inverse of `encodeEntries`. Throws `AuditError('bad_tree')` for any other bytes. */
export function decodeEntries(bytes: Uint8Array): readonly Bytes[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const leaves: Bytes[] = []
  for (let offset = 0; offset < bytes.length; ) {
    const start = offset + lengthBytes
    if (start > bytes.length || leaves.length === tileWidth)
      refuse('a bundle of entries is cut off or too long')
    const end = start + view.getUint16(offset)
    if (end > bytes.length) refuse('a bundle of entries is cut off')
    leaves.push(concat(bytes.subarray(start, end)))
    offset = end
  }
  return leaves
}

/** The tiles that fill up while a log grows from `from` leaves to `to`: those of the lower levels first. */
export function fullTiles(from: number, to: number): readonly Tile[] {
  checkSizes(from, to)
  const tiles: Tile[] = []
  for (let level = 0, leaves = tileWidth; leaves <= to; level++, leaves *= tileWidth) {
    for (let index = Math.floor(from / leaves); index < Math.floor(to / leaves); index++) {
      tiles.push({ level, index, width: tileWidth })
    }
  }
  return tiles
}

/** The tiles of a log of `size` leaves that are not full, at most one a level. */
export function partialTiles(size: number): readonly Tile[] {
  checkSizes(0, size)
  const tiles: Tile[] = []
  for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / tileWidth)) {
    const width = hashes % tileWidth
    if (width > 0) tiles.push({ level, index: Math.floor(hashes / tileWidth), width })
  }
  return tiles
}

/** The hash that stands for a full tile in the level above. Throws `AuditError('bad_tree')` where it is not full. */
export function tileHash(bytes: Uint8Array): Bytes {
  if (bytes.length !== tileWidth * sha256Bytes) refuse('a tile has another length')
  return perfectHash(hashesIn(bytes))
}

/**
 * Reads the hashes of a log of `size` leaves from its tiles. It keeps each tile it has read: make one for each piece of
 * work, not for good. Rejects with `AuditError('bad_tree')` beyond the log and for a tile of another length, else as
 * `readTile` does.
 */
export function tileReader(readTile: (tile: Tile) => Promise<Bytes>, size: number): HashReader {
  checkSizes(0, size)
  const tiles = new Map<string, Promise<Bytes>>()
  const tileOnce = (tile: Tile): Promise<Bytes> => {
    const path = tilePath(tile)
    const known = tiles.get(path)
    if (known !== undefined) return known
    const reading = readTile(tile)
    tiles.set(path, reading)
    return reading
  }
  return async (height, index) => {
    if (!Number.isInteger(height) || height < 0) refuse('there is no such height')
    const level = Math.floor(height / tileHeight)
    const count = 2 ** (height % tileHeight)
    const first = index * count
    const inLevel = Math.floor(size / tileWidth ** level)
    if (!Number.isSafeInteger(first) || first < 0 || first + count > inLevel)
      refuse('the log is not that large')
    const tileIndex = Math.floor(first / tileWidth)
    const width = Math.min(tileWidth, inLevel - tileIndex * tileWidth)
    const bytes = await tileOnce({ level, index: tileIndex, width })
    if (bytes.length !== width * sha256Bytes) refuse('a tile has another length')
    const offset = (first % tileWidth) * sha256Bytes
    return perfectHash(hashesIn(bytes.subarray(offset, offset + count * sha256Bytes)))
  }
}

function hashesIn(bytes: Uint8Array): readonly Bytes[] {
  return Array.from({ length: bytes.length / sha256Bytes }, (_, index) =>
    concat(bytes.subarray(index * sha256Bytes, (index + 1) * sha256Bytes)),
  )
}

/** The root over hashes whose number is a power of two. */
function perfectHash(hashes: readonly Bytes[]): Bytes {
  if (hashes.length <= 2) return foldRight(hashes)
  const middle = hashes.length / 2
  return nodeHash(perfectHash(hashes.slice(0, middle)), perfectHash(hashes.slice(middle)))
}

/** Three digits a group, `x` before all but the last group, `.p/` and the width where it is not full. */
function place(index: number, width: number): string {
  if (!Number.isSafeInteger(index) || index < 0) refuse('there is no such tile')
  if (!Number.isInteger(width) || width < 1 || width > tileWidth) refuse('there is no tile of that width')
  let groups = String(index % 1000).padStart(3, '0')
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups = `x${String(rest % 1000).padStart(3, '0')}/${groups}`
  }
  return width === tileWidth ? groups : `${groups}.p/${width}`
}

function parsePlace(text: string): Pick<Tile, 'index' | 'width'> {
  const [, groups = '', widthText] =
    /^((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(text) ?? refuse('this is no place of a tile')
  const index = Number(groups.replaceAll(/[x/]/g, ''))
  const width = widthText === undefined ? tileWidth : (parseDecimal(widthText) ?? 0)
  if (place(index, width) !== text) refuse('this is no place of a tile')
  return { index, width }
}

function checkSizes(from: number, to: number): void {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || from > to) {
    refuse('there is no log of that size')
  }
}

function refuse(why: string): never {
  throw new AuditError('bad_tree', why)
}
