// Small files and renames that are on disk when the call returns.
import { chmod, open, readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import { isMissing } from './error.ts'

/** For files without secrets that PostgreSQL's user must read. */
export const readableFileMode = 0o644
/** For files with secrets. */
export const secretFileMode = 0o600

/** Replaces a file as a whole: after a crash it holds the old text or the new one. */

export async function writeDurably(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.new`
  {
    await using handle = await open(draft, 'w', mode)
    await handle.writeFile(text)
    await handle.sync()
  }
  // The mode given to open passes through the umask.
  await chmod(draft, mode)
  await renameDurably(draft, file)
}

/** Renames within one folder, and makes the new name durable. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to)
  await syncFolder(path.dirname(to))
}

export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r')
  await handle.sync()
}

/** A small text file's content; null where there is none. */
export async function readIfPresent(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}
