import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createByteSpans } from './byte-spans.ts'

const length = 200
const range = fc
  .tuple(fc.nat(length), fc.nat(length))
  .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }))

test('whatever was sent, in whatever order, is told as the same bytes, each once, in spans that do not touch', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 60 }), ranges => {
      const spans = createByteSpans()
      const bytes = new Set<number>()
      for (const each of ranges) {
        spans.add(each)
        for (let at = each.start; at < each.end; at++) bytes.add(at)
      }
      assert.equal(spans.bytes, bytes.size)
      const told = spans.spans(length)
      const expanded = told.flatMap(([first, last]) =>
        Array.from({ length: last - first + 1 }, (_, index) => first + index),
      )
      assert.deepEqual(
        expanded,
        [...bytes].sort((a, b) => a - b),
      )
      told.forEach(([first], index) => {
        assert.ok(index === 0 || first > (told[index - 1]?.[1] ?? 0) + 1)
      })
    }),
  )
})

test('too many to tell are told as fewer that hold them all, over the smallest gaps', () => {
  fc.assert(
    fc.property(
      fc.array(range, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      (ranges, most) => {
        const spans = createByteSpans()
        for (const each of ranges) spans.add(each)
        const [exact, told] = [spans.spans(length), spans.spans(most)]
        assert.equal(told.length, Math.min(most, exact.length))
        for (const [first, last] of exact) assert.ok(told.some(([from, to]) => from <= first && last <= to))
        assert.deepEqual([told[0]?.[0], told.at(-1)?.[1]], [exact[0]?.[0], exact.at(-1)?.[1]])
        const gaps = (of: typeof exact) => of.slice(1).map(([first], index) => first - (of[index]?.[1] ?? 0))
        const kept = gaps(told).sort((a, b) => a - b)
        const largest = gaps(exact)
          .sort((a, b) => a - b)
          .slice(exact.length - told.length)
        assert.deepEqual(kept, largest)
      },
    ),
  )
})
