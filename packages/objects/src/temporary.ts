// Files on their way in or out: where they are while nobody may see them, and who cleans up after a crash.
import { randomUUID } from 'node:crypto'
import { constants, lstat, opendir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { io, ioUnless } from './failure.ts'
import { type OpenFile, openFile, removeName } from './file.ts'

/** Nobody writes to an object again, not even we: the open handle of its maker is the only way in. */
const objectMode = 0o400

export interface Temporary extends AsyncDisposable {
  readonly path: string
  readonly file: OpenFile
  /** It has a second name now, so taking the first away frees nothing and takes no time. */
  keepContent(): void
}

/** A name in the folder that nobody else uses. */
function temporaryPath(temporaryFolder: string): string {
  return join(temporaryFolder, `${randomUUID()}.part`)
}

/** A new file, closed and gone from the temporary folder when its scope ends. */
export async function createTemporary(temporaryFolder: string): Promise<Temporary> {
  const path = temporaryPath(temporaryFolder)
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const file = await io(openFile(path, flags, objectMode))
  let isThere = true
  let isKept = false
  return {
    path,
    file,
    keepContent() {
      isKept = true
    },
    async [Symbol.asyncDispose]() {
      if (!isThere) return
      isThere = false
      // Closed while it has a name, as what the unlink frees may take the disk a while.
      file.closeNow()
      // What cannot be removed here is left to the sweep: the outcome of the put is settled by now.
      await Promise.allSettled([isKept ? removeNow(path) : unlink(path)])
    },
  }
}

async function removeNow(path: string): Promise<void> {
  removeName(path)
}

/**
 * Removes temporary files that nobody has written to for `olderThanMs`, and returns how many. Safe beside any
 * number of writers: one that was slower than that fails (`unavailable`), as its file can no longer be linked.
 */
export async function sweepTemporaryFiles(
  temporaryFolder: string,
  options: {
    readonly olderThanMs: number
    readonly signal?: AbortSignal | undefined
  },
): Promise<number> {
  const { olderThanMs, signal } = options
  // File times are the kernel's, so its clock is asked.
  const newestSweptMs = Date.now() - olderThanMs
  let sweptCount = 0
  for await (const entry of await io(opendir(temporaryFolder))) {
    signal?.throwIfAborted()
    const path = join(temporaryFolder, entry.name)
    const stats = await ioUnless(lstat(path), ['ENOENT'], null)
    if (stats === null || !stats.isFile() || stats.mtimeMs > newestSweptMs) continue
    const isSwept = await ioUnless(
      unlink(path).then(() => true),
      ['ENOENT'],
      false,
    )
    if (isSwept) sweptCount++
  }
  return sweptCount
}
