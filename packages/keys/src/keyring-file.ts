// The keyring's file: opened only where it is safe, replaced whole, the one before it kept as `.previous`.
import { constants, link, mkdir, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasCode, KeyError, unavailable } from './error.ts'

const fileMode = 0o600
const folderMode = 0o700
const permissionsOfOthers = 0o077
/** About a quarter of a million key versions; a larger file is not one of ours. */
const maxFileBytes = 67_108_864

/** Changes whenever the file is replaced. */
export type FileStamp = string

export interface KeyringContent {
  readonly text: string
  readonly stamp: FileStamp
}

/** Null when there is no file. Throws `unsafe_file`, `damaged`, `unavailable`. What it tells is durable. */
export async function readKeyringFile(path: string): Promise<KeyringContent | null> {
  try {
    const found = await openSafely(path)
    if (found === null) return null
    await using file = found.file
    const text = await file.readFile('utf8')
    // Whoever wrote it may not have come to that yet, and we are about to rely on its keys.
    await syncFolder(path)
    return { text, stamp: found.stamp }
  } catch (error) {
    throw unavailable(error)
  }
}

/** Null when there is no file. Throws as `readKeyringFile` does. */
export async function stampOf(path: string): Promise<FileStamp | null> {
  try {
    const found = await openSafely(path)
    await found?.file.close()
    return found?.stamp ?? null
  } catch (error) {
    throw unavailable(error)
  }
}

/**
 * Only under the lock, and only with a text made from the file's present content. The rename is the commit
 * point: before it the old file stands, after it the new one, and the old one is `.previous` in both cases.
 */
export async function replaceKeyringFile(path: string, text: string): Promise<void> {
  const [next, previous, previousNext] = [`${path}.next`, `${path}.previous`, `${path}.previous.next`]
  try {
    // What is there under these names is from a holder of the lock that died.
    await removeIfThere(next)
    await removeIfThere(previousNext)
    {
      await using file = await open(next, 'wx', fileMode)
      await file.writeFile(text)
      await file.sync()
    }
    if (await linkIfThere(path, previousNext)) {
      await rename(previousNext, previous)
      // Renaming one of two names of the same file onto the other does nothing (POSIX rename).
      await removeIfThere(previousNext)
    }
    await rename(next, path)
    await syncFolder(path)
  } catch (error) {
    throw unavailable(error)
  }
}

/** Whether a keyring was here once: then a new one must not take its place. */
export async function hasPrevious(path: string): Promise<boolean> {
  return (await stampOf(`${path}.previous`)) !== null
}

export async function makeFolderOf(path: string): Promise<void> {
  try {
    const folder = dirname(path)
    const firstMade = await mkdir(folder, { recursive: true, mode: folderMode })
    if (firstMade === undefined) return
    for (let made = folder; made !== dirname(firstMade); made = dirname(made)) await syncFolder(made)
  } catch (error) {
    throw unavailable(error)
  }
}

async function openSafely(path: string) {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const file = await open(path, flags).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null
    if (hasCode(error, 'ELOOP')) throw unsafe('is a symbolic link; name the file itself', error)
    throw error
  })
  if (file === null) return null
  try {
    const stats = await file.stat({ bigint: true })
    if (!stats.isFile()) throw unsafe('is not a file')
    if (process.geteuid !== undefined && stats.uid !== BigInt(process.geteuid())) {
      throw unsafe('belongs to somebody else; run as its owner, or chown it')
    }
    if ((Number(stats.mode) & permissionsOfOthers) !== 0) {
      throw unsafe('may be opened by others; run chmod 600 on it')
    }
    if (stats.size > maxFileBytes) throw new KeyError('damaged', 'The keyring file is too large to be one')
    return { file, stamp: `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeNs}` }
  } catch (error) {
    await file.close()
    throw error
  }
}

const unsafe = (what: string, cause?: unknown): KeyError =>
  new KeyError('unsafe_file', `The keyring file ${what}`, { cause })

async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}

async function linkIfThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  await folder.sync()
}
