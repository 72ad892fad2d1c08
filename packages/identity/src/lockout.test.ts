// Holds the wait after failures to its bounds: it begins late, never shrinks with more failures, never becomes long.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nextLockout } from './lockout.ts'

const now = new Date('2026-11-26T08:00:00Z')
const waitSeconds = (failures: number) => {
  const until = nextLockout({ failures, now })
  return until === null ? null : (until.getTime() - now.getTime()) / 1000
}

test('the first waits, one by one', () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 100].map(waitSeconds)
  assert.deepEqual(waits, [null, null, null, null, null, 30, 60, 120, 240, 480, 900, 900, 900])
})

test('never for good, never shorter for one failure more', () => {
  const date = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9000-01-01') })
  fc.assert(
    fc.property(fc.nat(), date, (failures, at) => {
      const until = nextLockout({ failures, now: at })
      const next = nextLockout({ failures: failures + 1, now: at })
      const wait = until === null ? 0 : until.getTime() - at.getTime()
      assert.equal(until === null, failures < 5)
      assert.ok(wait === 0 || (wait >= 30_000 && wait <= 900_000))
      assert.ok((next?.getTime() ?? at.getTime()) - at.getTime() >= wait)
    }),
  )
})

test('however long somebody guesses, it is at most 104 passwords a day, and the owner gets in between', () => {
  const day = 86_400_000
  let at = now
  let guesses = 0
  while (at.getTime() < now.getTime() + day) {
    guesses += 1
    at = nextLockout({ failures: guesses, now: at }) ?? at
  }
  assert.equal(guesses, 104)
})
