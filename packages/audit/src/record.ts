// An event on its way into the log: as a use case says it, as its writer has numbered it, as it is stored.
import type { EventId, TenantId } from '@auricle/contract'
import type { AuditEvent } from './event.ts'
import { beginLeaf } from './leaf.ts'

/** What the catalog appends. Its bytes do not exist before its writer has numbered it. */
export interface AuditRecord {
  readonly tenantId: TenantId
  readonly id: EventId
  readonly event: Omit<AuditEvent, 'writer'>
  /** Of its leaf, all but the writer (`beginLeaf`). */
  readonly begunLeaf: string
  /** Salt and private part, sealed; null when the event has none. */
  readonly sealedPrivate: Uint8Array | null
}

/** What the log holds. */
export interface StoredRecord {
  readonly tenantId: TenantId
  readonly id: EventId
  /** The leaf's bytes (`encodeLeaf`). */
  readonly leaf: Uint8Array
  /** Salt and private part, sealed; null when the event has none. */
  readonly sealedPrivate: Uint8Array | null
}

export interface StampedRecord extends StoredRecord {
  /** Told once the database has committed it, and never where that is not known. */
  acknowledge(): void
}

/** Numbers the events of one life of a process, in each tenant by itself (`writer` of `AuditEvent`). */
export interface RecordStamper {
  /**
   * The records in their order, with events of the writer's own before them where a tenant sees it for the first time.
   * To be called just before the statement that stores them, so that numbers are in the order of transactions.
   * Throws `AuditError` where an event cannot be logged, which none that `newRecord` made is.
   */
  stamp(records: readonly AuditRecord[]): readonly StampedRecord[]
}

/**
 * A record of an event that is sure to become a leaf, whoever writes it and when. Throws `AuditError`: `bad_event`,
 * `too_large`.
 */
export function newRecord(event: AuditRecord['event'], sealedPrivate: Uint8Array | null): AuditRecord {
  return { tenantId: event.tenant, id: event.id, event, begunLeaf: beginLeaf(event), sealedPrivate }
}
