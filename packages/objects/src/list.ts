// Walks the folder and tells the keys with a prefix in their order, holding the names of one open folder a level.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ioUnless } from './failure.ts'
import { meaningOf, startOf } from './layout.ts'

/** Keys by the order of characters. Objects made or deleted meanwhile may or may not be among them. */
export async function* listKeys(
  objectsFolder: string,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const { directory, keyStart } = startOf(objectsFolder, prefix)
  yield* walk({ directory, key: keyStart }, prefix, signal)
}

interface Entry {
  /** Of an object its key, of a folder what all the keys in it begin with. */
  readonly key: string
  /** Null for an object. */
  readonly directory: string | null
}

async function* walk(
  { directory, key: keyStart }: { readonly directory: string; readonly key: string },
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  signal?.throwIfAborted()
  const entries = await entriesOf(directory, keyStart, prefix)
  for (let index = 0; index < entries.length; index++) {
    signal?.throwIfAborted()
    const { key, directory } = entries[index] as Entry
    if (directory === null) {
      yield key
      continue
    }
    const keys = walk({ directory, key }, prefix, signal)
    const next = entries[index + 1]
    // A segment that goes on (`layout.ts`) beside the folder of one that ends there: their keys are among each other.
    if (next?.directory != null && next.key.startsWith(key)) {
      yield* merge(keys, walk({ directory: next.directory, key: next.key }, prefix, signal))
      index++
    } else yield* keys
  }
}

/** What may lead to a key with the prefix, by the order of characters; an object before a folder of the same name. */
async function entriesOf(directory: string, keyStart: string, prefix: string): Promise<readonly Entry[]> {
  const found = await ioUnless(readdir(directory, { withFileTypes: true }), ['ENOENT'], [])
  const entries: Entry[] = []
  for (const entry of found) {
    const isDirectory = entry.isDirectory()
    // A symbolic link is neither, so nothing behind one is ever listed.
    if (!isDirectory && !entry.isFile()) continue
    const meaning = meaningOf(entry.name, isDirectory)
    if (meaning === null) continue
    const key = keyStart + meaning.keyPart
    const isWanted = key.startsWith(prefix) || (isDirectory && prefix.startsWith(key))
    if (isWanted) entries.push({ key, directory: isDirectory ? join(directory, entry.name) : null })
  }
  return entries.sort((a, b) => compare(a.key, b.key) || (a.directory === null ? -1 : 1))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

async function* merge(a: AsyncGenerator<string>, b: AsyncGenerator<string>): AsyncGenerator<string> {
  let [nextA, nextB] = [await a.next(), await b.next()]
  while (nextA.done !== true || nextB.done !== true) {
    if (nextB.done === true || (nextA.done !== true && nextA.value < nextB.value)) {
      yield nextA.value
      nextA = await a.next()
    } else {
      yield nextB.value
      nextB = await b.next()
    }
  }
}
