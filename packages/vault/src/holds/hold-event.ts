// The event of a change to a hold: counts and ids in public, the matter and a person's words in its private part.
import { type AuditEvent, type AuditRecord, newPrivatePart, patientsMost } from '@auricle/audit'
import type { HoldId, PatientId } from '@auricle/contract'
import { auditRecord } from '../audit-record.ts'
import type { Authorized } from '../authorize.ts'
import { named } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'

export interface HoldWords {
  readonly matter?: string
  /** What was asked for, as JSON. */
  readonly asked?: string
  readonly reason?: string
}

export interface HoldEventFacts {
  readonly log: AuditEvent['action']
  readonly id: HoldId
  /** Which of the things in it, by id. */
  readonly version?: string
  readonly patients?: readonly PatientId[]
  readonly recordings?: number
}

export function holdEvent(
  facts: RequestFacts,
  { now, secrets, decision }: Pick<Authorized, 'now' | 'secrets' | 'decision'>,
  { log, id, version, patients = [], recordings }: HoldEventFacts,
  { matter, asked, reason }: HoldWords,
): Promise<AuditRecord> {
  const { actor, ip, userAgent, request } = facts
  return auditRecord(
    {
      ...{ tenantId: actor.tenantId, action: log, outcome: 'allowed', actor, request },
      object: named('hold', id, version ?? null),
      reasons: decision.reasons,
      patients: patients.slice(0, patientsMost),
      detail: recordings === undefined ? undefined : { kind: 'covered', count: recordings },
    },
    {
      part: newPrivatePart({ ip, userAgent, what: matter, query: asked, reason }),
      key: secrets.privateParts,
    },
    now,
  )
}
