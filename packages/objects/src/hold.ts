// The hold on an object: a small file beside it for as long as somebody holds it.
//
// It lies among the retention files, so a version that knows no holds finds a file that it cannot understand and
// keeps the object. A file that cannot be understood as a hold keeps it just the same.
import { constants, link, mkdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { directoryMode } from './directories.ts'
import type { DirectorySync } from './directory-sync.ts'
import { ObjectError } from './error.ts'
import { ioUnless } from './failure.ts'
import type { Place } from './layout.ts'
import { createTemporary } from './temporary.ts'

export const holdName = 'hold.json'

const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW

const HoldFile = z.strictObject({
  format: z.literal('auricle-hold'),
  version: z.literal(1),
  key: z.string(),
})

/** Durable when it resolves. Writing it again changes nothing. */
export async function writeHold(
  place: Place,
  at: { readonly temporaryFolder: string; readonly entries: DirectorySync },
): Promise<void> {
  const content = { format: 'auricle-hold', version: 1, key: place.key } satisfies z.input<typeof HoldFile>
  await using temporary = await createTemporary(at.temporaryFolder)
  await temporary.file.writeAll([Buffer.from(`${JSON.stringify(content, null, 2)}\n`)])
  await temporary.file.sync()
  await ioUnless(mkdir(place.retention, { mode: directoryMode }), ['EEXIST'], undefined)
  await ioUnless(link(temporary.path, join(place.retention, holdName)), ['EEXIST'], undefined)
  await Promise.all([at.entries.sync(place.retention), at.entries.sync(place.directory)])
}

/** False when it was taken off since it was seen. Throws `damaged` when it cannot be understood. */
export async function readHold(place: Place): Promise<boolean> {
  const path = join(place.retention, holdName)
  const text = await ioUnless(readFile(path, { encoding: 'utf8', flag: readFlags }), ['ENOENT'], null)
  if (text === null) return false
  try {
    if (HoldFile.parse(JSON.parse(text)).key === place.key) return true
  } catch (cause) {
    throw damaged(cause)
  }
  throw damaged(null)
}

/** Durable when it resolves. */
export async function removeHold(place: Place, entries: DirectorySync): Promise<void> {
  await ioUnless(unlink(join(place.retention, holdName)), ['ENOENT'], undefined)
  await entries.sync(place.retention)
}

const damaged = (cause: unknown): ObjectError =>
  new ObjectError('damaged', 'The hold on the object cannot be understood, so it is kept', { cause })
