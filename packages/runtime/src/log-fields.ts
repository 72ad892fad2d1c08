// What a log line may carry: the listed names, each with values of its shape. Everything else is left out, so that a
// phone number can only reach the log by somebody adding a field for it here.

const id = /^[a-z]{3}_[0-9a-z]{26}$/
const word = /^[A-Za-z0-9_.-]{1,64}$/
const handle = /^[\w.-]{1,128}$/
const route = /^\/[\w/:.{}*-]{0,127}$/
const address = /^[\w.:[\]-]{1,64}$/
const part = /^[a-z ]{1,64}$/
const anyText = /^[^\n\r]{0,1024}$/

const texts = {
  tenantId: id,
  connectorId: id,
  intakeId: id,
  recordingId: id,
  mailboxId: id,
  userId: id,
  eventId: id,
  tokenId: id,
  alertId: id,
  runId: id,
  certificateId: id,
  driftRunId: id,
  requestId: handle,
  jobId: handle,
  service: word,
  code: word,
  event: word,
  kind: word,
  outcome: word,
  state: word,
  signal: word,
  method: word,
  version: word,
  route,
  host: address,
  /** A folder or file of the operator's, never one that is named after a recording. */
  path: anyText,
  /** A signed note in base64, of ids, a hash and a time. */
  receipt: /^[A-Za-z0-9+/=]{1,1024}$/,
  part,
  /** The sentence of a `Finding`: written in our code, about the deployment and never about a recording. */
  found: anyText,
} as const

const numbers = [
  'status',
  'port',
  'pid',
  'durationMs',
  'bytes',
  'count',
  'mended',
  'recordings',
  'attempts',
  'concurrency',
  'waiting',
  'active',
  'delayed',
  'failed',
  'seq',
  'year',
] as const

export type LogFields = { readonly [name in keyof typeof texts]?: string | null | undefined } & {
  readonly [name in (typeof numbers)[number]]?: number | null | undefined
} & {
  /** Anything that was thrown; logged as `describeError` gives it. */
  readonly error?: unknown
}

/** The part of `fields` that may be logged. Names what it left out, in `leftOut`. */
export function permit(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const permitted: Record<string, unknown> = {}
  const leftOut: string[] = []
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || name === 'error') continue
    if (value === null || isPermitted(name, value)) permitted[name] = value
    else leftOut.push(word.test(name) ? name : '?')
  }
  return leftOut.length === 0 ? permitted : { ...permitted, leftOut }
}

function isPermitted(name: string, value: unknown): boolean {
  if (typeof value === 'number') return (numbers as readonly string[]).includes(name)
  const shape = Object.hasOwn(texts, name) ? texts[name as keyof typeof texts] : undefined
  return typeof value === 'string' && shape !== undefined && shape.test(value)
}
