// Dispositions as the API shows them: what is proposed for its end, who looks at it, and how far it is.
import { z } from 'zod'
import { DispositionId, MailboxId, RecordingId, RuleId, UserId } from './ids.ts'
import { RecordingKind } from './notice.ts'

const noteMost = 1000
const limitDefault = 50
const limitMost = 200
const count = z.int().min(0)
const time = z.iso.datetime()

/** Most recordings of one disposition: what a person can look at. */
export const dispositionItemsMost = 1000

const State = z.enum(['proposed', 'waiting', 'destroying', 'done', 'rejected', 'cancelled'])
const Kind = z.enum(['automatic', 'review'])
const ItemState = z.enum(['listed', 'destroying', 'destroyed', 'kept', 'stopped'])
const Verdict = z.enum(['approve', 'reject'])

/** Which recordings whose time is over. All that is said must hold; nothing said: all of them. */
export const DispositionSelection = z.strictObject({
  /** By hand; also what a person took out of a disposition before. */
  recordings: z.array(RecordingId).min(1).max(dispositionItemsMost).optional(),
  rule: RuleId.optional(),
  mailbox: MailboxId.optional(),
  kind: RecordingKind.optional(),
  disposal: Kind.optional(),
  /** Due before then. */
  dueBefore: time.optional(),
})
export type DispositionSelection = z.infer<typeof DispositionSelection>

export const DispositionPreview = z.strictObject({
  /** At most what one disposition takes. */
  count,
  bytes: count,
  /** Whether more is due than one disposition takes. */
  more: z.boolean(),
  firstDueAt: time.nullable(),
  lastDueAt: time.nullable(),
  byKind: z.record(RecordingKind, count),
  /** Of those named by hand: not due, held, in another disposition, or not there. */
  leftOut: z.array(RecordingId),
  /** The first of them. */
  examples: z.array(RecordingId),
})
export type DispositionPreview = z.infer<typeof DispositionPreview>

export const DispositionView = z.strictObject({
  id: DispositionId,
  state: State,
  /** `automatic`: by a rule that two people stand behind. */
  kind: Kind,
  proposedAt: time,
  /** Null: by the vault. */
  proposedBy: UserId.nullable(),
  /** How many people have to approve it, each another. */
  stages: count,
  /** Nothing is destroyed before; null until it is approved. */
  readyAt: time.nullable(),
  endedAt: time.nullable(),
  /** Of who rejected or cancelled it. */
  endedBy: UserId.nullable(),
  counts: z.strictObject({
    listed: count,
    destroying: count,
    destroyed: count,
    kept: count,
    stopped: count,
  }),
})
export type DispositionView = z.infer<typeof DispositionView>

export const DispositionDetail = DispositionView.extend({
  reviews: z.array(
    z.strictObject({
      stage: z.int().min(1),
      by: UserId,
      at: time,
      verdict: Verdict,
      note: z.string().nullable(),
    }),
  ),
})
export type DispositionDetail = z.infer<typeof DispositionDetail>

export const DispositionPage = z.strictObject({
  dispositions: z.array(DispositionView),
  nextCursor: DispositionId.nullable(),
})
export type DispositionPage = z.infer<typeof DispositionPage>

export const DispositionQuery = z.strictObject({
  state: State.optional(),
  cursor: DispositionId.optional(),
  limit: z.coerce.number().int().min(1).max(limitMost).default(limitDefault),
})
export type DispositionQuery = z.infer<typeof DispositionQuery>

export const DispositionItemView = z.strictObject({
  recording: RecordingId,
  state: ItemState,
  /** A stable word, see docs/disposition.md: why it was kept or stopped, or what failed last. */
  reason: z.string().nullable(),
  rule: z.strictObject({ id: RuleId, version: z.int().min(1) }),
  keepUntil: time,
  dueAt: time,
  changedAt: time,
  attempts: count,
  nextAttemptAt: time.nullable(),
  bytes: count,
  /** Whether a legal hold is on it now. */
  held: z.boolean(),
})
export type DispositionItemView = z.infer<typeof DispositionItemView>

export const DispositionItemPage = z.strictObject({
  items: z.array(DispositionItemView),
  nextCursor: RecordingId.nullable(),
})
export type DispositionItemPage = z.infer<typeof DispositionItemPage>

export const DispositionItemQuery = z.strictObject({
  state: ItemState.optional(),
  cursor: RecordingId.optional(),
  limit: z.coerce.number().int().min(1).max(limitMost).default(limitDefault),
})
export type DispositionItemQuery = z.infer<typeof DispositionItemQuery>

export const DispositionReview = z.strictObject({
  verdict: Verdict,
  note: z.string().trim().min(1).max(noteMost).optional(),
  /** Recordings to take out of it; the others go on. */
  keep: z.array(RecordingId).max(dispositionItemsMost).default([]),
})
export type DispositionReview = z.infer<typeof DispositionReview>
