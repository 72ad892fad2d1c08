// The public part of an audit event: what becomes a leaf of the log, and therefore may identify no patient.
//
// The schema is the gate: every text in it is an id of ours, a stable word or an opaque token, none of which has
// room for a sentence, a person's name or a telephone number. Whatever else is worth knowing of an event goes
// into its private part.
import { EventId, PatientId, Purpose, TenantId, WriterId } from '@auricle/contract'
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
  // A playback has ended: what of it was really sent. Its beginning is `recording.played`, `exported` or `shown`.
  'recording.served',
  // A key is about to be used for something that no other event announces.
  'key.used',
  'log.opened',
  'log.checkpoint',
  'log.reconciled',
  'log.degraded',
  'log.restored',
  'log.searched',
  'log.shown',
  'log.proved',
  'log.followed',
  'log.exported',
  'private_part.dropped',
  'writer.started',
  'writer.heartbeat',
  'writer.stopped',
  'report.access',
  'report.disclosures',
  'disclosure.recorded',
  'disclosure.listed',
  'disclosure.suspended',
  'disclosure.resumed',
  'review.opened',
  'review.listed',
  'review.signed',
  // Rules of keeping, and what they count from.
  'retention.rule_proposed',
  'retention.rule_approved',
  'retention.rule_withdrawn',
  'retention.listed',
  'retention.previewed',
  'retention.shown',
  'retention.settings_changed',
  // A version of a rule came into force and recordings were decided anew.
  'retention.applied',
  'retention.event_recorded',
  'retention.event_withdrawn',
  'retention.birth_date_recorded',
  'record_set.decided',
  'record_set.listed',
  // Legal holds.
  'hold.placed',
  'hold.extended',
  'hold.released',
  'hold.cover_released',
  'hold.acknowledged',
  'hold.listed',
  // The end of recordings.
  'disposition.proposed',
  'disposition.reviewed',
  'disposition.cancelled',
  'disposition.stopped',
  'disposition.listed',
  'recording.destroying',
  'recording.disposed',
  'certificate.issued',
  'certificate.shown',
  // What the stores keep: brought to what was decided, for less where an operator says so, found different, refused.
  'store.followed',
  'store.shortened',
  'store.drifted',
  'store.refused',
  'report.retention',
  'report.scheduled',
  'report.unscheduled',
  'report.sent',
  'report.listed',
  // Of what is still to be built: restores.
  'recording.restored',
])
export type EventAction = z.infer<typeof EventAction>

const ourId =
  /^(?:ten|con|int|rec|mbx|usr|evt|tok|tea|del|grt|rrq|bgl|alr|idp|iss|psk|inv|emc|att|pat|dis|sus|rvw|wri|lgk|rul|rev|rsd|hld|dsp|crt|dri|sch|run)_[0-7][0-9a-hjkmnp-tv-z]{25}$/
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

const sequence = z.int().min(0)
/** Base64 of a SHA-256. */
const hash = z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'expected a hash in base64')
/** Origin of a log (C2SP tlog-checkpoint): a host and a path, no spaces, no plus sign. */
const origin = z
  .string()
  .max(255)
  .regex(/^[a-z0-9][a-z0-9.-]*(?:\/[A-Za-z0-9_.-]+)+$/, 'expected the origin of a log')
/** A verifier key of a signed note (C2SP signed-note). */
const verifierKey = z
  .string()
  .max(512)
  .regex(/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/, 'expected a verifier key')
/** First and last of consecutive numbers. */
const span = z.tuple([sequence, sequence]).refine(([first, last]) => first <= last, 'expected first <= last')
const root = z.strictObject({ origin, size: sequence, root: hash })
/** Most spans of one event, which bounds its bytes. */
const spansMost = 128

/** What kinds of events say beyond who, what and when. */
export const EventDetail = z.discriminatedUnion('kind', [
  /** Of `recording.served`: the ranges of bytes sent, each once, and the time of the sound that lies in them. */
  z.strictObject({
    kind: z.literal('served'),
    intent: EventId,
    bytes: sequence,
    ranges: z.array(span).max(spansMost),
    /** Null where the object's duration is not known, or it is no sound. */
    milliseconds: sequence.nullable(),
    complete: z.boolean(),
  }),
  /** Of `writer.started`: under which key its receipts are signed. */
  z.strictObject({ kind: z.literal('started'), receiptKey: verifierKey.nullable() }),
  /**
   * Of `writer.heartbeat` and `writer.stopped`: which numbers, since the beat before, stand for events that were
   * acknowledged as durable. A number that no beat names is of an event that may be there or not.
   */
  z.strictObject({
    kind: z.literal('beat'),
    beat: sequence,
    acknowledged: z.array(span).max(spansMost),
  }),
  /** Of `log.opened`, the first leaf of a log: what the log of the year before ended with. */
  z.strictObject({
    kind: z.literal('opened'),
    previous: root.nullable(),
    keys: z.array(verifierKey).max(16),
  }),
  /** Of `log.checkpoint`. */
  z.strictObject({ kind: z.literal('checkpoint'), of: root }),
  /** Of `log.reconciled`: events that write-once storage took in while the database could not. */
  z.strictObject({ kind: z.literal('reconciled'), events: z.array(EventId).max(spansMost) }),
  /** Of `recording.exported`, `disclosure.recorded`. */
  z.strictObject({
    kind: z.literal('disclosed'),
    accountable: z.boolean(),
    recipientKind: word,
  }),
  /** Of `hold.placed`, `hold.extended`: how many recordings came under it. */
  z.strictObject({ kind: z.literal('covered'), count: sequence }),
  /** Of `recording.destroying`, `recording.disposed`: by which version of which rule, in which disposition. */
  z.strictObject({
    kind: z.literal('disposal'),
    disposition: id,
    rule: id,
    version: sequence,
    objects: sequence,
    bytes: sequence,
    /** Of `recording.disposed`: what its certificate says, by its hash. */
    claims: hash.optional(),
  }),
  /** Of what concerns one version of a rule. */
  z.strictObject({ kind: z.literal('version'), version: sequence }),
  /** Of what reads many: how many it gave. */
  z.strictObject({ kind: z.literal('found'), count: sequence }),
])
export type EventDetail = z.infer<typeof EventDetail>

/** Most patients that one event is about: a page of a list. */
export const patientsMost = 200

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
  /** Why a recording is heard, as was said. Absent where it was not asked. */
  purpose: Purpose.optional(),
  /** Whom it is about, by random names. Absent where nobody. */
  patients: z.array(PatientId).min(1).max(patientsMost).optional(),
  detail: EventDetail.optional(),
  /**
   * Which process wrote it (`writer` is one of its lives), and the how-manieth event of that life in this tenant. Absent
   * only in what was written before writers counted.
   */
  writer: z.strictObject({ id: WriterId, name: word, n: sequence }).optional(),
  /** The HTTP request or job it belongs to; minted by the vault, never taken from a client. */
  request: opaque.nullable(),
  /** `sha256:` and the lower-case hex of SHA-256(salt || canonical JSON of the private part); null without one. */
  private: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .nullable(),
})
export type AuditEvent = z.infer<typeof AuditEvent>
