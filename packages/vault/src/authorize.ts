// Deciding before a change, and the event that commits with it: a refusal is logged by itself, a change never without.
import { type AuditEvent, type AuditRecord, newPrivatePart } from '@auricle/audit'
import type { Action, Decide, Decision, Resource } from '@auricle/identity'
import type { CallOptions } from '@auricle/sealed'
import { appendAccess } from './access-event.ts'
import { auditRecord, type EventFacts } from './audit-record.ts'
import { refusalOf } from './error.ts'
import type { EventAppender } from './log/durable-event.ts'
import type { RequestFacts } from './request-facts.ts'
import type { TenantSecrets, TenantSecretsCache } from './tenant-secrets.ts'

export interface AuthorizeParts {
  readonly log: EventAppender
  readonly secrets: TenantSecretsCache
  readonly decide: Decide
  readonly now?: () => Date
}

/** What is decided, on what, and how the log names both. */
export interface Asked {
  readonly action: Action
  /** Default: the tenant of the one who asks. */
  readonly resource?: Resource
  readonly log: AuditEvent['action']
  readonly object: AuditEvent['object']
}

/** A yes: what its change needs. */
export interface Authorized {
  readonly now: Date
  readonly secrets: TenantSecrets
  readonly decision: Decision
  /** The event of what is done now, to be committed with it; `reasons` come before those of the decision. */
  record(
    object?: AuditEvent['object'],
    reasons?: readonly string[],
    about?: Pick<EventFacts, 'patients' | 'detail'>,
  ): Promise<AuditRecord>
}

/** Decides what somebody does to what is their own; a refusal is in the log before it is thrown. */
export async function authorizeSelf(
  parts: AuthorizeParts,
  facts: RequestFacts,
  action: Action,
  options: CallOptions,
): Promise<void> {
  const { actor, purposeOfUse } = facts
  const { tenantId, tokenId } = actor
  const now = parts.now?.() ?? new Date()
  const decision = parts.decide(actor, action, { type: 'tenant', tenantId }, { now, purpose: purposeOfUse })
  if (decision.allowed) return
  const secrets = await parts.secrets.get(tenantId, options)
  const object = { type: 'token', id: tokenId, version: null }
  await appendAccess({ log: parts.log, secrets }, facts, 'token.refused', object, decision, options)
  throw refusalOf(decision)
}

/** Throws `denied`, `step_up_required`, `purpose_required`, each in the log before it is thrown. */
export async function authorize(
  parts: AuthorizeParts,
  facts: RequestFacts,
  { action, resource, log, object }: Asked,
  options: CallOptions,
): Promise<Authorized> {
  const { actor, ip, userAgent, request, purposeOfUse } = facts
  const { tenantId } = actor
  const now = parts.now?.() ?? new Date()
  const secrets = await parts.secrets.get(tenantId, options)
  const on = resource ?? ({ type: 'tenant', tenantId } as const)
  const decision = parts.decide(actor, action, on, { now, purpose: purposeOfUse })
  if (!decision.allowed) {
    await appendAccess({ log: parts.log, secrets }, facts, log, object, decision, options)
    throw refusalOf(decision)
  }
  return {
    now,
    secrets,
    decision,
    record: (changed = object, reasons = [], about = {}) =>
      auditRecord(
        {
          ...about,
          tenantId,
          action: log,
          outcome: 'allowed',
          actor,
          object: changed,
          reasons: [...reasons, ...decision.reasons],
          request,
        },
        { part: newPrivatePart({ ip, userAgent }), key: secrets.privateParts },
        now,
      ),
  }
}
