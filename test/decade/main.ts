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
    lanes: { type: 'string', default: '6' },
  },
})
const seed = values.seed === undefined ? freshSeed() : Number(values.seed)
const recordings = Number(values.recordings)
const [months, steps, lanes] = [Number(values.months), Number(values.steps), Number(values.lanes)]
if (![seed, recordings, months, steps, lanes].every(Number.isSafeInteger))
  throw new RangeError('Give whole numbers')

stayInMemory()
const startedMs = performance.now()
/** How much of what is wrong was printed. */
let told = 0
say(`decade with seed ${seed}, ${recordings} recordings, ${months} months of ${steps} steps`)
const report = await runDecade({
  ...{ seed, recordings, months, steps, lanes },
  onMonth({ month, archived, destroyed, held, left, wrong }) {
    const due = [...left].map(([reason, number]) => `${reason} ${number}`).join(', ')
    const time = seconds(performance.now() - startedMs)
    say(
      `month ${month}, ${time}: ${archived} archived, ${destroyed} destroyed, ${held} held; due: ${due}; ${wrong.length} wrong`,
    )
    for (const what of wrong.slice(told)) say(`WRONG  ${what}`)
    told = wrong.length
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
for (const what of report.wrong.slice(told)) say(`WRONG  ${what}`)
for (const line of report.histories) say(line)
const asked = Object.entries({ ...values, seed }).map(([name, value]) => `--${name} ${value}`)
say(`took ${seconds(performance.now() - startedMs)}; again with: npm run decade -- ${asked.join(' ')}`)
say(`\ndecade: ${report.wrong.length} wrong`)
if (report.wrong.length > 0) process.exitCode = 1
