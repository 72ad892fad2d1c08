// The retention of an object: small files beside it that are never changed, and removed only once they have expired.
//
// Each file says "not before". The latest of them counts, so two writers who race with different times, or
// one who crashed before its object existed, can only lengthen a retention and never shorten one. A file that
// cannot be read, or says something this version does not know, keeps the object: deletion fails. A file that is not
// locked may be removed before its time, by `loosen` alone; one of version 1, which knew no locks, is locked.
import { constants, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { addBeside, type WriteAt } from './beside.ts'
import type { DirectorySync } from './directory-sync.ts'
import { ObjectError } from './error.ts'
import { ioUnless } from './failure.ts'
import type { Place } from './layout.ts'

const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW

const common = {
  format: z.literal('auricle-retention'),
  key: z.string(),
  retainUntil: z.iso.datetime().transform(text => new Date(text)),
}

const RetentionFile = z.discriminatedUnion('version', [
  z.strictObject({ ...common, version: z.literal(1) }),
  z.strictObject({ ...common, version: z.literal(2), locked: z.boolean() }),
])

export interface Retention {
  readonly until: Date
  readonly locked: boolean
}

/** Durable when it resolves. Writing the same again changes nothing. */
export async function writeRetention(place: Place, { until, locked }: Retention, at: WriteAt): Promise<void> {
  const content = {
    format: 'auricle-retention',
    version: 2,
    key: place.key,
    retainUntil: until.toISOString(),
    locked,
  } satisfies z.input<typeof RetentionFile>
  // A name of its own for each mode: what is there is not written again.
  const name = `until-${until.getTime()}${locked ? '' : '-unlocked'}.json`
  await addBeside(place, place.retention, name, content, at)
}

/** Null when the file is gone since it was seen. Throws `damaged` when it cannot be understood. */
export async function readRetention(place: Place, name: string): Promise<Retention | null> {
  const path = join(place.retention, name)
  const text = await ioUnless(readFile(path, { encoding: 'utf8', flag: readFlags }), ['ENOENT'], null)
  return text === null ? null : parseRetention(text, place.key)
}

function parseRetention(text: string, key: string): Retention {
  try {
    const content = RetentionFile.parse(JSON.parse(text))
    if (content.key === key) {
      return { until: content.retainUntil, locked: content.version === 1 || content.locked }
    }
  } catch (cause) {
    throw damaged(cause)
  }
  throw damaged(null)
}

/** Durable when it resolves: of these files, those that are not locked and last longer are gone. */
export async function removeUnlocked(
  place: Place,
  { names, longerThan }: { readonly names: readonly string[]; readonly longerThan: Date | null },
  entries: DirectorySync,
): Promise<void> {
  for (const name of names) {
    const found = await readRetention(place, name)
    if (found === null || found.locked || (longerThan !== null && found.until <= longerThan)) continue
    await ioUnless(unlink(join(place.retention, name)), ['ENOENT'], undefined)
  }
  await entries.sync(place.retention)
}

const damaged = (cause: unknown): ObjectError =>
  new ObjectError('damaged', 'The retention of the object cannot be understood, so it is kept', { cause })
