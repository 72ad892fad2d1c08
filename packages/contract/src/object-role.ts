// What a sealed object is to its recording.
import { z } from 'zod'

export const ObjectRole = z.enum(['original', 'playback', 'peaks'])
export type ObjectRole = z.infer<typeof ObjectRole>
