// Which findings stand: those that may be so for a while, those that pass, those that stay.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findingId, found, noteFindings, type OpenFinding } from './finding.ts'

const at = (seconds: number) => new Date(seconds * 1000)
const whole = { name: 'times', whole: true }
const passing = { name: 'scan', whole: false }
const fork = found('fork', 'published', { seq: 4 })
const unsealed = found('unsealed_age', 'events')
const ahead = found('truncation', 'witness', {}, 60_000)

const standing = (open: readonly OpenFinding[]) =>
  open.filter(({ foundAt }) => foundAt !== null).map(findingId)

test('is told once, and stays until somebody has looked', () => {
  const first = noteFindings([], whole, [fork], at(0))
  assert.deepEqual(first.fresh.map(findingId), [findingId(fork)])
  const again = noteFindings(first.open, whole, [fork], at(20))
  assert.deepEqual(again.fresh, [])
  assert.deepEqual(again.open[0]?.since, at(0))
  const gone = noteFindings(again.open, whole, [], at(40))
  assert.deepEqual(standing(gone.open), [findingId(fork)])
})

test('is over when it is not so any more, where it only holds while it is so', () => {
  const first = noteFindings([], whole, [unsealed], at(0))
  assert.equal(first.fresh.length, 1)
  // Another check says nothing about it.
  assert.equal(noteFindings(first.open, passing, [], at(10)).open.length, 1)
  const over = noteFindings(first.open, whole, [], at(20))
  assert.deepEqual(over.open, [])
  assert.equal(noteFindings(over.open, whole, [unsealed], at(40)).fresh.length, 1)
})

test('is none before it has been so for as long as it may be', () => {
  const early = noteFindings([], whole, [ahead], at(0))
  assert.deepEqual([early.fresh, standing(early.open)], [[], []])
  const late = noteFindings(early.open, whole, [ahead], at(60))
  assert.deepEqual(late.fresh.map(findingId), [findingId(ahead)])
  // What stopped meanwhile begins anew.
  const between = noteFindings(early.open, whole, [], at(30))
  assert.deepEqual(noteFindings(between.open, whole, [ahead], at(60)).fresh, [])
  // A check that looks at one part after another sees it again when its turn comes.
  const scanned = noteFindings([], passing, [ahead], at(0))
  const elsewhere = noteFindings(scanned.open, passing, [], at(30))
  assert.equal(noteFindings(elsewhere.open, passing, [ahead], at(60)).fresh.length, 1)
})
