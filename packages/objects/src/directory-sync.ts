// Makes the entries of a folder durable, one fsync for everybody who asks at about the same time.
import { constants } from 'node:fs'
import { unavailable } from './failure.ts'
import { openFile } from './file.ts'

export interface DirectorySync {
  /** Resolves when an fsync of the folder that began after this call has ended. Throws `unavailable`. */
  sync(directory: string): Promise<void>
}

interface Waiting {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** A folder is open while somebody waits for it, so memory follows what is in flight, not the number of folders. */
export function createDirectorySync(): DirectorySync {
  /** Those whose fsync has not begun; a folder with an entry here has a `serve` running. */
  const waiting = new Map<string, Waiting | null>()

  async function serve(directory: string): Promise<void> {
    const handle = await openFile(directory, directoryFlags).catch((error: unknown) => {
      waiting.get(directory)?.reject(unavailable(error))
      waiting.delete(directory)
      return null
    })
    if (handle === null) return
    for (;;) {
      const group = waiting.get(directory) ?? null
      if (group === null) break
      // From here on others form the next group: this fsync may look at the folder before their entry comes.
      waiting.set(directory, null)
      await handle.sync().then(group.resolve, group.reject)
    }
    // In the same step as the look above, so that whoever comes now begins anew.
    waiting.delete(directory)
    handle.closeNow()
  }

  return {
    sync(directory) {
      const known = waiting.get(directory)
      if (known !== undefined && known !== null) return known.promise
      const group: Waiting = Promise.withResolvers<void>()
      waiting.set(directory, group)
      if (known === undefined) serve(directory).catch(group.reject)
      return group.promise
    },
  }
}

const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
