// What a refusal of Cloud Storage, or no answer at all, means: one table for every call.
import { ObjectError } from '../error.ts'

const word = /^[A-Za-z]{1,64}$/

/**
 * Of one request. Says nothing of addresses, which in an upload are a right to write, nor of tokens; what the service
 * said stands apart from the message, which may be logged.
 */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure'
  /** Null: there was no answer, so nobody knows whether it took effect. */
  readonly status: number | null
  readonly reason: string
  /** The service's own sentence, or ours where there was no answer. */
  readonly said: string
  readonly retryAfterMs: number | null
  constructor(failure: {
    readonly status: number | null
    readonly reason: string
    readonly message: string
    readonly retryAfterMs?: number | null
  }) {
    super(
      failure.status === null
        ? failure.message
        : `Cloud Storage answered ${failure.status}${word.test(failure.reason) ? ` ${failure.reason}` : ''}`,
    )
    this.said = failure.message
    this.status = failure.status
    this.reason = failure.reason
    this.retryAfterMs = failure.retryAfterMs ?? null
  }
}

export type Meaning =
  /** The same request may be answered otherwise in a moment. */
  | 'again'
  | 'absent'
  | 'no_bucket'
  /** A precondition does not hold. */
  | 'condition'
  /** An upload that went in parts can only be begun anew. */
  | 'session_over'
  | 'range'
  | 'held'
  | 'retained'
  | 'denied'
  /** The bytes that arrived are not those of the checksum that came with them. */
  | 'checksum'
  | 'refused'

interface Row {
  readonly status: readonly (number | null)[]
  readonly reason?: RegExp
  readonly message?: RegExp
  readonly meaning: Meaning
}

/**
 * The first row that fits decides. Messages are asked only where the service gives one reason for two things: a hold
 * is refused as `forbidden` just as a right that is missing, and a bucket that is gone as `notFound` like an object.
 */
const table: readonly Row[] = [
  { status: [null, 408, 429, 500, 502, 503, 504], meaning: 'again' },
  { status: [403], reason: /^(?:userR|r)ateLimitExceeded$/, meaning: 'again' },
  { status: [403], reason: /^objectUnderActiveHold$/i, meaning: 'held' },
  { status: [403], message: /is under active .* hold/, meaning: 'held' },
  { status: [403], reason: /^retentionPolicyNotMet$/i, meaning: 'retained' },
  { status: [401, 403], meaning: 'denied' },
  { status: [404], message: /bucket does not exist/i, meaning: 'no_bucket' },
  { status: [404], message: /^no such object/i, meaning: 'absent' },
  { status: [404], reason: /^notFound$/, message: /object|^not found$/i, meaning: 'absent' },
  { status: [412], meaning: 'condition' },
  { status: [410], meaning: 'session_over' },
  { status: [416], meaning: 'range' },
  { status: [400], message: /crc32c/i, meaning: 'checksum' },
]

export function meaningOf(error: unknown): Meaning | null {
  if (!(error instanceof ApiFailure)) return null
  const { status, reason, said } = error
  const found = table.find(
    row =>
      row.status.includes(status) && (row.reason?.test(reason) ?? true) && (row.message?.test(said) ?? true),
  )
  return found?.meaning ?? 'refused'
}

const sentences: Readonly<Record<Meaning, readonly [ObjectError['code'], string]>> = {
  again: ['unavailable', 'Google Cloud Storage cannot be reached, or does not answer in time'],
  absent: ['not_found', 'There is no such object'],
  no_bucket: ['unavailable', 'The bucket is not there'],
  condition: ['unavailable', 'The object changed meanwhile'],
  session_over: ['unavailable', 'The upload was over before it was whole'],
  range: ['bad_range', 'The range does not lie within the object'],
  held: ['held', 'A hold keeps the object'],
  retained: ['retained', 'The object is kept until its retention ends'],
  denied: ['denied', 'This identity may not do that in the bucket'],
  checksum: ['unavailable', 'The bytes were damaged on their way, so nothing was stored'],
  refused: ['denied', 'Google Cloud Storage refused the request'],
}

/** For the caller of the store; what is no failure of a request stays as it is. */
export function objectError(error: unknown): unknown {
  const meaning = meaningOf(error)
  if (meaning === null) return error
  const [code, sentence] = sentences[meaning]
  return new ObjectError(code, sentence, { cause: error })
}
