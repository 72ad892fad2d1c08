// Decides that a data folder belongs to one process at a time.
//
// The lock is the operating system's (fcntl, taken by SQLite, which Node carries): it is atomic, it goes with the
// process however that dies, so there is no stale lock to recognise, and it holds between containers that share the
// folder. The pid file beside it is for the message only.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { RuntimeError } from './error.ts'

const lockName = 'auricle.lock'
const pidName = 'auricle.pid'
const ownerOnlyFolder = 0o700
/** Root's database runs as another user, who must get through to its own folder and sees nothing on the way. */
const passableFolder = 0o711
const ownerOnlyFile = 0o600
/** SQLITE_BUSY: somebody else holds the lock (sqlite.org/rescode.html). */
const busy = 5

/**
 * Takes the folder, making it (for its owner's eyes alone) where it does not exist, until it is disposed or the
 * process ends. Throws `RuntimeError`: `folder_in_use`, naming the process that has it, or `folder_unusable`.
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const pidFile = join(folder, pidName)
  let database: DatabaseSync
  try {
    await mkdir(folder, {
      recursive: true,
      mode: process.geteuid?.() === 0 ? passableFolder : ownerOnlyFolder,
    })
    database = new DatabaseSync(join(folder, lockName), { timeout: 0 })
  } catch (cause) {
    throw new RuntimeError('folder_unusable', `The data folder ${folder} cannot be made or written to`, {
      cause,
    })
  }
  try {
    // Nothing is ever written to it; without this, a journal file would come and go beside it.
    database.exec('PRAGMA journal_mode = MEMORY')
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === busy) {
      const pid = await readPid(pidFile)
      const who = pid === null ? 'another process' : `process ${pid}`
      throw new RuntimeError(
        'folder_in_use',
        `Auricle already runs on the data folder ${folder}, as ${who}. Stop that one first, or set AURICLE_DATA to another folder.`,
        { cause },
      )
    }
    throw new RuntimeError('folder_unusable', `The data folder ${folder} cannot be locked`, { cause })
  }
  await writeFile(pidFile, `${process.pid}\n`, { mode: ownerOnlyFile })
  return {
    async [Symbol.asyncDispose]() {
      // In this order: once the lock is gone, the pid file may be the next process's.
      await rm(pidFile, { force: true })
      if (database.isOpen) database.close()
    },
  }
}

async function readPid(file: string): Promise<number | null> {
  try {
    const pid = Number.parseInt(await readFile(file, 'utf8'), 10)
    return Number.isSafeInteger(pid) ? pid : null
  } catch {
    // The holder has not written it yet, or is just leaving. Its name is a courtesy, the lock is what counts.
    return null
  }
}
