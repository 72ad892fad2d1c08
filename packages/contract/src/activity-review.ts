// The weekly review of activity, as the API shows it.
import { z } from 'zod'
import { EventId, ReviewId, UserId } from './ids.ts'

const textMost = 1000
const findingsMost = 10_000
const limitDefault = 50
const limitMost = 200

const ActivityReviewState = z.enum(['open', 'overdue', 'signed'])

export const ActivityReviewView = z.strictObject({
  id: ReviewId,
  state: ActivityReviewState,
  /** The week, from a Monday 00:00 UTC; `to` is exclusive. */
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  openedAt: z.iso.datetime(),
  dueAt: z.iso.datetime(),
  findingCount: z.int().min(0),
  signature: z.strictObject({ by: UserId, at: z.iso.datetime() }).nullable(),
})
export type ActivityReviewView = z.infer<typeof ActivityReviewView>

export const ActivityReviewPage = z.strictObject({
  reviews: z.array(ActivityReviewView),
  nextCursor: ReviewId.nullable(),
})
export type ActivityReviewPage = z.infer<typeof ActivityReviewPage>

export const ActivityReviewQuery = z.strictObject({
  /** Only those that nobody, or that somebody, signed. */
  open: z.stringbool().optional(),
  cursor: ReviewId.optional(),
  limit: z.coerce.number().int().min(1).max(limitMost).default(limitDefault),
})
export type ActivityReviewQuery = z.infer<typeof ActivityReviewQuery>

const Verdict = z.enum(['expected', 'follow_up'])

export const ActivityFindingView = z.strictObject({
  number: z.int().min(1),
  /** A stable word, see docs/activity-review.md. */
  kind: z.string(),
  /** The name is null for what is no person. */
  actor: z.strictObject({ id: z.string(), name: z.string().nullable() }).nullable(),
  /** The first of them. */
  events: z.array(EventId),
  /** Of `volume`: recordings. Of all others: events. */
  eventCount: z.int().min(0),
  usual: z.int().min(0).nullable(),
  verdict: Verdict.nullable(),
})
export type ActivityFindingView = z.infer<typeof ActivityFindingView>

export const ActivityReviewDetail = ActivityReviewView.extend({
  note: z.string().nullable(),
  findings: z.array(ActivityFindingView),
})
export type ActivityReviewDetail = z.infer<typeof ActivityReviewDetail>

export const ActivityReviewSignature = z.strictObject({
  note: z.string().trim().min(1).max(textMost),
  /** One for each finding. */
  verdicts: z.array(z.strictObject({ number: z.int().min(1), verdict: Verdict })).max(findingsMost),
})
export type ActivityReviewSignature = z.infer<typeof ActivityReviewSignature>

// --- working hours ---

const clock = /^([01]\d|2[0-3]):([0-5]\d)$/

/** An IANA name that this program's time zone data knows. */
export const TimeZone = z
  .string()
  .max(64)
  .refine(name => isTimeZone(name), 'expected a time zone such as America/Chicago')

export const WorkingHours = z
  .strictObject({
    timeZone: TimeZone,
    /** Local, `HH:MM`. */
    opensAt: z.string().regex(clock),
    /** Local, `HH:MM`, exclusive; before `opensAt` where the practice is open past midnight. */
    closesAt: z.string().regex(clock),
    /** ISO 8601: 1 is Monday. Of hours past midnight, the day on which they began. */
    days: z
      .array(z.int().min(1).max(7))
      .max(7)
      .refine(days => new Set(days).size === days.length, 'expected each day once'),
  })
  .refine(hours => hours.opensAt !== hours.closesAt, 'expected opening and closing apart')
export type WorkingHours = z.infer<typeof WorkingHours>

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
