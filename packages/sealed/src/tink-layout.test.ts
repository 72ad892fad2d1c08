// The closed formulas against a stream that is laid out segment by segment.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  plaintextBytesOf,
  plaintextStart,
  segmentAt,
  segmentCapacity,
  segmentCount,
  segmentRange,
  spanOfAll,
  spanOfRange,
  streamBytes,
  tinkLayout,
} from './tink-layout.ts'

const tagBytes = 16

/** Segments as [plaintext start, plaintext end, ciphertext start, ciphertext end], written one after the other. */
function laidOut(segmentBytes: number, headerBytes: number, plaintextBytes: number): number[][] {
  const segments: number[][] = []
  let plain = 0
  let sealed = headerBytes
  do {
    const room = (segments.length + 1) * segmentBytes - sealed - tagBytes
    const taken = Math.min(room, plaintextBytes - plain)
    segments.push([plain, plain + taken, sealed, sealed + taken + tagBytes])
    plain += taken
    sealed += taken + tagBytes
  } while (plain < plaintextBytes)
  return segments
}

const keyBytes = fc.constantFrom(16, 32)
const segmentSize = fc.integer({ min: 64, max: 300 })
const plaintextSize = fc.integer({ min: 0, max: 5000 })

test('formulas agree with a stream laid out by hand', () => {
  fc.assert(
    fc.property(keyBytes, segmentSize, plaintextSize, (derivedKeyBytes, segmentBytes, plaintextBytes) => {
      const layout = tinkLayout(segmentBytes, derivedKeyBytes)
      const segments = laidOut(segmentBytes, layout.headerBytes, plaintextBytes)
      const length = segments.at(-1)?.[3] ?? 0
      assert.equal(segmentCount(layout, plaintextBytes), segments.length)
      assert.equal(streamBytes(layout, plaintextBytes), length)
      assert.equal(plaintextBytesOf(layout, length), plaintextBytes)
      for (const [index, [plainStart = 0, plainEnd = 0, start, end]] of segments.entries()) {
        assert.equal(plaintextStart(layout, index), plainStart)
        assert.deepEqual(segmentRange(layout, index, length), { start, end })
        assert.ok(plainEnd - plainStart <= segmentCapacity(layout, index))
        for (let offset = plainStart; offset < plainEnd; offset++)
          assert.equal(segmentAt(layout, offset), index)
      }
      const all = { start: layout.headerBytes, end: length }
      assert.deepEqual(spanOfAll(layout, length), { first: 0, last: segments.length - 1, ciphertext: all })
    }),
  )
})

test('a length that no writer makes is none', () => {
  fc.assert(
    fc.property(
      keyBytes,
      segmentSize,
      fc.integer({ min: 0, max: 2000 }),
      (derivedKeyBytes, segmentBytes, length) => {
        const layout = tinkLayout(segmentBytes, derivedKeyBytes)
        const made = new Set<number>()
        for (let size = 0; size <= 2000; size++) made.add(streamBytes(layout, size))
        assert.equal(plaintextBytesOf(layout, length) !== null, made.has(length))
      },
    ),
    { numRuns: 50 },
  )
})

test('a range touches exactly the segments that hold its bytes', () => {
  fc.assert(
    fc.property(
      segmentSize,
      fc.integer({ min: 1, max: 3000 }),
      fc.nat(),
      fc.nat(),
      (segmentBytes, size, a, b) => {
        const layout = tinkLayout(segmentBytes, 32)
        const [start = 0, last = 0] = [a % size, b % size].toSorted((x, y) => x - y)
        const segments = laidOut(segmentBytes, layout.headerBytes, size)
        const holds = (offset: number) =>
          segments.findIndex(([from = 0, to = 0]) => from <= offset && offset < to)
        const span = spanOfRange(layout, { start, end: last + 1 }, streamBytes(layout, size))
        assert.equal(span.first, holds(start))
        assert.equal(span.last, holds(last))
        assert.equal(span.ciphertext.start, segments[span.first]?.[2])
        assert.equal(span.ciphertext.end, segments[span.last]?.[3])
      },
    ),
  )
})
