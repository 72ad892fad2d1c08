// Some thousands of cases of `npm run rules`, and that the model of a zone's clocks shows what is known of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom, freshSeed } from '../harness/random.ts'
import { drawCase } from './cases.ts'
import { compareAnswers } from './compare.ts'
import { count, createZoneModel, readDay, toDay, toNumber, writeDay } from './model-calendar.ts'

const cases = 4000

test('the engine decides as the model does, whatever the facts and rules', () => {
  for (const seed of [1, freshSeed()]) {
    const random = createRandom(seed)
    const seen = new Set<string>()
    for (let number = 1; number <= cases; number++) {
      const { disagreement, seen: kinds } = compareAnswers(drawCase(random))
      assert.deepEqual(disagreement, null, `seed ${seed}, case ${number}`)
      for (const kind of kinds) seen.add(kind)
    }
    assert.deepEqual(
      [...seen].sort(),
      [
        ...['event', 'event_before_call', 'no_event', 'start'].map(why => `clock from ${why}`),
        'minor by birth date',
        'minor, birth date unknown',
        ...['due', 'held', 'kept', 'permanent', 'undecided', 'unruled', 'waiting'].map(
          word => `state ${word}`,
        ),
      ],
      `seed ${seed}`,
    )
  }
})

test("the model's days are those of Date, and its periods those of a paper calendar", () => {
  for (let day = -100_000; day <= 200_000; day += 13) {
    const text = new Date(day * 86_400_000).toISOString().slice(0, 10)
    assert.deepEqual([writeDay(day), toNumber(toDay(day)), toNumber(readDay(text))], [text, day, day])
  }
  const after = (date: string, years: number, months: number, days: number) =>
    writeDay(count(readDay(date), { years, months, days }))
  assert.equal(after('2028-02-29', 1, 0, 0), '2029-03-01')
  assert.equal(after('2028-02-29', 1, 1, 0), '2029-04-01')
  assert.equal(after('2028-02-29', 0, 13, 0), '2029-03-29')
  assert.equal(after('2026-01-31', 0, 1, 1), '2026-03-02')
  assert.equal(after('2026-12-31', 0, 2, 0), '2027-03-01')
  assert.equal(after('2096-02-29', 4, 0, 0), '2100-03-01')
})

for (const [zone, day, end] of [
  ['UTC', '2026-06-30', '2026-07-01T00:00:00Z'],
  ['America/Sao_Paulo', '2017-10-14', '2017-10-15T03:00:00Z'],
  ['America/Sao_Paulo', '2018-02-17', '2018-02-18T03:00:00Z'],
  ['Pacific/Apia', '2011-12-29', '2011-12-30T10:00:00Z'],
  ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00Z'],
  ['America/St_Johns', '2010-11-06', '2010-11-07T03:30:00Z'],
] as const) {
  test(`the model ends ${day} in ${zone} at ${end}`, () => {
    const zoneModel = createZoneModel(zone)
    assert.equal(zoneModel.endOf(toNumber(readDay(day))), Date.parse(end))
  })
}
