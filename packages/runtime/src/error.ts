// Why a process cannot run here, as far as a caller or a person can act on it.

export type RuntimeErrorCode =
  | 'bad_config'
  | 'folder_in_use'
  | 'folder_unusable'
  | 'keyring_lost'
  /** What the configuration names is not as the laws of the vault need it. */
  | 'unfit'
  | 'address_in_use'
  | 'address_unusable'

/** Its message is a sentence for the person who started the process and may name folders, ports and settings. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError'
  readonly code: RuntimeErrorCode
  constructor(code: RuntimeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
