// What a recording is at a moment: due from its time on and not before, and held before all.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HoldId } from '@auricle/contract'
import { stateAt } from './state.ts'

const holdId = HoldId.parse('hld_01arz3ndektsv4rrffq69g5fav')
const keepUntil = new Date('2030-01-01T00:00:00Z')
const dueAt = new Date('2030-02-01T00:00:00Z')
const kept = { status: 'kept', keepUntil, dueAt } as const

test('due from its time on, and kept until the millisecond before', () => {
  assert.deepEqual(stateAt(kept, [], new Date(dueAt.getTime() - 1)), {
    state: 'kept',
    until: keepUntil,
    dueAt,
  })
  assert.deepEqual(stateAt(kept, [], keepUntil), { state: 'kept', until: keepUntil, dueAt })
  assert.deepEqual(stateAt(kept, [], dueAt), { state: 'due', since: dueAt })
})

test('a clock that is set back takes back that it is due', () => {
  assert.equal(stateAt(kept, [], new Date('2040-01-01T00:00:00Z')).state, 'due')
  assert.equal(stateAt(kept, [], new Date('2000-01-01T00:00:00Z')).state, 'kept')
})

test('nothing else is ever due, however late', () => {
  const late = new Date('9999-01-01T00:00:00Z')
  for (const status of ['permanent', 'undecided', 'waiting', 'unruled'] as const) {
    assert.deepEqual(stateAt({ status, keepUntil, dueAt: null }, [], late), {
      state: status,
      until: keepUntil,
    })
    assert.equal(stateAt({ status, keepUntil, dueAt }, [], late).state, status)
  }
  assert.equal(stateAt({ status: 'kept', keepUntil, dueAt: null }, [], late).state, 'undecided')
})

test('a hold goes before all', () => {
  for (const status of ['kept', 'permanent', 'undecided', 'waiting', 'unruled'] as const) {
    assert.deepEqual(stateAt({ ...kept, status }, [{ holdId }], new Date('2040-01-01T00:00:00Z')), {
      state: 'held',
      holdIds: [holdId],
      until: keepUntil,
    })
  }
})
