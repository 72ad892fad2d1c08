// The event of something a person did, or failed at, before or without a decision: signing in, showing a factor, ending.
import { type AuditRecord, newPrivatePart } from '@auricle/audit'
import type { TokenId, UserId } from '@auricle/contract'
import { auditRecord, type EventFacts } from '../audit-record.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'

export interface PersonEvent {
  readonly userId: UserId
  /** The token they act with, or get. */
  readonly tokenId: TokenId | null
  readonly action: EventFacts['action']
  readonly outcome: EventFacts['outcome']
  readonly reasons: readonly string[]
  /** Default: the token, where there is one. */
  readonly object?: EventFacts['object']
  readonly now: Date
}

export function personEvent(
  { tenant, privateParts }: Pick<TenantSecrets, 'tenant' | 'privateParts'>,
  { userId, tokenId, action, outcome, reasons, now, ...event }: PersonEvent,
  { request, ip, userAgent }: Pick<RequestFacts, 'request' | 'ip' | 'userAgent'>,
): Promise<AuditRecord> {
  const object = event.object === undefined ? tokenObject(tokenId) : event.object
  const actor = { type: 'person' as const, userId, tokenId }
  return auditRecord(
    { tenantId: tenant.id, action, outcome, actor, object, reasons, request },
    { part: newPrivatePart({ ip, userAgent }), key: privateParts },
    now,
  )
}

function tokenObject(id: TokenId | null): EventFacts['object'] {
  return id === null ? null : { type: 'token', id, version: null }
}
