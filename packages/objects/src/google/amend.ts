// Changes what is beside an object's bytes: looked at, changed if it still is as it was, looked at again if not.
import { setTimeout as sleep } from 'node:timers/promises'
import { ObjectError } from '../error.ts'
import type { OfGeneration } from '../store.ts'
import type { Bucket } from './bucket.ts'
import type { Resource } from './resource.ts'

/** As many as may well want one object at once; each round one of them gets its way. */
const roundsMost = 32
const delayMs = 20

/**
 * `changeOf` tells what to change, or null where all is as it should be: so also a change whose answer was lost is
 * recognised. `overrides`: by the right to shorten what is not locked. Throws `not_found`.
 */
export async function amend(
  bucket: Bucket,
  objectName: string,
  { generation, signal, overrides = false }: OfGeneration & { readonly overrides?: boolean },
  changeOf: (resource: Resource) => object | null,
): Promise<Resource> {
  for (let round = 0; round < roundsMost; round++) {
    const resource = await bucket.get(objectName, { signal })
    if (resource === null || (generation !== undefined && generation !== resource.generation))
      throw notFound()
    const change = changeOf(resource)
    if (change === null) return resource
    const changed = await bucket.patch(resource, change, { signal, overrides })
    if (changed === null) throw notFound()
    if (changed !== 'conflict') return changed
    await sleep(delayMs * Math.random(), undefined, { signal }).catch(() => signal?.throwIfAborted())
  }
  throw new ObjectError('unavailable', 'Too many change the object at once')
}

/** Later than now, or nothing. Of the mode that it has: another mode needs a right that nobody here has. */
export function retentionChange(
  { retention }: Resource,
  until: Date,
  { mode, now }: { readonly mode: 'Locked' | 'Unlocked'; readonly now: number },
): object | null {
  if (until.getTime() <= now || (retention != null && until <= retention.retainUntilTime)) return null
  return { retention: { mode: retention?.mode ?? mode, retainUntilTime: until.toISOString() } }
}

/** Sooner than now, or null where there is nothing to shorten. Throws `locked`. */
export function looserChange(
  { retention }: Resource,
  until: Date | null,
  { now }: { readonly now: number },
): object | null {
  const current = retention?.retainUntilTime ?? null
  if (current === null || current.getTime() <= now || (until !== null && current <= until)) return null
  if (retention?.mode === 'Locked')
    throw new ObjectError('locked', 'The object is kept for good until its time')
  if (until === null || until.getTime() <= now) return { retention: null }
  return { retention: { mode: 'Unlocked', retainUntilTime: until.toISOString() } }
}

/** A temporary hold: one that is event-based cannot be together with a retention. */
export function holdChange({ temporaryHold }: Resource, held: boolean): object | null {
  return (temporaryHold === true) === held ? null : { temporaryHold: held }
}

/** A patch merges: what is to go is set to null. The id of the put goes too, which has settled by now. */
export function metadataChange(
  { metadata }: Resource,
  next: Readonly<Record<string, string>>,
): object | null {
  const there = metadata ?? {}
  const changes: Record<string, string | null> = {}
  for (const name of Object.keys(there)) if (!Object.hasOwn(next, name)) changes[name] = null
  for (const [name, value] of Object.entries(next)) if (there[name] !== value) changes[name] = value
  return Object.keys(changes).length === 0 ? null : { metadata: changes }
}

const notFound = (): ObjectError => new ObjectError('not_found', 'There is no such object')
