// An object store in a folder of this machine: created whole or not at all, never replaced, kept until its time.
//
// put:    write a temporary file -> fsync it -> (notes and retention, durable) -> LINK to its name -> fsync the folder.
//         The link is the commit point. Before it a crash leaves a temporary file for the sweep, and maybe a
//         retention file, which can only keep a later object of that key longer, and notes on an object that never
//         was. After it a crash of the process loses nothing, and a power failure may lose the object, but then
//         nobody has been told that it exists.
// delete: see `leave.ts`. What it leaves in a crash goes with the next delete of that key.
// retain, setHold: write the file, durable -> look whether the object is still there. See `leave.ts` again.
// loosen: write the earlier time, durable -> remove the later ones, of which none is locked. A crash in between leaves
//         what was there.
// setMetadata: RENAME over the notes that are there.
import { constants } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDirectories, type Directories } from './directories.ts'
import { createDirectorySync } from './directory-sync.ts'
import { ObjectError } from './error.ts'
import { factsOf, generationOf, type ObjectStats, statObject } from './facts.ts'
import { hasCode, ioUnless, unavailable } from './failure.ts'
import { addName, type OpenFile, openFile } from './file.ts'
import { type FreeSpace, measureFreeSpace } from './free-space.ts'
import { holdName, removeHold, writeHold } from './hold.ts'
import { inspectFolder } from './inspect-folder.ts'
import { type Keeping, readKeeping, readKeepingOfNew, refusal } from './keeping.ts'
import { prefixSegments } from './key.ts'
import { type Place, placeOf } from './layout.ts'
import { beginLeaving, endLeaving } from './leave.ts'
import { listKeys } from './list.ts'
import { hasMarker, openFolders, type StoreFolders } from './marker.ts'
import { checkMetadata } from './metadata.ts'
import { listNotes, nameOf, readNotes, removeNotes, writeNotes } from './notes.ts'
import { checkRange, readRange } from './read.ts'
import { receive } from './receive.ts'
import { removeUnlocked, writeRetention } from './retention.ts'
import type { ObjectFacts, ObjectStore, OfGeneration, PutOptions, PutResult, StoreOptions } from './store.ts'
import { createTemporary, sweepTemporaryFiles } from './temporary.ts'

export interface FolderStoreOptions {
  /** Made with the first call where it does not exist. Must be on one file system that has hard links. */
  readonly folder: string
  /** What a retention is where its writer does not say. Default: `Locked`, for good. */
  readonly retentionMode?: 'Unlocked' | 'Locked' | undefined
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
  const { folder, now = Date.now, retentionMode = 'Locked' } = options
  const locksByDefault = retentionMode === 'Locked'
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
    if (await store.directories.exists(place.directory)) {
      const stats = await statObject(place)
      if (stats !== null) return stats
      if ((await readKeeping(place)).leaving.length > 0) {
        await endLeaving(place, { entries, now })
        return await statObject(place)
      }
    }
    await confirmPresence(store)
    return null
  }

  const tell = async (place: Place, stats: ObjectStats): Promise<ObjectFacts> => {
    const [keeping, metadata] = await Promise.all([readKeeping(place), readNotes(place, stats)])
    return factsOf(place.key, stats, keeping, metadata)
  }

  /** The answer of a put that came second; null when the object is gone again. */
  const existing = async (store: Opened, place: Place): Promise<PutResult | null> => {
    const stats = await findStats(store, place)
    if (stats === null) return null
    const facts = await tell(place, stats)
    // The first put may not have come to its own fsync yet, and our caller will count on the object too.
    await entries.sync(place.directory)
    return { status: 'exists', facts }
  }

  async function put(
    key: string,
    source: AsyncIterable<Uint8Array>,
    { retainUntil, lock = locksByDefault, metadata = {}, signal }: PutOptions,
  ): Promise<PutResult> {
    checkMetadata(metadata)
    const store = await opened()
    const place = placeOf(store.folders.objects, key)
    signal?.throwIfAborted()
    await store.directories.prepare(place.directory)
    const isFree = async (): Promise<boolean> => (await statObject(place)) === null
    await using temporary = await createTemporary(store.folders.temporary)
    const isWanted = await receive(temporary.file, source, { signal, stillWanted: isFree })
    if (isWanted) {
      const stats = temporary.file.stats()
      const at = { temporaryFolder: store.folders.temporary, entries }
      const hasNotes = Object.keys(metadata).length > 0
      await temporary.file.sync()
      let keeping = await readKeepingOfNew(place)
      if (keeping.leaving.length > 0) await findStats(store, place)
      // Looked at first so that a late writer does not lengthen the retention of the object that is there.
      if (retainUntil !== null && (await isFree())) {
        await writeRetention(place, { until: retainUntil, locked: lock }, at)
      }
      if (hasNotes) await writeNotes(place, stats, metadata, at)
      signal?.throwIfAborted()
      if (await publish(store, temporary.path, place)) {
        temporary.keepContent()
        await Promise.all([entries.sync(place.directory), temporary[Symbol.asyncDispose]()])
        if (retainUntil !== null) keeping = await readKeeping(place)
        return { status: 'created', facts: factsOf(key, stats, keeping, { ...metadata }) }
      }
      if (hasNotes) await removeNotes(place, [nameOf(stats)])
    }
    const result = await existing(store, place)
    if (result !== null) return result
    throw new ObjectError('unavailable', 'The object that had this key was deleted meanwhile')
  }

  /** Finds the object, changes what lies beside it, and tells how it is if it still is there. */
  const amend = async (
    key: string,
    { generation, signal }: OfGeneration,
    change: (store: Opened, place: Place, stats: ObjectStats, keeping: Keeping) => Promise<void>,
  ): Promise<ObjectFacts> => {
    signal?.throwIfAborted()
    const store = await opened()
    const place = placeOf(store.folders.objects, key)
    const stats = await findStats(store, place)
    if (stats === null || (generation !== undefined && generation !== generationOf(stats))) throw notFound()
    await change(store, place, stats, await readKeeping(place))
    const after = await findStats(store, place)
    if (after === null || generationOf(after) !== generationOf(stats)) throw notFound()
    return await tell(place, after)
  }

  async function* read(
    key: string,
    range: Parameters<ObjectStore['read']>[1],
    { signal }: StoreOptions = {},
  ): AsyncGenerator<Uint8Array> {
    signal?.throwIfAborted()
    const store = await opened()
    const place = placeOf(store.folders.objects, key)
    let opening = await openObject(store, place)
    // What died on its way out may have to come back first.
    if (opening === null && (await findStats(store, place)) !== null) opening = await openObject(store, place)
    await using file = opening
    if (file === null) {
      await confirmPresence(store)
      throw notFound()
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
      return stats === null ? null : await tell(place, stats)
    },

    async delete(key, { generation, signal } = {}) {
      signal?.throwIfAborted()
      const store = await opened()
      const place = placeOf(store.folders.objects, key)
      const stats = await findStats(store, place)
      if (stats === null || (generation !== undefined && generation !== generationOf(stats))) return 'absent'
      const refused = refusal(await readKeeping(place), now())
      if (refused !== null) throw refused
      await outliveClockStep(stats, signal)
      const notes = await listNotes(place)
      await using leaving = await beginLeaving(place, stats)
      if (leaving === null) return 'absent'
      await endLeaving(place, { entries, now })
      if (leaving.stats().nlink > 0n) {
        const kept = refusal(await readKeeping(place), now())
        throw kept ?? new ObjectError('held', 'A hold kept the object while it was deleted')
      }
      await removeNotes(place, notes)
      return 'deleted'
    },

    retain: (key, until, options = {}) =>
      amend(key, options, async ({ folders: { temporary } }, place, _stats, keeping) => {
        if (keeping.until !== null && until <= keeping.until) return
        const locked = keeping.until === null ? (options.lock ?? locksByDefault) : keeping.locked
        await writeRetention(place, { until, locked }, { temporaryFolder: temporary, entries })
      }),

    loosen: (key, until, options) =>
      amend(key, options, async ({ folders: { temporary } }, place, _stats, keeping) => {
        const current = keeping.until
        if (current === null || current.getTime() <= now() || (until !== null && current <= until)) return
        if (keeping.locked) throw new ObjectError('locked', 'The object is kept for good until its time')
        const next = until !== null && until.getTime() > now() ? until : null
        if (next !== null) {
          const at = { temporaryFolder: temporary, entries }
          await writeRetention(place, { until: next, locked: false }, at)
        }
        const names = keeping.names.filter(name => name !== holdName)
        await removeUnlocked(place, { names, longerThan: next }, entries)
      }),

    setHold: (key, held, options = {}) =>
      amend(key, options, async ({ folders: { temporary } }, place, _stats, keeping) => {
        if (held) await writeHold(place, { temporaryFolder: temporary, entries })
        else if (keeping.held) await removeHold(place, entries)
      }),

    async setMetadata(key, metadata, options = {}) {
      checkMetadata(metadata)
      return await amend(key, options, ({ folders: { temporary } }, place, stats) =>
        writeNotes(place, stats, metadata, { temporaryFolder: temporary, entries }),
      )
    },

    async *list(prefix, { from, signal } = {}) {
      signal?.throwIfAborted()
      const store = await opened()
      await confirmPresence(store)
      for await (const key of listKeys(store.folders.objects, prefix, signal)) {
        if (from !== undefined && key < from) continue
        const place = placeOf(store.folders.objects, key)
        const stats = await statObject(place)
        if (stats !== null) yield await tell(place, stats)
      }
    },

    async restorable({ signal } = {}) {
      signal?.throwIfAborted()
      return { days: 0 }
    },

    async *listGone(prefix, { signal } = {}) {
      signal?.throwIfAborted()
      prefixSegments(prefix)
      await confirmPresence(await opened())
      // What goes here is gone at once.
      yield* []
    },

    async inspect({ signal } = {}) {
      signal?.throwIfAborted()
      return await inspectFolder(folder)
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

const notFound = (): ObjectError => new ObjectError('not_found', 'There is no such object')
