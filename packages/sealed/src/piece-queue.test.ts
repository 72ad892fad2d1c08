import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { patternBytes } from './fixture.ts'
import { PieceQueue } from './piece-queue.ts'

test('gives back what was pushed, in the amounts asked for', () => {
  const steps = fc.array(fc.record({ push: fc.integer({ min: 0, max: 300 }), take: fc.nat() }), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(steps, fc.constantFrom(64, 640, 6400), (list, segmentBytes) => {
      const queue = new PieceQueue(segmentBytes)
      const all = patternBytes(60 * 300)
      let pushed = 0
      let taken = 0
      for (const { push, take } of list) {
        queue.push(all.subarray(pushed, pushed + push))
        pushed += push
        assert.equal(queue.bytes, pushed - taken)
        const count = take % (queue.bytes + 1)
        const piece = Buffer.concat(queue.take(count))
        assert.ok(piece.equals(all.subarray(taken, taken + count)))
        taken += count
      }
      assert.ok(Buffer.concat(queue.take(queue.bytes)).equals(all.subarray(taken, pushed)))
    }),
  )
})

test('a large piece is given by reference, a run of tiny ones as few pieces', () => {
  const segmentBytes = 64 * 1024
  const queue = new PieceQueue(segmentBytes)
  const large = patternBytes(segmentBytes)
  queue.push(large)
  const [first] = queue.take(segmentBytes)
  assert.equal(first?.buffer, large.buffer)
  for (let i = 0; i < segmentBytes; i++) queue.push(large.subarray(i, i + 1))
  const pieces = queue.take(segmentBytes)
  assert.ok(Buffer.concat(pieces).equals(large))
  assert.ok(pieces.length < 70, `${pieces.length} pieces`)
})
