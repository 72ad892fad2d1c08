// Failures of an object store that a caller can tell apart.

export type ObjectErrorCode =
  | 'bad_key'
  | 'bad_range'
  | 'bad_metadata'
  | 'not_found'
  | 'retained'
  | 'held'
  | 'locked'
  | 'denied'
  | 'damaged'
  | 'unavailable'

export class ObjectError extends Error {
  override readonly name = 'ObjectError'
  readonly code: ObjectErrorCode
  /** Whether the same call may succeed later. */
  readonly transient: boolean
  constructor(code: ObjectErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.transient = code === 'unavailable'
  }
}
