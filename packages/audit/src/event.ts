// The public part of an audit event: what becomes a leaf of the log, and therefore may identify no patient.
//
// The schema is the gate: every text in it is an id of ours, a stable word or an opaque token, none of which has
// room for a sentence, a person's name or a telephone number. Whatever else is worth knowing of an event goes
// into its private part.
import { EventId, TenantId } from '@auricle/contract'
import { z } from 'zod'

export const EventAction = z.enum([
  'delivery.received',
  'delivery.refused',
  'recording.archived',
  'recording.quarantined',
  'recording.replicated',
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
  'connector.rotated',
  'connector.disabled',
  'connector.listed',
  'recording.labelled',
  'recording.cut',
  'session.ended',
  'session.verified',
  'session.listed',
  'token.refused',
  'token.listed',
  'people.listed',
  'user.invited',
  'user.joined',
  'user.renamed',
  'user.disabled',
  'user.enabled',
  'user.factors_reset',
  'factor.added',
  'factor.changed',
  'factor.removed',
  'factor.used',
  'role.requested',
  'role.granted',
  'role.refused',
  'role.withdrawn',
  'role.revoked',
  'role.listed',
  'recertification.read',
  'mailbox.released',
  'team.created',
  'team.changed',
  'team.listed',
  'delegation.created',
  'delegation.ended',
  'delegation.listed',
  'break_glass.started',
  'break_glass.ended',
  'break_glass.reviewed',
  'break_glass.listed',
  'emergency_code.issued',
  'emergency_code.revoked',
  'emergency_code.used',
  'alert.raised',
  'alert.acknowledged',
  'alert.listed',
  'provider.created',
  'provider.changed',
  'provider.disabled',
  'provider.listed',
  'issuer.created',
  'issuer.changed',
  'issuer.disabled',
  'issuer.listed',
  'tenant.shown',
  'tenant.changed',
])
export type EventAction = z.infer<typeof EventAction>

const ourId =
  /^(?:ten|con|int|rec|mbx|usr|evt|tok|tea|del|grt|rrq|bgl|alr|idp|iss|psk|inv|emc|att)_[0-7][0-9a-hjkmnp-tv-z]{25}$/
/** Lower-case parts joined by `_`, `-`, `.` or `:`; never more than three digits in a row. */
const stableWord = /^(?!.*\d{4})[a-z][a-z0-9]*(?:[._:-][a-z0-9]+)*$/

const word = z.string().max(64).regex(stableWord, 'expected a stable word')
const id = z.string().regex(ourId, 'expected an id of the vault')
const idOrWord = z
  .string()
  .max(64)
  .refine(text => ourId.test(text) || stableWord.test(text), 'expected an id of the vault or a stable word')
/** A name some program minted (a UUID, a job, a generation): with a letter or long, so never a plain number. */
const opaque = z
  .string()
  .regex(/^(?=.*[A-Za-z]|.{16})[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, 'expected an opaque token')

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
    /** A user's or a connector's id; the name of a part of the vault. */
    id: idOrWord,
    /** The token it acted with. */
    session: id.nullable(),
  }),
  object: z.strictObject({ type: word, id: idOrWord, version: opaque.nullable() }).nullable(),
  /** Why it was allowed or denied, or what failed: stable words, not sentences. */
  reasons: z.array(word).max(8),
  /** The HTTP request or job it belongs to; minted by the vault, never taken from a client. */
  request: opaque.nullable(),
  /** `sha256:` and the lower-case hex of SHA-256(salt || canonical JSON of the private part); null without one. */
  private: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .nullable(),
})
export type AuditEvent = z.infer<typeof AuditEvent>
