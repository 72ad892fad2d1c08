// Ten years of keeping and destroying against a model of what ought to be, in the weather that a seed makes.
//
//   npm run decade -- --recordings 20000 --seed 1
import { parseArgs } from 'node:util'
import { freshSeed } from '../harness/random.ts'
import { printTable, say, seconds } from '../harness/verdict.ts'
import { runDecade } from './decade.ts'
import { stayInMemory } from './in-memory.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    recordings: { type: 'string', default: '20000' },
    months: { type: 'string', default: '120' },
    steps: { type: 'string', default: '4' },
  },
})
const seed = values.seed === undefined ? freshSeed() : Number(values.seed)
const [recordings, months, steps] = [values.recordings, values.months, values.steps].map(Number)
if (recordings === undefined || months === undefined || steps === undefined)
  throw new RangeError('Give whole numbers')
if (![seed, recordings, months, steps].every(Number.isSafeInteger)) throw new RangeError('Give whole numbers')

stayInMemory()
const startedMs = performance.now()
say(`decade with seed ${seed}, ${recordings} recordings, ${months} months of ${steps} steps`)
const report = await runDecade({
  ...{ seed, recordings, months, steps },
  onMonth({ month, archived, destroyed, held, left, wrong }) {
    const due = [...left].map(([reason, number]) => `${reason} ${number}`).join(', ')
    const time = seconds(performance.now() - startedMs)
    say(
      `month ${month}, ${time}: ${archived} archived, ${destroyed} destroyed, ${held} held; due: ${due}; ${wrong} wrong`,
    )
  },
})
for (const [title, counts] of [
  ['in the end', report.states],
  ['due and not gone, since', report.left],
  ['went wrong on purpose', report.faults],
  ['done', report.tally],
] as const) {
  say('')
  printTable(
    [title, 'times'],
    [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, times]) => [what, String(times)]),
  )
}
say('')
for (const what of report.wrong.slice(0, 100)) say(`WRONG  ${what}`)
say(
  `took ${seconds(performance.now() - startedMs)}; again with: npm run decade -- --recordings ${recordings} --seed ${seed}`,
)
say(`\ndecade: ${report.wrong.length} wrong`)
if (report.wrong.length > 0) process.exitCode = 1
