// A logger whose lines a test can read.
import { createLogger, type Logger } from '@auricle/runtime'

export interface CapturedLog {
  readonly logger: Logger
  readonly lines: string[]
  /** All lines as one text, to search for what must not be in it. */
  text(): string
}

export function captureLog(): CapturedLog {
  const lines: string[] = []
  const destination = { write: (line: string) => lines.push(line) }
  return {
    logger: createLogger({ level: 'debug', format: 'json', destination }),
    lines,
    text: () => lines.join(''),
  }
}
