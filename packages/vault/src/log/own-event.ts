// Events that the log tells of itself and of its writers: nobody asked for them, and nothing in them is private.
import { type AuditEvent, type AuditRecord, newRecord } from '@auricle/audit'
import { type IdSource, newEventId, type TenantId } from '@auricle/contract'

export interface OwnEvent {
  readonly tenantId: TenantId
  /** Which part of the vault tells it. */
  readonly by: string
  readonly action: AuditEvent['action']
  readonly object?: AuditEvent['object']
  readonly reasons?: readonly string[]
  readonly detail?: AuditEvent['detail']
}

export function ownEvent(
  { tenantId, by, action, object = null, reasons = [], detail }: OwnEvent,
  at: Date,
  source?: IdSource,
): AuditRecord {
  const event: AuditRecord['event'] = {
    v: 1,
    id: newEventId(source),
    tenant: tenantId,
    at: at.toISOString(),
    action,
    outcome: 'allowed',
    actor: { type: 'system', id: by, session: null },
    object,
    reasons: [...reasons],
    ...(detail === undefined ? {} : { detail }),
    request: null,
    private: null,
  }
  return newRecord(event, null)
}
