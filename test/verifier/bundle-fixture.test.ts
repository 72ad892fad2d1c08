// What the bundles of these tests are made of is what the vault's own code reads and would write.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  decodeAnchorLeaf,
  decodeLeaf,
  fromBase64,
  leafHash,
  parseCheckpoint,
  parseNote,
  parsePolicy,
  verifyCheckpoint,
  verifyConsistency,
  verifyInclusion,
} from '@auricle/audit'
import { makeBundle } from './bundle-fixture.ts'

const bundle = makeBundle({
  years: [2025, 2026],
  eventsEach: 20,
  seed: 4,
  anchor: 'ecdsa-p256',
  witnesses: 2,
  quorum: 2,
})
const lines = bundle.lines.map(line => JSON.parse(line))
const ofType = (type: string) => lines.filter(line => line.type === type)
const bytes = (text: string) => fromBase64(text) ?? assert.fail('no base64')

it('leaves are events, and begin with the opening of their log', () => {
  const leaves = ofType('leaf').map(({ seq, leaf }) => ({ seq, event: decodeLeaf(bytes(leaf)) }))
  assert.ok(leaves.length > 40)
  for (const { seq, event } of leaves) assert.equal(seq === 0, event.action === 'log.opened')
})

it('checkpoints have the signatures that the policy wants', async () => {
  const policy = parsePolicy(bundle.policy)
  const anchors = ofType('anchorCheckpoint')
  assert.ok(anchors.length > 1)
  for (const { note } of anchors) assert.equal((await verifyCheckpoint(note, policy)).by.length, 3)
  const logs = parsePolicy(bundle.policy.replace(/^quorum.*$/m, 'quorum none'))
  for (const { note } of ofType('checkpoint')) assert.equal((await verifyCheckpoint(note, logs)).by.length, 1)
})

it('the anchor holds what is said to be in it, and only grows', () => {
  const heads = ofType('anchorCheckpoint').map(({ note }) => parseCheckpoint(parseNote(note).text))
  const headOf = (size: number) => heads.find(head => head.size === size) ?? assert.fail('no checkpoint')
  for (const { origin, size, index, leaf, proof, anchorSize } of ofType('anchored')) {
    const { checkpoint } = decodeAnchorLeaf(bytes(leaf))
    assert.deepEqual([checkpoint?.origin, checkpoint?.size], [origin, size])
    const { root } = headOf(anchorSize)
    assert.ok(
      verifyInclusion({
        index,
        size: anchorSize,
        leafHash: leafHash(bytes(leaf)),
        proof: proof.map(bytes),
        root,
      }),
    )
  }
  for (const { from, to, proof } of ofType('anchorConsistency')) {
    const roots = { fromRoot: headOf(from).root, toRoot: headOf(to).root }
    assert.ok(verifyConsistency({ from, to, ...roots, proof: proof.map(bytes) }))
  }
})
