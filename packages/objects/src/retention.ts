// The retention of an object: small files beside it that are never changed, and removed only once they have expired.
//
// Each file says "not before". The latest of them counts, so two writers who race with different times, or
// one who crashed before its object existed, can only lengthen a retention and never shorten one. A file that
// cannot be read, or says something this version does not know (such as a later version's temporary hold),
// keeps the object: deletion fails.
import { constants, link, mkdir, readdir, readFile, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { directoryMode } from './directories.ts'
import type { DirectorySync } from './directory-sync.ts'
import { ObjectError } from './error.ts'
import { ioUnless } from './failure.ts'
import type { Place } from './layout.ts'
import { createTemporary } from './temporary.ts'

const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW

const RetentionFile = z.strictObject({
  format: z.literal('auricle-retention'),
  version: z.literal(1),
  key: z.string(),
  retainUntil: z.iso.datetime().transform(text => new Date(text)),
})

export interface Retention {
  /** Null when nothing keeps the object. */
  readonly until: Date | null
  /** The files that say so, to be removed with the object. */
  readonly files: readonly string[]
}

/** Durable when it resolves. Writing the same again changes nothing. */
export async function writeRetention(
  place: Place,
  until: Date,
  at: { readonly temporaryFolder: string; readonly entries: DirectorySync },
): Promise<void> {
  const content = {
    format: 'auricle-retention',
    version: 1,
    key: place.key,
    retainUntil: until.toISOString(),
  } satisfies z.input<typeof RetentionFile>
  await using temporary = await createTemporary(at.temporaryFolder)
  await temporary.file.writeAll([Buffer.from(`${JSON.stringify(content, null, 2)}\n`)])
  await temporary.file.sync()
  const path = join(place.retention, `until-${until.getTime()}.json`)
  await ioUnless(mkdir(place.retention, { mode: directoryMode }), ['EEXIST'], undefined)
  await ioUnless(link(temporary.path, path), ['EEXIST'], undefined)
  await Promise.all([at.entries.sync(place.retention), at.entries.sync(place.directory)])
}

/** Throws `damaged` when a retention is there and cannot be understood. */
export async function readRetention(place: Place): Promise<Retention> {
  const names = await ioUnless(readdir(place.retention), ['ENOENT'], null)
  if (names === null) return { until: null, files: [] }
  const files = names.map(name => join(place.retention, name))
  let until: Date | null = null
  for (const file of files) {
    const text = await ioUnless(readFile(file, { encoding: 'utf8', flag: readFlags }), ['ENOENT'], null)
    if (text === null) continue
    const fileUntil = parseRetention(text, place.key)
    if (until === null || fileUntil > until) until = fileUntil
  }
  return { until, files }
}

function parseRetention(text: string, key: string): Date {
  try {
    const content = RetentionFile.parse(JSON.parse(text))
    if (content.key === key) return content.retainUntil
  } catch (cause) {
    throw damaged(cause)
  }
  throw damaged(null)
}

const damaged = (cause: unknown): ObjectError =>
  new ObjectError('damaged', 'The retention of the object cannot be understood, so it is kept', { cause })

/** Removes what `readRetention` found, after its time and after the object. What others added meanwhile stays. */
export async function removeRetention(place: Place, expired: Retention): Promise<void> {
  for (const file of expired.files) await ioUnless(unlink(file), ['ENOENT'], undefined)
  await ioUnless(rmdir(place.retention), ['ENOENT', 'ENOTEMPTY', 'EEXIST'], undefined)
}
