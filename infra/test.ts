// Runs the tests of every workspace from source on Node's own runner.
// Usage: npm test [-- [--totals=FILE] [test file or glob, or option of `node --test` ...]]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const everyTest = [
  'packages/*/src/**/*.test.ts',
  'services/*/src/**/*.test.ts',
  'test/*.test.ts',
  'test/{bypass,decade,emulators,failclosed,faults,live,retention,verifier}/**/*.test.ts',
  'infra/**/*.test.ts',
]
const testTimeoutMs = 300_000

/** Variables that would point a test at somebody's real systems or change what Node does. */
const unwanted =
  /^(AURICLE_|PG[A-Z]+$|DATABASE_URL$|REDIS_URL$|(?:GOOGLE|GCLOUD|GCP|GCE|GRPC)_|METADATA_SERVER_DETECTION$|STORAGE_EMULATOR_HOST$|NODE_|FF[A-Z]+$)/

const given = process.argv.slice(2)
const totalsFile = given.find(argument => argument.startsWith('--totals='))?.slice('--totals='.length)
const passedOn = given.filter(argument => !argument.startsWith('--totals='))
const namesTests = passedOn.some(argument => !argument.startsWith('-'))

const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout']
if (totalsFile !== undefined) {
  reporters.push(`--test-reporter=${join(root, 'infra', 'totals-reporter.ts')}`)
  reporters.push(`--test-reporter-destination=${totalsFile}`)
}

const child = spawn(
  process.execPath,
  [
    '--test',
    `--test-global-setup=${join(root, 'test', 'global-setup.ts')}`,
    // Node's default leaves one core free, which on two cores means one file at a time, most of it waiting.
    `--test-concurrency=${Math.max(2, availableParallelism())}`,
    `--test-timeout=${testTimeoutMs}`,
    ...reporters,
    ...passedOn,
    ...(namesTests ? [] : everyTest),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !unwanted.test(name))),
  },
)

// Ctrl-C reaches the whole process group; the runner ends its tests and we end with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))

const [code] = await once(child, 'close')
process.exitCode = typeof code === 'number' ? code : 1
