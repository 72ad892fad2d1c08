// Small files beside an object, written whole and durable: what keeps it and what is noted about it.
import { link, mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { directoryMode } from './directories.ts'
import type { DirectorySync } from './directory-sync.ts'
import { hasCode, ioUnless, unavailable } from './failure.ts'
import type { Place } from './layout.ts'
import { createTemporary } from './temporary.ts'

export interface WriteAt {
  readonly temporaryFolder: string
  readonly entries: DirectorySync
}

/** A delete takes an empty folder away, between our making it and our using it: as often as there are deletes. */
const triesMost = 16

/** Durable when it resolves; a file that has the name stays as it is. */
export const addBeside = (
  place: Place,
  folder: string,
  name: string,
  content: object,
  at: WriteAt,
): Promise<void> =>
  writeBeside(place, folder, content, at, async temporary => {
    await link(temporary, join(folder, name)).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error
    })
  })

/** Durable when it resolves; a file that has the name gives way in one step. */
export const replaceBeside = (
  place: Place,
  folder: string,
  name: string,
  content: object,
  at: WriteAt,
): Promise<void> =>
  writeBeside(place, folder, content, at, temporary => rename(temporary, join(folder, name)))

async function writeBeside(
  place: Place,
  folder: string,
  content: object,
  { temporaryFolder, entries }: WriteAt,
  name: (temporary: string) => Promise<void>,
): Promise<void> {
  await using temporary = await createTemporary(temporaryFolder)
  await temporary.file.writeAll([Buffer.from(`${JSON.stringify(content, null, 2)}\n`)])
  await temporary.file.sync()
  for (let triesLeft = triesMost; ; triesLeft--) {
    await ioUnless(mkdir(folder, { mode: directoryMode }), ['EEXIST'], undefined)
    try {
      await name(temporary.path)
      break
    } catch (error) {
      if (triesLeft === 0 || !hasCode(error, 'ENOENT')) throw unavailable(error)
    }
  }
  // Folders are removed only when they are empty, so this one stays from here on.
  await Promise.all([entries.sync(folder), entries.sync(place.directory)])
}
