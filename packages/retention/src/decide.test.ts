// Named recordings and what becomes of them, and what holds of every decision: never due before any rule's time is over.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RuleDefinition } from '@auricle/contract'
import fc from 'fast-check'
import { anyDefinition, anyFacts, ruleIds, zones } from '../../../test/retention/any-rules.ts'
import { decide } from './decide.ts'
import { RetentionError } from './error.ts'
import type { RetentionFacts } from './facts.ts'
import type { RuleInForce } from './rules-in-force.ts'

const zone = 'America/New_York'
const day = (text: string) => new Date(`${text}T00:00:00Z`)

type Said = Partial<(typeof RuleDefinition)['_zod']['input']>

function rule(definition: Said, index = 0): RuleInForce {
  return {
    ruleId: ruleIds[index] ?? assert.fail(),
    version: 1,
    name: `rule ${index}`,
    definition: RuleDefinition.parse({ dispose: 'review', ...definition }),
  }
}

function call(receivedAt: string, rest: Partial<RetentionFacts> = {}): RetentionFacts {
  return {
    kind: 'voicemail',
    mailboxId: null,
    labels: [],
    startedAt: null,
    receivedAt: new Date(receivedAt),
    endedAt: null,
    birthDate: null,
    events: [],
    recordSet: 'in',
    floor: new Date('2000-01-01T00:00:00Z'),
    lockedUntil: null,
    ...rest,
  }
}

const minors = { majorityAge: 18, keep: { years: 10, months: 0, days: 0 } }
const tenYears = { keep: { years: 10 } }

for (const [name, facts, definition, until, where] of [
  ['an ordinary day', call('2026-11-26T15:00:00Z'), tenYears, '2036-11-27T05:00:00Z'],
  ['a day that is yesterday in the zone', call('2026-11-26T04:59:59Z'), tenYears, '2036-11-26T05:00:00Z'],
  ['a leap day', call('2028-02-29T12:00:00Z'), { keep: { years: 1 } }, '2029-03-02T05:00:00Z'],
  ['the last second of a year', call('2027-01-01T04:59:59Z'), { keep: { days: 1 } }, '2027-01-02T05:00:00Z'],
  ['the first second of a year', call('2027-01-01T05:00:00Z'), { keep: { days: 1 } }, '2027-01-03T05:00:00Z'],
  ['the last day of January', call('2026-01-31T12:00:00Z'), { keep: { months: 1 } }, '2026-03-02T05:00:00Z'],
  ['an end in summer', call('2026-01-15T12:00:00Z'), { keep: { months: 6 } }, '2026-07-16T04:00:00Z'],
  [
    'an end on a day of 23 hours',
    call('2025-03-08T12:00:00Z'),
    { keep: { years: 1 } },
    '2026-03-09T04:00:00Z',
  ],
  [
    'an end before midnight is skipped',
    call('2016-10-14T12:00:00Z'),
    { keep: { years: 1 } },
    '2017-10-15T03:00:00Z',
    'America/Sao_Paulo',
  ],
  [
    'an end on an hour that comes twice',
    call('2017-02-17T12:00:00Z'),
    { keep: { years: 1 } },
    '2018-02-18T03:00:00Z',
    'America/Sao_Paulo',
  ],
  [
    'an end before midnight is skipped, in Egypt',
    call('2025-04-23T12:00:00Z'),
    { keep: { years: 1 } },
    '2026-04-23T22:00:00Z',
    'Africa/Cairo',
  ],
  [
    'an end before midnight is skipped, in Lebanon',
    call('2025-03-28T12:00:00Z'),
    { keep: { years: 1 } },
    '2026-03-28T22:00:00Z',
    'Asia/Beirut',
  ],
  [
    'an end on a day that was not',
    call('2010-12-30T20:00:00Z'),
    { keep: { years: 1 } },
    '2011-12-30T10:00:00Z',
    'Pacific/Apia',
  ],
  [
    'a minor',
    call('2026-06-01T12:00:00Z', { birthDate: '2015-06-15' }),
    { ...tenYears, minors },
    '2043-06-16T04:00:00Z',
  ],
  [
    'a minor born on a leap day, of age in a common year',
    call('2026-06-01T12:00:00Z', { birthDate: '2016-02-29' }),
    { keep: { days: 1 }, minors: { majorityAge: 18, keep: { years: 0, months: 0, days: 1 } } },
    '2034-03-03T05:00:00Z',
  ],
  [
    'a minor on the day before majority',
    call('2034-02-28T12:00:00Z', { birthDate: '2016-02-29' }),
    { keep: { days: 1 }, minors },
    '2044-03-02T05:00:00Z',
  ],
  [
    'no minor from majority on',
    call('2034-03-01T12:00:00Z', { birthDate: '2016-02-29' }),
    { keep: { days: 1 }, minors },
    '2034-03-03T05:00:00Z',
  ],
  [
    'an adult',
    call('2026-06-01T12:00:00Z', { birthDate: '1980-06-15' }),
    { ...tenYears, minors },
    '2036-06-02T04:00:00Z',
  ],
  [
    'a birth date that nobody knows',
    call('2026-06-01T12:00:00Z'),
    { ...tenYears, minors },
    '2054-06-02T04:00:00Z',
  ],
  [
    'a minor where majority is at 21',
    call('2026-06-01T12:00:00Z', { birthDate: '2006-06-02' }),
    { keep: { days: 1 }, minors: { ...minors, majorityAge: 21 } },
    '2037-06-03T04:00:00Z',
  ],
  [
    'an event',
    call('2026-06-01T12:00:00Z', { events: [{ kind: 'discharged', at: new Date('2027-06-01T12:00:00Z') }] }),
    { ...tenYears, from: 'discharged' },
    '2037-06-02T04:00:00Z',
  ],
  [
    'the newest of several events',
    call('2026-06-01T12:00:00Z', {
      events: [
        { kind: 'last_encounter', at: new Date('2029-01-01T12:00:00Z') },
        { kind: 'last_encounter', at: new Date('2028-01-01T12:00:00Z') },
        { kind: 'discharged', at: new Date('2040-01-01T12:00:00Z') },
      ],
    }),
    { ...tenYears, from: 'last_encounter' },
    '2039-01-02T05:00:00Z',
  ],
  [
    'an event from before the call',
    call('2026-06-01T12:00:00Z', {
      events: [{ kind: 'treatment_ended', at: new Date('2010-01-01T12:00:00Z') }],
    }),
    { ...tenYears, from: 'treatment_ended' },
    '2036-06-02T04:00:00Z',
  ],
  [
    'a call that ended the day after',
    call('2026-06-02T03:00:00Z', {
      startedAt: new Date('2026-06-02T03:00:00Z'),
      endedAt: new Date('2026-06-02T05:00:00Z'),
    }),
    { keep: { years: 1 } },
    '2027-06-03T04:00:00Z',
  ],
  [
    'a PBX that says 1970',
    call('2026-06-01T12:00:00Z', { startedAt: new Date(0), endedAt: new Date(60_000) }),
    { keep: { years: 1 } },
    '2027-06-02T04:00:00Z',
  ],
  [
    'a PBX that says 2099',
    call('2026-06-01T12:00:00Z', { startedAt: new Date('2099-01-01T00:00:00Z') }),
    { keep: { years: 1 } },
    '2027-06-02T04:00:00Z',
  ],
] as const satisfies readonly (readonly [string, RetentionFacts, Said, string, string?])[]) {
  test(`${name}: kept until ${until}`, () => {
    const decision = decide(facts, [rule(definition)], { zone: where ?? zone })
    assert.equal(decision.status, 'kept')
    assert.deepEqual(decision.keepUntil, new Date(until))
    assert.deepEqual(decision.dueAt, new Date(until))
  })
}

test('the longest rule wins, of those that are as long the one with the lowest id', () => {
  const rules = [
    rule({ keep: { years: 3 } }, 2),
    rule({ keep: { years: 7 } }, 4),
    rule({ keep: { months: 84 } }, 1),
  ]
  const decision = decide(call('2026-06-01T12:00:00Z'), rules, { zone })
  assert.deepEqual(decision.governing, { ruleId: ruleIds[1], version: 1 })
  assert.deepEqual(decision.keepUntil, new Date('2033-06-02T04:00:00Z'))
  assert.deepEqual(
    decision.clocks.map(({ ruleId }) => ruleId),
    [ruleIds[1], ruleIds[2], ruleIds[4]],
  )
})

test('a shorter rule that disposes later says when it is due, and a longer one until when it is kept', () => {
  const rules = [rule({ keep: { days: 10 }, disposeAfterDays: 100 }), rule({ keep: { days: 20 } }, 1)]
  const decision = decide(call('2026-06-01T12:00:00Z'), rules, { zone: 'UTC' })
  assert.deepEqual([decision.keepUntil, decision.dueAt], [day('2026-06-22'), day('2026-09-20')])
  assert.deepEqual(decision.governing?.ruleId, ruleIds[1])
})

test('the minimum and what a store has locked are kept to, and due is never before', () => {
  const floor = new Date('2050-01-01T00:00:00Z')
  const lockedUntil = new Date('2060-01-01T00:00:00Z')
  const facts = call('2026-06-01T12:00:00Z', { floor })
  const short = [rule({ keep: { days: 1 } })]
  assert.deepEqual(decide(facts, short, { zone }).dueAt, floor)
  assert.deepEqual(decide({ ...facts, lockedUntil }, short, { zone }).dueAt, lockedUntil)
  assert.deepEqual(decide({ ...facts, lockedUntil }, [], { zone }).keepUntil, lockedUntil)
})

test('one rule that reviews, locks, waits or never disposes speaks for all', () => {
  const auto = { keep: { days: 1 }, dispose: 'automatic' } as const
  const say = (...rules: RuleInForce[]) => {
    const { status, disposal, locked, dueAt } = decide(call('2026-06-01T12:00:00Z'), rules, { zone })
    return { status, disposal, locked, isDue: dueAt !== null }
  }
  const isDue = { isDue: true, locked: false }
  const isNotDue = { isDue: false, locked: false }
  assert.deepEqual(say(rule(auto)), { status: 'kept', disposal: 'automatic', ...isDue })
  assert.deepEqual(say(rule(auto), rule(tenYears, 1)), { status: 'kept', disposal: 'review', ...isDue })
  assert.deepEqual(say(rule(auto), rule({ ...auto, lock: true }, 1)), {
    status: 'kept',
    disposal: 'automatic',
    isDue: true,
    locked: true,
  })
  assert.deepEqual(say(rule(auto), rule({ ...auto, from: 'case_closed' }, 1)), {
    status: 'waiting',
    disposal: 'automatic',
    ...isNotDue,
  })
  assert.deepEqual(say(rule(auto), rule({ ...auto, from: 'case_closed', dispose: 'never' }, 1)), {
    status: 'permanent',
    disposal: 'none',
    ...isNotDue,
  })
  assert.deepEqual(say(), { status: 'unruled', disposal: 'none', ...isNotDue })
})

test('who governs: what never ends before what waits, and that before what ends', () => {
  const facts = call('2026-06-01T12:00:00Z')
  const long = rule({ keep: { years: 90 } }, 0)
  const waits = rule({ keep: { days: 1 }, from: 'discharged' }, 1)
  const never = rule({ keep: { days: 1 }, dispose: 'never' }, 2)
  const governs = (...rules: RuleInForce[]) => decide(facts, rules, { zone }).governing?.ruleId
  assert.equal(governs(long, waits, never), ruleIds[2])
  assert.equal(governs(long, waits), ruleIds[1])
  assert.equal(governs(long), ruleIds[0])
  assert.equal(decide(facts, [], { zone }).governing, null)
})

test('while it waits it is kept as long as if the event had come with the call', () => {
  const waiting = decide(call('2026-06-01T12:00:00Z'), [rule({ ...tenYears, from: 'discharged' })], { zone })
  const [clock] = waiting.clocks
  assert.deepEqual([clock?.from, clock?.until, clock?.dueAt], [null, null, null])
  assert.deepEqual(clock?.atLeast, new Date('2036-06-02T04:00:00Z'))
  assert.deepEqual(waiting.keepUntil, clock?.atLeast)
})

test('nobody has put it into or out of the record set: the rules of both keep it, and it is not due', () => {
  const scope = { kinds: null, mailboxes: null, labels: null }
  const rules = [
    rule({ keep: { days: 1 }, appliesTo: { ...scope, recordSet: 'out' } }),
    rule({ keep: { years: 9 }, appliesTo: { ...scope, recordSet: 'in' } }, 1),
  ]
  const of = (recordSet: RetentionFacts['recordSet']) =>
    decide(call('2026-06-01T12:00:00Z', { recordSet }), rules, { zone })
  assert.deepEqual([of('out').status, of('out').keepUntil], ['kept', new Date('2026-06-03T04:00:00Z')])
  assert.deepEqual([of('in').status, of('in').keepUntil], ['kept', new Date('2035-06-02T04:00:00Z')])
  assert.deepEqual([of('undecided').status, of('undecided').keepUntil], ['undecided', of('in').keepUntil])
  assert.equal(of('undecided').dueAt, null)
})

const anyRules = fc
  .array(anyDefinition, { maxLength: 4 })
  .map(definitions => definitions.map((definition, index) => rule(definition, index)))
const anyZone = fc.constantFrom(...zones)

test('whatever applies: kept and due no sooner than any rule, the minimum or a lock asks for', () => {
  fc.assert(
    fc.property(anyFacts, anyRules, anyZone, (facts, rules, where) => {
      const { clocks, keepUntil, dueAt, status } = decide(facts, rules, { zone: where })
      assert.ok(keepUntil >= facts.floor && keepUntil >= (facts.lockedUntil ?? keepUntil))
      for (const clock of clocks) {
        assert.ok(keepUntil >= clock.atLeast)
        assert.ok(clock.until === null || clock.until.getTime() === clock.atLeast.getTime())
        assert.ok(clock.minor === null || clock.atLeast >= clock.minor.until)
        assert.ok(dueAt === null || (clock.dueAt !== null && dueAt >= clock.dueAt))
      }
      assert.equal(dueAt !== null, status === 'kept')
      assert.ok(dueAt === null || dueAt >= keepUntil)
    }),
  )
})

test('another rule, another event, a lock or a higher minimum never make anything shorter', () => {
  const anyEvents = anyFacts.map(({ events }) => events)
  fc.assert(
    fc.property(
      anyFacts,
      anyRules,
      anyDefinition,
      anyEvents,
      anyZone,
      (facts, rules, more, events, where) => {
        const before = decide(facts, rules, { zone: where })
        for (const after of [
          decide(facts, [...rules, rule(more, 5)], { zone: where }),
          decide({ ...facts, events: [...facts.events, ...events] }, rules, { zone: where }),
          decide({ ...facts, lockedUntil: facts.floor }, rules, { zone: where }),
          decide({ ...facts, recordSet: 'undecided' }, rules, { zone: where }),
          decide({ ...facts, birthDate: null }, rules, { zone: where }),
        ]) {
          const floor = facts.lockedUntil ?? facts.floor
          const isBornLater = facts.birthDate !== null && day(facts.birthDate) > facts.receivedAt
          if (isBornLater || facts.lockedUntil !== null) continue
          assert.ok(after.keepUntil >= before.keepUntil && after.keepUntil >= floor)
        }
      },
    ),
  )
})

test('the order of rules and of events makes no difference, and an answer is the same when asked again', () => {
  fc.assert(
    fc.property(anyFacts, anyRules, anyZone, (facts, rules, where) => {
      const decision = decide(facts, rules, { zone: where })
      const events = facts.events.toReversed()
      assert.deepEqual(decide({ ...facts, events }, rules.toReversed(), { zone: where }), decision)
    }),
  )
})

test('what cannot be counted with is refused', () => {
  const isBadDate = (error: unknown) => error instanceof RetentionError && error.code === 'bad_date'
  const asked = (facts: Partial<RetentionFacts>) => () =>
    decide(call('2026-06-01T12:00:00Z', facts), [rule({ ...tenYears, from: 'discharged', minors })], { zone })
  const invalid = new Date(Number.NaN)
  assert.throws(asked({ floor: invalid }), isBadDate)
  assert.throws(asked({ lockedUntil: invalid }), isBadDate)
  assert.throws(asked({ startedAt: invalid }), isBadDate)
  assert.throws(asked({ endedAt: invalid }), isBadDate)
  assert.throws(asked({ birthDate: '2026-02-30' }), isBadDate)
  assert.throws(asked({ events: [{ kind: 'discharged', at: invalid }] }), isBadDate)
  assert.throws(asked({ events: [{ kind: 'discharged', at: new Date('9995-01-01T00:00:00Z') }] }), isBadDate)
  assert.throws(asked({ events: [{ kind: 'discharged', at: new Date(8.64e15) }] }), isBadDate)
})
