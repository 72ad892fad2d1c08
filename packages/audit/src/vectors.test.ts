// Checks the vectors twice: with this package, and with a second implementation made from docs/audit-log.md alone.
import assert from 'node:assert/strict'
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { z } from 'zod'
import { decodeAnchorLeaf, encodeAnchorLeaf } from './anchor-leaf.ts'
import { hex, utf8 } from './bytes.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { decodeLeaf, encodeLeaf, leafHash } from './leaf.ts'
import { createTree, encodeFrontier, verifyConsistency, verifyInclusion } from './merkle.ts'
import { formatNote, parseNote, verifyNote } from './note.ts'
import { formatPolicy, meetsQuorum, parsePolicy, verifyCheckpoint } from './policy.ts'
import { commitPrivate, decodePrivate } from './private-part.ts'
import { formatProofFile, parseProofFile, verifyProofFile } from './proof-file.ts'
import { formatReceipt, parseReceipt } from './receipt.ts'
import { verifyCosignature } from './signature.ts'
import { decodeEntries, encodeEntries, parseEntriesPath, parseTilePath, tileReader } from './tiles.ts'
import { formatVerifierKey, parseVerifierKey } from './verifier-key.ts'
import { formatAddCheckpoint, parseAddCheckpoint } from './witness-request.ts'

const Key = z.strictObject({ seed: z.string(), verifierKey: z.string() })
const Leaf = z.strictObject({ leaf: z.string(), hash: z.string() })
const Bundle = z.strictObject({ path: z.string(), bytes: z.string() })
const vectors = z
  .strictObject({
    note: z.string(),
    keys: z.strictObject({ log: Key, anchor: Key, witness: Key, receipts: Key }),
    privatePart: z.strictObject({ salt: z.string(), json: z.string(), commitment: z.string() }),
    leaves: z.array(Leaf).length(3),
    frontier: z.string(),
    tile: Bundle,
    entries: Bundle,
    checkpoint: z.string(),
    anchorLeaves: z.array(Leaf).length(2),
    anchorCheckpoint: z.string(),
    witnessRequest: z.string(),
    policy: z.string(),
    proofFile: z.string(),
    receipt: z.string(),
  })
  .parse(JSON.parse(readFileSync(new URL('../testdata/vectors.json', import.meta.url), 'utf8')))

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
const logKey = parseVerifierKey(vectors.keys.log.verifierKey)
const anchorKey = parseVerifierKey(vectors.keys.anchor.verifierKey)
const witnessKey = parseVerifierKey(vectors.keys.witness.verifierKey)
const receiptKey = parseVerifierKey(vectors.keys.receipts.verifierKey)

function grown(leaves: readonly z.infer<typeof Leaf>[]) {
  const tree = createTree()
  for (const { hash } of leaves) tree.append(bytes(hash))
  return tree
}

test('leaves, their hashes and the private part', async () => {
  for (const { leaf, hash } of vectors.leaves) {
    assert.equal(hex(leafHash(utf8(leaf))), hash)
    assert.deepEqual(encodeLeaf(decodeLeaf(utf8(leaf))), utf8(leaf))
  }
  const { salt, json, commitment } = vectors.privatePart
  const { part } = decodePrivate(Buffer.concat([bytes(salt), utf8(json)]))
  assert.equal(await commitPrivate(part, bytes(salt)), commitment)
  assert.equal(decodeLeaf(utf8(vectors.leaves[2]?.leaf ?? '')).private, commitment)
})

test('tree, tile and entries', async () => {
  const tree = grown(vectors.leaves)
  assert.equal(hex(encodeFrontier(tree.frontier())), vectors.frontier)
  assert.deepEqual(parseCheckpoint(parseNote(vectors.checkpoint).text).root, tree.root())
  const tile = parseTilePath(vectors.tile.path)
  assert.deepEqual(tile, { level: 0, index: 0, width: 3 })
  const read = tileReader(async () => bytes(vectors.tile.bytes), 3)
  assert.equal(hex(await read(0, 2)), vectors.leaves[2]?.hash)
  assert.deepEqual(parseEntriesPath(vectors.entries.path), { index: 0, width: 3 })
  const entries = decodeEntries(bytes(vectors.entries.bytes))
  assert.deepEqual(
    entries,
    vectors.leaves.map(({ leaf }) => utf8(leaf)),
  )
  assert.equal(hex(encodeEntries(entries)), vectors.entries.bytes)
})

test('checkpoints, the log over all logs, and its witness', async () => {
  const { note, by } = await verifyNote(vectors.checkpoint, [logKey])
  assert.deepEqual(by, [logKey])
  const checkpoint = parseCheckpoint(note.text)
  const [anchored, silence] = vectors.anchorLeaves.map(({ leaf }) => decodeAnchorLeaf(utf8(leaf)))
  assert.deepEqual(anchored?.checkpoint, checkpoint)
  assert.deepEqual(silence, { at: '2026-11-26T04:49:01.500Z', checkpoint: null })
  for (const { leaf } of vectors.anchorLeaves) {
    assert.deepEqual(encodeAnchorLeaf(decodeAnchorLeaf(utf8(leaf))), utf8(leaf))
  }

  const policy = parsePolicy(vectors.policy)
  assert.equal(formatPolicy(policy), vectors.policy)
  const anchor = await verifyCheckpoint(vectors.anchorCheckpoint, policy)
  assert.deepEqual(anchor.by, [anchorKey, witnessKey])
  assert.deepEqual(anchor.checkpoint.root, grown(vectors.anchorLeaves).root())
  assert.ok(!meetsQuorum(policy, by))
  const { text, signatures } = parseNote(vectors.anchorCheckpoint)
  const cosignature = signatures[1]?.payload ?? assert.fail()
  assert.deepEqual(await verifyCosignature(witnessKey, text, cosignature), { timeSeconds: 1_795_667_942 })

  const request = parseAddCheckpoint(vectors.witnessRequest)
  assert.equal(formatAddCheckpoint(request), vectors.witnessRequest)
  const fromRoot = bytes(vectors.anchorLeaves[0]?.hash ?? '')
  const { size: to, root: toRoot } = anchor.checkpoint
  assert.ok(verifyConsistency({ from: request.oldSize, to, fromRoot, toRoot, proof: request.proof }))
})

test('a proof file and a receipt', async () => {
  const file = parseProofFile(vectors.proofFile)
  assert.equal(formatProofFile(file), vectors.proofFile)
  assert.equal(file.checkpoint, vectors.checkpoint)
  const leaf = bytes(vectors.leaves[2]?.hash ?? '')
  const policy = { ...parsePolicy(vectors.policy), quorum: null }
  const { checkpoint, index } = await verifyProofFile(vectors.proofFile, leaf, policy)
  assert.deepEqual([checkpoint.origin, index], [logKey.name, 2])
  const { size, root } = checkpoint
  assert.ok(verifyInclusion({ index, size, leafHash: leaf, proof: file.proof, root }))

  const { note } = await verifyNote(vectors.receipt, [receiptKey])
  const receipt = parseReceipt(note.text)
  assert.equal(formatReceipt(receipt), note.text)
  assert.deepEqual(receipt.leafHash, leaf)
})

// From here on nothing of this package is used: Node's cryptography, and the sentences of the document.

const sha256 = (...parts: readonly Uint8Array[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
const node = (left: Uint8Array, right: Uint8Array) => sha256(Uint8Array.of(1), left, right)
const leafOf = (leaf: string) => sha256(Uint8Array.of(0), Buffer.from(leaf))

/** Whether the line in a note is the key's signature, by the document's table of algorithms. */
function isLineOf(verifierKey: string, note: string): boolean {
  const [name, id, encoded] = verifierKey.split(/\+(.{8})\+(.*)/)
  const publicKey = Buffer.from(encoded ?? '', 'base64')
  assert.equal(
    sha256(Buffer.from(`${name}\n`), publicKey)
      .subarray(0, 4)
      .toString('hex'),
    id,
  )
  const end = note.lastIndexOf('\n\n') + 1
  const line = note
    .slice(end + 1)
    .split('\n')
    .find(candidate => candidate.startsWith(`\u2014 ${name} `))
  const payload = Buffer.from(line?.split(' ')[2] ?? '', 'base64')
  assert.equal(payload.subarray(0, 4).toString('hex'), id)
  const time = publicKey[0] === 4 ? payload.readBigUInt64BE(4) : null
  const text = note.slice(0, end)
  const message = time === null ? text : `cosignature/v1\ntime ${time}\n${text}`
  const key = createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey.subarray(1)]),
    format: 'der',
    type: 'spki',
  })
  return verify(null, Buffer.from(message), key, payload.subarray(time === null ? 4 : 12))
}

test('a second implementation comes to the same bytes', () => {
  const [first, second, third] = vectors.leaves.map(({ leaf }) => leafOf(leaf))
  assert.ok(first && second && third)
  assert.deepEqual(
    [first, second, third].map(hash => hash.toString('hex')),
    vectors.leaves.map(({ hash }) => hash),
  )
  const left = node(first, second)
  const root = node(left, third).toString('base64')
  assert.equal(vectors.frontier, Buffer.concat([left, third]).toString('hex'))
  assert.equal(vectors.tile.bytes, Buffer.concat([first, second, third]).toString('hex'))
  const framed = vectors.leaves.map(({ leaf }) => {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(Buffer.byteLength(leaf))
    return Buffer.concat([length, Buffer.from(leaf)])
  })
  assert.equal(vectors.entries.bytes, Buffer.concat(framed).toString('hex'))

  const text = `auricle.test/t/ten_01kb0000000000000000000001/2026\n3\n${root}\n`
  assert.ok(vectors.checkpoint.startsWith(`${text}\n\u2014 `))
  assert.ok(isLineOf(vectors.keys.log.verifierKey, vectors.checkpoint))
  const anchors = [
    `auricle-anchor/1\n2026-11-26T04:39:01.500Z\n${text}`,
    'auricle-anchor/1\n2026-11-26T04:49:01.500Z\n',
  ]
  assert.deepEqual(
    vectors.anchorLeaves.map(({ leaf }) => leaf),
    anchors,
  )
  const [anchored, silence] = anchors.map(leafOf)
  assert.ok(anchored && silence)
  const anchorText = `auricle.test/anchor\n2\n${node(anchored, silence).toString('base64')}\n`
  assert.ok(vectors.anchorCheckpoint.startsWith(`${anchorText}\n\u2014 `))
  assert.ok(isLineOf(vectors.keys.anchor.verifierKey, vectors.anchorCheckpoint))
  assert.ok(isLineOf(vectors.keys.witness.verifierKey, vectors.anchorCheckpoint))

  assert.equal(
    vectors.proofFile,
    `c2sp.org/tlog-proof@v1\nindex 2\n${left.toString('base64')}\n\n${vectors.checkpoint}`,
  )
  assert.ok(vectors.witnessRequest.startsWith(`old 1\n${silence.toString('base64')}\n\n${anchorText}\n`))
  assert.ok(isLineOf(vectors.keys.receipts.verifierKey, vectors.receipt))
  assert.equal(vectors.receipt.split('\n')[3], third.toString('base64'))

  const { salt, json, commitment } = vectors.privatePart
  assert.equal(commitment, `sha256:${sha256(Buffer.from(salt, 'hex'), Buffer.from(json)).toString('hex')}`)
})

test('the seeds make the keys, and the keys make the signatures again', () => {
  for (const [kind, text] of [
    ['log', vectors.checkpoint],
    ['anchor', vectors.anchorCheckpoint],
    ['receipts', vectors.receipt],
  ] as const) {
    const { seed, verifierKey } = vectors.keys[kind]
    const privateKey = createPrivateKey({
      key: Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex'),
      format: 'der',
      type: 'pkcs8',
    })
    const key = parseVerifierKey(verifierKey)
    const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
    assert.deepEqual(Buffer.from(key.publicKey), spki.subarray(-32))
    assert.equal(formatVerifierKey(key), verifierKey)
    const note = parseNote(text)
    assert.equal(formatNote(note), text)
    const again = sign(null, Buffer.from(note.text), privateKey)
    assert.deepEqual(Buffer.from(note.signatures[0]?.payload ?? []), again)
  }
})
