// The hold on an object: a small file beside it for as long as somebody holds it.
//
// It lies among the retention files, so a version that knows no holds finds a file that it cannot understand and
// keeps the object. A file that cannot be understood as a hold keeps it just the same.
import { constants, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { addBeside, type WriteAt } from './beside.ts'
import type { DirectorySync } from './directory-sync.ts'
import { ObjectError } from './error.ts'
import { ioUnless } from './failure.ts'
import type { Place } from './layout.ts'

export const holdName = 'hold.json'

const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW

const HoldFile = z.strictObject({
  format: z.literal('auricle-hold'),
  version: z.literal(1),
  key: z.string(),
})

/** Durable when it resolves. Writing it again changes nothing. */
export async function writeHold(place: Place, at: WriteAt): Promise<void> {
  const content = { format: 'auricle-hold', version: 1, key: place.key } satisfies z.input<typeof HoldFile>
  await addBeside(place, place.retention, holdName, content, at)
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
