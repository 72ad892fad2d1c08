// Everything that is tried against what retention and holds keep: prints the table and writes docs/bypass.md.
// Usage: npm run bypass
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createVerdict, printTable, say, seconds } from '../harness/verdict.ts'
import { harmsOf, rowsOf } from './attempt.ts'
import { tryEverything } from './everything.ts'
import { renderPage } from './page.ts'

const startedMs = performance.now()
const verdict = createVerdict()
const { attempts, notes } = await tryEverything()
const rows = rowsOf(attempts)
printTable(
  ['wall', 'attempt', 'by', 'what refused', 'logged', 'tried'],
  rows.map(({ wall, what, by, refused, logged, count }) => [wall, what, by, refused, logged, String(count)]),
)
await writeFile(join(import.meta.dirname, '../../docs/bypass.md'), renderPage(rows))
for (const note of notes) say(note)
const harms = harmsOf(attempts)
verdict.check(
  harms.length === 0,
  `${attempts.length} attempts, none of which got through`,
  harms.join('\n') || undefined,
)
say(`Took ${seconds(performance.now() - startedMs)}.`)
verdict.finish('bypass')
