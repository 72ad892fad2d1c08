// Streams a source into an open file: batches written behind the source, two of them in memory at most.
import type { OpenFile } from './file.ts'
import { createGatherer } from './gather.ts'
import { stoppable } from './stoppable.ts'

export interface ReceiveOptions {
  readonly signal?: AbortSignal | undefined
  /** Asked once, before a source that does not fit into one batch goes on. */
  readonly stillWanted: () => Promise<boolean>
}

/**
 * Writes all of the source at the file's position; false when it was no longer wanted and was left off.
 * Throws what the source throws, the reason of an abort (also while the source is silent), and `unavailable`.
 */
export async function receive(
  file: OpenFile,
  source: AsyncIterable<Uint8Array>,
  options: ReceiveOptions,
): Promise<boolean> {
  const { signal, stillWanted } = options
  const gatherer = createGatherer()
  let writing: Promise<unknown> | null = null
  const settled = async (): Promise<void> => {
    const failure = writing === null ? null : await writing
    if (failure !== null) throw failure
  }
  try {
    for await (const piece of stoppable(source, signal)) {
      if (!gatherer.add(piece)) continue
      if (writing === null && !(await stillWanted())) return false
      await settled()
      // The failure is kept as a value: nobody may be waiting for it while the source is awaited.
      writing = file.writeAll(gatherer.take()).then(
        () => null,
        (error: unknown) => error,
      )
    }
    await settled()
    await file.writeAll(gatherer.take())
    return true
  } finally {
    // The file is closed next, and must not be while a write is under way.
    await writing
  }
}
