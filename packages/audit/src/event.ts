// One entry of the audit log: the public part that becomes a leaf, and the part that may identify somebody.
import { EventId, TenantId } from '@auricle/contract'
import { z } from 'zod'

export const EventAction = z.enum([
  'delivery.received',
  'delivery.refused',
  'recording.archived',
  'recording.quarantined',
  'recording.listed',
  'recording.shown',
  'recording.played',
  'recording.exported',
  'recording.marked',
  'vault.verified',
  'session.opened',
  'session.refused',
  'token.issued',
  'token.revoked',
  'tenant.created',
  'user.created',
  'mailbox.created',
  'mailbox.assigned',
  'connector.created',
])
export type EventAction = z.infer<typeof EventAction>

const name = z.string().min(1).max(128)

/** Holds ids, roles, times and reasons only: no number, name, address or free text. */
export const AuditEvent = z.strictObject({
  v: z.literal(1),
  id: EventId,
  tenant: TenantId,
  /** RFC 3339 UTC with milliseconds. */
  at: z.iso.datetime({ precision: 3 }),
  action: EventAction,
  outcome: z.enum(['allowed', 'denied', 'failed']),
  actor: z.strictObject({
    type: z.enum(['user', 'connector', 'system']),
    id: name,
    session: name.nullable(),
  }),
  object: z.strictObject({ type: name, id: name, version: name.nullable() }).nullable(),
  /** Why it was allowed or denied, or what failed: stable words, not sentences. */
  reasons: z.array(name).max(8),
  /** The HTTP request or job it belongs to. */
  request: name.nullable(),
  /** `sha256:` and the lower-case hex of SHA-256(salt || canonical JSON of the private part); null without one. */
  private: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .nullable(),
})
export type AuditEvent = z.infer<typeof AuditEvent>
