// Legal holds: what a matter keeps from being destroyed, whom it told so, and how it ends.
import { z } from 'zod'
import { Label } from './access.ts'
import { PatientText } from './disclosure.ts'
import { HoldId, MailboxId, RecordingId, UserId } from './ids.ts'
import { RecordingKind } from './notice.ts'

const matterMost = 256
const noticeMost = 6000
const reasonMost = 1000
const numberMost = 64
const clausesMost = 100
const limitDefault = 50
const limitMost = 200

const limit = z.coerce.number().int().min(1).max(limitMost).default(limitDefault)
const time = z.iso.datetime()
const text = (most: number) => z.string().trim().min(1).max(most)

/** Of a SIP or tel URI the part that says whom: no other digits are compared. */
const dialled = (number: string): string =>
  number.replace(/^\s*(?:sips?|tel):/i, '').split(/[@;]/, 1)[0] ?? ''

/**
 * What a hold covers by itself, now and from now on: all that a clause says must hold, and any clause of a hold will do.
 * Times are those at which the recording started.
 */
export const HoldClause = z
  .strictObject({
    mailbox: MailboxId.optional(),
    patient: PatientText.optional(),
    /** Of either party, compared by its digits. */
    number: text(numberMost)
      .refine(number => /\d/.test(dialled(number)), 'expected a number with digits')
      .optional(),
    kind: RecordingKind.optional(),
    label: Label.optional(),
    /** Inclusive. */
    after: time.optional(),
    /** Exclusive. */
    before: time.optional(),
    /** Every recording of the tenant; then nothing else is said. */
    everything: z.literal(true).optional(),
  })
  .refine(
    ({ everything, ...said }) => (Object.keys(said).length === 0) === (everything === true),
    'expected at least one of mailbox, patient, number, kind, label, after, before; or everything alone',
  )
  .refine(
    ({ after, before }) =>
      after === undefined || before === undefined || Date.parse(after) < Date.parse(before),
    'before is later than after',
  )
export type HoldClause = z.infer<typeof HoldClause>

const clauses = z.array(HoldClause).max(clausesMost)
const recordings = z.array(RecordingId)
const custodians = z.array(UserId)
const somethingCovered = 'expected at least one clause or recording'

export const NewHold = z
  .strictObject({
    matter: text(matterMost),
    /** What its custodians are told, besides what every notice says. */
    notice: text(noticeMost).nullable().default(null),
    clauses: clauses.default([]),
    /** By hand, whatever the clauses say. */
    recordings: recordings.default([]),
    /** People who have to keep what they have of it. */
    custodians: custodians.default([]),
  })
  .refine(hold => hold.clauses.length + hold.recordings.length > 0, somethingCovered)
export type NewHold = z.infer<typeof NewHold>

export const HoldScope = z
  .strictObject({ clauses: clauses.default([]), recordings: recordings.default([]) })
  .refine(scope => scope.clauses.length + scope.recordings.length > 0, somethingCovered)
export type HoldScope = z.infer<typeof HoldScope>

export const AddedClauses = z.strictObject({ clauses: clauses.min(1) })
export type AddedClauses = z.infer<typeof AddedClauses>
export const AddedRecordings = z.strictObject({ recordings: recordings.min(1) })
export type AddedRecordings = z.infer<typeof AddedRecordings>
export const AddedCustodians = z.strictObject({ custodians: custodians.min(1) })
export type AddedCustodians = z.infer<typeof AddedCustodians>

export const HoldRelease = z.strictObject({ reason: text(reasonMost) })
export type HoldRelease = z.infer<typeof HoldRelease>

export const HoldView = z.strictObject({
  id: HoldId,
  state: z.enum(['active', 'released']),
  matter: z.string(),
  placedAt: time,
  /** Null for the machine's console. */
  placedBy: UserId.nullable(),
  release: z.strictObject({ at: time, by: UserId.nullable(), reason: z.string() }).nullable(),
  /** How many recordings it covers; of a released one, how many it covered until then. */
  recordings: z.int().min(0),
  clauses: z.int().min(0),
  custodians: z.int().min(0),
  /** How many of the custodians said that they read their notice. */
  acknowledged: z.int().min(0),
})
export type HoldView = z.infer<typeof HoldView>

export const HoldPage = z.strictObject({ holds: z.array(HoldView), nextCursor: HoldId.nullable() })
export type HoldPage = z.infer<typeof HoldPage>

export const HoldQuery = z.strictObject({
  /** Only those in force, or only those released. */
  active: z.stringbool().optional(),
  cursor: HoldId.optional(),
  limit,
})
export type HoldQuery = z.infer<typeof HoldQuery>

/** What became of a hold, by whom; what was done at one time by one person is one step. */
export const HoldStep = z.strictObject({
  at: time,
  what: z.enum([
    'placed',
    'clauses_added',
    'recordings_added',
    'custodians_added',
    'acknowledged',
    'recordings_released',
    'released',
  ]),
  by: UserId.nullable(),
  /** Of clauses, recordings, custodians. */
  count: z.int().min(1),
})
export type HoldStep = z.infer<typeof HoldStep>

export const HoldDetail = HoldView.extend({
  notice: z.string().nullable(),
  scope: z.array(
    z.strictObject({
      number: z.int().min(1),
      clause: HoldClause,
      addedAt: time,
      addedBy: UserId.nullable(),
    }),
  ),
  people: z.array(
    z.strictObject({
      id: UserId,
      name: z.string(),
      addedAt: time,
      acknowledgedAt: time.nullable(),
    }),
  ),
  /** Oldest first. */
  trail: z.array(HoldStep),
})
export type HoldDetail = z.infer<typeof HoldDetail>

/** What it came too late for, or nearly. */
const Late = {
  /** Their destruction had begun: what is left of them is kept. */
  destroying: z.array(RecordingId),
  /** Gone before. The first of them. */
  destroyed: z.array(RecordingId),
  destroyedCount: z.int().min(0),
}

export const HoldChange = z.strictObject({
  hold: HoldView,
  /** How many recordings came under it by this. */
  covered: z.int().min(0),
  ...Late,
})
export type HoldChange = z.infer<typeof HoldChange>

export const HoldPreview = z.strictObject({
  /** How many recordings it would cover today. */
  recordings: z.int().min(0),
  /** As archived, without what was made of them. */
  bytes: z.int().min(0),
  /** How many of them another hold covers already. */
  heldAlready: z.int().min(0),
  ...Late,
})
export type HoldPreview = z.infer<typeof HoldPreview>

export const HeldRecording = z.strictObject({
  id: RecordingId,
  coveredAt: time,
  /** Null: by a clause. */
  coveredBy: UserId.nullable(),
  releasedAt: time.nullable(),
  /** `destroying`: its destruction had begun before, and what is left of it is kept. */
  state: z.enum(['kept', 'destroying', 'destroyed']),
})
export type HeldRecording = z.infer<typeof HeldRecording>

export const HeldPage = z.strictObject({
  recordings: z.array(HeldRecording),
  nextCursor: RecordingId.nullable(),
})
export type HeldPage = z.infer<typeof HeldPage>

export const HeldQuery = z.strictObject({ cursor: RecordingId.optional(), limit })
export type HeldQuery = z.infer<typeof HeldQuery>

// --- custodians ---

export const OwnNotice = z.strictObject({
  /** The hold that it is about. */
  id: HoldId,
  /** To be read as it is. */
  text: z.string(),
  toldAt: time,
  acknowledgedAt: time.nullable(),
  /** From then on nothing has to be kept for this hold any more. */
  releasedAt: time.nullable(),
})
export type OwnNotice = z.infer<typeof OwnNotice>

export const OwnNoticeList = z.strictObject({ notices: z.array(OwnNotice) })
export type OwnNoticeList = z.infer<typeof OwnNoticeList>
