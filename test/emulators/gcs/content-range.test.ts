import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isFinal, parseReadRange, parseUploadRange } from './content-range.ts'
import { Refusal } from './refusal.ts'

const position = fc.integer({ min: 0, max: 1_000_000 })

test('an upload range is what the header says, with an exclusive end', () => {
  fc.assert(
    fc.property(
      position,
      fc.integer({ min: 1, max: 1_000 }),
      fc.option(position),
      (start, length, beyond) => {
        const end = start + length
        const total = beyond === null ? null : end + beyond
        const range = parseUploadRange(`bytes ${start}-${end - 1}/${total ?? '*'}`)
        assert.deepEqual(range, { type: 'bytes', start, end, total })
        assert.equal(isFinal(range), beyond === 0)
      },
    ),
  )
})

test('the forms without an end', () => {
  assert.deepEqual(parseUploadRange('bytes */*'), { type: 'status', total: null })
  assert.deepEqual(parseUploadRange('bytes */7'), { type: 'status', total: 7 })
  assert.deepEqual(parseUploadRange('bytes 3-*/*'), { type: 'bytes', start: 3, end: null, total: null })
  assert.ok(isFinal(parseUploadRange('bytes 3-*/*')))
  assert.ok(isFinal(parseUploadRange(undefined)))
  assert.ok(!isFinal(parseUploadRange('bytes */7')))
})

test('any text is either a range or a refusal', () => {
  const fragment = fc.constantFrom(
    'bytes ',
    '*',
    '0',
    '12',
    '-',
    '/',
    ' ',
    '262143',
    '999999999999999999',
    'x',
  )
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 8 }), fragments => {
      const text = fragments.join('')
      try {
        const range = parseUploadRange(text)
        if (range.type === 'bytes' && range.end !== null) assert.ok(range.start < range.end)
        assert.match(text, /^bytes [\d*]/)
      } catch (error) {
        assert.ok(error instanceof Refusal && error.status === 400, String(error))
      }
    }),
  )
})

test('a read range lies within the object and is as long as what was asked for', () => {
  fc.assert(
    fc.property(position, position, fc.integer({ min: 0, max: 1_000_000 }), (first, last, size) => {
      const range = parseReadRange(`bytes=${first}-${last}`, size)
      if (last < first) assert.deepEqual(range, { type: 'whole' })
      else if (first >= size) assert.deepEqual(range, { type: 'unsatisfiable' })
      else assert.deepEqual(range, { type: 'part', start: first, end: Math.min(size, last + 1) })
    }),
  )
  fc.assert(
    fc.property(position, fc.integer({ min: 0, max: 1_000_000 }), (suffix, size) => {
      const range = parseReadRange(`bytes=-${suffix}`, size)
      if (suffix === 0 || size === 0) assert.deepEqual(range, { type: 'unsatisfiable' })
      else assert.deepEqual(range, { type: 'part', start: Math.max(0, size - suffix), end: size })
    }),
  )
  for (const header of [undefined, 'bytes=', 'bytes=-', 'bytes=0-1,3-4', 'items=0-1', 'bytes=a-b']) {
    assert.deepEqual(parseReadRange(header, 10), { type: 'whole' })
  }
})
