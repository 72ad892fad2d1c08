// The log of a process: JSON lines for machines, one readable line for a person at a terminal. It takes a constant
// sentence and listed fields; there is no way to hand it a body, a header or a number that was called.
import pino from 'pino'
import { describeError, type ErrorDescription } from './describe-error.ts'
import { type LogFields, permit } from './log-fields.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** `message` is a constant sentence: what varies goes into `fields`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A logger that adds `fields` to each of its lines. */
  with(fields: LogFields): Logger
}

export interface LoggerOptions {
  /** Default `info`. */
  readonly level?: LogLevel | undefined
  /** Default `auto`: pretty where the destination is a terminal. */
  readonly format?: 'auto' | 'json' | 'pretty' | undefined
  /** Takes whole lines. Default: standard error, written before the call returns. */
  readonly destination?: { write(line: string): void; readonly isTTY?: boolean | undefined } | undefined
  readonly now?: (() => Date) | undefined
}

const standardErrorFd = 2

export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', format = 'auto', now = () => new Date() } = options
  const isTerminal = (options.destination ?? process.stderr).isTTY === true
  const destination = options.destination ?? pino.destination({ dest: standardErrorFd, sync: true })
  const pretty = format === 'pretty' || (format === 'auto' && isTerminal)
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${now().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
    },
    pretty ? { write: line => destination.write(toPretty(line)) } : destination,
  )
  return wrap(logger)
}

function wrap(logger: pino.Logger): Logger {
  const write = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (logger.isLevelEnabled(level)) logger[level](toLogged(fields), message)
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: fields => wrap(logger.child(toLogged(fields))),
  }
}

function toLogged(fields: LogFields = {}): Record<string, unknown> {
  const permitted = permit(fields)
  return fields.error === undefined ? permitted : { ...permitted, error: describeError(fields.error) }
}

/** `14:03:07 warn  The queue is not reachable  code=ECONNREFUSED` and, indented, what an error tells. */
function toPretty(line: string): string {
  const { time, level, msg, error, ...rest } = JSON.parse(line)
  const clock = String(time).slice('2026-01-01T'.length, '2026-01-01T00:00:00'.length)
  const fields = Object.entries(rest).map(([name, value]) => `${name}=${String(value)}`)
  const head = [clock, String(level).padEnd('error'.length), String(msg), ...fields].join('  ')
  return `${[head, ...(error === undefined ? [] : prettyError(error))].join('\n')}\n`
}

function prettyError({ name, code, message, frames, causes }: ErrorDescription, indent = '  '): string[] {
  const what = [name, code === null ? '' : `(${code})`, message ?? ''].filter(part => part !== '').join(' ')
  return [
    `${indent}${what}`,
    ...frames.map(frame => `${indent}  ${frame}`),
    ...causes.flatMap(cause => prettyError(cause, `${indent}  `)),
  ]
}
