// The waveform of a recording: per channel the lowest and highest sample of each equal stretch of time.
import { z } from 'zod'

export const Peaks = z.strictObject({
  version: z.literal(1),
  channels: z.int().min(1).max(8),
  /** Length of the audio in milliseconds. */
  durationMs: z.int().nonnegative(),
  /** Time that one pair of values stands for, in microseconds. */
  stepUs: z.int().positive(),
  /** Per channel: min0, max0, min1, max1, ... each from -128 to 127. */
  data: z.array(z.array(z.int().min(-128).max(127))),
})
export type Peaks = z.infer<typeof Peaks>
