// Holds the two verifiers of evidence bundles against each other, and both to what a bundle is.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { sentences } from '@auricle/audit/verifier'
import { type BundleOptions, bytesOf, makeBundle } from './bundle-fixture.ts'
import { type Mutant, makeMutants } from './mutations.ts'
import { byNode, byPython, type Outcome } from './two-verifiers.ts'

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
    hasPauses: true,
    selection: { from: '2025-03-02T08:00:00.000Z' },
  },
  'leaves withheld': { years: [2025, 2026], eventsEach: 25, withheld: 0.3 },
  'no private parts, four writers': { years: [2026], eventsEach: 40, writers: 4, showsPrivate: false },
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Every code that the page has a rule for. */
const documented = codesOf(readFileSync(join(root, 'docs', 'evidence.md'), 'utf8'))

function codesOf(page: string): ReadonlySet<string> {
  const rows = page.matchAll(/ \| `([a-z_]+)`(?: \([a-z ]+\))? \|(?: (?:missing|gap|unsigned|stale))? \|$/gm)
  return new Set(Array.from(rows, ([, code = '']) => code))
}

describe('an honest bundle', () => {
  for (const [name, shape] of Object.entries(shapes)) {
    it(`holds: ${name}`, async () => {
      const cases = Array.from({ length: 8 }, (_, seed) => {
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

  it('is read alike in pieces of any length', async () => {
    const { lines, policy, at } = makeBundle({ years: [2026], eventsEach: 12, seed: 3 })
    for (const bytes of [bytesOf(lines), gzipSync(bytesOf(lines))]) {
      const whole = await byNode({ bytes, policy, at }, bytes.length)
      assert.equal(whole.exit, 0)
      for (const pieceBytes of [1, 2, 3, 1000])
        assert.deepEqual(await byNode({ bytes, policy, at }, pieceBytes), whole)
    }
  })
})

describe('an altered bundle', () => {
  const seed = 20_261_126
  const mutants = makeMutants(seed, 1200, Object.values(shapes))
  let outcomes: Outcome[] = []

  it('is called what it is', async () => {
    outcomes = await Promise.all(mutants.map(mutant => byNode(mutant)))
    const wrong = mutants.filter((mutant, index) => !isAsExpected(mutant, outcomes[index]))
    assert.deepEqual(
      wrong.map(({ name }) => name),
      [],
      `seed ${seed}`,
    )
  })

  it('is called the same by both verifiers, to the last finding', () => {
    for (const [index, outcome] of byPython(mutants).entries()) {
      assert.deepEqual(outcome, outcomes[index], `${mutants[index]?.name}, number ${index} of seed ${seed}`)
    }
  })

  it('meets every rule of the page at least once', () => {
    const met = new Set(outcomes.flatMap(({ report }) => report?.findings.map(({ code }) => code) ?? []))
    assert.deepEqual([...documented].filter(code => !met.has(code)).sort(), [])
    assert.deepEqual([...met].filter(code => !documented.has(code)).sort(), [])
    assert.deepEqual(Object.keys(sentences).sort(), [...documented].sort())
  })
})

function isAsExpected({ expected }: Mutant, outcome: Outcome | undefined): boolean {
  const verdict = outcome?.report?.verdict
  if (expected === 'any') return verdict !== undefined
  return expected === 'bad' ? verdict !== undefined && verdict !== 'ok' : verdict === expected
}

/** The key of a log in the form of a witness's. */
function cosignerOf(logKey: string): string {
  const [name = '', , encoded = ''] = logKey.split('+', 2).concat(logKey.split('+').slice(2).join('+'))
  const bytes = Buffer.concat([Uint8Array.of(4), Buffer.from(encoded, 'base64').subarray(1)])
  const id = createHash('sha256').update(`${name}\n`).update(bytes).digest('hex').slice(0, 8)
  return `${name}+${id}+${bytes.toString('base64')}`
}

describe('a policy', () => {
  const { policy, lines, at } = makeBundle({ years: [2026], eventsEach: 5, seed: 1, witnesses: 3, quorum: 2 })
  const [logKey = '', anchorKey = ''] = Array.from(policy.matchAll(/^log (\S+)/gm), ([, key = '']) => key)
  const witnesses = Array.from(policy.matchAll(/^witness \S+ (\S+)/gm), ([, key = '']) => key)
  const [one = '', two = '', three = ''] = witnesses
  const known = `log ${logKey}\nlog ${anchorKey}\nwitness a ${one}\nwitness b ${two}\nwitness c ${three}\n`

  const taken: readonly (readonly [text: string, exit: number])[] = [
    [`${known}quorum none\n`, 0],
    [`${known}quorum b\n`, 0],
    [`\t# of a hospital in M\u00fcnchen\n\n${known} group\tx  all a b c \nquorum x\n`, 0],
    [`${known}group x any a b\ngroup y 2 x c\nquorum y\n`, 0],
    [`log ${anchorKey} https://vault.example/\nquorum none\n`, 0],
    [`log ${logKey}\nquorum none\n`, 2],
    ['quorum none\n', 2],
  ]
  const refused = [
    '',
    known,
    `${known}quorum none`,
    `${known}witness d ${cosignerOf(logKey)}\nquorum none\n`,
    `${known}quorum none\nquorum none\n`,
    `${known}quorum d\n`,
    `quorum a\n${known}`,
    `${known}group x 4 a b c\nquorum x\n`,
    `${known}group x 0 a b c\nquorum x\n`,
    `${known}group x 01 a b c\nquorum x\n`,
    `${known}group x all\nquorum x\n`,
    `${known}group x all a a\nquorum x\n`,
    `${known}group x all a b\ngroup y all x b\nquorum y\n`,
    `${known}group x all none\nquorum x\n`,
    `${known}group a all b\nquorum a\n`,
    `${known}group none all b\nquorum none\n`,
    `${known}log ${logKey}\nquorum none\n`,
    `${known}witness d ${one}\nquorum none\n`,
    `${known}witness d ${logKey}\nquorum none\n`,
    `log ${one}\nquorum none\n`,
    `${known}mirror ${one}\nquorum none\n`,
    `${known}log\nquorum none\n`,
    `${known}log ${logKey} a b\nquorum none\n`,
    `${known}quorum none\r\n`,
    `${known}quorum none\u0000\n`,
    `log ${logKey.replace('+', '')}\nquorum none\n`,
    `log ${logKey.slice(0, -4)}\nquorum none\n`,
    `log ${logKey.replace(/\+(.)/, (_, digit) => `+${digit === '0' ? '1' : '0'}`)}\nquorum none\n`,
    `log ${logKey.replace('vault', 'Vault')}\nquorum none\n`,
    'log x+00000000+AQ==\nquorum none\n',
  ]

  it('is taken or refused by both verifiers alike', async () => {
    const cases = [...taken.map(([text]) => text), ...refused].map(text => ({
      bytes: bytesOf(lines),
      policy: text,
      at,
    }))
    const outcomes = byPython(cases)
    for (const [index, one] of cases.entries()) {
      const outcome = await byNode(one)
      assert.deepEqual(outcomes[index], outcome, one.policy)
      assert.equal(outcome.exit, taken[index]?.[1] ?? 3, one.policy)
    }
  })
})
