// What a PBX gets back for a delivery that is durable. The same delivery again gets the same receipt.
import { z } from 'zod'
import { RecordingId } from './ids.ts'

export const Receipt = z.strictObject({
  status: z.literal('received'),
  recording: RecordingId,
  receivedAt: z.iso.datetime(),
})
export type Receipt = z.infer<typeof Receipt>
