// What may be asked of the log, as API and command take it.
import { AuditEvent, EventAction } from '@auricle/audit'
import type { LogPosition } from '@auricle/catalog'
import { EventId, PatientText, RecordingId, UserId } from '@auricle/contract'
import { z } from 'zod'

const limitDefault = 50
const limitMost = 200
const reportDefault = 500
const reportMost = 2_000
const feedDefault = 1_000
const feedMost = 10_000
const waitMostSeconds = 30
const cursorMost = 256
const reasonMost = 1_000

const limit = (usual: number, most: number) => z.coerce.number().int().min(1).max(most).default(usual)
const time = z.iso.datetime().optional()
const cursor = z.string().max(cursorMost).optional()
const year = z.coerce.number().int().min(2020).max(9999)
const size = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER)

/** All that are given must hold. Times: `from` inclusive, `to` exclusive. */
export const LogQuery = z.strictObject({
  /** A user's or connector's id, or the name of a part of the vault. */
  actor: z
    .string()
    .max(64)
    .regex(/^[a-z][a-z0-9._:-]*$/)
    .optional(),
  recording: RecordingId.optional(),
  patient: PatientText.optional(),
  action: EventAction.optional(),
  outcome: AuditEvent.shape.outcome.optional(),
  from: time,
  to: time,
  cursor,
  limit: limit(limitDefault, limitMost),
})
export type LogQuery = z.infer<typeof LogQuery>

export const AccessReportQuery = z
  .strictObject({
    patient: PatientText.optional(),
    user: UserId.optional(),
    recording: RecordingId.optional(),
    from: time,
    to: time,
    cursor,
    limit: limit(reportDefault, reportMost),
    format: z.enum(['json', 'csv']).optional(),
  })
  .refine(
    ({ patient, user, recording }) => [patient, user, recording].some(one => one !== undefined),
    'a patient, a user or a recording is needed',
  )
export type AccessReportQuery = z.infer<typeof AccessReportQuery>

const position = /^(\d{4})-(0|[1-9]\d{0,14})$/

/** Of `2026-1042`: a year's log and a place in it. */
export function positionOf(text: string): LogPosition {
  const [, yearText, seq] = position.exec(text) ?? []
  return { year: Number(yearText), seq: Number(seq) }
}

export const FeedQuery = z.strictObject({
  /** Year and place of the last event that was taken, such as `2026-1042`. */
  after: z.string().regex(position).optional(),
  /** Seconds to wait where there is nothing new. */
  wait: z.coerce.number().int().min(0).max(waitMostSeconds).default(0),
  limit: limit(feedDefault, feedMost),
})
export type FeedQuery = z.infer<typeof FeedQuery>

export const CheckpointQuery = z.strictObject({ year: year.optional(), size: size.optional() })
export type CheckpointQuery = z.infer<typeof CheckpointQuery>

export const InclusionQuery = z.strictObject({ event: EventId, size: size.optional() })
export type InclusionQuery = z.infer<typeof InclusionQuery>

export const ConsistencyQuery = z
  .strictObject({ year, from: size, to: size.optional() })
  .refine(({ from, to }) => to === undefined || from <= to, 'from is not larger than to')
export type ConsistencyQuery = z.infer<typeof ConsistencyQuery>

/** Why a private part has to go: of a court, of the patient, of its time. */
export const PrivatePartDrop = z.strictObject({ reason: z.string().trim().min(1).max(reasonMost) })
export type PrivatePartDrop = z.infer<typeof PrivatePartDrop>
