// What of an error may stand in a log: names, codes and places, and messages only of errors that are ours. A foreign
// message may quote what it failed on: a header, a row, a file's tags.

/** Error classes whose messages are written here, under the rule that they carry nothing of a patient's. */
const ours: ReadonlySet<string> = new Set([
  'ApiFailure',
  'AudioError',
  'AuditError',
  'CatalogError',
  'DatabaseFault',
  'IdentityError',
  'IngestError',
  'JobError',
  'KeyError',
  'KeyringError',
  'LimitsError',
  'LogRefusal',
  'MailError',
  'MismatchError',
  'Moved',
  'ObjectError',
  'PbxError',
  'PostgresError',
  'RetentionError',
  'RuntimeError',
  'SealedError',
  'Undone',
  'UsageError',
  'VaultError',
])

const framesMost = 6
const causesMost = 5
const code = /^[A-Za-z0-9_.-]{1,64}$/

export interface ErrorDescription {
  readonly name: string
  readonly code: string | null
  /** Null for errors that are not ours. */
  readonly message: string | null
  /** Where it was thrown, innermost first. */
  readonly frames: readonly string[]
  /** What led to it: its cause, the errors it gathers, or those that disposing threw after one another. */
  readonly causes: readonly ErrorDescription[]
}

export function describeError(error: unknown): ErrorDescription {
  return describe(error, causesMost)
}

function describe(error: unknown, causesLeft: number): ErrorDescription {
  if (!(error instanceof Error)) {
    return { name: `thrown ${typeof error}`, code: null, message: null, frames: [], causes: [] }
  }
  const described = 'code' in error ? error.code : null
  return {
    name: code.test(error.name) ? error.name : 'Error',
    code:
      (typeof described === 'string' || typeof described === 'number') && code.test(String(described))
        ? String(described)
        : null,
    message: ours.has(error.name) ? error.message : null,
    frames: frames(error),
    causes: causesLeft === 0 ? [] : causes(error).map(cause => describe(cause, causesLeft - 1)),
  }
}

function causes(error: Error): unknown[] {
  if (error instanceof SuppressedError) return [error.error, error.suppressed]
  if (error instanceof AggregateError) return error.errors.slice(0, causesMost)
  return error.cause === undefined ? [] : [error.cause]
}

function frames(error: Error): string[] {
  const stack = error.stack ?? ''
  // The stack begins with the message; a message of several lines must not pass for frames.
  const afterMessage = stack.startsWith(`${error.name}: ${error.message}`)
    ? stack.slice(error.name.length + error.message.length)
    : stack.slice(stack.lastIndexOf(error.message) + error.message.length)
  return afterMessage
    .split('\n')
    .filter(line => /^ {4}at /.test(line))
    .slice(0, framesMost)
    .map(line => line.trim())
}
