// What is noted beside an object in the folder: one small file, bound to the very object and replaced whole.
//
// The file is named after the object's generation, so what a crash or a writer that came second left behind is never
// taken for a note on another object. In a copy of the folder generations are others; there a note is known by the
// size and the time of last write that it tells (copy with times kept: cp -a, rsync -a).
import { constants, readdir, readFile, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { replaceBeside, type WriteAt } from './beside.ts'
import { ObjectError } from './error.ts'
import { generationOf, type ObjectStats } from './facts.ts'
import { ioUnless } from './failure.ts'
import type { Place } from './layout.ts'
import type { ObjectMetadata } from './store.ts'

const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW

const NotesFile = z.strictObject({
  format: z.literal('auricle-metadata'),
  version: z.literal(1),
  key: z.string(),
  sizeBytes: z.number(),
  writtenAtMs: z.number(),
  metadata: z.record(z.string(), z.string()),
})

const none: ObjectMetadata = {}
/** Tools that hand times over as floating point numbers of seconds lose the last of their digits. */
const copiedTimeErrorMs = 1

const identityOf = (stats: ObjectStats) => ({
  sizeBytes: Number(stats.size),
  writtenAtMs: Number(stats.mtimeMs),
})

/** Replaces what was noted; durable when it resolves. */
export async function writeNotes(
  place: Place,
  stats: ObjectStats,
  metadata: ObjectMetadata,
  at: WriteAt,
): Promise<void> {
  const content = {
    format: 'auricle-metadata',
    version: 1,
    key: place.key,
    ...identityOf(stats),
    metadata,
  } satisfies z.input<typeof NotesFile>
  await replaceBeside(place, place.metadata, nameOf(stats), content, at)
}

/** Nothing where nothing was noted. Throws `damaged` for notes on this object that cannot be understood. */
export async function readNotes(place: Place, stats: ObjectStats): Promise<ObjectMetadata> {
  const names = await listNotes(place)
  if (names.length === 0) return none
  const own = nameOf(stats)
  if (names.includes(own)) return (await readFileOf(place, own))?.metadata ?? none
  const { sizeBytes, writtenAtMs } = identityOf(stats)
  const matching = []
  for (const name of names) {
    const notes = await readFileOf(place, name)
    if (notes?.sizeBytes !== sizeBytes) continue
    if (Math.abs(notes.writtenAtMs - writtenAtMs) <= copiedTimeErrorMs) matching.push(notes)
  }
  const [only, ...others] = matching
  return only === undefined || others.length > 0 ? none : only.metadata
}

/** The notes that lie there now, whatever object they are on. */
export async function listNotes(place: Place): Promise<readonly string[]> {
  return await ioUnless(readdir(place.metadata), ['ENOENT'], [])
}

/** Removes what `listNotes` found, after the object. What others added meanwhile stays. */
export async function removeNotes(place: Place, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  for (const name of names) await ioUnless(unlink(join(place.metadata, name)), ['ENOENT'], undefined)
  await ioUnless(rmdir(place.metadata), ['ENOENT', 'ENOTEMPTY', 'EEXIST'], undefined)
}

export const nameOf = (stats: ObjectStats): string => `${generationOf(stats)}.json`

async function readFileOf(place: Place, name: string): Promise<z.output<typeof NotesFile> | null> {
  const path = join(place.metadata, name)
  const text = await ioUnless(readFile(path, { encoding: 'utf8', flag: readFlags }), ['ENOENT'], null)
  if (text === null) return null
  try {
    const notes = NotesFile.parse(JSON.parse(text))
    if (notes.key === place.key) return notes
  } catch (cause) {
    throw damaged(cause)
  }
  throw damaged(null)
}

const damaged = (cause: unknown): ObjectError =>
  new ObjectError('damaged', 'What is noted beside the object cannot be understood', { cause })
