// An event ready to be stored: what the catalog appends.
import type { EventId, TenantId } from '@auricle/contract'

export interface AuditRecord {
  readonly tenantId: TenantId
  readonly id: EventId
  /** The leaf's bytes (`encodeLeaf`). */
  readonly leaf: Uint8Array
  /** Salt and private part, sealed; null when the event has none. */
  readonly sealedPrivate: Uint8Array | null
}
