// What the file system tells about an object: its size, its age and which of several with one key it is.
import { lstat } from 'node:fs/promises'
import { ObjectError } from './error.ts'
import { ioUnless } from './failure.ts'
import type { Keeping } from './keeping.ts'
import type { Place } from './layout.ts'
import type { ObjectFacts, ObjectMetadata } from './store.ts'

/** The fields of a bigint `fs.Stats` that matter here. */
export interface ObjectStats {
  readonly ino: bigint
  /** Names that it has; 0 when it only still is open. */
  readonly nlink: bigint
  readonly size: bigint
  readonly mtimeMs: bigint
  readonly mtimeNs: bigint
  isFile(): boolean
}

const generationRadix = 36

/** Null when there is no such file. Throws `damaged` for anything but a plain file. */
export async function statObject(place: Place): Promise<ObjectStats | null> {
  const stats = await ioUnless(lstat(place.object, { bigint: true }), ['ENOENT'], null)
  if (stats !== null && !stats.isFile()) {
    throw new ObjectError('damaged', 'Something that is no file stands where the object should be')
  }
  return stats
}

/**
 * The inode and the time of the last write: an inode may be used again, and a kernel's clock moves in steps
 * of milliseconds, but `delete` sees to it that both never happen at once (`longestClockStepMs`).
 */
export function generationOf(stats: ObjectStats): string {
  return `${stats.ino.toString(generationRadix)}-${stats.mtimeNs.toString(generationRadix)}`
}

export function factsOf(
  key: string,
  stats: ObjectStats,
  { until, locked, held }: Pick<Keeping, 'until' | 'locked' | 'held'>,
  metadata: ObjectMetadata,
): ObjectFacts {
  return {
    key,
    sizeBytes: Number(stats.size),
    generation: generationOf(stats),
    createdAt: new Date(Number(stats.mtimeMs)),
    retainUntil: until,
    locked,
    held,
    metadata,
  }
}
