// The sentences say every time that a decision rests on, and why, for every state and every way of counting.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HoldId, RuleDefinition } from '@auricle/contract'
import fc from 'fast-check'
import { anyDefinition, anyFacts, ruleIds, zones } from '../../../test/retention/any-rules.ts'
import { decide } from './decide.ts'
import { explain } from './explain.ts'
import type { RetentionFacts } from './facts.ts'
import type { RuleInForce } from './rules-in-force.ts'
import { stateAt } from './state.ts'

const zone = 'America/New_York'
const holdId = HoldId.parse('hld_01arz3ndektsv4rrffq69g5fav')
const nobody = { matters: new Map<HoldId, string>() }
const [ruleId = assert.fail()] = ruleIds

const facts: RetentionFacts = {
  kind: 'voicemail',
  mailboxId: null,
  labels: [],
  startedAt: null,
  receivedAt: new Date('2026-06-01T12:00:00Z'),
  endedAt: null,
  birthDate: null,
  events: [],
  recordSet: 'in',
  floor: new Date('2026-07-01T12:00:00Z'),
  lockedUntil: null,
}

const rule = (definition: Partial<(typeof RuleDefinition)['_zod']['input']>): RuleInForce => ({
  ruleId,
  version: 3,
  name: 'Records',
  definition: RuleDefinition.parse({ keep: { years: 1 }, dispose: 'review', ...definition }),
})

function words(
  definition: Partial<(typeof RuleDefinition)['_zod']['input']> | null,
  about: Partial<RetentionFacts> = {},
  now = '2026-12-01T00:00:00Z',
): string {
  const decision = decide({ ...facts, ...about }, definition === null ? [] : [rule(definition)], { zone })
  return explain(decision, stateAt(decision, [], new Date(now)), nobody).join('\n')
}

test('what it is, in every state', () => {
  const kept = words({})
  assert.match(kept, /^It is kept until 2027-06-02T04:00:00Z \(2027-06-02 in America\/New_York\)\.$/m)
  assert.match(kept, /^It is due to be reviewed and destroyed at 2027-06-02T04:00:00Z/m)
  assert.match(
    words({}, {}, '2027-06-02T04:00:00Z'),
    /^It is due to be reviewed and destroyed since 2027-06-02T04/,
  )
  assert.match(words({ dispose: 'automatic' }), /^It is due to be destroyed without review at/m)
  assert.match(words({ dispose: 'never' }), /^It is kept for good: .*; it never disposes\.$/ms)
  assert.match(
    words({}, { recordSet: 'undecided' }),
    /^Nobody has decided yet .* record set, so it is not due\.$/m,
  )
  assert.match(words({ from: 'case_closed' }), /^It waits for .*not due\.$/m)
  assert.match(words(null), /^No rule says when it may go, so it is not due\.$/m)
  assert.match(words(null), /^No rule applies to it\.$/m)
})

test('what it is counted from, and what comes after', () => {
  const event = { kind: 'discharged', at: new Date('2026-06-10T12:00:00.500Z') } as const
  const before = { kind: 'discharged', at: new Date('2020-06-10T12:00:00Z') } as const
  assert.match(
    words({}),
    /By rule "Records" \(rul_\w+, version 3\) it is kept for 1 year from the call, 2026-06-01T12:00:00Z/,
  )
  assert.match(
    words({ from: 'discharged' }, { events: [event] }),
    /from the discharge, 2026-06-10T12:00:00\.500Z \(2026-06-10 in/,
  )
  assert.match(
    words({ from: 'discharged' }, { events: [before] }),
    /from the call, 2026-06-01T12:00:00Z \(2026-06-01 in America\/New_York\), since the discharge lies before it/,
  )
  assert.match(
    words({ from: 'discharged' }),
    /from the discharge, which has not been recorded, so until 2027-06-02T04:00:00Z .* at least/,
  )
  assert.match(words({ disposeAfterDays: 1 }), /; 1 day later it disposes after review\.$/m)
  assert.match(
    words({ keep: { years: 2, months: 1, days: 30 } }),
    /kept for 2 years, 1 month and 30 days from/,
  )
  assert.match(words({ source: '42 CFR 482.24' }), /Its source: 42 CFR 482\.24\.$/m)
})

test('minors, with or without a birth date', () => {
  const minors = { majorityAge: 18, keep: { days: 1 } }
  assert.match(
    words({ minors }, { birthDate: '2016-02-29' }),
    /the person was a minor and comes of age on 2034-03-01, and 1 day from then end at 2034-03-03T05:00:00Z/,
  )
  assert.match(
    words({ minors }),
    /no birth date is known, and who was born on the day .* comes of age on 2044-06-01/,
  )
  assert.doesNotMatch(words({ minors }, { birthDate: '1990-01-01' }), /comes of age|1990/)
})

test('the minimum, a lock of a store and a lock of a rule', () => {
  assert.match(words({}), /^The minimum that was set .* ends at 2026-07-01T12:00:00Z \(2026-07-01 in/m)
  assert.doesNotMatch(words({}), /lock/)
  const locked = words({ lock: true }, { lockedUntil: new Date('2030-01-01T00:00:00Z') })
  assert.match(locked, /^A store has locked it for good until 2030-01-01T00:00:00Z \(2029-12-31 in/m)
  assert.match(locked, /^A rule locks it/m)
})

test('a hold by its matter for who may know it, else by its id', () => {
  const decision = decide(facts, [rule({})], { zone })
  const state = stateAt(decision, [{ holdId }], new Date('2060-01-01T00:00:00Z'))
  const [hidden] = explain(decision, state, nobody)
  const [shown, still, without] = explain(decision, state, { matters: new Map([[holdId, 'A matter']]) })
  assert.equal(hidden, `It is held by the legal hold ${holdId}.`)
  assert.equal(shown, `It is held by the legal hold "A matter" (${holdId}).`)
  assert.match(still ?? '', /nothing deletes it/)
  assert.match(without ?? '', /kept until 2027-06-02T04:00:00Z/)
})

test('whatever was decided, the words name every rule and every time that it rests on', () => {
  fc.assert(
    fc.property(
      anyFacts,
      fc.array(anyDefinition, { maxLength: 4 }),
      fc.constantFrom(...zones),
      (about, definitions, where) => {
        const rules = definitions.map((definition, index) => ({
          ruleId: ruleIds[index] ?? assert.fail(),
          version: index + 1,
          name: `rule ${index}`,
          definition,
        }))
        const decision = decide(about, rules, { zone: where })
        const said = explain(decision, stateAt(decision, [], new Date('2035-01-01T00:00:00Z')), nobody).join(
          '\n',
        )
        const time = (date: Date) => date.toISOString().replace('.000Z', 'Z')
        for (const clock of decision.clocks) {
          assert.ok(said.includes(`"${clock.name}" (${clock.ruleId}, version ${clock.version})`))
          assert.ok(said.includes(time(clock.atLeast)))
          assert.ok(clock.from === null || said.includes(time(clock.from)))
          assert.ok(clock.minor === null || said.includes(clock.minor.majorityOn))
        }
        assert.ok(
          decision.status === 'permanent' || said.includes(time(decision.dueAt ?? decision.keepUntil)),
        )
        assert.ok(!/undefined|null|NaN/.test(said))
      },
    ),
  )
})
