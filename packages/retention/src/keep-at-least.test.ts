// Holds the rule to its promise: never shorter than asked from the true start, never locked without bound.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RetentionError, type RetentionErrorCode } from './error.ts'
import { explainRetention, keepDaysBounds, retainUntil } from './keep-at-least.ts'

const dayMs = 86_400_000
const date = fc.date({ min: new Date(0), max: new Date('2999-12-31T00:00:00Z'), noInvalidDate: true })
const keepDays = fc.integer({ min: keepDaysBounds.least, max: keepDaysBounds.most })
const throwsCode = (code: RetentionErrorCode, run: () => unknown) =>
  assert.throws(run, (error: unknown) => error instanceof RetentionError && error.code === code)

test('whatever start a PBX states, it is kept long enough and not locked without bound', () => {
  fc.assert(
    fc.property(fc.option(date), date, keepDays, (startedAt, receivedAt, days) => {
      const until = retainUntil({ startedAt, receivedAt, keepDays: days }).getTime()
      assert.ok(until >= receivedAt.getTime() + days * dayMs)
      assert.ok(until <= receivedAt.getTime() + (days + 1) * dayMs)
      if (startedAt !== null && startedAt <= receivedAt) {
        assert.ok(until >= startedAt.getTime() + days * dayMs)
      }
    }),
  )
})

test('more days never mean an earlier end, and a later receipt never an earlier one', () => {
  fc.assert(
    fc.property(date, date, keepDays, keepDays, (startedAt, receivedAt, a, b) => {
      const [fewer, more] = a < b ? [a, b] : [b, a]
      assert.ok(
        retainUntil({ startedAt, receivedAt, keepDays: fewer }) <=
          retainUntil({ startedAt, receivedAt, keepDays: more }),
      )
    }),
  )
})

for (const [name, startedAt, receivedAt, days, until] of [
  ['an ordinary voicemail', '2026-11-22T10:59:00Z', '2026-11-22T11:00:00Z', 1, '2026-11-23T11:00:00Z'],
  ['over a leap day', '2028-02-28T12:00:00Z', '2028-02-28T12:00:00Z', 2, '2028-03-01T12:00:00Z'],
  ['from a leap day, 365 days', '2028-02-29T12:00:00Z', '2028-02-29T12:00:00Z', 365, '2029-02-28T12:00:00Z'],
  ['over no leap day in 2100', '2100-02-28T00:00:00Z', '2100-02-28T00:00:00Z', 1, '2100-03-01T00:00:00Z'],
  [
    'when US clocks spring forward',
    '2026-03-08T06:30:00Z',
    '2026-03-08T06:30:00Z',
    1,
    '2026-03-09T06:30:00Z',
  ],
  ['when EU clocks fall back', '2026-10-24T23:30:00Z', '2026-10-24T23:30:00Z', 1, '2026-10-25T23:30:00Z'],
  ['a start in 1970', '1970-01-01T00:00:00Z', '2026-11-22T11:00:00Z', 30, '2026-12-22T11:00:00Z'],
  ['a start an hour ahead', '2026-11-22T12:00:00Z', '2026-11-22T11:00:00Z', 1, '2026-11-23T12:00:00Z'],
  ['a start a day ahead', '2026-11-23T11:00:00Z', '2026-11-22T11:00:00Z', 1, '2026-11-24T11:00:00Z'],
  [
    'a start beyond a day ahead',
    '2026-11-23T11:00:00.001Z',
    '2026-11-22T11:00:00Z',
    1,
    '2026-11-23T11:00:00Z',
  ],
  ['a start in 2099', '2099-01-01T00:00:00Z', '2026-11-22T11:00:00Z', 1, '2026-11-23T11:00:00Z'],
  ['no start', null, '2026-11-22T11:00:00Z', 36_500, '2126-10-29T11:00:00Z'],
] as const) {
  test(`${name}`, () => {
    const facts = {
      startedAt: startedAt === null ? null : new Date(startedAt),
      receivedAt: new Date(receivedAt),
      keepDays: days,
    }
    assert.equal(retainUntil(facts).toISOString(), new Date(until).toISOString())
    const words = explainRetention(facts)
    assert.ok(words.includes(new Date(until).toISOString()))
    assert.ok(words.includes(days === 1 ? '1 day,' : `${days} days,`))
  })
}

test('the words say which time was counted from, and why', () => {
  const receivedAt = new Date('2026-11-22T11:00:00Z')
  const words = (start: string | null) =>
    explainRetention({ startedAt: start === null ? null : new Date(start), receivedAt, keepDays: 7 })
  assert.match(words('2026-11-22T10:00:00Z'), /counted from when it was received.*no earlier than its start/)
  assert.match(words('2026-11-22T11:05:00Z'), /counted from its stated start, 2026-11-22T11:05/)
  assert.match(words('2036-11-22T11:05:00Z'), /too far in the future to be true/)
  assert.match(words(null), /its start is not known/)
})

test('rules and times out of bounds are refused', () => {
  const now = new Date('2026-11-22T11:00:00Z')
  for (const days of [0, -1, 1.5, 36_501, Number.NaN, Number.POSITIVE_INFINITY]) {
    throwsCode('bad_days', () => retainUntil({ startedAt: now, receivedAt: now, keepDays: days }))
  }
  const invalid = new Date(Number.NaN)
  throwsCode('bad_date', () => retainUntil({ startedAt: invalid, receivedAt: now, keepDays: 1 }))
  throwsCode('bad_date', () => retainUntil({ startedAt: null, receivedAt: invalid, keepDays: 1 }))
  throwsCode('bad_date', () =>
    retainUntil({ startedAt: null, receivedAt: new Date('9999-12-31T00:00:00Z'), keepDays: 1 }),
  )
})
