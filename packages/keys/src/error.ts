// Failures of a key service that a caller can tell apart.

/**
 * `not_authentic`: the wrap, its `aad` or its key are not what they were; which of these is not said.
 * `unknown_key`: the key, or the version that a wrap names, does not exist here.
 * `bad_passphrase`: none given where one is needed, a wrong one, or one given for keys that have none.
 * `unsafe_file`: others than its owner could have read or changed the keyring.
 * `damaged`: the keyring is not what was written. `unavailable`: it, or the key service, cannot be reached now.
 * `denied`: the identity of this process may not do that. `disabled`: the version that is needed was disabled or
 * destroyed. `corrupted`: what was sent or came back changed on its way, and again when it was repeated; nothing of
 * it was used. `wrong_protection`: the key is held otherwise, or is of another algorithm, than is demanded. `no_event`:
 * a recording was to be opened without a durable event of the log.
 */
export type KeyErrorCode =
  | 'not_authentic'
  | 'unknown_key'
  | 'bad_passphrase'
  | 'unsafe_file'
  | 'damaged'
  | 'unavailable'
  | 'denied'
  | 'disabled'
  | 'corrupted'
  | 'wrong_protection'
  | 'no_event'

/** Messages carry no secrets and no key material; neither do their causes. */
export class KeyError extends Error {
  override readonly name = 'KeyError'
  readonly code: KeyErrorCode
  /** Whether the same call may succeed later. */
  readonly transient: boolean
  constructor(code: KeyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.transient = code === 'unavailable' || code === 'corrupted'
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
