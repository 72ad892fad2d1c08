// Holds the source against everything that can be known without running it. Usage: npm run check [-- --totals=FILE]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Totals } from './totals-reporter.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const tool = (name: string) => join(root, 'node_modules', '.bin', name)

interface Check {
  readonly name: string
  readonly run: readonly [string, ...string[]]
}

/** A line of a check that passed, that is worth showing all the same. */
const noteworthy = /not run$/

const checks: readonly Check[] = [
  { name: 'types', run: [tool('tsc'), '-p', 'tsconfig.json'] },
  { name: 'types in a browser', run: [tool('tsc'), '-p', 'tsconfig.web.json'] },
  { name: 'format and lint', run: [tool('biome'), 'ci', '--colors=off', '--error-on-warnings'] },
  {
    name: 'import rules',
    run: [process.execPath, '--test', '--test-reporter=dot', 'test/boundaries.test.ts'],
  },
  { name: 'terraform', run: [process.execPath, 'infra/check-terraform.ts'] },
  { name: 'dead code', run: [tool('knip'), '--no-progress', '--no-config-hints'] },
  {
    // What only tests use is dead in production.
    name: 'dead code but for tests',
    run: [tool('knip'), '--no-progress', '--no-config-hints', '--production', '--include=files,dependencies'],
  },
]

const failed: string[] = []
for (const { name, run } of checks) {
  const [command, ...args] = run
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const outcome = once(child, 'close')
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), outcome])
  process.stdout.write(`${code === 0 ? 'ok  ' : 'FAIL'}  ${name}\n`)
  for (const line of output.split('\n'))
    if (code === 0 && noteworthy.test(line)) process.stdout.write(`      ${line}\n`)
  if (code !== 0) {
    failed.push(name)
    process.stdout.write(`${output}${errors}\n`)
  }
}

const totalsFile = process.argv.find(argument => argument.startsWith('--totals='))?.slice('--totals='.length)
if (totalsFile !== undefined) {
  const totals: Totals = { passed: checks.length - failed.length, failed: failed.length }
  writeFileSync(totalsFile, `${JSON.stringify(totals)}\n`)
}
if (failed.length > 0) {
  process.stdout.write(`Not right yet: ${failed.join(', ')}\n`)
  process.exitCode = 1
}
