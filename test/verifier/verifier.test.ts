// Holds the two verifiers of evidence bundles against each other, and both to what a bundle is.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type BundleOptions, bytesOf, makeBundle } from './bundle-fixture.ts'
import { makeMutants } from './mutations.ts'
import { byNode, byPython } from './two-verifiers.ts'

type Shape = Omit<BundleOptions, 'seed'>

const shapes: Readonly<Record<string, Shape>> = {
  'one year': { years: [2026], eventsEach: 30 },
  'several years, with late events': { years: [2023, 2024, 2026], eventsEach: 20, hasLate: true },
  'a P-256 anchor and three witnesses': {
    years: [2025, 2026],
    eventsEach: 20,
    anchor: 'ecdsa-p256',
    witnesses: 3,
    quorum: 3,
    checkpointEvery: 7,
  },
  'two of three witnesses, no keys of logs in the policy': {
    years: [2026],
    eventsEach: 25,
    witnesses: 3,
    quorum: 2,
    namesLogKeys: false,
  },
  'a part of the log': {
    years: [2025, 2026],
    eventsEach: 25,
    first: 11,
    selection: { from: '2025-03-01T09:00:00.000Z' },
  },
  'leaves withheld': { years: [2025, 2026], eventsEach: 25, withheld: 0.3 },
  'no private parts, four writers': { years: [2026], eventsEach: 40, writers: 4, showsPrivate: false },
}

describe('an honest bundle', () => {
  for (const [name, shape] of Object.entries(shapes)) {
    it(`holds: ${name}`, async () => {
      const cases = Array.from({ length: 12 }, (_, seed) => {
        const { lines, policy, at } = makeBundle({ ...shape, seed })
        return { bytes: seed % 3 === 0 ? gzipSync(bytesOf(lines)) : bytesOf(lines), policy, at }
      })
      const outcomes = byPython(cases)
      for (const [index, one] of cases.entries()) {
        const outcome = await byNode(one)
        assert.deepEqual(outcome.report?.findings, [])
        assert.equal(outcome.report?.verdict, 'ok')
        assert.deepEqual(outcomes[index], outcome)
      }
    })
  }
})

describe('an altered bundle', () => {
  const seed = 20_261_126
  it('is called the same by both verifiers, and what it is', async () => {
    const mutants = makeMutants(seed, 1400, Object.values(shapes))
    const outcomes = byPython(mutants)
    for (const [index, mutant] of mutants.entries()) {
      const outcome = await byNode(mutant)
      const label = `${mutant.name}, number ${index} of seed ${seed}`
      assert.deepEqual(outcomes[index], outcome, label)
      const verdict = outcome.report?.verdict
      if (mutant.expected === 'bad') assert.notEqual(verdict, 'ok', label)
      else if (mutant.expected !== 'any') assert.equal(verdict, mutant.expected, label)
    }
  })
})
