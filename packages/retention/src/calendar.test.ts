// Holds dates to the calendar and day ends to what clocks of real zones did: skipped, repeated and missing midnights.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addPeriod, dateAt, endOfDayMs, isBefore, parseDate } from './calendar.ts'
import { RetentionError } from './error.ts'

const zones = [
  'UTC',
  'America/New_York',
  'America/Sao_Paulo',
  'Africa/Cairo',
  'Pacific/Apia',
  'America/St_Johns',
]
const dayMs = 86_400_000

for (const [name, from, period, to] of [
  ['a leap day and a year', '2028-02-29', { years: 1 }, '2029-03-01'],
  ['a leap day and four years', '2028-02-29', { years: 4 }, '2032-02-29'],
  ['a leap day over a century without one', '2096-02-29', { years: 4 }, '2100-03-01'],
  ['a leap day over one with one', '1996-02-29', { years: 4 }, '2000-02-29'],
  ['the day before a leap day', '2027-02-28', { years: 1 }, '2028-02-28'],
  ['a month that is too short', '2026-01-31', { months: 1 }, '2026-03-01'],
  ['a month over the end of a year', '2026-12-31', { months: 2 }, '2027-03-01'],
  ['a month to a shorter one that has the day', '2026-03-30', { months: 1 }, '2026-04-30'],
  ['years before months', '2028-02-29', { years: 1, months: 1 }, '2029-04-01'],
  ['the same time in months alone', '2028-02-29', { months: 13 }, '2029-03-29'],
  ['days after months', '2026-01-31', { months: 1, days: 30 }, '2026-03-31'],
  ['days over a leap day', '2028-02-28', { days: 2 }, '2028-03-01'],
  ['days over a year', '2026-12-31', { days: 1 }, '2027-01-01'],
] as const) {
  test(`${name}: ${from} and ${JSON.stringify(period)} is ${to}`, () => {
    const date = addPeriod(parseDate(from), { years: 0, months: 0, days: 0, ...period })
    assert.equal(date.toString(), to)
  })
}

for (const [name, zone, date, end] of [
  ['an ordinary day', 'America/New_York', '2026-07-01', '2026-07-02T04:00:00Z'],
  ['a day of 23 hours', 'America/New_York', '2026-03-08', '2026-03-09T04:00:00Z'],
  [
    'the day before midnight is skipped, in Brazil',
    'America/Sao_Paulo',
    '2017-10-14',
    '2017-10-15T03:00:00Z',
  ],
  ['a day whose last hour comes twice, in Brazil', 'America/Sao_Paulo', '2018-02-17', '2018-02-18T03:00:00Z'],
  ['the day before midnight is skipped, in Egypt', 'Africa/Cairo', '2026-04-23', '2026-04-23T22:00:00Z'],
  ['a day whose last hour comes twice, in Egypt', 'Africa/Cairo', '2026-10-29', '2026-10-29T22:00:00Z'],
  ['the day before midnight is skipped, in Lebanon', 'Asia/Beirut', '2026-03-28', '2026-03-28T22:00:00Z'],
  ['the day before a day that was not', 'Pacific/Apia', '2011-12-29', '2011-12-30T10:00:00Z'],
  ['a day that was not', 'Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00Z'],
  ['the day after it', 'Pacific/Apia', '2011-12-31', '2011-12-31T10:00:00Z'],
  ['a day that came back for an hour', 'America/St_Johns', '2010-11-06', '2010-11-07T03:30:00Z'],
  [
    'a day of which half an hour was skipped with midnight',
    'America/Toronto',
    '1919-03-30',
    '1919-03-31T04:30:00Z',
  ],
  ['behind by 44 minutes and 30 seconds', 'Africa/Monrovia', '1970-12-31', '1971-01-01T00:44:30Z'],
  ['the last day of a year', 'Pacific/Kiritimati', '2026-12-31', '2026-12-31T10:00:00Z'],
] as const) {
  test(`${name}: ${date} in ${zone} is over at ${end}`, () => {
    const endMs = endOfDayMs(parseDate(date), zone)
    assert.equal(new Date(endMs).toISOString(), new Date(end).toISOString())
    assert.ok(isBefore(parseDate(date), dateAt(endMs, zone)))
  })
}

test('when a day is over no clock shows it again, and a millisecond before one still did', () => {
  const time = fc.integer({ min: 0, max: 4_000_000_000 }).map(seconds => seconds * 1000)
  fc.assert(
    fc.property(time, fc.constantFrom(...zones), (atMs, zone) => {
      const date = dateAt(atMs, zone)
      const endMs = endOfDayMs(date, zone)
      assert.ok(endMs > atMs)
      assert.equal(dateAt(endMs - 1, zone).toString(), date.toString())
      for (const laterMs of [0, 1, 1_800_000, 3_600_000, dayMs]) {
        assert.ok(isBefore(date, dateAt(endMs + laterMs, zone)))
      }
    }),
    { numRuns: 1000 },
  )
})

test('an end some days later is the end of that later day', () => {
  const date = fc.integer({ min: 0, max: 40_000 }).map(days => dateAt(days * dayMs, 'UTC'))
  fc.assert(
    fc.property(date, fc.integer({ min: 0, max: 1000 }), fc.constantFrom(...zones), (from, days, zone) => {
      assert.equal(endOfDayMs(from, zone, days), endOfDayMs(from.add({ days }), zone))
    }),
  )
})

test('what is no date, or lies beyond those that can be written, is refused', () => {
  const isBadDate = (error: unknown) => error instanceof RetentionError && error.code === 'bad_date'
  for (const text of ['', '2026-02-30', '2026-13-01', 'yesterday'])
    assert.throws(() => parseDate(text), isBadDate)
  assert.throws(() => endOfDayMs(parseDate('9999-12-31'), 'America/New_York'), isBadDate)
})
