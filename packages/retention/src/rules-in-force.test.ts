// Which version of a rule speaks: approved, not withdrawn, begun, and the last of those.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RuleDefinition } from '@auricle/contract'
import { ruleIds } from '../../../test/retention/any-rules.ts'
import { type RuleVersion, rulesInForce } from './rules-in-force.ts'

const [first = assert.fail(), second = assert.fail()] = ruleIds
const definition = RuleDefinition.parse({ keep: { years: 1 }, dispose: 'review' })
const now = new Date('2026-11-26T12:00:00Z')
const at = (ms: number) => new Date(now.getTime() + ms)

const version = (number: number, rest: Partial<RuleVersion> = {}): RuleVersion => ({
  ruleId: first,
  version: number,
  name: 'any',
  definition,
  effectiveFrom: at(-1000),
  withdrawnAt: null,
  ...rest,
})
const inForce = (...versions: RuleVersion[]) =>
  rulesInForce(versions, now).map(({ ruleId, version: number }) => [ruleId, number])

for (const [name, versions, expected] of [
  ['nothing', [], []],
  ['from its moment on', [version(1, { effectiveFrom: now })], [[first, 1]]],
  ['not a millisecond before', [version(1, { effectiveFrom: at(1) })], []],
  ['not without approval', [version(1, { effectiveFrom: null })], []],
  ['not once withdrawn', [version(1), version(2, { withdrawnAt: at(-2000) })], [[first, 1]]],
  [
    'the last to take effect',
    [version(2, { effectiveFrom: at(-5) }), version(1, { effectiveFrom: at(-3) })],
    [[first, 1]],
  ],
  ['the higher of two at once', [version(2), version(1), version(3)], [[first, 3]]],
  ['none where the last one ends it', [version(1), version(2, { definition: null, effectiveFrom: now })], []],
  [
    'again after it ended',
    [version(1, { definition: null }), version(2, { effectiveFrom: now })],
    [[first, 2]],
  ],
  [
    'the one before, while the end is to come',
    [version(1), version(2, { definition: null, effectiveFrom: at(1) })],
    [[first, 1]],
  ],
  [
    'each rule for itself, by id',
    [version(7, { ruleId: second }), version(1)],
    [
      [first, 1],
      [second, 7],
    ],
  ],
] as const) {
  test(`in force: ${name}`, () => {
    assert.deepEqual(inForce(...versions), expected)
    assert.deepEqual(inForce(...versions.toReversed()), expected)
  })
}
