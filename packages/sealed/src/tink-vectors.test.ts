// Our payload against streams that Tink itself made, byte for byte in both directions, cut in every odd way.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { cut, joined, patternBytes, watchedSource } from './fixture.ts'
import type { HashName } from './hmac.ts'
import { openTink, sealTink, type TinkKey } from './tink.ts'

interface Vector {
  readonly id: string
  readonly type: string
  readonly keyValue: string
  readonly derivedKeySize: 16 | 32
  readonly hkdfHash: string
  readonly ciphertextSegmentSize: number
  readonly firstSegmentOffset: number
  readonly associatedData: string
  readonly plaintext?: string
  readonly plaintextLength?: number
  readonly ciphertext?: string
  readonly header?: string
  readonly ciphertextLength?: number
  readonly ciphertextSha256?: string
}

const hex = (text: string) => Buffer.from(text, 'hex')
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const hashes: Record<string, HashName> = { SHA1: 'sha1', SHA256: 'sha256', SHA512: 'sha512' }

function vectorsOf(path: string | URL): Vector[] {
  const { vectors } = JSON.parse(readFileSync(path, 'utf8')) as { vectors: Vector[] }
  return vectors.filter(({ type }) => type === 'AesGcmHkdfStreamingKey')
}

/** One byte at a time and at odd sizes; the large ones not in the smallest pieces, which only takes long. */
function oddSizesFor(length: number): number[][] {
  if (length > 300_000) return [[251], [16_384, 1], [65_537], [1e9]]
  if (length > 20_000) return [[1], [997], [4095, 4097], [65_537], [1e9]]
  return [[1], [2, 1], [3], [7, 1, 13], [39, 41], [251], [997], [4095, 4097], [16_384], [1e9]]
}

async function check(vector: Vector): Promise<void> {
  assert.equal(vector.firstSegmentOffset, 0)
  const plaintext =
    vector.plaintext === undefined ? patternBytes(vector.plaintextLength ?? 0) : hex(vector.plaintext)
  const start = hex(vector.header ?? vector.ciphertext ?? '')
  const salt = start.subarray(1, 1 + vector.derivedKeySize)
  const noncePrefix = start.subarray(1 + vector.derivedKeySize, 8 + vector.derivedKeySize)
  const key: TinkKey = {
    inputKey: hex(vector.keyValue),
    associatedData: hex(vector.associatedData),
    segmentBytes: vector.ciphertextSegmentSize,
    derivedKeyBytes: vector.derivedKeySize,
    hash: hashes[vector.hkdfHash],
  }
  const ciphertext = await joined(sealTink(cut(plaintext, plaintext.length), key, { salt, noncePrefix }))
  if (vector.ciphertext !== undefined) assert.equal(ciphertext.toString('hex'), vector.ciphertext)
  if (vector.ciphertextSha256 !== undefined) {
    assert.equal(ciphertext.length, vector.ciphertextLength)
    assert.equal(sha256(ciphertext), vector.ciphertextSha256)
  }
  for (const sizes of oddSizesFor(plaintext.length)) {
    const again = await joined(sealTink(cut(plaintext, ...sizes), key, { salt, noncePrefix }))
    assert.ok(again.equals(ciphertext), `sealed in pieces of ${sizes}`)
    const opened = await joined(openTink(watchedSource(ciphertext, ...sizes), key, null))
    assert.ok(opened.equals(plaintext), `opened in pieces of ${sizes}`)
  }
  const length = plaintext.length
  const edges = [0, 1, 4039, 4040, 4041, 8120, 262_087, 262_088, 262_089, length - 1, length]
  const offsets = edges.filter(offset => offset >= 0 && offset <= length)
  for (const begin of offsets) {
    for (const end of offsets.filter(offset => offset >= begin)) {
      const opened = await joined(openTink(watchedSource(ciphertext, 50_021), key, { start: begin, end }))
      assert.ok(opened.equals(plaintext.subarray(begin, end)), `range ${begin} to ${end}`)
    }
  }
  const otherKey = { ...key, associatedData: Buffer.concat([key.associatedData, Buffer.alloc(1)]) }
  await assert.rejects(joined(openTink(watchedSource(ciphertext), otherKey, null)), { code: 'not_authentic' })
}

describe('streams made by tink-java', () => {
  const vectors = vectorsOf(new URL('../testdata/tink-made-vectors.json', import.meta.url))
  test('there are twelve', () => assert.equal(vectors.length, 12))
  for (const vector of vectors) test(vector.id, () => check(vector))
})

const published = process.env['AURICLE_TINK_PUBLISHED_VECTORS']
if (published !== undefined && published !== '') {
  describe('vectors that Tink publishes', () => {
    for (const vector of vectorsOf(published)) test(vector.id, () => check(vector))
  })
}
