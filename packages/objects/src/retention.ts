// The retention of an object: small files beside it that are never changed, and removed only once they have expired.
//
// Each file says "not before". The latest of them counts, so two writers who race with different times, or
// one who crashed before its object existed, can only lengthen a retention and never shorten one. A file that
// cannot be read, or says something this version does not know, keeps the object: deletion fails.
import { constants, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { addBeside, type WriteAt } from './beside.ts'
import { ObjectError } from './error.ts'
import { ioUnless } from './failure.ts'
import type { Place } from './layout.ts'

const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW

const RetentionFile = z.strictObject({
  format: z.literal('auricle-retention'),
  version: z.literal(1),
  key: z.string(),
  retainUntil: z.iso.datetime().transform(text => new Date(text)),
})

/** Durable when it resolves. Writing the same again changes nothing. */
export async function writeRetention(place: Place, until: Date, at: WriteAt): Promise<void> {
  const content = {
    format: 'auricle-retention',
    version: 1,
    key: place.key,
    retainUntil: until.toISOString(),
  } satisfies z.input<typeof RetentionFile>
  await addBeside(place, place.retention, `until-${until.getTime()}.json`, content, at)
}

/** Null when the file is gone since it was seen. Throws `damaged` when it cannot be understood. */
export async function readRetention(place: Place, name: string): Promise<Date | null> {
  const path = join(place.retention, name)
  const text = await ioUnless(readFile(path, { encoding: 'utf8', flag: readFlags }), ['ENOENT'], null)
  return text === null ? null : parseRetention(text, place.key)
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
