import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventId, newEventId } from './ids.ts'

test('ids of events come in the order in which they were made, many a millisecond', () => {
  const made = Array.from({ length: 20_000 }, () => newEventId())
  assert.deepEqual(made, made.toSorted())
  assert.equal(new Set(made).size, made.length)
  for (const id of made) assert.equal(EventId.parse(id), id)
  // More than one each millisecond, or nothing was shown.
  assert.ok(new Set(made.map(id => id.slice(0, 14))).size < made.length / 2)
})

test('an id of a given time and given bytes is always the same', () => {
  const source = { now: () => 1_700_000_000_000, random: (length: number) => new Uint8Array(length).fill(31) }
  assert.equal(newEventId(source), newEventId(source))
  assert.equal(newEventId(source), 'evt_01hf7yat00zzzzzzzzzzzzzzzz')
})
