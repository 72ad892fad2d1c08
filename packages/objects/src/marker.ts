// Says that a folder is an object store and in which layout: without it an empty mount point would look like a
// store without objects.
import { constants, link, mkdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { directoryMode } from './directories.ts'
import type { DirectorySync } from './directory-sync.ts'
import { ObjectError } from './error.ts'
import { io, ioUnless } from './failure.ts'
import { createTemporary } from './temporary.ts'

const Marker = z.object({ format: z.literal('auricle-objects'), version: z.literal(1) })
const marker: z.infer<typeof Marker> = { format: 'auricle-objects', version: 1 }

export interface StoreFolders {
  readonly marker: string
  /** Object folders begin here. */
  readonly objects: string
  readonly temporary: string
}

/** Opens the store in the folder, or makes one; durable when it resolves. Idempotent among processes. */
export async function openFolders(folder: string, entries: DirectorySync): Promise<StoreFolders> {
  await makeDurable(resolve(folder), entries)
  // Below the real path nothing may be a symbolic link, so links can be told by comparing paths.
  const root = await io(realpath(folder))
  const folders = {
    marker: join(root, 'store.json'),
    objects: join(root, 'objects'),
    temporary: join(root, 'tmp'),
  }
  for (const path of [folders.objects, folders.temporary]) {
    await ioUnless(mkdir(path, { mode: directoryMode }), ['EEXIST'], undefined)
    if ((await io(realpath(path))) !== path) {
      throw new ObjectError('damaged', 'A symbolic link stands where the object folder must have a folder')
    }
  }
  if (!(await hasMarker(folders))) {
    await using temporary = await createTemporary(folders.temporary)
    await temporary.file.writeAll([Buffer.from(`${JSON.stringify(marker)}\n`)])
    await temporary.file.sync()
    await ioUnless(link(temporary.path, folders.marker), ['EEXIST'], undefined)
  }
  await entries.sync(root)
  return folders
}

/** Whether the folder still is the store it was. Throws `damaged` for a layout that this version does not know. */
export async function hasMarker(folders: StoreFolders): Promise<boolean> {
  const flag = constants.O_RDONLY | constants.O_NOFOLLOW
  const text = await ioUnless(readFile(folders.marker, { encoding: 'utf8', flag }), ['ENOENT'], null)
  if (text === null) return false
  try {
    Marker.parse(JSON.parse(text))
    return true
  } catch (cause) {
    throw new ObjectError('damaged', 'The object folder has a layout that this version does not know', {
      cause,
    })
  }
}

async function makeDurable(folder: string, entries: DirectorySync): Promise<void> {
  const firstMade = await io(mkdir(folder, { recursive: true, mode: directoryMode }))
  if (firstMade === undefined) return
  for (let made = folder; made !== dirname(firstMade); made = dirname(made)) {
    await entries.sync(dirname(made))
  }
}
