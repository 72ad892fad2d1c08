// Rules of keeping as people propose, approve and read them; what rules count from; the settings beside them.
import { z } from 'zod'
import { TimeZone } from './activity-review.ts'
import { PatientText } from './disclosure.ts'
import {
  MailboxId,
  PatientId,
  RecordingId,
  RecordSetDecisionId,
  RetentionEventId,
  RuleId,
  UserId,
} from './ids.ts'
import { RecordSet, RetentionEventKind, RuleDefinition, RuleEffect } from './retention.ts'

const nameMost = 100
const textMost = 1000
const limitDefault = 50
const limitMost = 200

const limit = z.coerce.number().int().min(1).max(limitMost).default(limitDefault)
const cursor = z.string().max(256).optional()
const time = z.iso.datetime()
const text = (most: number) => z.string().trim().min(1).max(most)

// --- rules ---

/** Of a rule: not of a person, and therefore in clear. */
const RuleName = text(nameMost)

/** Not known before it is approved where it shortens; for all else, now or then. */
const effectiveFrom = time.nullable().default(null)

export const NewRule = z.strictObject({ name: RuleName, definition: RuleDefinition, effectiveFrom })
export type NewRule = z.infer<typeof NewRule>

/** Without a definition, the rule ends. */
export const NewRuleVersion = z.strictObject({ definition: RuleDefinition.nullable(), effectiveFrom })
export type NewRuleVersion = z.infer<typeof NewRuleVersion>

/** Without a time: as soon as may be. */
export const RuleApproval = z.strictObject({ effectiveFrom })
export type RuleApproval = z.infer<typeof RuleApproval>

/**
 * `overtaken`: proposed, and can no longer be approved, since a later one was. `scheduled`: approved, and in force from its
 * time on. `superseded`: was in force, and a later one is.
 */
export const RuleVersionState = z.enum([
  'proposed',
  'overtaken',
  'scheduled',
  'in_force',
  'superseded',
  'withdrawn',
])
export type RuleVersionState = z.infer<typeof RuleVersionState>

export const RuleVersionView = z.strictObject({
  version: z.int().positive(),
  state: RuleVersionState,
  /** Null: the rule ends with it. */
  definition: RuleDefinition.nullable(),
  effect: RuleEffect,
  proposedAt: time,
  proposedBy: UserId.nullable(),
  approvedAt: time.nullable(),
  approvedBy: UserId.nullable(),
  effectiveFrom: time.nullable(),
  withdrawnAt: time.nullable(),
  withdrawnBy: UserId.nullable(),
})
export type RuleVersionView = z.infer<typeof RuleVersionView>

/** `ended`: what is in force says that it ends. `pending`: nothing of it is in force yet. */
export const RuleState = z.enum(['pending', 'in_force', 'ended'])
export type RuleState = z.infer<typeof RuleState>

export const RuleView = z.strictObject({
  id: RuleId,
  name: z.string(),
  state: RuleState,
  /** By number, all of them. */
  versions: z.array(RuleVersionView).min(1),
})
export type RuleView = z.infer<typeof RuleView>

export const RuleList = z.strictObject({ rules: z.array(RuleView) })
export type RuleList = z.infer<typeof RuleList>

export const RetentionPreset = z.strictObject({
  /** As a definition made from it says in `preset`. */
  id: z.string(),
  name: z.string(),
  /** The two letters of a state of the United States. */
  state: z.string().nullable(),
  definition: RuleDefinition,
  source: z.string(),
  /** When that source was looked at. */
  asOf: z.iso.date(),
  confidence: z.enum(['high', 'medium', 'low']),
  note: z.string().nullable(),
  /** To be shown with it. */
  caution: z.string(),
})
export type RetentionPreset = z.infer<typeof RetentionPreset>

export const RetentionPresetList = z.strictObject({ presets: z.array(RetentionPreset) })
export type RetentionPresetList = z.infer<typeof RetentionPresetList>

export const VersionNumber = z.coerce.number().int().min(1).max(1_000_000)
export type VersionNumber = z.infer<typeof VersionNumber>

// --- settings ---

/** What a gibibyte costs in a month. */
export const StoragePrice = z.strictObject({
  currency: z.string().regex(/^[A-Z]{3}$/, 'expected a currency of three capital letters'),
  perGibibyteMonth: z.number().min(0).max(1_000_000),
})
export type StoragePrice = z.infer<typeof StoragePrice>

export const RetentionSettings = z.strictObject({
  /** By its calendar years of keeping are counted. */
  zone: TimeZone,
  /** How many people look at a disposition, besides whoever proposed it. */
  stages: z.int().min(1).max(3),
  /** Between the last yes to a disposition and the first deletion. */
  waitingDays: z.int().min(1).max(365),
  /** Between the second yes to a rule that shortens and its effect. */
  shorteningDays: z.int().min(30).max(365),
  storagePrice: StoragePrice.nullable(),
})
export type RetentionSettings = z.infer<typeof RetentionSettings>

// --- what rules count from ---

const aboutOne = ({ patient, recording }: { patient: unknown; recording: unknown }) =>
  (patient === null) !== (recording === null)

export const NewRetentionEvent = z
  .strictObject({
    kind: RetentionEventKind,
    patient: PatientText.nullable().default(null),
    recording: RecordingId.nullable().default(null),
    at: time,
  })
  .refine(aboutOne, 'it is about a patient or about one recording')
export type NewRetentionEvent = z.infer<typeof NewRetentionEvent>

export const RetentionEventView = z.strictObject({
  id: RetentionEventId,
  kind: RetentionEventKind,
  patient: PatientId.nullable(),
  recording: RecordingId.nullable(),
  at: time,
  recordedAt: time,
  recordedBy: UserId.nullable(),
  withdrawnAt: time.nullable(),
  withdrawnBy: UserId.nullable(),
})
export type RetentionEventView = z.infer<typeof RetentionEventView>

export const RetentionEventQuery = z
  .strictObject({ patient: PatientText.optional(), recording: RecordingId.optional() })
  .refine(({ patient, recording }) => (patient === undefined) !== (recording === undefined), {
    message: 'one of the two: a patient or a recording',
  })
export type RetentionEventQuery = z.infer<typeof RetentionEventQuery>

export const RetentionEventList = z.strictObject({ events: z.array(RetentionEventView) })
export type RetentionEventList = z.infer<typeof RetentionEventList>

const earliestBirth = '1850-01-01'

/** Null takes back what was recorded in error. */
export const BirthDateRecord = z.strictObject({
  patient: PatientText,
  birthDate: z.iso
    .date()
    .refine(date => date >= earliestBirth, `expected a date from ${earliestBirth} on`)
    .nullable(),
})
export type BirthDateRecord = z.infer<typeof BirthDateRecord>

/** Whom it is recorded of; the date itself is shown to nobody. */
export const BirthDateView = z.strictObject({ patient: PatientId, recordings: z.int().min(0) })
export type BirthDateView = z.infer<typeof BirthDateView>

// --- the designated record set ---

export const NewRecordSetDecision = z
  .strictObject({
    mailbox: MailboxId.nullable().default(null),
    recording: RecordingId.nullable().default(null),
    decision: RecordSet,
    /** In one's own words: why. */
    rationale: text(textMost),
  })
  .refine(({ mailbox, recording }) => (mailbox === null) !== (recording === null), {
    message: 'it is about a mailbox or about one recording',
  })
export type NewRecordSetDecision = z.infer<typeof NewRecordSetDecision>

export const RecordSetDecisionView = z.strictObject({
  id: RecordSetDecisionId,
  mailbox: MailboxId.nullable(),
  recording: RecordingId.nullable(),
  decision: RecordSet,
  rationale: z.string(),
  decidedAt: time,
  decidedBy: UserId.nullable(),
})
export type RecordSetDecisionView = z.infer<typeof RecordSetDecisionView>

export const RecordSetQuery = z.strictObject({ cursor, limit })
export type RecordSetQuery = z.infer<typeof RecordSetQuery>

export const RecordSetMailboxView = z.strictObject({
  /** Null: recordings that came to no mailbox. */
  mailbox: z.strictObject({ id: MailboxId, address: z.string(), name: z.string() }).nullable(),
  /** Of the mailbox; `undecided` where nobody decided. */
  decision: RecordSet,
  latest: RecordSetDecisionView.nullable(),
  /** Those that are there, and how many of them are undecided, by mailbox or by themselves. */
  recordings: z.int().min(0),
  undecided: z.int().min(0),
})
export type RecordSetMailboxView = z.infer<typeof RecordSetMailboxView>

/** Mailboxes with undecided recordings come first. */
export const RecordSetPage = z.strictObject({
  /** On the first page alone. */
  mailboxes: z.array(RecordSetMailboxView),
  /** Decisions of single recordings that hold, newest first. */
  decisions: z.array(RecordSetDecisionView),
  nextCursor: z.string().nullable(),
})
export type RecordSetPage = z.infer<typeof RecordSetPage>
