// Who changes a tenant's providers and issuers: a person who is asked whether they may, or the operator at the console.
import type { AuditEvent, AuditRecord } from '@auricle/audit'
import type { TenantId } from '@auricle/contract'
import type { Action } from '@auricle/identity'
import type { CallOptions } from '@auricle/sealed'
import type { EventFacts } from '../audit-record.ts'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'
import { operatorEvent } from '../token.ts'

export type Administrator =
  | { readonly type: 'person'; readonly facts: RequestFacts }
  | { readonly type: 'operator'; readonly tenantId: TenantId }

export interface Administering {
  readonly tenantId: TenantId
  readonly now: Date
  readonly secrets: TenantSecrets
  /** The event of what is done, to be committed with it. */
  record(object: { readonly type: string; readonly id: string }): Promise<AuditRecord>
  /** Who does it, and with which request; at the console with none. */
  readonly cause: Pick<EventFacts, 'actor' | 'request'>
}

/** Throws as `authorize` does. */
export async function administer(
  parts: AuthorizeParts,
  who: Administrator,
  asked: {
    readonly action: Action
    readonly log: AuditEvent['action']
    readonly object: AuditEvent['object']
  },
  options: CallOptions,
): Promise<Administering> {
  if (who.type === 'operator') {
    const { tenantId } = who
    return {
      tenantId,
      now: parts.now?.() ?? new Date(),
      secrets: await parts.secrets.get(tenantId, options),
      record: object => operatorEvent(tenantId, asked.log, object),
      cause: { actor: { type: 'system', name: 'operator' }, request: null },
    }
  }
  const { now, secrets, record } = await authorize(parts, who.facts, asked, options)
  const { tenantId } = who.facts.actor
  return { tenantId, now, secrets, record: object => record({ ...object, version: null }), cause: who.facts }
}
