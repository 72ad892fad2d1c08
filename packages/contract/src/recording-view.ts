// A recording as the API and the command show it.
import { z } from 'zod'
import { Label } from './access.ts'
import { ConnectorId, MailboxId, RecordingId, UserId } from './ids.ts'
import { CallDirection, RecordingKind } from './notice.ts'
import { RetentionState } from './retention.ts'

/**
 * `ready`: a rendition and peaks exist. `original-only`: no audio tool was at hand, played as delivered.
 * `undecodable`: kept as delivered, but no audio could be read from it.
 */
export const AudioState = z.enum(['ready', 'original-only', 'undecodable'])
export type AudioState = z.infer<typeof AudioState>

export const RecordingView = z.strictObject({
  id: RecordingId,
  kind: RecordingKind,
  mailbox: z.strictObject({ id: MailboxId, address: z.string(), name: z.string() }).nullable(),
  connector: ConnectorId,
  direction: CallDirection.nullable(),
  from: z.string().nullable(),
  fromName: z.string().nullable(),
  to: z.string().nullable(),
  patientReference: z.string().nullable(),
  note: z.string().nullable(),
  startedAt: z.iso.datetime(),
  receivedAt: z.iso.datetime(),
  archivedAt: z.iso.datetime(),
  durationMs: z.int().nonnegative().nullable(),
  channels: z.int().positive().nullable(),
  codec: z.string().nullable(),
  contentType: z.string(),
  sizeBytes: z.int().nonnegative(),
  audioState: AudioState,
  /** Each keeps it from whoever lacks the role of its name. */
  labels: z.array(Label).readonly(),
  heardAt: z.iso.datetime().nullable(),
  heardBy: UserId.nullable(),
  /** Until when nothing can delete it. */
  retainUntil: z.iso.datetime(),
  /** What it is now by the rules and holds. `until`: nothing deletes it before; null once it is due. */
  retention: z.strictObject({ state: RetentionState, until: z.iso.datetime().nullable() }),
  /** Whether a legal hold covers it. */
  held: z.boolean(),
})
export type RecordingView = z.infer<typeof RecordingView>

export const RecordingPage = z.strictObject({
  recordings: z.array(RecordingView),
  /** Pass as `cursor` for the next page; null on the last. */
  nextCursor: z.string().nullable(),
})
export type RecordingPage = z.infer<typeof RecordingPage>

const limitDefault = 50
const limitMost = 200

/** Filters of a list; all must hold. Times: `after` inclusive, `before` exclusive, by start of recording. */
export const RecordingQuery = z.strictObject({
  mailbox: MailboxId.optional(),
  kind: RecordingKind.optional(),
  after: z.iso.datetime().optional(),
  before: z.iso.datetime().optional(),
  /** Exact number of either party, compared by its digits. */
  number: z.string().max(64).optional(),
  heard: z.stringbool().optional(),
  /** Whether a legal hold covers it. */
  held: z.stringbool().optional(),
  label: Label.optional(),
  cursor: z.string().max(256).optional(),
  limit: z.coerce.number().int().min(1).max(limitMost).default(limitDefault),
})
export type RecordingQuery = z.infer<typeof RecordingQuery>

const labels = z
  .array(Label)
  .max(Label.options.length)
  .refine(list => new Set(list).size === list.length, 'each label once')
  .default([])

export const LabelChange = z
  .strictObject({ add: labels, remove: labels })
  .refine(({ add, remove }) => add.length + remove.length > 0, 'at least one label')
  .refine(({ add, remove }) => !add.some(label => remove.includes(label)), 'a label is put on or taken off')
export type LabelChange = z.infer<typeof LabelChange>

/** One thing at a time: each is decided, and logged, by itself. */
export const RecordingPatch = z.union([
  z.strictObject({ heard: z.boolean() }),
  z.strictObject({ labels: LabelChange }),
])
export type RecordingPatch = z.infer<typeof RecordingPatch>
