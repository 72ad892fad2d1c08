// The rules against a model of them that was written apart, case by case until one of the two is wrong.
//
//   npm run rules -- --cases 1000000 --seed 1
import { parseArgs } from 'node:util'
import { createRandom, freshSeed } from '../harness/random.ts'
import { printTable, say, seconds } from '../harness/verdict.ts'
import { drawCase } from './cases.ts'
import { compareAnswers } from './compare.ts'

const progressEvery = 50_000

const { values } = parseArgs({
  options: { seed: { type: 'string' }, cases: { type: 'string', default: '1000000' } },
})
const seed = values.seed === undefined ? freshSeed() : Number(values.seed)
const cases = Number(values.cases)
if (![seed, cases].every(Number.isSafeInteger)) throw new RangeError('Give whole numbers')

const startedMs = performance.now()
say(`rules with seed ${seed}, ${cases} cases`)
const agreed = run()
say(
  `took ${seconds(performance.now() - startedMs)}; again with: npm run rules -- --cases ${cases} --seed ${seed}`,
)
say(`\nrules: ${agreed} of ${cases} cases decided alike`)
if (agreed < cases) process.exitCode = 1

/** How many cases came out alike before the first that did not. */
function run(): number {
  const random = createRandom(seed)
  const counts = new Map<string, number>()
  for (let number = 1; number <= cases; number++) {
    const asked = drawCase(random)
    const { disagreement, seen } = compareAnswers(asked)
    if (disagreement !== null) {
      say(`WRONG  case ${number} is decided in two ways:`)
      say(JSON.stringify(disagreement, null, 2))
      return number - 1
    }
    for (const word of seen) counts.set(word, (counts.get(word) ?? 0) + 1)
    if (number % progressEvery === 0) {
      say(`  ${number} of ${cases} alike, ${seconds(performance.now() - startedMs)}`)
    }
  }
  printTable(
    ['among them', ''],
    [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([word, count]) => [word, String(count)]),
  )
  return cases
}
