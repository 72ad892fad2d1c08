// A reading of the log: decided first, and in the log itself, durably, before anything of it is shown.
import {
  type AuditEvent,
  type AuditRecord,
  type EventDetail,
  newPrivatePart,
  type PrivateFacts,
} from '@auricle/audit'
import type { Catalog } from '@auricle/catalog'
import { type EventId, PatientId, type TenantId } from '@auricle/contract'
import type { Action, Decision } from '@auricle/identity'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import type { AuthorizeParts } from '../authorize.ts'
import { refusalOf, VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'
import type { OnFinding } from './sealed-event.ts'

export interface ReadingParts extends AuthorizeParts {
  readonly catalog: Pick<Catalog, 'findPatient' | 'findPatientReference' | 'listUsers'>
  readonly onFinding?: OnFinding
}

/** What somebody wants to read, and how the log says so. */
export interface Wanted {
  readonly action: Action
  readonly log: AuditEvent['action']
  readonly object: AuditEvent['object']
  /** As it was asked for; into the private part, since it may name a patient. */
  readonly query: unknown
}

/** What of it is found: known before it is logged, shown after. */
export interface Found {
  readonly patients?: readonly PatientId[]
  readonly detail?: EventDetail
  readonly reasons?: readonly string[]
}

export interface Reading {
  readonly now: Date
  readonly tenantId: TenantId
  readonly secrets: TenantSecrets
  /** Logs what is about to be shown. */
  note(found?: Found): Promise<EventId>
  /** Logs that it is not there, and throws `not_found`. */
  miss(sentence: string): Promise<never>
}

/** Throws `denied`, `step_up_required`: in the log before it is thrown. */
export async function beginReading(
  parts: ReadingParts,
  facts: RequestFacts,
  { action, log, object, query }: Wanted,
  options: CallOptions,
): Promise<Reading> {
  const { actor, ip, userAgent, request, purposeOfUse } = facts
  const { tenantId } = actor
  const now = parts.now?.() ?? new Date()
  const secrets = await parts.secrets.get(tenantId, options)
  const circumstances = { now, purpose: purposeOfUse }
  const decision = parts.decide(actor, action, { type: 'tenant', tenantId }, circumstances)
  const secret: PrivateFacts = { ip, userAgent, query: query === null ? null : JSON.stringify(query) }
  const append = async ({ allowed, reasons }: Decision, { patients, detail }: Found): Promise<EventId> => {
    const record = await auditRecord(
      {
        ...{ tenantId, action: log, outcome: allowed ? 'allowed' : 'denied', actor, object },
        ...{ reasons, patients, detail, request },
      },
      { part: newPrivatePart(secret), key: secrets.privateParts },
      now,
    )
    const { eventId } = await parts.log.append(record, options)
    return eventId
  }
  if (!decision.allowed) {
    await append(decision, {})
    throw refusalOf(decision)
  }
  return {
    ...{ now, tenantId, secrets },
    note: (found = {}) =>
      append({ ...decision, reasons: [...(found.reasons ?? []), ...decision.reasons] }, found),
    async miss(sentence) {
      await append({ allowed: false, reasons: ['not_found'] }, {})
      throw new VaultError('not_found', sentence)
    },
  }
}

/** The patient of a reference, or of their name in the log; null where the tenant knows none. */
export async function patientNamed(
  { catalog }: { readonly catalog: Pick<Catalog, 'findPatient' | 'findPatientReference'> },
  { tenantId, secrets }: Pick<Reading, 'tenantId' | 'secrets'>,
  text: string,
  options: CallOptions,
): Promise<PatientId | null> {
  const id = PatientId.safeParse(text)
  if (!id.success) return catalog.findPatient(tenantId, text, secrets.columns, options)
  const reference = await catalog.findPatientReference(tenantId, id.data, secrets.columns, options)
  return reference === null ? null : id.data
}

/** The event of a change, with a person's own words in the private part. */
export function wordedEvent(
  facts: RequestFacts,
  secrets: TenantSecrets,
  event: Pick<Parameters<typeof auditRecord>[0], 'action' | 'object' | 'reasons' | 'patients' | 'detail'>,
  reason: string | null,
  now: Date,
): Promise<AuditRecord> {
  const { actor, ip, userAgent, request } = facts
  return auditRecord(
    { ...event, tenantId: actor.tenantId, outcome: 'allowed', actor, request },
    { part: newPrivatePart({ ip, userAgent, reason }), key: secrets.privateParts },
    now,
  )
}
