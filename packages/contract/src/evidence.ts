// What somebody may ask evidence for: the events of the log that match everything given.
import { z } from 'zod'
import { PatientId, RecordingId, UserId } from './ids.ts'

/** RFC 3339 UTC with milliseconds; what is shorter is filled up. */
const Time = z.iso.datetime().transform(text => new Date(text).toISOString())

export const EvidenceSelection = z
  .strictObject({
    patient: PatientId.optional(),
    user: UserId.optional(),
    recording: RecordingId.optional(),
    /** Inclusive. */
    from: Time.optional(),
    /** Exclusive. */
    to: Time.optional(),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, 'expected from before to')
export type EvidenceSelection = z.infer<typeof EvidenceSelection>
