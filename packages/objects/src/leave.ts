// How an object goes: out of its name first, looked at once more, and only then for good.
//
// delete: RENAME into the retention folder -> look at what keeps it again -> UNLINK, or LINK back to its name.
//         The unlink is the commit point. A hold or a longer retention is durable before its writer looks whether the
//         object is still there. So either that writer finds the object gone from its name, or the second look here
//         finds what was written: nobody is told that an object is held which then goes. Whoever dies in between
//         leaves the object in the retention folder, where the next call for that key ends it one way or the other.
//         Each delete moves it to a name of its own: what somebody decided about one of them, before there was a
//         hold, must not befall the next.
import { randomUUID } from 'node:crypto'
import { lstatSync, mkdirSync, renameSync } from 'node:fs'
import { constants, link, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { directoryMode } from './directories.ts'
import type { DirectorySync } from './directory-sync.ts'
import { generationOf, type ObjectStats, statObject } from './facts.ts'
import { hasCode, ioUnless, unavailable } from './failure.ts'
import { type OpenFile, openFile } from './file.ts'
import { readKeeping, refusal, removeKeeping } from './keeping.ts'
import { leavingEnding, type Place } from './layout.ts'

const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Takes the object from its name if it still is the one that was looked at, and hands it over open: it has gone when
 * it has no name left. `endLeaving` must follow.
 */
export async function beginLeaving(place: Place, expected: ObjectStats): Promise<OpenFile | null> {
  const file = await ioUnless(openFile(place.object, openFlags), ['ENOENT'], null)
  if (file === null) return null
  if (moveAway(place, expected)) return file
  await file[Symbol.asyncDispose]()
  return null
}

/** Ends what `beginLeaving` began, here or in a process that died: the object is gone, or back. */
export async function endLeaving(
  place: Place,
  { entries, now }: { readonly entries: DirectorySync; readonly now: () => number },
): Promise<void> {
  await entries.sync(place.directory)
  const keeping = await readKeeping(place)
  const paths = keeping.leaving.map(name => join(place.retention, name))
  if (refusal(keeping, now()) === null) {
    for (const path of paths) await ioUnless(unlink(path), ['ENOENT'], undefined)
    await removeKeeping(place, keeping)
    return
  }
  for (const path of paths) await ioUnless(link(path, place.object), ['ENOENT', 'EEXIST'], undefined)
  await entries.sync(place.directory)
  const back = await statObject(place)
  for (const path of paths) {
    // Where the name was taken meanwhile, the bytes stay where they are: nothing that is kept is ever removed.
    if (back !== null && isSame(path, back)) await ioUnless(unlink(path), ['ENOENT'], undefined)
  }
}

function isSame(path: string, { ino }: ObjectStats): boolean {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino === ino
}

/**
 * Synchronous, so that no other call of this process comes between the look and the rename, and another process has
 * microseconds for both a delete and a put of the same key.
 */
function moveAway(place: Place, expected: ObjectStats): boolean {
  try {
    if (generationOf(lstatSync(place.object, { bigint: true })) !== generationOf(expected)) return false
    // Made in the same step: whoever deletes takes an empty one away.
    mkdirSync(place.retention, { recursive: true, mode: directoryMode })
    renameSync(place.object, join(place.retention, randomUUID() + leavingEnding))
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw unavailable(error)
  }
}
