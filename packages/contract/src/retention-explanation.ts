// How one recording stands, in words and in facts: which version of which rule governs it, until when, and why.
import { z } from 'zod'
import { CertificateId, DispositionId, HoldId, RecordingId, RuleId } from './ids.ts'
import { ObjectRole } from './object-role.ts'
import { Disposal, RetentionEventKind, RetentionState, RetentionStatus } from './retention.ts'

const time = z.iso.datetime()
const ruleVersion = { rule: RuleId, version: z.int().positive() }

/** One rule that applies, and how it counts. */
export const RetentionClock = z.strictObject({
  ...ruleVersion,
  name: z.string(),
  counts: z.union([z.literal('start'), RetentionEventKind]),
  /** What it counts from; null while it waits for its event. */
  from: time.nullable(),
  /** Null while it waits. */
  until: time.nullable(),
  /** Whatever event comes, not before. */
  atLeast: time,
  dueAt: time.nullable(),
  /** Where the person was a minor, or may have been. */
  minor: z.strictObject({ birthDateKnown: z.boolean(), majorityOn: z.iso.date(), until: time }).nullable(),
})
export type RetentionClock = z.infer<typeof RetentionClock>

/** A decision that was made of it before, or the one that holds. */
export const RetentionDecisionView = z.strictObject({
  decidedAt: time,
  supersededAt: time.nullable(),
  status: RetentionStatus,
  governedBy: z.strictObject(ruleVersion).nullable(),
  keepUntil: time,
  dueAt: time.nullable(),
})
export type RetentionDecisionView = z.infer<typeof RetentionDecisionView>

/** What a store was last known to keep an object by. */
const kept = { until: time.nullable(), held: z.boolean() }

export const RetentionExplanation = z.strictObject({
  recording: RecordingId,
  state: z.enum([...RetentionState.options, 'destroying', 'destroyed']),
  /** Nothing deletes it before; null once it is due, or on its way out. */
  until: time.nullable(),
  dueAt: time.nullable(),
  disposal: Disposal,
  /** On the store: nobody can shorten it. */
  locked: z.boolean(),
  governedBy: z.strictObject({ ...ruleVersion, name: z.string().nullable() }).nullable(),
  /** The same and the rest in sentences. */
  words: z.array(z.string()),
  clocks: z.array(RetentionClock),
  /** `matter`: null for who may not read holds. */
  holds: z.array(z.strictObject({ id: HoldId, matter: z.string().nullable(), coveredAt: time })),
  objects: z.array(
    z.strictObject({
      role: ObjectRole,
      ...kept,
      /** In the recovery store; null while no copy is known to be there. */
      copy: z.strictObject(kept).nullable(),
      destroyedAt: time.nullable(),
    }),
  ),
  /** The newest that it was in. */
  disposition: z
    .strictObject({
      id: DispositionId,
      state: z.string(),
      item: z.string(),
      reason: z.string().nullable(),
      readyAt: time.nullable(),
    })
    .nullable(),
  certificate: z
    .strictObject({
      id: CertificateId,
      /** Null until its event is in a published log. */
      issuedAt: time.nullable(),
      /** The last copy that anybody still holds is gone then. */
      lastCopyAt: time,
    })
    .nullable(),
  /** Newest first, the one that holds among them. */
  decisions: z.array(RetentionDecisionView),
})
export type RetentionExplanation = z.infer<typeof RetentionExplanation>
