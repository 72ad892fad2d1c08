// An object as Cloud Storage describes it, and what of it is the store's.
import { z } from 'zod'
import { ObjectError } from '../error.ts'
import { keySegments } from '../key.ts'
import type { ObjectFacts, ObjectMetadata } from '../store.ts'

const int64 = z.string().regex(/^\d{1,19}$/)
const time = z.iso.datetime({ offset: true }).transform(text => new Date(text))

const Resource = z.object({
  name: z.string(),
  size: int64,
  generation: int64,
  metageneration: int64,
  timeCreated: time,
  crc32c: z.string().nullish(),
  retention: z.object({ mode: z.enum(['Locked', 'Unlocked']), retainUntilTime: time }).nullish(),
  /** Of all that keeps the object by time, the bucket's own policy included. */
  retentionExpirationTime: time.nullish(),
  temporaryHold: z.boolean().nullish(),
  eventBasedHold: z.boolean().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
})

export type Resource = z.output<typeof Resource>

/** What is asked for of an object: the rest is not used, and in a list it is most of the bytes. */
export const resourceFields = Object.keys(Resource.shape).join(',')

/** Throws `unavailable` for an answer that is not the service's. */
export function parseResource(body: unknown): Resource {
  const parsed = Resource.safeParse(body)
  if (parsed.success) return parsed.data
  throw notUnderstood(parsed.error)
}

const Page = z.object({ items: z.array(Resource).default([]), nextPageToken: z.string().optional() })

export type Page = z.output<typeof Page>

/** Likewise. */
export function parsePage(body: unknown): Page {
  const parsed = Page.safeParse(body)
  if (parsed.success) return parsed.data
  throw notUnderstood(parsed.error)
}

const notUnderstood = (cause: unknown): ObjectError =>
  new ObjectError('unavailable', 'The answer is not one of Google Cloud Storage', { cause })

/**
 * Which put it was that made the object, so that a put whose answer was lost knows its own. No metadata of the contract
 * has a name with `_`.
 */
export const putIdName = 'auricle_put'

export function metadataOf({ metadata }: Resource): ObjectMetadata {
  const { [putIdName]: _, ...rest } = metadata ?? {}
  return rest
}

export function factsOf(key: string, resource: Resource): ObjectFacts {
  return {
    key,
    sizeBytes: Number(resource.size),
    generation: resource.generation,
    createdAt: resource.timeCreated,
    retainUntil: later(resource.retention?.retainUntilTime, resource.retentionExpirationTime),
    locked: resource.retention?.mode === 'Locked',
    held: resource.temporaryHold === true || resource.eventBasedHold === true,
    metadata: metadataOf(resource),
  }
}

function later(...times: readonly (Date | null | undefined)[]): Date | null {
  let last: Date | null = null
  for (const each of times) if (each != null && (last === null || each > last)) last = each
  return last
}

const nameBytesMost = 1024

/** Between keys and the names of objects in the bucket. */
export interface Names {
  /** Throws `bad_key`. */
  nameOf(key: string): string
  /** Null for what is no key of ours. */
  keyOf(name: string): string | null
  readonly begin: string
}

/** `prefix`: a key itself; empty for none. Throws `bad_key`. */
export function createNames(prefix: string): Names {
  if (prefix !== '') keySegments(prefix)
  const begin = prefix === '' ? '' : `${prefix}/`
  return {
    begin,
    nameOf(key) {
      keySegments(key)
      const name = begin + key
      if (name.length <= nameBytesMost) return name
      throw new ObjectError(
        'bad_key',
        `Under its prefix the bucket takes keys of ${nameBytesMost - begin.length}`,
      )
    },
    keyOf(name) {
      const key = name.slice(begin.length)
      try {
        keySegments(key)
        return name.startsWith(begin) ? key : null
      } catch {
        return null
      }
    },
  }
}
