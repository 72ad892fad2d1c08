// The report of what is kept, on hold, due, overdue and destroyed, as of any instant; and the schedules that make it.
import { z } from 'zod'
import {
  CertificateId,
  DispositionId,
  DriftRunId,
  HoldId,
  MailboxId,
  RecordingId,
  ReportRunId,
  ReportScheduleId,
  RuleId,
  TenantId,
  UserId,
} from './ids.ts'
import { RecordingKind } from './notice.ts'
import { StoragePrice } from './retention-rules.ts'

const nameMost = 200
const mailMost = 254
const mailsMost = 20
const linesDefault = 100
const linesMost = 1000
const limitDefault = 50
const limitMost = 200
const cursorMost = 200

const count = z.int().min(0)
const time = z.iso.datetime()
/** A calendar month of the tenant's zone. */
const month = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/)

/** So many recordings; `bytes` as they lie sealed in the store of the objects, of all their objects. */
const amount = { recordings: count, bytes: count, soundMs: count }
export const ReportAmount = z.strictObject(amount)
export type ReportAmount = z.infer<typeof ReportAmount>

// --- status ---

/** What a recording is at an instant; the first that is so. `due`: its time is up, nothing stands against its end. */
export const ReportState = z.enum(['held', 'permanent', 'undecided', 'waiting', 'unruled', 'kept', 'due'])
export type ReportState = z.infer<typeof ReportState>

/** Since the vault received it. */
export const AgeBand = z.enum([
  'under_30_days',
  'under_90_days',
  'under_1_year',
  'under_2_years',
  'under_3_years',
  'under_6_years',
  'under_7_years',
  'under_10_years',
  '10_years_and_more',
])
export type AgeBand = z.infer<typeof AgeBand>

/** How many of the recordings are in which state. */
const states = z.strictObject({
  held: count,
  permanent: count,
  undecided: count,
  waiting: count,
  unruled: count,
  kept: count,
  due: count,
})
export type ReportStates = z.infer<typeof states>

const governing = z.strictObject({ id: RuleId, version: z.int().min(1), name: z.string() })
const statusLine = { ...amount, states }

export const ReportStatus = z.strictObject({
  total: z.strictObject(statusLine),
  /** The rule is null where none governs. */
  rules: z.array(z.strictObject({ ...statusLine, rule: governing.nullable() })),
  kinds: z.array(z.strictObject({ ...statusLine, kind: RecordingKind })),
  /** The mailbox is null where a recording is in none. */
  mailboxes: z.array(
    z.strictObject({
      ...statusLine,
      mailbox: z.strictObject({ id: MailboxId, name: z.string() }).nullable(),
    }),
  ),
  ages: z.array(z.strictObject({ ...statusLine, age: AgeBand })),
})
export type ReportStatus = z.infer<typeof ReportStatus>

// --- due, overdue ---

export const ReportDue = z.strictObject({
  /** What is left of the month, and the twelve that follow it. On hold: not destroyed while that lasts. */
  months: z.array(
    z.strictObject({ month, automatic: ReportAmount, review: ReportAmount, held: ReportAmount }),
  ),
})
export type ReportDue = z.infer<typeof ReportDue>

/**
 * Why it is still there; the first that is so. `hold`; `undecided`: nobody said whether it is part of the designated
 * record set. Then where its disposition is: `unproposed`, `review`, `waiting_period`, `error`, `destroying`.
 */
export const OverdueReason = z.enum([
  'hold',
  'undecided',
  'unproposed',
  'review',
  'waiting_period',
  'error',
  'destroying',
])
export type OverdueReason = z.infer<typeof OverdueReason>

export const OverdueRecording = z.strictObject({
  recording: RecordingId,
  mailbox: MailboxId.nullable(),
  rule: z.strictObject({ id: RuleId, version: z.int().min(1) }).nullable(),
  keepUntil: time,
  /** Null where it is undecided. */
  dueAt: time.nullable(),
  reason: OverdueReason,
  /** A stable word: what failed last. */
  error: z.string().nullable(),
  holds: z.array(HoldId),
  disposition: DispositionId.nullable(),
})
export type OverdueRecording = z.infer<typeof OverdueRecording>

export const ReportOverdue = z.strictObject({
  total: ReportAmount,
  reasons: z.array(z.strictObject({ ...amount, reason: OverdueReason, since: time })),
  /** By id; the first of them. */
  recordings: z.array(OverdueRecording),
  nextCursor: z.string().nullable(),
})
export type ReportOverdue = z.infer<typeof ReportOverdue>

// --- holds, destroyed ---

export const ReportHolds = z.strictObject({
  /** Under any; a recording may be under several. */
  total: ReportAmount,
  holds: z.array(
    z.strictObject({
      ...amount,
      hold: HoldId,
      /** Null in reports that are sent or stored. */
      matter: z.string().nullable(),
      placedAt: time,
      custodians: count,
      acknowledged: count,
    }),
  ),
})
export type ReportHolds = z.infer<typeof ReportHolds>

export const DestroyedRecording = z.strictObject({
  recording: RecordingId,
  destroyedAt: time,
  rule: z.strictObject({ id: RuleId, version: z.int().min(1) }).nullable(),
  disposition: DispositionId.nullable(),
  /** `issuedAt` is null until it is signed. */
  certificate: z.strictObject({ id: CertificateId, issuedAt: time.nullable(), lastCopyAt: time }).nullable(),
})
export type DestroyedRecording = z.infer<typeof DestroyedRecording>

export const ReportDestroyed = z.strictObject({
  total: ReportAmount,
  /** What of it has a certificate that is signed. */
  certified: count,
  /** Before the first of the months. */
  earlier: ReportAmount,
  /** The twelve months before this one, and this one so far. */
  months: z.array(z.strictObject({ ...amount, month })),
  /** Newest first; the first of them. */
  recordings: z.array(DestroyedRecording),
  nextCursor: z.string().nullable(),
})
export type ReportDestroyed = z.infer<typeof ReportDestroyed>

// --- stores ---

export const ReportReconciliation = z.strictObject({
  /** The last comparison of stores and catalog that was finished by then; null where there was none. */
  run: z
    .strictObject({
      id: DriftRunId,
      startedAt: time,
      endedAt: time,
      recordings: count,
      objects: count,
      findings: z.array(
        z.strictObject({
          kind: z.string(),
          store: z.enum(['primary', 'recovery']),
          found: count,
          mended: count,
        }),
      ),
    })
    .nullable(),
})
export type ReportReconciliation = z.infer<typeof ReportReconciliation>

export const ReportStorage = z.strictObject({
  price: StoragePrice.nullable(),
  /** The twelve months before this one, and this one so far. */
  months: z.array(
    z.strictObject({
      month,
      addedBytes: count,
      destroyedBytes: count,
      /** At the end of the month, in the store of the objects. */
      bytes: count,
      /** The same in the recovery store. */
      copiedBytes: count,
      /** Of both, for a month at that size; null without a price. */
      cost: z.number().min(0).nullable(),
    }),
  ),
})
export type ReportStorage = z.infer<typeof ReportStorage>

// --- the report ---

export const ReportSection = z.enum([
  'status',
  'due',
  'overdue',
  'holds',
  'destroyed',
  'reconciliation',
  'storage',
])
export type ReportSection = z.infer<typeof ReportSection>

/** A section that was not asked for is null. */
export const RetentionReport = z.strictObject({
  tenant: z.strictObject({ id: TenantId, name: z.string() }),
  asOf: time,
  madeAt: time,
  /** The time zone of its months. */
  zone: z.string(),
  status: ReportStatus.nullable(),
  due: ReportDue.nullable(),
  overdue: ReportOverdue.nullable(),
  holds: ReportHolds.nullable(),
  destroyed: ReportDestroyed.nullable(),
  reconciliation: ReportReconciliation.nullable(),
  storage: ReportStorage.nullable(),
})
export type RetentionReport = z.infer<typeof RetentionReport>

export const ReportFormat = z.enum(['json', 'csv', 'pdf'])
export type ReportFormat = z.infer<typeof ReportFormat>

export const RetentionReportQuery = z.strictObject({
  asOf: time.optional(),
  section: ReportSection.optional(),
  format: ReportFormat.optional(),
  /** Of `overdue` and `destroyed`, one of them asked for. */
  cursor: z.string().max(cursorMost).optional(),
  limit: z.coerce.number().int().min(1).max(linesMost).default(linesDefault),
})
export type RetentionReportQuery = z.infer<typeof RetentionReportQuery>

// --- schedules ---

export const ReportInterval = z.enum(['day', 'week', 'month'])
export type ReportInterval = z.infer<typeof ReportInterval>

const someOf = <Value extends string>(values: z.ZodType<Value>) =>
  z
    .array(values)
    .min(1)
    .refine(list => new Set(list).size === list.length, 'expected each once')

/** Plain addresses: no names, no comments, nothing that a mail server would read as more than one. */
const MailAddress = z.email().max(mailMost)

const schedule = {
  name: z.string().trim().min(1).max(nameMost),
  sections: someOf(ReportSection),
  formats: someOf(ReportFormat),
  /** It is as of the beginning of each day, Monday or month, in the tenant's zone. */
  every: ReportInterval,
  mailTo: z.array(MailAddress).max(mailsMost),
  toStore: z.boolean(),
}

export const NewReportSchedule = z
  .strictObject({
    ...schedule,
    sections: schedule.sections.default([...ReportSection.options]),
    formats: schedule.formats.default(['pdf']),
    mailTo: schedule.mailTo.default([]),
    toStore: schedule.toStore.default(false),
  })
  .refine(({ mailTo, toStore }) => toStore || mailTo.length > 0, 'expected mailTo, toStore or both')
export type NewReportSchedule = z.infer<typeof NewReportSchedule>

export const ReportScheduleView = z.strictObject({
  ...schedule,
  id: ReportScheduleId,
  /** Null once it has ended. */
  nextRunAt: time.nullable(),
  createdAt: time,
  createdBy: UserId.nullable(),
  endedAt: time.nullable(),
})
export type ReportScheduleView = z.infer<typeof ReportScheduleView>

const limit = z.coerce.number().int().min(1).max(limitMost).default(limitDefault)

export const ReportScheduleQuery = z.strictObject({
  /** Also those that have ended. */
  all: z.stringbool().optional(),
  cursor: ReportScheduleId.optional(),
  limit,
})
export type ReportScheduleQuery = z.infer<typeof ReportScheduleQuery>

export const ReportSchedulePage = z.strictObject({
  schedules: z.array(ReportScheduleView),
  nextCursor: ReportScheduleId.nullable(),
})
export type ReportSchedulePage = z.infer<typeof ReportSchedulePage>

export const StoredReport = z.strictObject({
  key: z.string(),
  bytes: count,
  /** Lower-case hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
export type StoredReport = z.infer<typeof StoredReport>

export const ReportRunView = z.strictObject({
  id: ReportRunId,
  schedule: ReportScheduleId,
  asOf: time,
  state: z.enum(['running', 'sent', 'failed']),
  startedAt: time,
  endedAt: time.nullable(),
  attempts: count,
  /** A stable word: what failed last. */
  error: z.string().nullable(),
  stored: z.array(StoredReport),
})
export type ReportRunView = z.infer<typeof ReportRunView>

export const ReportRunQuery = z.strictObject({
  schedule: ReportScheduleId.optional(),
  cursor: ReportRunId.optional(),
  limit,
})
export type ReportRunQuery = z.infer<typeof ReportRunQuery>

export const ReportRunPage = z.strictObject({
  runs: z.array(ReportRunView),
  nextCursor: ReportRunId.nullable(),
})
export type ReportRunPage = z.infer<typeof ReportRunPage>
