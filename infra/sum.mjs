// Adds up the totals of several runs and prints `N passed, N failed`. Usage: node infra/sum.mjs FILE=EXIT_CODE ...
// A run that left no totals, or ended badly without naming a failure, counts as one failure; so does finding no test.
import { existsSync, readFileSync } from 'node:fs'

let passed = 0
let failed = 0
for (const argument of process.argv.slice(2)) {
  const cut = argument.lastIndexOf('=')
  const file = argument.slice(0, cut)
  const exitCode = argument.slice(cut + 1)
  const content = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  const totals = content === '' ? { passed: 0, failed: 0 } : JSON.parse(content)
  passed += totals.passed
  failed += totals.failed
  if (totals.failed === 0 && (exitCode !== '0' || totals.passed === 0)) failed += 1
}
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
