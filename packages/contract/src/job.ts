// What the queue carries: ids and nothing else, since queues hold their jobs in clear.
import { z } from 'zod'
import { IntakeId, RecordingId, TenantId } from './ids.ts'

export const Job = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('archive'), tenantId: TenantId, intakeId: IntakeId }),
  z.strictObject({ type: z.literal('replicate'), tenantId: TenantId, recordingId: RecordingId }),
])
export type Job = z.infer<typeof Job>
