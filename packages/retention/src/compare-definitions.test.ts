// Holds the comparison to its promise over random recordings, beside random other rules; and named changes to their word.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Period, RuleDefinition, RuleEffect } from '@auricle/contract'
import fc from 'fast-check'
import { anyDefinition, anyFacts, anyPeriod, ruleIds, zones } from '../../../test/retention/any-rules.ts'
import { addPeriod, dateAt, isBefore } from './calendar.ts'
import { compareDefinitions, isNeverShorter } from './compare-definitions.ts'
import { decide, type RetentionDecision } from './decide.ts'

/** Not to be destroyed by itself, as long as nothing else comes. */
const never = Number.POSITIVE_INFINITY
const dueMs = ({ dueAt }: RetentionDecision) => dueAt?.getTime() ?? never

/** Another version of the same rule: mostly a few fields apart, so that not every pair is plainly shorter. */
const anyPair = fc
  .tuple(anyDefinition, anyDefinition, fc.array(fc.boolean(), { minLength: 11, maxLength: 11 }))
  .map(([from, other, isOther]) => {
    const pick = <Key extends keyof RuleDefinition>(key: Key, index: number) =>
      isOther[index] === true && isOther[10] === true ? other[key] : from[key]
    const to: RuleDefinition = {
      ...from,
      appliesTo: {
        ...from.appliesTo,
        ...(isOther[0] === true ? { kinds: other.appliesTo.kinds } : {}),
        ...(isOther[1] === true ? { labels: other.appliesTo.labels } : {}),
        ...(isOther[2] === true ? { recordSet: other.appliesTo.recordSet } : {}),
      },
      keep: pick('keep', 3),
      from: pick('from', 4),
      minors: pick('minors', 5),
      dispose: pick('dispose', 6),
      disposeAfterDays: pick('disposeAfterDays', 7),
      lock: pick('lock', 8),
    }
    return { from, to }
  })
const anyChange = fc.oneof(
  { weight: 8, arbitrary: anyPair },
  { weight: 1, arbitrary: fc.tuple(anyDefinition, anyDefinition).map(([from, to]) => ({ from, to })) },
  { weight: 1, arbitrary: anyDefinition.map(to => ({ from: null, to })) },
  { weight: 1, arbitrary: anyDefinition.map(from => ({ from, to: null })) },
)

test('what lengthens or is the same keeps nothing shorter, sooner due, less reviewed or less locked', () => {
  const seen = new Map<RuleEffect, number>()
  fc.assert(
    fc.property(
      anyChange,
      fc.array(anyDefinition, { maxLength: 2 }),
      fc.array(anyFacts, { minLength: 10, maxLength: 10 }),
      fc.constantFrom(...zones),
      ({ from, to }, others, recordings, zone) => {
        const effect = compareDefinitions(from, to)
        seen.set(effect, (seen.get(effect) ?? 0) + 1)
        if (effect === 'shortens') return
        for (const facts of recordings) {
          const under = (definition: RuleDefinition | null) =>
            decide(facts, [...(definition === null ? [] : [definition]), ...others].map(asRule), { zone })
          const [before, after] = [under(from), under(to)]
          assert.ok(after.keepUntil >= before.keepUntil, 'kept shorter')
          assert.ok(after.locked || !before.locked, 'less locked')
          if (before.clocks.length === 0) {
            assert.notEqual(after.disposal, 'automatic', 'goes by itself where no rule was')
            continue
          }
          assert.ok(dueMs(after) >= dueMs(before), 'due sooner')
          assert.ok(before.disposal === 'automatic' || after.disposal !== 'automatic', 'less reviewed')
          assert.ok(before.disposal !== 'none' || after.disposal === 'none', 'disposed of at all')
          if (effect === 'same') assert.deepEqual(plain(after), plain(before))
        }
      },
    ),
    { numRuns: 1000 },
  )
  for (const effect of ['lengthens', 'shortens', 'same'] as const) {
    assert.ok((seen.get(effect) ?? 0) > 10, effect)
  }
})

const asRule = (definition: RuleDefinition, index: number) => ({
  ruleId: ruleIds[index] ?? assert.fail(),
  version: 1,
  name: 'any',
  definition,
})

const plain = ({ clocks: _, ...rest }: RetentionDecision) => rest

test('a rule is the same as itself, and what lengthens one way shortens the other', () => {
  fc.assert(
    fc.property(anyChange, ({ from, to }) => {
      assert.equal(compareDefinitions(to, to), 'same')
      const [there, back] = [compareDefinitions(from, to), compareDefinitions(to, from)]
      assert.ok(there !== 'lengthens' || back === 'shortens')
      assert.equal(there === 'same', back === 'same')
    }),
  )
})

test('one period is never shorter than another where no day says otherwise', () => {
  fc.assert(
    fc.property(
      anyPeriod,
      anyPeriod,
      fc.array(fc.integer({ min: 0, max: 150_000 }), { minLength: 50, maxLength: 50 }),
      (from, to, days) => {
        if (!isNeverShorter(from, to)) return
        for (const day of days) {
          const date = dateAt(day * 86_400_000, 'UTC')
          assert.ok(!isBefore(addPeriod(date, to), addPeriod(date, from)), date.toString())
        }
      },
    ),
  )
})

const period = (parts: Partial<Period>): Period => ({ years: 0, months: 0, days: 0, ...parts })

for (const [from, to, isNever] of [
  [{ years: 1 }, { months: 12 }, true],
  [{ months: 12 }, { years: 1 }, true],
  [{ years: 1 }, { days: 365 }, false],
  [{ years: 1 }, { days: 366 }, true],
  [{ years: 4 }, { days: 1461 }, true],
  [{ years: 4 }, { days: 1460 }, false],
  // From 1 March 2096 it is a day less.
  [{ days: 1461 }, { years: 4 }, false],
  [{ days: 1460 }, { years: 4 }, true],
  [{ months: 1 }, { days: 31 }, true],
  [{ months: 1 }, { days: 30 }, false],
  [{ days: 28 }, { months: 1 }, true],
  [{ days: 29 }, { months: 1 }, false],
  // From 29 February the year moves to 1 March before the month is counted.
  [{ months: 13 }, { years: 1, months: 1 }, true],
  [{ years: 1, months: 1 }, { months: 13 }, false],
] as const) {
  test(`${JSON.stringify(to)} is ${isNever ? 'never' : 'sometimes'} shorter than ${JSON.stringify(from)}`, () => {
    assert.equal(isNeverShorter(period(from), period(to)), isNever)
  })
}

const base: RuleDefinition = {
  appliesTo: { kinds: ['voicemail'], mailboxes: null, labels: null, recordSet: 'in' },
  keep: period({ years: 10 }),
  from: 'start',
  minors: { majorityAge: 18, keep: period({ years: 10 }) },
  dispose: 'review',
  disposeAfterDays: 30,
  lock: false,
  source: null,
  preset: null,
}
const wide = { kinds: null, mailboxes: null, labels: null, recordSet: null } as const

for (const [name, from, to, effect] of [
  ['a source alone', base, { ...base, source: 'a law', preset: 'us-default' }, 'same'],
  ['a year more', base, { ...base, keep: period({ years: 11 }) }, 'lengthens'],
  ['a year less', base, { ...base, keep: period({ years: 9 }) }, 'shortens'],
  ['the same period in months', base, { ...base, keep: period({ months: 120 }) }, 'same'],
  ['a day less until disposal', base, { ...base, disposeAfterDays: 29 }, 'shortens'],
  [
    'a year more, and a year less until disposal',
    base,
    {
      ...base,
      keep: period({ years: 11 }),
      minors: { majorityAge: 18, keep: period({ years: 11 }) },
      disposeAfterDays: 0,
    },
    'lengthens',
  ],
  [
    'never, with nothing to wait for after',
    base,
    { ...base, dispose: 'never', disposeAfterDays: 0 },
    'lengthens',
  ],
  ['a lock', base, { ...base, lock: true }, 'lengthens'],
  ['no lock any more', { ...base, lock: true }, base, 'shortens'],
  ['by itself', base, { ...base, dispose: 'automatic' }, 'shortens'],
  ['never any more', { ...base, dispose: 'never' }, base, 'shortens'],
  ['from an event', base, { ...base, from: 'last_encounter' }, 'lengthens'],
  ['from the call again', { ...base, from: 'last_encounter' }, base, 'shortens'],
  ['from another event', { ...base, from: 'discharged' }, { ...base, from: 'last_encounter' }, 'shortens'],
  ['nothing for minors', base, { ...base, minors: null }, 'shortens'],
  [
    'a later majority, to the same age',
    base,
    { ...base, minors: { majorityAge: 21, keep: period({ years: 7 }) } },
    'lengthens',
  ],
  [
    'an earlier majority, to the same age',
    base,
    { ...base, minors: { majorityAge: 18, keep: period({ years: 9 }) } },
    'shortens',
  ],
  ['other recordings too', base, { ...base, appliesTo: wide }, 'lengthens'],
  [
    'other recordings too, by itself',
    { ...base, dispose: 'automatic' },
    { ...base, dispose: 'automatic', appliesTo: wide },
    'shortens',
  ],
  ['fewer recordings', { ...base, appliesTo: wide }, base, 'shortens'],
  [
    'every kind by name',
    { ...base, appliesTo: wide },
    { ...base, appliesTo: { ...wide, kinds: ['voicemail', 'recording'] } },
    'same',
  ],
  [
    'every label by name, which leaves out what has none',
    { ...base, appliesTo: wide },
    { ...base, appliesTo: { ...wide, labels: ['psychotherapy', 'part2', 'vip', 'employee'] } },
    'shortens',
  ],
  ['a new rule that reviews', null, base, 'lengthens'],
  ['a new rule that never disposes', null, { ...base, dispose: 'never' }, 'lengthens'],
  ['a new rule that disposes by itself', null, { ...base, dispose: 'automatic' }, 'shortens'],
  ['the end of a rule', base, null, 'shortens'],
  ['the end of one that never disposes', { ...base, dispose: 'never' }, null, 'shortens'],
  ['no rule, before and after', null, null, 'same'],
] as const) {
  test(`${name}: ${effect}`, () => {
    assert.equal(compareDefinitions(from as RuleDefinition | null, to as RuleDefinition | null), effect)
  })
}
