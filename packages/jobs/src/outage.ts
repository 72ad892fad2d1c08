// How BullMQ is told that what a queue lives in is away, and how that is reported: once for each outage.
import { JobError } from './error.ts'

/** What BullMQ takes for a lost connection, which it waits out; anything else it reports and tries again at once. */
export const closedMessage = 'Connection is closed.'

/** A missing right or a full disk stays for a while, and BullMQ would try again at once, for ever. */
export const errorPauseMs = 500

export interface OutageWatch {
  /** Called once when the store goes away. */
  readonly lost: (error: JobError) => void
  /** Called once when it answers again. */
  readonly back: () => void
}

export interface Outages {
  /** A call was answered. */
  answered(): void
  /** A call failed: what BullMQ is to be told of it, the error itself where it is no outage. */
  failed(error: unknown): unknown
  /** We are closing: what breaks from now on is our own doing. */
  end(): void
}

export function createOutages(isOutage: (error: unknown) => boolean, watch: OutageWatch): Outages {
  let isAway = false
  let isEnding = false
  return {
    answered() {
      if (isAway && !isEnding) watch.back()
      isAway = false
    },
    failed(error) {
      if (!isOutage(error)) return error
      if (!isAway && !isEnding) {
        watch.lost(new JobError('unavailable', 'The queue lost the server that holds it', { cause: error }))
      }
      isAway = true
      return new Error(closedMessage, { cause: error })
    },
    end() {
      isEnding = true
    },
  }
}

/** The socket or the name (Node). */
const socketCodes: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['ENOTFOUND', 'EAI_AGAIN'],
])

export function isSocketOutage(error: Error): boolean {
  return codeOf(error) !== null && socketCodes.has(String(codeOf(error)))
}

export function codeOf(error: Error): string | null {
  return 'code' in error && typeof error.code === 'string' ? error.code : null
}
