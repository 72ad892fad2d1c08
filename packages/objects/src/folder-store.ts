// An object store in a folder of this machine: created whole or not at all, never replaced, kept until its time.
//
// put:    write a temporary file -> fsync it -> (retention file, durable) -> LINK to its name -> fsync the folder.
//         The link is the commit point. Before it a crash leaves a temporary file for the sweep, and maybe a
//         retention file, which can only keep a later object of that key longer. After it a crash of the process
//         loses nothing, and a power failure may lose the object, but then nobody has been told that it exists.
// delete: RENAME away -> fsync the folder -> remove the file -> remove its expired retention files.
//         The rename is the commit point. After it a crash leaves a temporary file for the sweep, and maybe
//         expired retention files, which keep nothing and go with the next delete of that key.
import { lstatSync, renameSync } from 'node:fs'
import { constants, unlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDirectories, type Directories } from './directories.ts'
import { createDirectorySync } from './directory-sync.ts'
import { ObjectError } from './error.ts'
import { factsOf, generationOf, type ObjectStats, statObject } from './facts.ts'
import { hasCode, ioUnless, unavailable } from './failure.ts'
import { addName, type OpenFile, openFile } from './file.ts'
import { type FreeSpace, measureFreeSpace } from './free-space.ts'
import { type Place, placeOf } from './layout.ts'
import { listKeys } from './list.ts'
import { hasMarker, openFolders, type StoreFolders } from './marker.ts'
import { checkRange, readRange } from './read.ts'
import { receive } from './receive.ts'
import { readRetention, removeRetention, writeRetention } from './retention.ts'
import type { ObjectStore, PutOptions, PutResult, StoreOptions } from './store.ts'
import { createTemporary, sweepTemporaryFiles, temporaryPath } from './temporary.ts'

export interface FolderStoreOptions {
  /** Made with the first call where it does not exist. Must be on one file system that has hard links. */
  readonly folder: string
  /** Unix milliseconds; decides when a retention has ended. Default: the system's clock. */
  readonly now?: () => number
}

export interface FolderStore extends ObjectStore {
  /**
   * Removes what crashed writers left, where nothing was written for `olderThanMs`; returns how many files. Safe
   * beside writers in any number of processes: a writer slower than that fails and may try again.
   */
  sweepTemporary(options: StoreOptions & { readonly olderThanMs: number }): Promise<number>
  freeSpace(): Promise<FreeSpace>
}

/** Coarse kernel clocks tick every 1 to 10 ms (CONFIG_HZ); a file time has no finer steps. */
const longestClockStepMs = 20

interface Opened {
  readonly folders: StoreFolders
  readonly directories: Directories
}

/** Opens nothing yet: the first call does, and one that fails is tried again by the next. */
export function createFolderStore(options: FolderStoreOptions): FolderStore {
  const { folder, now = Date.now } = options
  const entries = createDirectorySync()
  let opening: Promise<Opened> | null = null

  const opened = (): Promise<Opened> => {
    opening ??= openFolders(folder, entries)
      .then(folders => ({ folders, directories: createDirectories(folders.objects, entries) }))
      .catch((error: unknown) => {
        opening = null
        throw error
      })
    return opening
  }

  /** What looks absent is an outage where the whole folder has gone: a disk that is not mounted any more. */
  const confirmPresence = async ({ folders, directories }: Opened): Promise<void> => {
    if (await hasMarker(folders)) return
    directories.forget()
    throw new ObjectError('unavailable', 'The object folder is not there any more')
  }

  const findStats = async (store: Opened, place: Place): Promise<ObjectStats | null> => {
    const stats = (await store.directories.exists(place.directory)) ? await statObject(place) : null
    if (stats === null) await confirmPresence(store)
    return stats
  }

  /** The answer of a put that came second; null when the object is gone again. */
  const existing = async (store: Opened, place: Place): Promise<PutResult | null> => {
    const stats = await findStats(store, place)
    if (stats === null) return null
    const { until } = await readRetention(place)
    // The first put may not have come to its own fsync yet, and our caller will count on the object too.
    await entries.sync(place.directory)
    return { status: 'exists', facts: factsOf(place.key, stats, until) }
  }

  async function put(
    key: string,
    source: AsyncIterable<Uint8Array>,
    { retainUntil, signal }: PutOptions,
  ): Promise<PutResult> {
    const store = await opened()
    const place = placeOf(store.folders.objects, key)
    signal?.throwIfAborted()
    await store.directories.prepare(place.directory)
    const isFree = async (): Promise<boolean> => (await statObject(place)) === null
    await using temporary = await createTemporary(store.folders.temporary)
    const isWanted = await receive(temporary.file, source, { signal, stillWanted: isFree })
    if (isWanted) {
      const stats = temporary.file.stats()
      await temporary.file.sync()
      // Looked at first so that a late writer does not lengthen the retention of the object that is there.
      if (retainUntil !== null && (await isFree())) {
        await writeRetention(place, retainUntil, { temporaryFolder: store.folders.temporary, entries })
      }
      signal?.throwIfAborted()
      if (await publish(store, temporary.path, place)) {
        temporary.keepContent()
        await Promise.all([entries.sync(place.directory), temporary[Symbol.asyncDispose]()])
        const until = retainUntil === null ? null : (await readRetention(place)).until
        return { status: 'created', facts: factsOf(key, stats, until) }
      }
    }
    const result = await existing(store, place)
    if (result !== null) return result
    throw new ObjectError('unavailable', 'The object that had this key was deleted meanwhile')
  }

  async function* read(
    key: string,
    range: Parameters<ObjectStore['read']>[1],
    { signal }: StoreOptions = {},
  ): AsyncGenerator<Uint8Array> {
    signal?.throwIfAborted()
    const store = await opened()
    const place = placeOf(store.folders.objects, key)
    await using file = await openObject(store, place)
    if (file === null) {
      await confirmPresence(store)
      throw new ObjectError('not_found', 'There is no such object')
    }
    const stats = file.stats()
    if (!stats.isFile()) throw new ObjectError('damaged', 'Something that is no file stands for the object')
    const sizeBytes = Number(stats.size)
    yield* readRange(file, checkRange(range ?? { start: 0, end: sizeBytes }, sizeBytes), signal)
  }

  return {
    put,
    read,

    async head(key, { signal } = {}) {
      signal?.throwIfAborted()
      const store = await opened()
      const place = placeOf(store.folders.objects, key)
      const stats = await findStats(store, place)
      return stats === null ? null : factsOf(key, stats, (await readRetention(place)).until)
    },

    async delete(key, { generation, signal } = {}) {
      signal?.throwIfAborted()
      const store = await opened()
      const place = placeOf(store.folders.objects, key)
      const stats = await findStats(store, place)
      if (stats === null || (generation !== undefined && generation !== generationOf(stats))) return 'absent'
      const retention = await readRetention(place)
      if (retention.until !== null && now() < retention.until.getTime()) {
        throw new ObjectError('retained', 'The object is kept until its retention ends')
      }
      await outliveClockStep(stats, signal)
      const leaving = temporaryPath(store.folders.temporary)
      if (!moveAway(place, leaving, stats)) return 'absent'
      await entries.sync(place.directory)
      await ioUnless(unlink(leaving), ['ENOENT'], undefined)
      await removeRetention(place, retention)
      return 'deleted'
    },

    async *list(prefix, { signal } = {}) {
      signal?.throwIfAborted()
      const store = await opened()
      await confirmPresence(store)
      for await (const key of listKeys(store.folders.objects, prefix, signal)) {
        const place = placeOf(store.folders.objects, key)
        const stats = await statObject(place)
        if (stats !== null) yield factsOf(key, stats, (await readRetention(place)).until)
      }
    },

    async sweepTemporary({ olderThanMs, signal }) {
      const { folders } = await opened()
      return await sweepTemporaryFiles(folders.temporary, { olderThanMs, signal })
    },

    async freeSpace() {
      await opened()
      return await measureFreeSpace(folder)
    },
  }
}

/** Gives the file its name; false when the name is taken. */
async function publish(store: Opened, temporary: string, place: Place): Promise<boolean> {
  const tryLink = (): boolean => {
    try {
      addName(temporary, place.object)
      return true
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false
      throw error
    }
  }
  try {
    return tryLink()
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw unavailable(error)
    // Somebody outside removed a folder that was seen before.
    store.directories.forget()
    await store.directories.prepare(place.directory)
    try {
      return tryLink()
    } catch (again) {
      throw unavailable(again)
    }
  }
}

async function openObject(store: Opened, place: Place): Promise<OpenFile | null> {
  if (!(await store.directories.exists(place.directory))) return null
  // O_NONBLOCK: something that is no file must not hold the opener up.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  try {
    return await ioUnless(openFile(place.object, flags), ['ENOENT'], null)
  } catch (error) {
    if (error instanceof ObjectError && hasCode(error.cause, 'ELOOP', 'EMLINK')) {
      throw new ObjectError('damaged', 'A symbolic link stands where the object should be', { cause: error })
    }
    throw error
  }
}

/** So that an object made after this one is gone has another time of last write. */
async function outliveClockStep(stats: ObjectStats, signal: AbortSignal | undefined): Promise<void> {
  // The kernel stamped the file, so its clock is asked and not the store's.
  const ageMs = Date.now() - Number(stats.mtimeMs)
  if (0 <= ageMs && ageMs < longestClockStepMs) await sleep(longestClockStepMs - ageMs, undefined, { signal })
}

/**
 * Takes the object from its name if it still is the one that was looked at. Synchronous, so that no other
 * call of this process comes between the look and the rename, and another process has microseconds for both a
 * delete and a put of the same key.
 */
function moveAway(place: Place, leaving: string, expected: ObjectStats): boolean {
  try {
    if (generationOf(lstatSync(place.object, { bigint: true })) !== generationOf(expected)) return false
    renameSync(place.object, leaving)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw unavailable(error)
  }
}
