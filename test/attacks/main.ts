// The attacks on the log while a vault runs: each has to give its finding in the time that the design allows, and a vault
// that nobody attacks none.
//
//   npm run attacks -- --scale 10 --only 'a sealed event'
import { parseArgs } from 'node:util'
import { createVerdict, printTable, say, seconds } from '../harness/verdict.ts'
import { attacks } from './attacks.ts'
import { runHonestly, tryLive } from './try-attack.ts'

const { values } = parseArgs({
  options: {
    /** How many times shorter every wait is, of the vault and of the monitor alike. */
    scale: { type: 'string', default: '10' },
    only: { type: 'string', default: '' },
  },
})
const scale = Number(values.scale)
if (!(scale >= 1)) throw new RangeError('Give a scale of 1 or more')
const honestMs = 15 * 60_000

const startedMs = performance.now()
const verdict = createVerdict()
const rows: string[][] = []

if (values.only === '') {
  const unfounded = await runHonestly(scale, honestMs)
  verdict.check(
    unfounded.length === 0,
    `nothing is found while nobody attacks, for ${seconds(honestMs)} by the clock of the design`,
    unfounded.map(({ name, code }) => `${name} (${code})`).join(', ') || undefined,
  )
}
for (const attack of attacks.filter(({ name }) => name.includes(values.only))) {
  const { finding, seenMs, before } = await tryLive(attack, scale)
  const seen = finding === null || seenMs === null ? 'not found' : seconds(seenMs)
  const named = finding === null ? attack.finds.join(' or ') : `${finding.name} (${finding.code})`
  rows.push([attack.name, named, duration(attack.allowedMs), seen])
  verdict.check(finding !== null && before.length === 0, attack.name, `${named}, ${seen}`)
}
say('')
printTable(['attack', 'finding', 'allowed', 'seen'], rows)
say(
  `\nTimes by the clock of the design; every wait was ${scale} times shorter. Took ${seconds(performance.now() - startedMs)}.`,
)
verdict.finish('attacks')

function duration(ms: number): string {
  const minutes = ms / 60_000
  if (minutes < 60) return Number.isInteger(minutes) ? `${minutes} min` : seconds(ms)
  return `${minutes / 60} h`
}
