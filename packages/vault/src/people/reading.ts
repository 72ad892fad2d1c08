// Reading what a role allows, and refusing what a decision could not know: each in the log before anything is shown.
import type { AuditEvent } from '@auricle/audit'
import type { CallOptions } from '@auricle/sealed'
import { appendAccess, appendOrRefuse } from '../access-event.ts'
import type { Asked, AuthorizeParts } from '../authorize.ts'
import { refusalOf, VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'

/** Decides, logs the decision whichever it is, and throws where it was a refusal. */
export async function authorizeReading(
  parts: AuthorizeParts,
  facts: RequestFacts,
  { action, resource, log, object }: Asked,
  options: CallOptions,
): Promise<{ readonly now: Date; readonly secrets: TenantSecrets }> {
  const { actor, purposeOfUse } = facts
  const now = parts.now?.() ?? new Date()
  const secrets = await parts.secrets.get(actor.tenantId, options)
  const on = resource ?? ({ type: 'tenant', tenantId: actor.tenantId } as const)
  const decision = parts.decide(actor, action, on, { now, purpose: purposeOfUse })
  await appendOrRefuse({ ...parts, secrets }, facts, log, object, decision, options)
  return { now, secrets }
}

interface Refused {
  readonly log: AuditEvent['action']
  readonly object: AuditEvent['object']
  readonly reason: string
  /** What it is to the one who asked, where it is not simply forbidden. */
  readonly conflict?: string
}

/** Logs and throws what was allowed by role and still may not be. */
export async function refuse(
  parts: AuthorizeParts,
  facts: RequestFacts,
  { log, object, reason, conflict }: Refused,
  options: CallOptions,
): Promise<never> {
  const secrets = await parts.secrets.get(facts.actor.tenantId, options)
  const decision = { allowed: false, reasons: [reason] }
  await appendAccess({ log: parts.log, secrets }, facts, log, object, decision, options)
  throw conflict === undefined ? refusalOf(decision) : new VaultError('conflict', conflict)
}

/** How the log names somebody or something. */
export const named = (type: string, id: string, version: string | null = null) => ({ type, id, version })
