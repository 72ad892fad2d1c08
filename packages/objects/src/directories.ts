// The folders between the root and an object: real ones, made as needed, durable before anything is put into them.
import { lstat, mkdir, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DirectorySync } from './directory-sync.ts'
import { ObjectError } from './error.ts'
import { hasCode, io, ioUnless, unavailable } from './failure.ts'

export const directoryMode = 0o700
/** What is known is only a saving of system calls: beyond this many folders it is learned anew. */
const maxKnownDefault = 10_000

export interface Directories {
  /** Makes the folder and those above it up to the root; their entries are durable when it resolves. */
  prepare(directory: string): Promise<void>
  /** Whether the folder exists. Throws `damaged` where a symbolic link leads to it. */
  exists(directory: string): Promise<boolean>
  /** Somebody outside took a folder away: look again at everything. */
  forget(): void
}

/**
 * `root` is a real path (no symbolic link in it) of a folder that exists and is durable. No folder below is
 * ever removed by the store, which is why one that was seen may be believed to be there.
 */
export function createDirectories(
  root: string,
  entries: DirectorySync,
  { maxKnown = maxKnownDefault }: { readonly maxKnown?: number } = {},
): Directories {
  const prepared = new Set<string>()
  const real = new Set<string>()
  const remember = (known: Set<string>, directory: string): void => {
    if (known.size >= maxKnown) known.clear()
    known.add(directory)
  }

  const prepare = async (directory: string): Promise<void> => {
    // The root is in neither set, which forget what they hold: above it there is nothing of ours to look at.
    if (directory === root || prepared.has(directory)) return
    const parent = dirname(directory)
    await prepare(parent)
    await ioUnless(mkdir(directory, { mode: directoryMode }), ['EEXIST'], undefined)
    if (!(await io(lstat(directory))).isDirectory()) throw notAFolder()
    // Also when somebody else made it: their fsync of the parent may not have happened yet.
    await entries.sync(parent)
    remember(prepared, directory)
  }

  return {
    prepare,
    async exists(directory) {
      if (directory === root || real.has(directory) || prepared.has(directory)) return true
      const path = await realpath(directory).catch((error: unknown) => {
        if (hasCode(error, 'ENOENT')) return null
        if (hasCode(error, 'ENOTDIR', 'ELOOP')) throw notAFolder(error)
        throw unavailable(error)
      })
      if (path === null) return false
      if (path !== directory) throw notAFolder()
      remember(real, directory)
      return true
    },
    forget() {
      prepared.clear()
      real.clear()
    },
  }
}

const notAFolder = (cause?: unknown): ObjectError =>
  new ObjectError('damaged', 'A symbolic link or a file stands where the object folder must have a folder', {
    cause,
  })
