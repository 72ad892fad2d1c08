// What a refusal by Cloud KMS means to a caller. Only codes decide, but for one: a checksum that it found wrong.
import { KeyError, type KeyErrorCode } from '../error.ts'
import { Mismatch } from './checksum.ts'

/** gRPC's codes (grpc/grpc, doc/statuscodes.md), those that are told apart here. */
const status = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

function statusOf(error: unknown): number | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : null
}

export const isNotFound = (error: unknown): boolean => statusOf(error) === status.notFound
export const isDenied = (error: unknown): boolean => statusOf(error) === status.permissionDenied
export const isUnauthenticated = (error: unknown): boolean => statusOf(error) === status.unauthenticated
export const alreadyExists = (error: unknown): boolean => statusOf(error) === status.alreadyExists

/** Refused for what was asked, and not because it changed on its way. */
export const isInvalid = (error: unknown): boolean =>
  statusOf(error) === status.invalidArgument && !isWrongChecksum(error)

/**
 * KMS got other bytes than we sent. It says so with the code of any bad argument; its sentence alone tells, and is
 * believed for nothing but another attempt.
 */
export function isWrongChecksum(error: unknown): boolean {
  if (error instanceof Mismatch) return true
  if (statusOf(error) !== status.invalidArgument || !(error instanceof Error)) return false
  return /crc32c|checksum/i.test(error.message)
}

const passing: ReadonlySet<number | null> = new Set([
  // A call that the service or a proxy ended; one of ours that was aborted is no error to be told.
  status.cancelled,
  status.unknown,
  status.deadlineExceeded,
  status.resourceExhausted,
  status.aborted,
  // What gRPC makes of a stream that broke off.
  status.internal,
  status.unavailable,
])

/** Whether the same call may succeed in a moment. */
export const isPassing = (error: unknown): boolean => passing.has(statusOf(error))

/** How long the service asks to be left alone. Null where it does not say. */
export function retryAfterMs(error: unknown): number | null {
  if (!(error instanceof Error) || !('statusDetails' in error) || !Array.isArray(error.statusDetails))
    return null
  for (const detail of error.statusDetails as unknown[]) {
    if (typeof detail !== 'object' || detail === null || !('retryDelay' in detail)) continue
    const { seconds = 0, nanos = 0 } = (detail.retryDelay ?? {}) as { seconds?: unknown; nanos?: unknown }
    const ms = Number(seconds) * 1000 + Number(nanos) / 1e6
    if (Number.isFinite(ms) && ms >= 0) return ms
  }
  return null
}

const meaning: Readonly<Record<number, readonly [KeyErrorCode, string]>> = {
  [status.notFound]: ['unknown_key', 'There is no such key, or no such version of it'],
  [status.permissionDenied]: ['denied', 'This identity may not do that with this key, or it does not exist'],
  [status.unauthenticated]: ['denied', 'Cloud KMS does not know who calls'],
  [status.failedPrecondition]: ['disabled', 'This version of the key is disabled, destroyed or not ready'],
}

/** What the caller sees. Neither the sentence of the service nor the request is in it. */
export function keyErrorOf(error: unknown, what: string): KeyError {
  if (error instanceof KeyError) return error
  if (isWrongChecksum(error)) {
    return new KeyError('corrupted', `Bytes changed between here and Cloud KMS, twice (${what})`, {
      cause: error,
    })
  }
  const [code, sentence] = meaning[statusOf(error) ?? 0] ?? ['unavailable', 'Cloud KMS cannot be used now']
  return new KeyError(code, `${sentence} (${what})`, { cause: error })
}
