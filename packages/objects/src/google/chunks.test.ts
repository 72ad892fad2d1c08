import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { checksumIn, createChecksum } from './checksum.ts'
import { type Chunk, inChunks, split } from './chunks.ts'

async function* yielding(pieces: readonly Uint8Array[]) {
  yield* pieces
}

test('chunks are all the bytes in order, full but the last, which is known as such', async () => {
  const bytes = randomBytes(300_000)
  const sizes = fc.array(fc.integer({ min: 0, max: 70_000 }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(sizes, fc.constantFrom(1, 1000, 65_536, 100_000), async (lengths, chunkBytes) => {
      const pieces = []
      let at = 0
      for (const length of lengths) {
        pieces.push(bytes.subarray(at, at + length))
        at = Math.min(at + length, bytes.length)
      }
      const whole = Buffer.concat(pieces)
      // One byte a chunk of a long source says nothing more than a few of them.
      const source = chunkBytes === 1 ? [whole.subarray(0, 20)] : pieces
      const expected = Buffer.concat(source)
      const chunks: Chunk[] = []
      for await (const chunk of inChunks(yielding(source), chunkBytes)) chunks.push(chunk)
      assert.ok(Buffer.concat(chunks.flatMap(chunk => chunk.pieces)).equals(expected))
      for (const [index, chunk] of chunks.entries()) {
        const isLast: boolean = index === chunks.length - 1
        assert.equal(chunk.isLast, isLast)
        assert.equal(Buffer.concat(chunk.pieces).length, chunk.bytes)
        if (isLast) assert.ok(chunk.bytes <= chunkBytes && (chunk.bytes > 0 || chunks.length === 1))
        else assert.equal(chunk.bytes, chunkBytes)
      }
    }),
    { numRuns: 60 },
  )
})

test('pieces are split anywhere', () => {
  const pieces = [Buffer.from('ab'), Buffer.from(''), Buffer.from('cde')]
  for (let at = 0; at <= 5; at++) {
    const { first, rest } = split(pieces, at)
    assert.equal(Buffer.concat(first).toString(), 'abcde'.slice(0, at))
    assert.equal(Buffer.concat(rest).toString(), 'abcde'.slice(at))
  }
})

test('checksums are those of the service', () => {
  const checksum = createChecksum()
  assert.equal(checksum.text(), 'AAAAAA==')
  // The check value of CRC-32C (RFC 3720, appendix B.4, and every catalogue): e3069283.
  for (const text of ['1234', '', '56789']) checksum.update(Buffer.from(text))
  assert.equal(checksum.text(), Buffer.from('e3069283', 'hex').toString('base64'))
  assert.equal(checksumIn('md5=abc==,crc32c=4waSgw=='), '4waSgw==')
  assert.equal(checksumIn(' crc32c=4waSgw==, md5=abc=='), '4waSgw==')
  for (const header of [null, '', 'md5=abc==']) assert.equal(checksumIn(header), null)
})
