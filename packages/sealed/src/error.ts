// Every way in which sealing or opening can refuse, as a closed union of codes.

/**
 * `not_authentic`: a key, tag, hash or length does not hold; deliberately one code for all of them, the detail
 * is in `cause`. `malformed`: the bytes do not begin with a sealed object's prefix. `unknown_version`: they say
 * they are of a version or suite that this program does not know. `wrong_context`: an object of another tenant,
 * recording or role. `bad_range`: the range lies outside the plaintext. `too_large`: more segments than a
 * stream may have. `misuse`: the caller's mistake (an option out of its limits, an object used after its end).
 */
export type SealedErrorCode =
  | 'not_authentic'
  | 'malformed'
  | 'unknown_version'
  | 'wrong_context'
  | 'bad_range'
  | 'too_large'
  | 'misuse'

export class SealedError extends Error {
  override readonly name = 'SealedError'
  readonly code: SealedErrorCode
  /** Trying again does not help; failures of the key service and of the source pass through as they are. */
  readonly transient = false

  constructor(code: SealedErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** The one face of every authentication failure. `detail` is for logs: it becomes the cause. */
export function notAuthentic(detail: unknown): SealedError {
  const cause = typeof detail === 'string' ? new Error(detail) : detail
  return new SealedError('not_authentic', 'The sealed object is not authentic', cause)
}

export function malformed(detail: string, cause?: unknown): SealedError {
  return new SealedError('malformed', `Not a sealed object: ${detail}`, cause)
}

export function misuse(detail: string, cause?: unknown): SealedError {
  return new SealedError('misuse', detail, cause)
}

/** What `parse` gives; where it refuses, the caller's arguments are at fault. */
export function asMisuse<Result>(message: string, parse: () => Result): Result {
  try {
    return parse()
  } catch (cause) {
    throw misuse(message, cause)
  }
}
