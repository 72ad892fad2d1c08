// How an object goes: out of its name first, looked at once more, and only then for good.
//
// delete: RENAME into the retention folder -> look at what keeps it again -> UNLINK, or LINK back to its name.
//         The unlink is the commit point. A hold or a longer retention is durable before its writer looks whether the
//         object is still there. So either that writer finds the object gone from its name, or the second look here
//         finds what was written: nobody is told that an object is held which then goes. Whoever dies in between
//         leaves the object in the retention folder, where the next call for that key ends it one way or the other.
import { lstatSync, renameSync } from 'node:fs'
import { link, mkdir, unlink } from 'node:fs/promises'
import { directoryMode } from './directories.ts'
import type { DirectorySync } from './directory-sync.ts'
import type { ObjectError } from './error.ts'
import { generationOf, type ObjectStats } from './facts.ts'
import { hasCode, ioUnless, unavailable } from './failure.ts'
import { readKeeping, refusal, removeKeeping } from './keeping.ts'
import type { Place } from './layout.ts'

/** Takes the object from its name if it still is the one that was looked at; `endLeaving` must follow. */
export async function beginLeaving(place: Place, expected: ObjectStats): Promise<boolean> {
  await ioUnless(mkdir(place.retention, { mode: directoryMode }), ['EEXIST'], undefined)
  // A second name that a restore left behind: a rename onto it would do nothing (POSIX rename).
  await ioUnless(unlink(place.leaving), ['ENOENT'], undefined)
  return moveAway(place, expected)
}

/** Ends what `beginLeaving` began, here or in a process that died: why the object is back, or null when it is gone. */
export async function endLeaving(
  place: Place,
  { entries, now }: { readonly entries: DirectorySync; readonly now: () => number },
): Promise<ObjectError | null> {
  await entries.sync(place.directory)
  const keeping = await readKeeping(place)
  const reason = refusal(keeping, now())
  if (reason === null) {
    await ioUnless(unlink(place.leaving), ['ENOENT'], undefined)
    await removeKeeping(place, keeping)
    return null
  }
  const isBack = await ioUnless(
    link(place.leaving, place.object).then(() => true),
    ['ENOENT', 'EEXIST'],
    false,
  )
  await entries.sync(place.directory)
  // Where the name was taken meanwhile, the bytes stay where they are: nothing that is kept is ever removed.
  if (isBack) await ioUnless(unlink(place.leaving), ['ENOENT'], undefined)
  return reason
}

/**
 * Synchronous, so that no other call of this process comes between the look and the rename, and another process has
 * microseconds for both a delete and a put of the same key.
 */
function moveAway(place: Place, expected: ObjectStats): boolean {
  try {
    if (generationOf(lstatSync(place.object, { bigint: true })) !== generationOf(expected)) return false
    renameSync(place.object, place.leaving)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw unavailable(error)
  }
}
