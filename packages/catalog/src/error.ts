// Failures of the catalog that a caller can tell apart.

export type CatalogErrorCode =
  | 'taken'
  | 'not_found'
  | 'bad_cursor'
  | 'damaged'
  | 'outdated_schema'
  | 'unavailable'
  /** The database or its role is not one to trust rows to, or it refused a statement. */
  | 'refused'

export class CatalogError extends Error {
  override readonly name = 'CatalogError'
  readonly code: CatalogErrorCode
  /** Whether the same call may succeed later. */
  readonly transient: boolean
  constructor(code: CatalogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.transient = code === 'unavailable'
  }
}
