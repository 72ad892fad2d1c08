// Disclosures of what is a patient's to somebody outside, and the accounting of them that a patient may ask for (45 CFR
// 164.528).
import { z } from 'zod'
import { DisclosureId, PatientId, RecordingId, SuspensionId, UserId } from './ids.ts'

const nameMost = 256
const addressMost = 512
const textMost = 1000
const referenceMost = 256
const limitDefault = 50
const limitMost = 200

const limit = z.coerce.number().int().min(1).max(limitMost).default(limitDefault)
const time = z.iso.datetime()
const text = (most: number) => z.string().trim().min(1).max(most)

/** A patient by the PBX's reference, or by the random name that the log has for them. */
export const PatientText = text(referenceMost)

/** What a disclosure was made for, as the Privacy Rule divides them; which are accounted for, a table in `audit` says. */
export const DisclosurePurpose = z.enum([
  'treatment',
  'payment',
  'operations',
  'to_individual',
  'incidental',
  'authorization',
  'involved_in_care',
  'national_security',
  'custody',
  'limited_data_set',
  'required_by_law',
  'public_health',
  'abuse_or_neglect',
  'health_oversight',
  'judicial',
  'law_enforcement',
  'decedent',
  'organ_donation',
  'research',
  'serious_threat',
  'military',
  'workers_compensation',
  'not_permitted',
])
export type DisclosurePurpose = z.infer<typeof DisclosurePurpose>

/** `individual` is the patient, or whoever stands in their place by law (45 CFR 164.502(g)). */
export const RecipientKind = z.enum([
  'individual',
  'provider',
  'health_plan',
  'business_associate',
  'family',
  'clergy',
  'health_oversight',
  'public_health',
  'law_enforcement',
  'correctional',
  'national_security',
  'military',
  'court',
  'attorney',
  'coroner',
  'organ_bank',
  'researcher',
  'employer',
  'insurer',
  'other',
])
export type RecipientKind = z.infer<typeof RecipientKind>

const Recipient = z.strictObject({
  kind: RecipientKind,
  name: text(nameMost),
  /** Where it is known. */
  address: text(addressMost).nullable().default(null),
})

export const NewDisclosure = z.strictObject({
  patient: PatientText,
  recording: RecordingId.nullable().default(null),
  disclosedAt: time,
  purpose: DisclosurePurpose,
  recipient: Recipient,
  /** A brief description of what was disclosed. */
  what: text(textMost),
  /** A brief statement of why, or where the request for it is kept. */
  why: text(textMost),
})
export type NewDisclosure = z.infer<typeof NewDisclosure>

export const DisclosureView = z.strictObject({
  id: DisclosureId,
  patient: PatientId,
  recording: RecordingId.nullable(),
  disclosedAt: time,
  purpose: DisclosurePurpose,
  recipient: z.strictObject({ kind: RecipientKind, name: z.string(), address: z.string().nullable() }),
  what: z.string(),
  why: z.string(),
  /** Whether it stands in the accounting that the patient may ask for. */
  accountable: z.boolean(),
  /** Null for what was recorded by no person. */
  recordedBy: UserId.nullable(),
  recordedAt: time,
})
export type DisclosureView = z.infer<typeof DisclosureView>

export const DisclosurePage = z.strictObject({
  disclosures: z.array(DisclosureView),
  nextCursor: z.string().nullable(),
})
export type DisclosurePage = z.infer<typeof DisclosurePage>

export const DisclosureQuery = z.strictObject({
  patient: PatientText,
  cursor: z.string().max(256).optional(),
  limit,
})
export type DisclosureQuery = z.infer<typeof DisclosureQuery>

// --- the accounting ---

export const AccountingQuery = z.strictObject({
  patient: PatientText,
  /** Inclusive. Default: six years before `to`. */
  from: time.optional(),
  /** Exclusive. Default: now. */
  to: time.optional(),
  /** Disclosures to one recipient for one purpose as one line: the first, how many, the last. */
  summary: z.stringbool().default(false),
  format: z.enum(['json', 'csv']).optional(),
})
export type AccountingQuery = z.infer<typeof AccountingQuery>

/** The four elements of 164.528(b)(2), and those of (b)(3) where one line stands for several. */
export const AccountingLine = z.strictObject({
  disclosedAt: time,
  recipient: z.strictObject({ name: z.string(), address: z.string().nullable() }),
  what: z.string(),
  why: z.string(),
  /** How many disclosures the line stands for, the first of which it describes. */
  count: z.int().positive(),
  /** When the last of them was made. */
  lastDisclosedAt: time,
})
export type AccountingLine = z.infer<typeof AccountingLine>

export const Accounting = z.strictObject({
  patient: PatientId,
  madeAt: time,
  from: time,
  to: time,
  lines: z.array(AccountingLine),
})
export type Accounting = z.infer<typeof Accounting>

// --- suspensions ---

/** Whom an agency's request to leave out concerns (164.528(a)(2)). */
export const SuspendedKind = RecipientKind.extract(['health_oversight', 'law_enforcement'])
export type SuspendedKind = z.infer<typeof SuspendedKind>

const dayMs = 24 * 60 * 60_000
/** What was asked for by word of mouth holds no longer (164.528(a)(2)(ii)(C)). */
const oralDaysMost = 30

export const NewSuspension = z
  .strictObject({
    patient: PatientText,
    recipientKind: SuspendedKind,
    form: z.enum(['written', 'oral']),
    /** Who asked, with name and office. */
    agency: text(nameMost),
    /** What they stated: why an accounting would impede them. */
    statement: text(textMost),
    from: time,
    /** Exclusive. */
    until: time,
  })
  .refine(({ from, until }) => Date.parse(from) < Date.parse(until), 'until is later than from')
  .refine(
    ({ form, from, until }) =>
      form === 'written' || Date.parse(until) - Date.parse(from) <= oralDaysMost * dayMs,
    `what was asked for by word of mouth holds at most ${oralDaysMost} days`,
  )
export type NewSuspension = z.infer<typeof NewSuspension>

export const SuspensionView = z.strictObject({
  id: SuspensionId,
  patient: PatientId,
  recipientKind: SuspendedKind,
  form: z.enum(['written', 'oral']),
  agency: z.string(),
  statement: z.string(),
  from: time,
  until: time,
  /** When it was ended before its time. */
  endedAt: time.nullable(),
  recordedBy: UserId.nullable(),
  recordedAt: time,
})
export type SuspensionView = z.infer<typeof SuspensionView>

export const SuspensionList = z.strictObject({ suspensions: z.array(SuspensionView) })
export type SuspensionList = z.infer<typeof SuspensionList>

export const SuspensionQuery = z.strictObject({ patient: PatientText })
