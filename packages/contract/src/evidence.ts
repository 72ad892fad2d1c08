// What somebody may ask evidence for: the events of the log that match everything given.
import { z } from 'zod'
import { PatientId, RecordingId, UserId } from './ids.ts'

export const EvidenceSelection = z
  .strictObject({
    patient: PatientId.optional(),
    user: UserId.optional(),
    recording: RecordingId.optional(),
    /** Inclusive. */
    from: z.iso.datetime().optional(),
    /** Exclusive. */
    to: z.iso.datetime().optional(),
  })
  .refine(
    ({ from, to }) => from === undefined || to === undefined || new Date(from) < new Date(to),
    'expected from before to',
  )
export type EvidenceSelection = z.infer<typeof EvidenceSelection>
