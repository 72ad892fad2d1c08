// Every preset is a rule that can be proposed as it is, says where it comes from, and is no shorter than it claims.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logKeptDays, RuleDefinition } from '@auricle/contract'
import { compareDefinitions } from './compare-definitions.ts'
import { findPreset, presetCaution, presets } from './presets.ts'
import { isBelowFloor, shippedFloors } from './shipped-floors.ts'
import { statePeriods } from './state-periods.ts'

test('every preset is a valid rule with a source, a date and the caution', () => {
  for (const preset of presets) {
    assert.deepEqual(RuleDefinition.parse(preset.definition), preset.definition, preset.id)
    assert.equal(preset.definition.preset, preset.id)
    assert.equal(preset.definition.source, preset.source)
    assert.equal(preset.caution, presetCaution)
    assert.match(preset.asOf, /^\d{4}-\d{2}-\d{2}$/)
    assert.equal(findPreset(preset.id), preset)
  }
  assert.equal(new Set(presets.map(({ id }) => id)).size, presets.length)
  assert.equal(findPreset('us-nowhere'), null)
})

test('presets dispose by themselves only of what is outside the record set, and lock nothing', () => {
  for (const { id, definition } of presets) {
    assert.ok(definition.dispose === 'review' || definition.appliesTo.recordSet === 'out', id)
    assert.equal(definition.lock, false, id)
  }
})

test('the conservative preset is no shorter than that of any state', () => {
  const conservative = findPreset('us-conservative')?.definition ?? assert.fail()
  for (const { id, definition, state } of presets) {
    // In Mississippi and Alabama majority comes later, which a rule of its own has to say.
    if (state === null || (definition.minors?.majorityAge ?? 18) > 18) continue
    assert.notEqual(compareDefinitions(definition, conservative), 'shortens', id)
  }
})

test('every state has each kind of provider once, and ages where minors are kept to one', () => {
  const keys = statePeriods.map(({ state, scope }) => `${state} ${scope}`)
  assert.equal(new Set(keys).size, keys.length)
  for (const { state, minors, note } of statePeriods) {
    const age = Number(/age (\d+)\.$/.exec(note ?? '')?.[1] ?? Number.NaN)
    if (Number.isNaN(age) || minors === undefined) continue
    assert.equal(minors.majorityAge + (minors.keep.years ?? 0), age, state)
  }
})

test('what proves what was done is kept six years, and the log longer', () => {
  for (const { recordClass, keep } of shippedFloors) {
    assert.equal(isBelowFloor(recordClass, keep), false)
    assert.equal(isBelowFloor(recordClass, { years: 5, months: 11, days: 30 }), true)
    assert.equal(isBelowFloor(recordClass, { years: 0, months: 72, days: 0 }), false)
    // Six years have one leap day or two.
    assert.equal(isBelowFloor(recordClass, { years: 0, months: 0, days: 2191 }), true)
    assert.equal(isBelowFloor(recordClass, { years: 0, months: 0, days: logKeptDays }), false)
  }
})
