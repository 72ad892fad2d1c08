// Walks the folder and tells the keys with a prefix, holding one open folder a level and nothing else.
import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { ioUnless } from './failure.ts'
import { meaningOf, startOf } from './layout.ts'

const entriesPerCall = 256

/** Keys in the order of the folders. Objects made or deleted meanwhile may or may not be among them. */
export async function* listKeys(
  objectsFolder: string,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const { directory, keyStart } = startOf(objectsFolder, prefix)
  yield* walk(directory, keyStart, prefix, signal)
}

async function* walk(
  directory: string,
  keyStart: string,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const entries = await ioUnless(opendir(directory, { bufferSize: entriesPerCall }), ['ENOENT'], null)
  if (entries === null) return
  for await (const entry of entries) {
    signal?.throwIfAborted()
    const isDirectory = entry.isDirectory()
    // A symbolic link is neither, so nothing behind one is ever listed.
    if (!isDirectory && !entry.isFile()) continue
    const meaning = meaningOf(entry.name, isDirectory)
    if (meaning === null) continue
    const key = keyStart + meaning.keyPart
    if (!isDirectory && key.startsWith(prefix)) yield key
    if (isDirectory && (key.startsWith(prefix) || prefix.startsWith(key))) {
      yield* walk(join(directory, entry.name), key, prefix, signal)
    }
  }
}
