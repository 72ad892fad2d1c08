// An object that was deleted, for as long as Cloud Storage can restore it.
import { z } from 'zod'
import { ObjectError } from '../error.ts'
import type { GoneObject } from '../store.ts'

const time = z.iso.datetime({ offset: true }).transform(text => new Date(text))

const Gone = z.object({
  name: z.string(),
  size: z.string().regex(/^\d{1,19}$/),
  generation: z.string().regex(/^\d{1,19}$/),
  softDeleteTime: time,
  hardDeleteTime: time,
})

const GonePage = z.object({ items: z.array(Gone).default([]), nextPageToken: z.string().optional() })

export type GonePage = z.output<typeof GonePage>

export const goneFields = Object.keys(Gone.shape).join(',')

/** Throws `unavailable` for an answer that is not the service's. */
export function parseGonePage(body: unknown): GonePage {
  const parsed = GonePage.safeParse(body)
  if (parsed.success) return parsed.data
  throw new ObjectError('unavailable', 'The answer is not one of Google Cloud Storage', {
    cause: parsed.error,
  })
}

export const goneOf = (key: string, gone: z.output<typeof Gone>): GoneObject => ({
  key,
  generation: gone.generation,
  sizeBytes: Number(gone.size),
  deletedAt: gone.softDeleteTime,
  restorableUntil: gone.hardDeleteTime,
})
