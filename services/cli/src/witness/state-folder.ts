// What a witness cosigned last, one file a log: on the disk before it is answered, and never older than before.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { lockFolder, readIfPresent, writeDurably } from '@auricle/runtime'
import type { WitnessStore } from '@auricle/vault'

const ownerOnlyFile = 0o600
const ending = '.checkpoint'

/** Lower-case hex of SHA-256 of the origin: how the monitoring path names a log (C2SP tlog-witness). */
const originHash = (origin: string): string => createHash('sha256').update(origin).digest('hex')

/**
 * Takes the folder for this process, making it where it does not exist. Two witnesses on one state would each compare
 * with what they read, and could both sign. Throws `RuntimeError('folder_in_use')`.
 */
export async function openStateFolder(folder: string): Promise<WitnessStore & AsyncDisposable> {
  const lock = await lockFolder(folder)
  const queues = new Map<string, Promise<void>>()
  const fileOf = (origin: string) => join(folder, `${originHash(origin)}${ending}`)

  return {
    read: origin => readIfPresent(fileOf(origin)),
    replace(origin, decide) {
      const run = async () => {
        const next = await decide(await readIfPresent(fileOf(origin)))
        if (next !== null) await writeDurably(fileOf(origin), next, ownerOnlyFile)
      }
      const running = (queues.get(origin) ?? Promise.resolve()).then(run)
      // The failure of one is its own caller's; the next begins with what is on the disk.
      queues.set(
        origin,
        running.catch(() => undefined),
      )
      return running
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(queues.values())
      await lock[Symbol.asyncDispose]()
    },
  }
}
