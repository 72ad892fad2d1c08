// What a PBX says about a recording it hands over, in one shape for every connector.
import { z } from 'zod'

const shortText = z.string().max(256)

export const RecordingKind = z.enum(['voicemail', 'recording'])
export type RecordingKind = z.infer<typeof RecordingKind>

export const CallDirection = z.enum(['inbound', 'outbound', 'internal'])
export type CallDirection = z.infer<typeof CallDirection>

/**
 * Facts of one delivery. Everything but `kind` may identify a patient, so a notice is only ever
 * stored sealed. `sourceId` is the PBX's own name of the recording, unique within its connector.
 */
export const Notice = z.strictObject({
  sourceId: z.string().min(1).max(512),
  kind: RecordingKind,
  mailbox: shortText.nullable(),
  direction: CallDirection.nullable(),
  from: shortText.nullable(),
  fromName: shortText.nullable(),
  to: shortText.nullable(),
  patientReference: shortText.nullable(),
  note: z.string().max(4096).nullable(),
  /** RFC 3339 UTC. */
  startedAt: z.iso.datetime().nullable(),
  /** As the PBX declared it; the bytes decide. */
  contentType: shortText.nullable(),
  fileName: shortText.nullable(),
  declaredBytes: z.int().nonnegative().nullable(),
  /** Lower-case hex. */
  declaredSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  /** Where the audio is to be fetched; null when it came with the delivery. */
  audioUrl: z.url().max(2048).nullable(),
})
export type Notice = z.infer<typeof Notice>
