import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { wantedRange } from './byte-range.ts'

const part = (start: number, end: number) => ({ type: 'part', start, end })
const whole = { type: 'whole' }
const unsatisfiable = { type: 'unsatisfiable' }

test('one range of bytes', () => {
  assert.deepEqual(wantedRange('bytes=0-0', 100), part(0, 1))
  assert.deepEqual(wantedRange('bytes=10-19', 100), part(10, 20))
  assert.deepEqual(wantedRange('bytes=90-', 100), part(90, 100))
  assert.deepEqual(wantedRange('bytes=90-1000', 100), part(90, 100))
  assert.deepEqual(wantedRange('bytes=-10', 100), part(90, 100))
  // RFC 9110 section 14.1.2: a suffix longer than the representation is all of it.
  assert.deepEqual(wantedRange('bytes=-1000', 100), part(0, 100))
  assert.deepEqual(wantedRange('Bytes= 1-2 ', 100), part(1, 3))
  assert.deepEqual(wantedRange(`bytes=0-${'9'.repeat(400)}`, 100), part(0, 100))
})

test('a range outside is unsatisfiable', () => {
  for (const header of ['bytes=100-', 'bytes=100-200', 'bytes=-0', `bytes=${'9'.repeat(400)}-`]) {
    assert.deepEqual(wantedRange(header, 100), unsatisfiable, header)
  }
  assert.deepEqual(wantedRange('bytes=0-', 0), unsatisfiable)
})

test('what is no single range of bytes is not there', () => {
  const ignored = ['', 'bytes', 'bytes=', 'bytes=-', 'bytes=a-b', 'bytes=5-2', 'bytes=1-2,4-5', 'bytes=1-2x']
  for (const header of [
    undefined,
    ...ignored,
    'bytes=--1',
    'bytes=1-2-3',
    'items=0-1',
    'bytes=+1-2',
    'bytes=1.0-2',
  ]) {
    assert.deepEqual(wantedRange(header, 100), whole, header)
  }
})

test('any header at all gives a range within the object, or none', () => {
  const header = fc.oneof(fc.string(), fc.stringMatching(/^bytes=[\d\s,-]{0,12}$/))
  fc.assert(
    fc.property(header, fc.nat(1000), (text, sizeBytes) => {
      const wanted = wantedRange(text, sizeBytes)
      if (wanted.type !== 'part') return
      assert.ok(0 <= wanted.start && wanted.start < wanted.end && wanted.end <= sizeBytes)
    }),
  )
})
