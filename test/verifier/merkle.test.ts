// The trees that bundles are made of here, against the roots and proofs published with RFC 6962's reference code.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consistencyProof, frontierOf, inclusionProof, leafHash, rootOf } from './merkle.ts'

const leaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const hashes = leaves.map(leaf => leafHash(Buffer.from(leaf, 'hex')))
const hex = (list: readonly Buffer[]) => list.map(hash => hash.toString('hex').slice(0, 8))

test('roots of one to eight leaves', () => {
  const roots = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(size => rootOf(hashes.slice(0, size)))
  assert.deepEqual(hex(roots), [
    'e3b0c442',
    '6e340b9c',
    'fac54203',
    'aeb6bcfe',
    'd37ee418',
    '4e3bbb1f',
    '76e67dad',
    'ddb89be4',
    '5dc9da79',
  ])
})

test('proofs', () => {
  assert.deepEqual(inclusionProof(0, hashes.slice(0, 1)), [])
  assert.deepEqual(hex(inclusionProof(0, hashes)), ['96a296d2', '5f083f0a', '6b47aaf2'])
  assert.deepEqual(hex(inclusionProof(5, hashes)), ['bc1a0643', 'ca854ea1', 'd37ee418'])
  assert.deepEqual(hex(inclusionProof(1, hashes.slice(0, 5))), ['6e340b9c', '5f083f0a', 'bc1a0643'])
  assert.deepEqual(hex(consistencyProof(1, hashes)), ['96a296d2', '5f083f0a', '6b47aaf2'])
  assert.deepEqual(hex(consistencyProof(6, hashes.slice(0, 7))), ['0ebc5d34', 'b08693ec', 'd37ee418'])
  assert.deepEqual(hex(consistencyProof(2, hashes.slice(0, 5))), ['5f083f0a', 'bc1a0643'])
  assert.deepEqual(hex(frontierOf(hashes.slice(0, 6))), ['d37ee418', '0ebc5d34'])
})
