// What keeps an object: its retention files and its hold, all in one folder beside it.
import { lstatSync } from 'node:fs'
import { readdir, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { ObjectError } from './error.ts'
import { ioUnless, unavailable } from './failure.ts'
import { holdName, readHold } from './hold.ts'
import { leavingEnding, type Place } from './layout.ts'
import { readRetention } from './retention.ts'

export interface Keeping {
  /** Null when no retention keeps the object. */
  readonly until: Date | null
  /** Whether one of the retentions is for good: then none is shortened. */
  readonly locked: boolean
  readonly held: boolean
  /** Names of what lies there on its way out: its delete is under way, or died (`leave.ts`). */
  readonly leaving: readonly string[]
  /** The files that say so, to be removed with the object. */
  readonly names: readonly string[]
}

const nothing: Keeping = { until: null, locked: false, held: false, leaving: [], names: [] }

/** Throws `damaged` when something is there that cannot be understood. */
export async function readKeeping(place: Place): Promise<Keeping> {
  const found = await ioUnless(readdir(place.retention), ['ENOENT'], null)
  if (found === null) return nothing
  const isLeaving = (name: string): boolean => name.endsWith(leavingEnding)
  const names = found.filter(name => !isLeaving(name))
  let until: Date | null = null
  let locked = false
  let held = false
  for (const name of names) {
    if (name === holdName) {
      held = await readHold(place)
      continue
    }
    const named = await readRetention(place, name)
    if (named === null) continue
    if (until === null || named.until > until) until = named.until
    locked ||= named.locked
  }
  return { until, locked, held, leaving: found.filter(isLeaving), names }
}

/**
 * The same for a key that mostly has nothing beside it, as when it is new. Looked up at once: the folder around was
 * just used, and the hand-over to the thread pool takes ten times as long.
 */
export async function readKeepingOfNew(place: Place): Promise<Keeping> {
  return isThere(place.retention) ? await readKeeping(place) : nothing
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    throw unavailable(error)
  }
}

/** Why the object may not go at this time (Unix milliseconds); null when it may. */
export function refusal(keeping: Keeping, now: number): ObjectError | null {
  if (keeping.held) return new ObjectError('held', 'A hold keeps the object')
  if (keeping.until !== null && now < keeping.until.getTime()) {
    return new ObjectError('retained', 'The object is kept until its retention ends')
  }
  return null
}

/** Removes what `readKeeping` found, after its time and after the object. What others added meanwhile stays. */
export async function removeKeeping(place: Place, expired: Keeping): Promise<void> {
  for (const name of expired.names) await ioUnless(unlink(join(place.retention, name)), ['ENOENT'], undefined)
  await ioUnless(rmdir(place.retention), ['ENOENT', 'ENOTEMPTY', 'EEXIST'], undefined)
}
