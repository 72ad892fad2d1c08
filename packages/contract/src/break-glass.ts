// Emergency access, its reviews, the alerts it raises, and the codes that open it, as the API and the command show them.
import { z } from 'zod'
import { AlertId, BreakGlassId, EmergencyCodeId, EventId, RecordingId, UserId } from './ids.ts'
import { Session } from './session.ts'

const reasonLeast = 10
const textMost = 1000
const limitDefault = 50
const limitMost = 200

const limit = z.coerce.number().int().min(1).max(limitMost).default(limitDefault)
/** Why, in a person's own words; kept sealed. */
const Reason = z
  .string()
  .trim()
  .min(reasonLeast)
  .max(textMost)
  .refine(text => (text.match(/[\p{L}\p{N}]/gu) ?? []).length >= reasonLeast, 'expected a reason in words')

export const BreakGlassStart = z.strictObject({ reason: Reason })
export type BreakGlassStart = z.infer<typeof BreakGlassStart>

/** `open`: it opens recordings now. `unreviewed`: it is over and nobody has judged it. `overdue`: nor did in time. */
export const BreakGlassState = z.enum(['open', 'unreviewed', 'overdue', 'reviewed'])
export type BreakGlassState = z.infer<typeof BreakGlassState>

export const Verdict = z.enum(['justified', 'not_justified'])
export type Verdict = z.infer<typeof Verdict>

export const BreakGlassView = z.strictObject({
  id: BreakGlassId,
  state: BreakGlassState,
  user: z.strictObject({ id: UserId, login: z.string(), name: z.string() }),
  /** Whether it was opened with an emergency code. */
  byEmergencyCode: z.boolean(),
  startedAt: z.iso.datetime(),
  /** When it ends by itself; exclusive. */
  until: z.iso.datetime(),
  /** When it ended; null while it is open. */
  endedAt: z.iso.datetime().nullable(),
  reviewDueAt: z.iso.datetime(),
  review: z.strictObject({ by: UserId, at: z.iso.datetime(), verdict: Verdict, note: z.string() }).nullable(),
})
export type BreakGlassView = z.infer<typeof BreakGlassView>

export const BreakGlassPage = z.strictObject({
  breakGlass: z.array(BreakGlassView),
  nextCursor: BreakGlassId.nullable(),
})
export type BreakGlassPage = z.infer<typeof BreakGlassPage>

export const BreakGlassQuery = z.strictObject({
  state: BreakGlassState.optional(),
  cursor: BreakGlassId.optional(),
  limit,
})
export type BreakGlassQuery = z.infer<typeof BreakGlassQuery>

/** What was asked for under emergency access, and whether it was given. */
export const EmergencyUse = z.strictObject({
  event: EventId,
  at: z.iso.datetime(),
  action: z.enum(['recording.listed', 'recording.shown', 'recording.played']),
  /** Null for a list, which shows those of all mailboxes. */
  recording: RecordingId.nullable(),
  allowed: z.boolean(),
})
export type EmergencyUse = z.infer<typeof EmergencyUse>

export const BreakGlassDetail = BreakGlassView.extend({
  reason: z.string(),
  /** Null for the person themselves, who is not their own reviewer. */
  uses: z.strictObject({ events: z.array(EmergencyUse), nextCursor: EventId.nullable() }).nullable(),
})
export type BreakGlassDetail = z.infer<typeof BreakGlassDetail>

export const EmergencyUseQuery = z.strictObject({ cursor: EventId.optional(), limit })
export type EmergencyUseQuery = z.infer<typeof EmergencyUseQuery>

export const BreakGlassReview = z.strictObject({
  verdict: Verdict,
  note: z.string().trim().min(1).max(textMost),
})
export type BreakGlassReview = z.infer<typeof BreakGlassReview>

// --- alerts ---

export const AlertView = z.strictObject({
  id: AlertId,
  /** A stable word: `break_glass_started`, `review_overdue`, `emergency_code_used` and others. */
  kind: z.string(),
  subject: z.strictObject({ type: z.string(), id: z.string() }),
  raisedAt: z.iso.datetime(),
  acknowledgement: z.strictObject({ by: UserId, at: z.iso.datetime() }).nullable(),
})
export type AlertView = z.infer<typeof AlertView>

export const AlertPage = z.strictObject({ alerts: z.array(AlertView), nextCursor: AlertId.nullable() })
export type AlertPage = z.infer<typeof AlertPage>

export const AlertQuery = z.strictObject({
  open: z.stringbool().optional(),
  cursor: AlertId.optional(),
  limit,
})
export type AlertQuery = z.infer<typeof AlertQuery>

// --- emergency codes ---

const codesMost = 5
const daysMost = 366

export const EmergencyCodeRequest = z.strictObject({
  count: z.int().min(1).max(codesMost).default(1),
  validDays: z.int().min(1).max(daysMost).default(daysMost),
})
export type EmergencyCodeRequest = z.infer<typeof EmergencyCodeRequest>

/** Shown once. */
export const EmergencyCodes = z.strictObject({
  codes: z.array(z.strictObject({ id: EmergencyCodeId, code: z.string(), expiresAt: z.iso.datetime() })),
})
export type EmergencyCodes = z.infer<typeof EmergencyCodes>

export const EmergencyCodeView = z.strictObject({
  id: EmergencyCodeId,
  issuedBy: UserId,
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  usedAt: z.iso.datetime().nullable(),
  revokedAt: z.iso.datetime().nullable(),
})
export type EmergencyCodeView = z.infer<typeof EmergencyCodeView>

export const EmergencyCodeList = z.strictObject({ codes: z.array(EmergencyCodeView) })
export type EmergencyCodeList = z.infer<typeof EmergencyCodeList>

export const EmergencySignIn = z.strictObject({
  /** The tenant's short name. */
  tenant: z.string().min(1).max(64),
  login: z.string().min(1).max(128),
  /** As printed; dashes, spaces and case do not matter. */
  code: z.string().min(1).max(128),
  /** Six digits of the authenticator app. */
  totp: z.string().regex(/^\d{6}$/),
  reason: Reason,
  /** For browsers, as at any sign-in. */
  cookie: z.boolean().optional(),
})
export type EmergencySignIn = z.infer<typeof EmergencySignIn>

export const EmergencySession = Session.extend({
  breakGlass: z.strictObject({ id: BreakGlassId, until: z.iso.datetime() }),
})
export type EmergencySession = z.infer<typeof EmergencySession>

/** With its token in the cookie that came with it. */
export const EmergencyCookieSession = EmergencySession.omit({ token: true, tokenType: true })
