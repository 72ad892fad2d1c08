// Only a cursor that a page has given is taken.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newEventId } from '@auricle/contract'
import fc from 'fast-check'
import { decodeSearchCursor, encodeSearchCursor } from './search-cursor.ts'

const aCursor = {
  at: new Date('2026-03-01T00:00:00.123Z'),
  id: newEventId(),
  asOf: { year: 2026, seq: 1042 },
}

test('what was encoded is decoded', () => {
  const positions = fc.record({
    at: fc.date({ noInvalidDate: true }),
    id: fc.constant(aCursor.id),
    asOf: fc.record({ year: fc.integer({ min: 2020, max: 9999 }), seq: fc.maxSafeNat() }),
  })
  fc.assert(
    fc.property(positions, cursor => {
      const encoded = encodeSearchCursor(cursor)
      assert.equal(encodeSearchCursor(decodeSearchCursor(encoded)), encoded)
    }),
  )
})

test('anything else is malformed', () => {
  const good = encodeSearchCursor(aCursor)
  for (const cursor of ['', 'x', `${good}=`, `${good}A`, good.slice(1), good.toUpperCase()]) {
    assert.throws(() => decodeSearchCursor(cursor), { name: 'VaultError', code: 'malformed' })
  }
  fc.assert(
    fc.property(fc.string(), text => assert.throws(() => decodeSearchCursor(text), { code: 'malformed' })),
  )
})
