// What a look at the stores found to be otherwise than it is decided, as the API shows it.
import { z } from 'zod'
import { StoreName } from './certificate.ts'
import { DriftRunId, RecordingId } from './ids.ts'

const limitDefault = 50
const limitMost = 200

/** What each means is in docs/store-drift.md. */
export const DriftKind = z.enum([
  'missing',
  'other_generation',
  'reappeared',
  'not_held',
  'shorter',
  'unlocked',
  'orphan',
  'longer',
  'held_for_nothing',
])
export type DriftKind = z.infer<typeof DriftKind>

export const DriftRunView = z.strictObject({
  id: DriftRunId,
  startedAt: z.iso.datetime(),
  /** Null while it goes on, and of one that was cut off. */
  endedAt: z.iso.datetime().nullable(),
  /** Recordings and, of both stores together, objects that were looked at. */
  recordings: z.int().min(0),
  objects: z.int().min(0),
  /** Findings by kind; a kind of which there are none is left out. */
  counts: z.partialRecord(DriftKind, z.int().min(0)),
})
export type DriftRunView = z.infer<typeof DriftRunView>

export const DriftRunPage = z.strictObject({
  runs: z.array(DriftRunView),
  nextCursor: DriftRunId.nullable(),
})
export type DriftRunPage = z.infer<typeof DriftRunPage>

export const DriftRunQuery = z.strictObject({
  cursor: DriftRunId.optional(),
  limit: z.coerce.number().int().min(1).max(limitMost).default(limitDefault),
})
export type DriftRunQuery = z.infer<typeof DriftRunQuery>

export const DriftFindingView = z.strictObject({
  number: z.int().min(1),
  kind: DriftKind,
  store: StoreName,
  /** Null where the key names no recording. */
  recordingId: RecordingId.nullable(),
  objectKey: z.string(),
  mended: z.boolean(),
})
export type DriftFindingView = z.infer<typeof DriftFindingView>

export const DriftRunDetail = DriftRunView.extend({
  findings: z.array(DriftFindingView),
  /** Number of the last finding here, where there are more. */
  nextAfter: z.int().min(1).nullable(),
})
export type DriftRunDetail = z.infer<typeof DriftRunDetail>

export const DriftFindingQuery = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(limitMost).default(limitMost),
})
export type DriftFindingQuery = z.infer<typeof DriftFindingQuery>
