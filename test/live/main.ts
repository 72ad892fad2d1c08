// Runs the conformance suites of stores and keys against a real Google Cloud project, and removes what they made.
// Usage: npm run live:google [-- [--locked] [--only PATTERN]]; docs/operations/live-run.md has the rest.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cleanKeys } from './clean-keys.ts'
import { cleanObjects } from './clean-objects.ts'
import { announce, type LivePlan, needs, planOf } from './plan.ts'

const randomCharacters = 4

const { values } = parseArgs({
  options: { locked: { type: 'boolean', default: false }, only: { type: 'string' } },
})
const name = `live-${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}-${randomBytes(randomCharacters).toString('hex')}`
const plan = planOf(process.env, { name, isLocked: values.locked, only: values.only ?? null })

if (plan.buckets.length === 0 && plan.keys === null)
  process.stdout.write(`Live run skipped: no project is given. ${needs}\n`)
else process.exitCode = await run(plan)

async function run(plan: LivePlan): Promise<number> {
  process.stdout.write(announce(plan))
  const only = plan.only === null ? [] : [`--test-name-pattern=${plan.only}`]
  const suite = spawn(
    process.execPath,
    ['--test-reporter=spec', ...only, join(import.meta.dirname, 'suite.ts'), JSON.stringify(plan)],
    { stdio: 'inherit' },
  )
  const isInterrupted = interrupting(suite)
  const [code] = await once(suite, 'close')
  const isClean = await clean(plan)
  if (isInterrupted()) process.stdout.write('The run was interrupted.\n')
  return code === 0 && isClean && !isInterrupted() ? 0 : 1
}

/** The suite ends at once; this process goes on, and cleans up. */
function interrupting(suite: ChildProcess): () => boolean {
  let isInterrupted = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      isInterrupted = true
      suite.kill('SIGKILL')
    })
  }
  return () => isInterrupted
}

async function clean({ buckets, keys }: LivePlan): Promise<boolean> {
  let isClean = true
  const attempt = async (what: string, step: () => Promise<string>): Promise<void> => {
    try {
      process.stdout.write(`${what}: ${await step()}\n`)
    } catch (error) {
      isClean = false
      process.stdout.write(`${what}: could not be cleaned up (${error})\n`)
    }
  }
  for (const bucket of buckets) {
    const place = `gs://${bucket.bucket}/${bucket.prefix}`
    await attempt(place, async () => {
      const { removed, left } = await cleanObjects(bucket)
      if (left.length === 0) return `${removed} removed, nothing is left`
      isClean = false
      return `${left.length} still there; later: gcloud storage rm -r '${place}/**'`
    })
  }
  if (keys !== null) {
    await attempt(keys.keyRing, async () => {
      const destroyed = await cleanKeys(keys)
      return `${destroyed} versions scheduled for destruction; the keys and one version of each stay`
    })
  }
  return isClean
}
