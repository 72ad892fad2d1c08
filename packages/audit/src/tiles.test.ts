// Holds tiles to C2SP's examples, and proofs out of tiles to proofs out of the leaves.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Bytes, concat, hex, utf8 } from './bytes.ts'
import { AuditError } from './error.ts'
import { leafHash } from './leaf.ts'
import { createTree, verifyConsistency, verifyInclusion } from './merkle.ts'
import { consistencyProof, inclusionProof, rootAt } from './proofs.ts'
import {
  decodeEntries,
  encodeEntries,
  entriesPath,
  fullTiles,
  parseEntriesPath,
  parseTilePath,
  partialTiles,
  type Tile,
  tileHash,
  tilePath,
  tileReader,
} from './tiles.ts'

const isBadTree = (error: unknown) => error instanceof AuditError && error.code === 'bad_tree'

/** All tiles of a log of these leaves, by path, made only from those below. */
function tilesOf(hashes: readonly Bytes[]): ReadonlyMap<string, Bytes> {
  const tiles = new Map<string, Bytes>()
  let below = hashes
  for (let level = 0; below.length > 0; level++) {
    const above: Bytes[] = []
    for (let index = 0; index * 256 < below.length; index++) {
      const part = below.slice(index * 256, (index + 1) * 256)
      const bytes = concat(...part)
      tiles.set(tilePath({ level, index, width: part.length }), bytes)
      if (part.length === 256) above.push(tileHash(bytes))
    }
    below = above
  }
  return tiles
}

const numbered = (count: number): readonly Bytes[] =>
  Array.from({ length: count }, (_, index) => {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(index))
    return leafHash(bytes)
  })

test('paths as C2SP tlog-tiles writes them', () => {
  for (const [index, width, place] of [
    [0, 256, '000'],
    [255, 256, '255'],
    [1000, 256, 'x001/000'],
    [1_234_067, 256, 'x001/x234/067'],
    [1_234_067, 8, 'x001/x234/067.p/8'],
    [999, 1, '999.p/1'],
    [1000, 17, 'x001/000.p/17'],
    [Number.MAX_SAFE_INTEGER, 255, 'x009/x007/x199/x254/x740/991.p/255'],
  ] as const) {
    assert.equal(tilePath({ level: 0, index, width }), `tile/0/${place}`)
    assert.equal(tilePath({ level: 63, index, width }), `tile/63/${place}`)
    assert.equal(entriesPath(index, width), `tile/entries/${place}`)
    assert.deepEqual(parseTilePath(`tile/0/${place}`), { level: 0, index, width })
    assert.deepEqual(parseEntriesPath(`tile/entries/${place}`), { index, width })
  }
})

test('any tile has one path, and no other text is one', () => {
  const anyTile = fc.record(
    { level: fc.nat(63), index: fc.maxSafeNat(), width: fc.integer({ min: 1, max: 256 }) },
    { noNullPrototype: true },
  )
  fc.assert(fc.property(anyTile, tile => assert.deepEqual(parseTilePath(tilePath(tile)), tile)))
  for (const path of [
    '',
    'tile/0/0',
    'tile/0/00',
    'tile/0/0000',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/x000/000',
    'tile/0/001/000',
    'tile/0/x001/x000',
    'tile/0/x001x000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/017',
    'tile/0/000.p/',
    'tile/0/000/p/17',
    'tile/0/000\n',
    '/tile/0/000',
    'tile/0/x009/x007/x199/x254/x740/992',
    'tile/0/x001/x009/x007/x199/x254/x740/992',
    'tile/entries/000',
    'tile/0/../0/000',
  ]) {
    assert.throws(() => parseTilePath(path), isBadTree, path)
  }
  for (const path of ['tile/entries/', 'tile/0/000', 'tile/entries/000.p/256', 'tile/entries/x000/000']) {
    assert.throws(() => parseEntriesPath(path), isBadTree, path)
  }
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('tile/', '0', '1', '7', 'x', '/', '.p/', '000', 'entries/')),
      parts => {
        const path = parts.join('')
        try {
          assert.equal(tilePath(parseTilePath(path)), path)
        } catch (error) {
          if (!isBadTree(error)) throw error
        }
      },
    ),
  )
})

test('what no tile has is refused', () => {
  for (const tile of [
    { level: -1, index: 0, width: 1 },
    { level: 64, index: 0, width: 1 },
    { level: 0.5, index: 0, width: 1 },
    { level: 0, index: -1, width: 1 },
    { level: 0, index: 2 ** 53, width: 1 },
    { level: 0, index: 0, width: 0 },
    { level: 0, index: 0, width: 257 },
    { level: 0, index: 0, width: 1.5 },
  ]) {
    assert.throws(() => tilePath(tile), isBadTree)
  }
  assert.throws(() => partialTiles(-1), isBadTree)
  assert.throws(() => fullTiles(2, 1), isBadTree)
  assert.throws(() => tileHash(new Uint8Array(8191)), isBadTree)
})

test('a log of 70,000 leaves: 273 full tiles and 112 hashes, one and 17, one hash', () => {
  const full = fullTiles(0, 70_000)
  assert.equal(full.filter(({ level }) => level === 0).length, 273)
  assert.deepEqual(
    full.filter(({ level }) => level > 0),
    [{ level: 1, index: 0, width: 256 }],
  )
  assert.deepEqual(partialTiles(70_000), [
    { level: 0, index: 273, width: 112 },
    { level: 1, index: 1, width: 17 },
    { level: 2, index: 0, width: 1 },
  ])
})

test('growing in steps fills the same tiles as at once', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(70_000), { maxLength: 8 }), steps => {
      const sizes = [0, ...steps.toSorted((a, b) => a - b), 140_000]
      const inSteps = sizes.slice(1).flatMap((to, step) => fullTiles(sizes[step] ?? 0, to))
      const paths = (tiles: readonly Tile[]) => tiles.map(tilePath).toSorted()
      assert.deepEqual(paths(inSteps), paths(fullTiles(0, 140_000)))
    }),
    { numRuns: 20 },
  )
  assert.deepEqual(partialTiles(0), [])
  assert.deepEqual(partialTiles(256), [{ level: 1, index: 0, width: 1 }])
})

test('proofs and roots out of tiles, of which exactly the full and partial ones of the size are read', async () => {
  const hashes = numbered(66_000)
  const roots = new Map<number, Bytes>()
  const sizes = [1, 255, 256, 257, 511, 512, 1000, 65_535, 65_536, 65_537, 66_000]
  const tree = createTree()
  for (const hash of hashes) {
    tree.append(hash)
    if (sizes.includes(tree.size)) roots.set(tree.size, tree.root())
  }
  for (const size of sizes) {
    const tiles = tilesOf(hashes.slice(0, size))
    const named = new Set([...fullTiles(0, size), ...partialTiles(size)].map(tilePath))
    assert.deepEqual(named, new Set(tiles.keys()))
    const asked: string[] = []
    const read = tileReader(async tile => {
      asked.push(tilePath(tile))
      return tiles.get(tilePath(tile)) ?? assert.fail(`no ${tilePath(tile)} in ${size}`)
    }, size)
    const root = await rootAt(size, read)
    assert.deepEqual(root, roots.get(size))
    for (const index of new Set([0, 1, size >> 1, size - 1].filter(index => index < size))) {
      const leaf = hashes[index] ?? assert.fail()
      const proof = await inclusionProof(index, size, read)
      assert.ok(verifyInclusion({ index, size, leafHash: leaf, proof, root }), `${index} of ${size}`)
    }
    for (const from of sizes.filter(from => from <= size)) {
      const fromRoot = roots.get(from) ?? assert.fail()
      assert.deepEqual(await rootAt(from, read), fromRoot)
      const proof = await consistencyProof(from, size, read)
      assert.ok(verifyConsistency({ from, to: size, fromRoot, toRoot: root, proof }), `${from} to ${size}`)
    }
    assert.equal(new Set(asked).size, asked.length)
  }
})

test('a reader refuses what lies beyond its log, and a tile that is too short or too long', async () => {
  const hashes = numbered(300)
  const tiles = tilesOf(hashes)
  const read = tileReader(async tile => tiles.get(tilePath(tile)) ?? assert.fail(), 300)
  for (const [height, index] of [
    [0, 300],
    [0, -1],
    [0, 0.5],
    [8, 1],
    [7, 2],
    [16, 0],
    [62, 0],
    [-1, 0],
    [0.5, 0],
  ] as const) {
    await assert.rejects(read(height, index), isBadTree, `${height} ${index}`)
  }
  for (const bytes of [new Uint8Array(0), new Uint8Array(8191), new Uint8Array(8224)]) {
    await assert.rejects(tileReader(async () => bytes, 300)(0, 0), isBadTree)
  }
})

test('a bundle of entries: each after its length', () => {
  const bundle = encodeEntries(['one', 'two', 'three'].map(utf8))
  assert.equal(hex(bundle), '00036f6e65000374776f00057468726565')
  assert.deepEqual(decodeEntries(bundle), ['one', 'two', 'three'].map(utf8))
  const largest = new Uint8Array(65_535).fill(7)
  assert.deepEqual(decodeEntries(encodeEntries([largest, new Uint8Array(0)])), [largest, new Uint8Array(0)])
  assert.throws(() => encodeEntries([new Uint8Array(65_536)]), isBadTree)
  assert.throws(() => encodeEntries(Array.from({ length: 257 }, () => largest.subarray(0, 1))), isBadTree)
  assert.throws(() => decodeEntries(new Uint8Array(2 * 257)), isBadTree)
  for (let cut = 1; cut < bundle.length; cut++) {
    if (cut === 5 || cut === 10) continue
    assert.throws(() => decodeEntries(bundle.subarray(0, cut)), isBadTree)
  }
})

test('bundles and their entries are each the other', () => {
  const anyEntries = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 })
  fc.assert(
    fc.property(anyEntries, entries => assert.deepEqual(decodeEntries(encodeEntries(entries)), entries)),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), bytes => {
      try {
        assert.deepEqual(encodeEntries(decodeEntries(bytes)), bytes)
      } catch (error) {
        if (!isBadTree(error)) throw error
      }
    }),
  )
})
