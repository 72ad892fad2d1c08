// Proof, in types and at run time, that an event of the log is durable: what opens a recording's key asks for one.
import type { AuditRecord } from '@auricle/audit'
import type { EventId, TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'

/** Made by the event log alone (`event-log.ts`), once a sink has acknowledged the event. */
export class DurableEvent {
  readonly #acknowledged = true
  readonly tenantId: TenantId
  readonly eventId: EventId

  constructor(tenantId: TenantId, eventId: EventId) {
    this.tenantId = tenantId
    this.eventId = eventId
  }

  /** Whether it is one, and no object that only looks like it. */
  static is(value: unknown): value is DurableEvent {
    return typeof value === 'object' && value !== null && #acknowledged in value && value.#acknowledged
  }
}

export const isDurable = (value: unknown): value is DurableEvent => DurableEvent.is(value)

/** What a use case knows of the log. */
export interface EventAppender {
  /**
   * Resolves once the event is durable. Throws `VaultError('log_unavailable')` where that could not be had in time:
   * then nothing may leave. Abort means: stop waiting; the event may be there or not.
   */
  append(record: AuditRecord, options: CallOptions): Promise<DurableEvent>
}
