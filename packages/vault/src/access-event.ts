// The access event of a person's request: appended, and durable, before anything is shown.
import { type AuditEvent, type EventDetail, newPrivatePart } from '@auricle/audit'
import type { PatientId } from '@auricle/contract'
import type { Decision } from '@auricle/identity'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from './audit-record.ts'
import { refusalOf } from './error.ts'
import type { DurableEvent, EventAppender } from './log/durable-event.ts'
import type { RequestFacts } from './request-facts.ts'
import type { TenantSecrets } from './tenant-secrets.ts'

/** Of an access event that is durable: what reads audio asks for one. */
export interface AccessReceipt {
  readonly event: DurableEvent
}

/** A request, and what it is about. */
export interface AccessFacts extends RequestFacts {
  /** The telephone number it searched for, if it did: kept in the private part. */
  readonly number?: string | undefined
  readonly patients?: readonly PatientId[] | undefined
  readonly detail?: EventDetail | undefined
}

export async function appendAccess(
  parts: { readonly log: EventAppender; readonly secrets: TenantSecrets },
  facts: AccessFacts,
  action: AuditEvent['action'],
  object: AuditEvent['object'],
  decision: Decision,
  options: CallOptions,
): Promise<AccessReceipt> {
  const { ip, userAgent, actor, request, number, purposeOfUse: purpose, patients, detail } = facts
  const record = await auditRecord(
    {
      tenantId: actor.tenantId,
      action,
      outcome: decision.allowed ? 'allowed' : 'denied',
      actor,
      object,
      reasons: decision.reasons,
      purpose,
      patients,
      detail,
      request,
    },
    { part: newPrivatePart({ ip, userAgent, number }), key: parts.secrets.privateParts },
  )
  return { event: await parts.log.append(record, options) }
}

/** Logs the decision, whichever it is, and throws where it was a refusal. */
export async function appendOrRefuse(
  ...[parts, facts, action, object, decision, options]: Parameters<typeof appendAccess>
): Promise<AccessReceipt> {
  const receipt = await appendAccess(parts, facts, action, object, decision, options)
  if (!decision.allowed) throw refusalOf(decision)
  return receipt
}
