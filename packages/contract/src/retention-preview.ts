// What a change of a rule would do to what is there, before anybody agrees to it.
import { z } from 'zod'
import { RecordingId, RuleId } from './ids.ts'
import { RuleDefinition, RuleEffect } from './retention.ts'

/** A new rule; with `rule` another version of that one, or its end. */
export const NewRetentionPreview = z
  .strictObject({ rule: RuleId.nullable().default(null), definition: RuleDefinition.nullable() })
  .refine(({ rule, definition }) => rule !== null || definition !== null, 'say which rule would end')
export type NewRetentionPreview = z.infer<typeof NewRetentionPreview>

/** Sealed bytes, of every role. */
const Count = z.strictObject({ recordings: z.int().nonnegative(), bytes: z.int().nonnegative() })

/** A recording may be counted by several, all but `unchanged`. */
export const RetentionPreview = z.strictObject({
  /** How it counts; what shortens takes two people. */
  effect: RuleEffect,
  all: Count,
  unchanged: Count,
  /** Kept longer than by the rules of now, or for less. */
  longer: Count,
  shorter: Count,
  /** Would be kept for less, but a store has it locked. */
  locked: Count,
  /** Due where it was not, or sooner; later, or no more. */
  dueSooner: Count,
  dueLater: Count,
  /** Of those due sooner, what would be due as soon as the change is in force, if that were now. */
  dueAtOnce: Count,
  /** Changed, and not due as long as nobody decides whether it is part of the designated record set. */
  undecided: Count,
  /** Changed, and kept by a legal hold all the same. */
  held: Count,
  /** Of what would be due sooner, the first. */
  firstDueAt: z.iso.datetime().nullable(),
  /** Of what would change, what is due first; at most 20. */
  examples: z.array(RecordingId),
})
export type RetentionPreview = z.infer<typeof RetentionPreview>
