// Failures of a key service that a caller can tell apart.

/**
 * `not_authentic`: the wrap, its `aad` or its key are not what they were; which of these is not said.
 * `unknown_key`: the key, or the version that a wrap names, does not exist here.
 * `bad_passphrase`: none given where one is needed, a wrong one, or one given for keys that have none.
 * `unsafe_file`: others than its owner could have read or changed the keyring.
 * `damaged`: the keyring is not what was written. `unavailable`: it cannot be reached now.
 */
export type KeyErrorCode =
  | 'not_authentic'
  | 'unknown_key'
  | 'bad_passphrase'
  | 'unsafe_file'
  | 'damaged'
  | 'unavailable'

/** Messages carry no secrets and no key material; neither do their causes. */
export class KeyError extends Error {
  override readonly name = 'KeyError'
  readonly code: KeyErrorCode
  /** Whether the same call may succeed later. */
  readonly transient: boolean
  constructor(code: KeyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.transient = code === 'unavailable'
  }
}

/** `unavailable` with its cause; what is a KeyError already stays as it is. */
export function unavailable(error: unknown): KeyError {
  if (error instanceof KeyError) return error
  return new KeyError('unavailable', 'The keyring cannot be used now', { cause: error })
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
