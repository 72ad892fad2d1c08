// Holds the tree and its proofs to published vectors, to a tree built as the RFC defines it, and to every kind of false proof.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Bytes, concat, equalBytes, hex, utf8 } from './bytes.ts'
import { AuditError } from './error.ts'
import { leafHash } from './leaf.ts'
import {
  createTree,
  decodeFrontier,
  emptyRoot,
  encodeFrontier,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts'
import { consistencyProof, type HashReader, inclusionProof, rootAt } from './proofs.ts'

const unhex = (text: string): Bytes => Uint8Array.from(Buffer.from(text, 'hex'))
const isBadTree = (error: unknown) => error instanceof AuditError && error.code === 'bad_tree'

/** The leaves and hashes that transparency-dev/merkle publishes. */
const leaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map(text => leafHash(unhex(text)))
const leaf = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
  '0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7',
  '07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7',
  'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
  '4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658',
  'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
  '46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1',
] as const
const pair = [
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
  '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
  'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
] as const
const four = [
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
] as const
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  leaf[0],
  pair[0],
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  four[0],
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

/** Roots and hashes as RFC 6962 section 2.1 defines them, with another implementation of SHA-256. */
function recursiveRoot(hashes: readonly Bytes[]): Bytes {
  const [first, ...rest] = hashes
  if (first === undefined) return Uint8Array.from(createHash('sha256').digest())
  if (rest.length === 0) return first
  let left = 1
  while (left * 2 < hashes.length) left *= 2
  return Uint8Array.from(
    createHash('sha256')
      .update(Uint8Array.of(1))
      .update(recursiveRoot(hashes.slice(0, left)))
      .update(recursiveRoot(hashes.slice(left)))
      .digest(),
  )
}

/** Every perfect subtree of the leaves, by height. */
function hashReader(hashes: readonly Bytes[]): HashReader {
  const levels = [hashes]
  for (let level = hashes; level.length > 1; ) {
    level = Array.from({ length: Math.floor(level.length / 2) }, (_, index) =>
      nodeHash(at(level, index * 2), at(level, index * 2 + 1)),
    )
    levels.push(level)
  }
  return async (height, index) => at(at(levels, height), index)
}

function at<Item>(list: readonly Item[], index: number): Item {
  const item = list[index]
  assert.ok(item !== undefined, `nothing at ${index} of ${list.length}`)
  return item
}

const numbered = (count: number): readonly Bytes[] =>
  Array.from({ length: count }, (_, index) => {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(index))
    return leafHash(bytes)
  })

function rootsOf(hashes: readonly Bytes[]): readonly Bytes[] {
  const tree = createTree()
  const found = [tree.root()]
  for (const hash of hashes) {
    tree.append(hash)
    found.push(tree.root())
  }
  return found
}

test('published vectors: leaves, nodes and roots', async () => {
  assert.deepEqual(leaves.map(hex), leaf)
  assert.equal(
    hex(leafHash(utf8('L123456'))),
    '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56',
  )
  assert.equal(
    hex(nodeHash(utf8('N123'), utf8('N456'))),
    'aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb',
  )
  assert.deepEqual(rootsOf(leaves).map(hex), roots)
  const read = hashReader(leaves)
  for (const [size, root] of roots.entries()) assert.equal(hex(await rootAt(size, read)), root)
  for (const [index, hash] of pair.entries()) assert.equal(hex(await read(1, index)), hash)
  for (const [index, hash] of four.entries()) assert.equal(hex(await read(2, index)), hash)
})

test('published vectors: inclusion proofs', async () => {
  for (const [index, size, proof] of [
    [0, 1, []],
    [0, 8, [leaf[1], pair[1], four[1]]],
    [5, 8, [leaf[4], pair[3], four[0]]],
    [2, 3, [pair[0]]],
    [1, 5, [leaf[0], pair[1], leaf[4]]],
  ] as const) {
    assert.deepEqual((await inclusionProof(index, size, hashReader(leaves))).map(hex), proof)
    assert.ok(
      verifyInclusion({
        index,
        size,
        leafHash: at(leaves, index),
        proof: proof.map(unhex),
        root: unhex(at(roots, size)),
      }),
    )
  }
})

test('published vectors: consistency proofs', async () => {
  for (const [from, to, proof] of [
    [1, 1, []],
    [1, 8, [leaf[1], pair[1], four[1]]],
    [2, 5, [pair[1], leaf[4]]],
    [6, 7, [pair[2], leaf[6], four[0]]],
    [6, 8, [pair[2], pair[3], four[0]]],
    [4, 8, [four[1]]],
    [3, 7, [leaf[2], leaf[3], pair[0], '837dbb152e9b079010717e84e865da4ebc0fa198a806d59d31bf15accef22d0e']],
  ] as const) {
    assert.deepEqual((await consistencyProof(from, to, hashReader(leaves))).map(hex), proof)
    assert.ok(
      verifyConsistency({
        from,
        to,
        fromRoot: unhex(at(roots, from)),
        toRoot: unhex(at(roots, to)),
        proof: proof.map(unhex),
      }),
    )
  }
})

test('larger vectors: roots and proofs over leaves that are numbers', async () => {
  const hashes = numbered(70_000)
  const tree = createTree()
  const found = new Map<number, string>()
  const sizes = [255, 256, 257, 1000, 65_536, 70_000]
  for (const hash of hashes) {
    tree.append(hash)
    if (sizes.includes(tree.size)) found.set(tree.size, hex(tree.root()))
  }
  assert.deepEqual(
    [...found],
    [
      [255, 'bb3b9743e08118ea583ae77df04a1449a0601cde6f75146d79c2cab6366ce210'],
      [256, '15e2dd4973ae44de8c8cf3048fd98d17adaaea6287f4e0606a55a643617408c0'],
      [257, 'd418c0873259bce7d0561ab004486112416c1c4490865415342bfe06e673146c'],
      [1000, 'c89faf3395d034a77c12c76d636db96358d6d2839c3c68f6329a07231e82fce2'],
      [65_536, 'bc9bca909516d5bf148c2bf2dea0a0d9f717ce4987d2fe7504d6694363b41598'],
      [70_000, '0759167a0f98e35e802d46ff7c7d29d2c3f03a63a256deb6abbff357a91b63b1'],
    ],
  )
  const read = hashReader(hashes)
  for (const [size, root] of found) assert.equal(hex(await rootAt(size, read)), root)
  const whole = (proof: readonly Bytes[]) => [
    proof.length,
    createHash('sha256')
      .update(concat(...proof))
      .digest('hex'),
  ]
  assert.deepEqual(whole(await inclusionProof(500, 1000, read)), [
    10,
    '6f5c95ddcc29a838e4ce925a948160ef6f8dd4fb647a204b9a4f899d2f595e0e',
  ])
  assert.deepEqual(whole(await consistencyProof(256, 1000, read)), [
    2,
    'd0d3331027e4aa8b963d57fd98fab692c80e8c4cc9f5a2606367f71f7c916f09',
  ])
  assert.deepEqual(whole(await consistencyProof(777, 1000, read)), [
    11,
    '4ca7458a92d621060ed9307870ac961dcdbaf2b0621d0eb8e047717403395756',
  ])
})

test('every leaf and every pair of sizes up to 128 is proved', async () => {
  const hashes = numbered(128)
  const read = hashReader(hashes)
  const all = rootsOf(hashes)
  for (let size = 0; size <= hashes.length; size++) {
    const root = at(all, size)
    assert.deepEqual(root, recursiveRoot(hashes.slice(0, size)))
    for (let index = 0; index < size; index++) {
      const proof = await inclusionProof(index, size, read)
      assert.ok(
        verifyInclusion({ index, size, leafHash: at(hashes, index), proof, root }),
        `${index} of ${size}`,
      )
    }
    for (let from = 0; from <= size; from++) {
      const proof = await consistencyProof(from, size, read)
      assert.ok(
        verifyConsistency({ from, to: size, fromRoot: at(all, from), toRoot: root, proof }),
        `${from} to ${size}`,
      )
    }
  }
})

test('random trees of up to 2,000 leaves: roots, proofs, and growing on from a stored frontier', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 2000, size: 'max' }),
      fc.nat(),
      fc.nat(),
      async (entries, firstSeed, secondSeed) => {
        const hashes = entries.map(entry => leafHash(entry))
        const size = hashes.length
        const from = firstSeed % (size + 1)
        const read = hashReader(hashes)
        const root = recursiveRoot(hashes)
        const fromRoot = recursiveRoot(hashes.slice(0, from))
        assert.deepEqual(await rootAt(size, read), root)

        const tree = createTree()
        for (const hash of hashes.slice(0, from)) tree.append(hash)
        assert.deepEqual(tree.root(), fromRoot)
        const stored = tree.frontier()
        const again = createTree(decodeFrontier(stored.size, encodeFrontier(stored)))
        for (const hash of hashes.slice(from)) again.append(hash)
        assert.deepEqual(again.root(), root)
        assert.deepEqual(tree.frontier(), stored)

        const proof = await consistencyProof(from, size, read)
        assert.ok(verifyConsistency({ from, to: size, fromRoot, toRoot: root, proof }))
        if (size === 0) return
        const index = secondSeed % size
        const path = await inclusionProof(index, size, read)
        assert.ok(path.length <= Math.ceil(Math.log2(size)))
        assert.ok(verifyInclusion({ index, size, leafHash: at(hashes, index), proof: path, root }))
      },
    ),
    { numRuns: 40 },
  )
})

/** What a forger could make of a proof, by name. */
function falseProofs(
  proof: readonly Bytes[],
  root: Bytes,
): readonly (readonly [string, readonly Uint8Array[]])[] {
  const noise = leafHash(utf8('noise'))
  return [
    ...proof.map(
      (_, place) =>
        [`flipped ${place}`, proof.map((hash, i) => (i === place ? flipped(hash) : hash))] as const,
    ),
    ...proof.map((_, place) => [`removed ${place}`, proof.filter((_hash, i) => i !== place)] as const),
    ...[...proof, root].map((_, place) => [`inserted ${place}`, proof.toSpliced(place, 0, noise)] as const),
    ...proof.map((hash, place) => [`short ${place}`, proof.with(place, hash.slice(1))] as const),
    ...proof.map(
      (hash, place) => [`long ${place}`, proof.with(place, concat(hash, Uint8Array.of(0)))] as const,
    ),
    ['root before', [root, ...proof]],
    ['root after', [...proof, root]],
    ['empty element before', [new Uint8Array(0), ...proof]],
    ['empty element after', [...proof, new Uint8Array(0)]],
    ...(proof.length > 1 ? [['reversed', proof.toReversed()] as const] : []),
  ]
}

const flipped = (bytes: Bytes): Bytes => bytes.map((byte, index) => (index === 17 ? byte ^ 0x10 : byte))

test('no false proof of inclusion is taken', async () => {
  const hashes = numbered(40)
  const read = hashReader(hashes)
  const all = rootsOf(hashes)
  for (const size of [1, 2, 3, 5, 7, 8, 16, 31, 40]) {
    for (let index = 0; index < size; index++) {
      const proof = await inclusionProof(index, size, read)
      const claim = { index, size, leafHash: at(hashes, index), proof, root: at(all, size) }
      assert.ok(verifyInclusion(claim))
      for (const [name, other] of falseProofs(proof, claim.root)) {
        assert.ok(!verifyInclusion({ ...claim, proof: other }), `${index} of ${size}: ${name}`)
      }
      for (const [name, other] of [
        ['index + 1', { index: index + 1 }],
        ['index - 1', { index: index - 1 }],
        ['index xor 2', { index: index ^ 2 }],
        ['size as index', { index: size }],
        ['no integer', { index: index + 0.5 }],
        ['size x 2', { size: size * 2 }],
        ['the only leaf', { index: 0, size: 1 }],
        ['size / 2', { size: Math.floor(size / 2) }],
        ['size 0', { size: 0 }],
        ['endless size', { size: Number.POSITIVE_INFINITY }],
        ['too large a size', { size: 2 ** 53 }],
        ['not a size', { size: Number.NaN }],
        ['empty root', { root: emptyRoot }],
        ['no root', { root: new Uint8Array(0) }],
        ['random root', { root: leafHash(utf8('random')) }],
        ['flipped root', { root: flipped(claim.root) }],
        ['empty leaf', { leafHash: leafHash(new Uint8Array(0)) }],
        ['no leaf hash', { leafHash: new Uint8Array(0) }],
        ['flipped leaf', { leafHash: flipped(claim.leafHash) }],
        ['root as leaf', { leafHash: claim.root }],
      ] as const) {
        // The only leaf is its own root, whatever size the one asks for that has no further proof.
        if (size === 1 && (name === 'root as leaf' || name === 'index xor 2' || name === 'the only leaf'))
          continue
        assert.ok(!verifyInclusion({ ...claim, ...other }), `${index} of ${size}: ${name}`)
      }
    }
  }
})

test('no false proof of consistency is taken', async () => {
  const hashes = numbered(33)
  const read = hashReader(hashes)
  const all = rootsOf(hashes)
  for (let to = 1; to <= hashes.length; to++) {
    for (let from = 1; from < to; from++) {
      const proof = await consistencyProof(from, to, read)
      const claim = { from, to, fromRoot: at(all, from), toRoot: at(all, to), proof }
      assert.ok(verifyConsistency(claim))
      for (const root of [claim.fromRoot, claim.toRoot]) {
        for (const [name, other] of falseProofs(proof, root)) {
          assert.ok(!verifyConsistency({ ...claim, proof: other }), `${from} to ${to}: ${name}`)
        }
      }
      for (const [name, other] of [
        ['twice as large', { to: to * 2 }],
        ['swapped roots', { fromRoot: claim.toRoot, toRoot: claim.fromRoot }],
        ['swapped sizes', { from: to, to: from }],
        ['empty first root', { fromRoot: emptyRoot }],
        ['empty last root', { toRoot: emptyRoot }],
        ['same roots', { fromRoot: claim.toRoot }],
        ['from 0', { from: 0 }],
        ['from 0 without proof', { from: 0, proof: [] }],
        ['equal sizes', { from: to }],
        ['equal sizes without proof', { from: to, proof: [] }],
        ['no proof', { proof: [] }],
        ['no root', { fromRoot: new Uint8Array(0) }],
        ['no integer', { from: from + 0.5 }],
        ['below 0', { from: -1 }],
        ['too large a size', { to: 2 ** 53 }],
      ] as const) {
        assert.ok(!verifyConsistency({ ...claim, ...other }), `${from} to ${to}: ${name}`)
      }
    }
  }
})

test('from nothing to anything takes an empty proof from the empty root, and nothing else', () => {
  const toRoot = at(leaves, 0)
  const claim = { from: 0, to: 1, fromRoot: emptyRoot, toRoot, proof: [] }
  assert.ok(verifyConsistency(claim))
  assert.ok(verifyConsistency({ from: 0, to: 0, fromRoot: emptyRoot, toRoot: emptyRoot, proof: [] }))
  for (const other of [{ fromRoot: toRoot }, { proof: [toRoot] }, { proof: [emptyRoot] }, { to: 0 }]) {
    assert.ok(!verifyConsistency({ ...claim, ...other }))
  }
  assert.ok(!verifyConsistency({ from: 0, to: 0, fromRoot: toRoot, toRoot, proof: [] }))
})

test('what is no tree is refused', async () => {
  const [first = emptyRoot, second = emptyRoot] = leaves
  for (const frontier of [
    { size: 1, hashes: [] },
    { size: 0, hashes: [first] },
    { size: 2, hashes: [first, second] },
    { size: 3, hashes: [first] },
    { size: -1, hashes: [first] },
    { size: 1.5, hashes: [first] },
    { size: 2 ** 53, hashes: [first] },
    { size: 1, hashes: [first.slice(1)] },
  ]) {
    assert.throws(() => createTree(frontier), isBadTree)
    assert.throws(() => encodeFrontier(frontier), isBadTree)
    assert.throws(() => decodeFrontier(frontier.size, concat(...frontier.hashes)), isBadTree)
  }
  assert.throws(() => createTree().append(new Uint8Array(31)), isBadTree)
  const read = hashReader(leaves)
  for (const [index, size] of [
    [0, 0],
    [8, 8],
    [-1, 8],
    [0.5, 8],
    [0, 2 ** 53],
    [0, Number.NaN],
  ] as const) {
    await assert.rejects(inclusionProof(index, size, read), isBadTree)
  }
  await assert.rejects(consistencyProof(5, 4, read), isBadTree)
  await assert.rejects(consistencyProof(-1, 4, read), isBadTree)
  await assert.rejects(rootAt(-1, read), isBadTree)
})

test('sizes beyond 32 bits are counted as they are', async () => {
  const size = 2 ** 52 + 2 ** 33 + 1
  const read: HashReader = async (height, index) => leafHash(utf8(`${height} ${index}`))
  const from = 2 ** 52
  const proof = await consistencyProof(from, size, read)
  assert.ok(
    verifyConsistency({
      from,
      to: size,
      fromRoot: await rootAt(from, read),
      toRoot: await rootAt(size, read),
      proof,
    }),
  )
  const index = 2 ** 52 + 2 ** 33
  const path = await inclusionProof(index, size, read)
  const claim = { index, size, leafHash: await read(0, index), proof: path, root: await rootAt(size, read) }
  assert.ok(verifyInclusion(claim))
  assert.ok(!verifyInclusion({ ...claim, index: index % 2 ** 32 }))
  const frontier = createTree({
    size,
    hashes: [leafHash(utf8('a')), leafHash(utf8('b')), leafHash(utf8('c'))],
  })
  frontier.append(leafHash(utf8('d')))
  assert.equal(frontier.size, size + 1)
  assert.equal(frontier.frontier().hashes.length, 3)
  assert.ok(!equalBytes(frontier.root(), emptyRoot))
})
