// What a retention rule says, and the words for what follows from it.
import { z } from 'zod'
import { Label } from './access.ts'
import { MailboxId } from './ids.ts'
import { RecordingKind } from './notice.ts'

/** Object stores lock for no more than that, and a rule beyond it is a slip of the pen. */
const yearsMost = 100
const monthsInYear = 12
/** Of the longest year, so that so many days are never more than `yearsMost` years. */
const daysInYear = 366
const namesMost = 1000

/** A length in the calendar: years, then months, then days. From one day to 100 years. */
export const Period = z
  .strictObject({
    years: z.int().min(0).max(yearsMost).default(0),
    months: z
      .int()
      .min(0)
      .max(yearsMost * monthsInYear)
      .default(0),
    days: z
      .int()
      .min(0)
      .max(yearsMost * daysInYear)
      .default(0),
  })
  .refine(({ years, months, days }) => years + months + days > 0, 'a period is at least one day')
  .refine(
    ({ years, months, days }) => years + months / monthsInYear + days / daysInYear <= yearsMost,
    `a period is at most ${yearsMost} years`,
  )
export type Period = z.infer<typeof Period>

/** What may happen, beside the recording itself, that a rule counts from. */
export const RetentionEventKind = z.enum([
  'treatment_ended',
  'discharged',
  'last_encounter',
  'case_closed',
  'contract_ended',
  'patient_died',
  /** Into the record: from then on the recording itself is a copy. */
  'transcribed',
])
export type RetentionEventKind = z.infer<typeof RetentionEventKind>

/** Whether a recording is part of the designated record set (45 CFR 164.501). */
export const RecordSet = z.enum(['in', 'out', 'undecided'])
export type RecordSet = z.infer<typeof RecordSet>

/** What becomes of a recording when its time is over. */
export const RuleDisposal = z.enum(['automatic', 'review', 'never'])
export type RuleDisposal = z.infer<typeof RuleDisposal>

/** What a new version does to what the rule kept so far; what shortens takes two people. */
export const RuleEffect = z.enum(['lengthens', 'shortens', 'same'])
export type RuleEffect = z.infer<typeof RuleEffect>

const some = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(namesMost).nullable()

export const RuleDefinition = z.strictObject({
  /** All that is not null must hold; one of the list will do. */
  appliesTo: z
    .strictObject({
      kinds: some(RecordingKind).default(null),
      mailboxes: some(MailboxId).default(null),
      labels: some(Label).default(null),
      recordSet: RecordSet.exclude(['undecided']).nullable().default(null),
    })
    .default({ kinds: null, mailboxes: null, labels: null, recordSet: null }),
  keep: Period,
  /** `start`: the call's end, as far as the clocks of PBXs are believed. */
  from: z.union([z.literal('start'), RetentionEventKind]).default('start'),
  /** For who was a minor: besides, so long after the birthday on which they came of age. */
  minors: z
    .strictObject({ majorityAge: z.int().min(18).max(21), keep: Period })
    .nullable()
    .default(null),
  dispose: RuleDisposal,
  /** Between the end of keeping and disposal. */
  disposeAfterDays: z.int().min(0).max(36_500).default(0),
  /** On the store, so that nobody can take it back. */
  lock: z.boolean().default(false),
  /** The law or the policy behind it. */
  source: z.string().trim().min(1).max(1000).nullable().default(null),
  /** The preset that it was made from. */
  preset: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/)
    .nullable()
    .default(null),
})
export type RuleDefinition = z.infer<typeof RuleDefinition>

/** What a recording is by the rules, aside from time and holds. */
export const RetentionStatus = z.enum(['kept', 'undecided', 'waiting', 'unruled', 'permanent'])
export type RetentionStatus = z.infer<typeof RetentionStatus>

/** How a recording goes when it is due; `none`: it does not. */
export const Disposal = z.enum(['automatic', 'review', 'none'])
export type Disposal = z.infer<typeof Disposal>

/** What a recording is at a moment, with holds. */
export const RetentionState = z.enum(['held', 'permanent', 'undecided', 'waiting', 'unruled', 'kept', 'due'])
export type RetentionState = z.infer<typeof RetentionState>
