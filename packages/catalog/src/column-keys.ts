// A tenant's keys for sealed columns and blind indexes. Opaque outside the catalog.
import type { KeyObject } from 'node:crypto'

export interface ColumnKeys {
  readonly sealing: KeyObject
  readonly indexing: KeyObject
}
