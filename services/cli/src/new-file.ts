// Writes a file that did not exist, for its owner alone, whole or not at all.
import { open, rm } from 'node:fs/promises'
import { fileFailure } from './file-failure.ts'

const ownerOnlyFile = 0o600

/** Resolves with the number of bytes. Part of a recording must not be taken for the whole, so a failure leaves none. */
export async function writeNewFile(
  file: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { signal }: { readonly signal: AbortSignal },
): Promise<number> {
  const opened = await open(file, 'wx', ownerOnlyFile).catch((error: unknown) => {
    throw fileFailure(error, file)
  })
  let bytes = 0
  try {
    await using handle = opened
    for await (const piece of pieces) {
      signal.throwIfAborted()
      await handle.writeFile(piece)
      bytes += piece.byteLength
    }
    await handle.sync()
  } catch (error) {
    await rm(file, { force: true })
    throw fileFailure(error, file)
  }
  return bytes
}
