// The `auricle` command's entry: hands the environment over, and turns failures into one sentence and an exit code.
import { createLogger, describeError } from '@auricle/runtime'
import { CommanderError } from 'commander'
import { UsageError } from './error.ts'
import { createProgram } from './program.ts'

const usageExitCode = 2
const failureExitCode = 1
const signalExitCode = 130

const stop = new AbortController()
// `start` has its own handlers, which close everything in order; for all else the first Ctrl-C aborts.
process.once('SIGINT', () => stop.abort(new DOMException('interrupted', 'AbortError')))

try {
  await createProgram({ env: process.env, process, signal: stop.signal }).parseAsync()
} catch (error) {
  if (stop.signal.aborted) process.exitCode = signalExitCode
  else report(error)
}

function report(error: unknown): void {
  if (error instanceof CommanderError) {
    // It has said what it had to say: help, the version, or what was wrong.
    process.exitCode = error.exitCode === 0 ? 0 : usageExitCode
    return
  }
  if (error instanceof UsageError) {
    process.stderr.write(`auricle: ${error.message}\n`)
    process.exitCode = usageExitCode
    return
  }
  const { message, code, name } = describeError(error)
  process.stderr.write(`auricle: ${message ?? `failed (${code ?? name})`}\n`)
  if (process.env['AURICLE_LOG_LEVEL'] === 'debug')
    createLogger({ level: 'debug' }).error('Failed', { error })
  process.exitCode = failureExitCode
}
