// Open files by descriptor: fewer steps than a FileHandle, which counts where objects are small and many.
import { close, closeSync, fstatSync, fsync, open, read, writev } from 'node:fs'
import { promisify } from 'node:util'
import type { ObjectStats } from './facts.ts'
import { io } from './failure.ts'

const openDescriptor = promisify(open)
const closeDescriptor = promisify(close)
const fsyncDescriptor = promisify(fsync)
const readDescriptor = promisify(read)
const writevDescriptor = promisify(writev)

/** Closed when its scope ends; whoever starts a read or a write waits for it before that. */
export interface OpenFile extends AsyncDisposable {
  /** Closes at once and without waiting: for a file that still has a name, so that nothing is to be freed. */
  closeNow(): void
  /** Reads up to `length` bytes at the position; 0 is the end of the file. */
  readAt(target: Uint8Array, offset: number, length: number, position: number): Promise<number>
  /** Writes all the pieces where the last write ended. */
  writeAll(pieces: readonly Uint8Array[]): Promise<void>
  /** Content and size survive loss of power when it resolves. */
  sync(): Promise<void>
  /** Never waits for a disk: the kernel keeps the inode of an open file in memory. */
  stats(): ObjectStats
}

/** Rejects as `fs.open` does. What the file itself throws is `unavailable`. */
export async function openFile(path: string, flags: number, mode?: number): Promise<OpenFile> {
  const descriptor = await openDescriptor(path, flags, mode)
  let isOpen = true
  return {
    closeNow() {
      if (!isOpen) return
      isOpen = false
      closeSync(descriptor)
    },
    async readAt(target, offset, length, position) {
      const { bytesRead } = await io(readDescriptor(descriptor, target, offset, length, position))
      return bytesRead
    },
    async writeAll(pieces) {
      let rest = pieces
      while (rest.length > 0) {
        const { bytesWritten } = await io(writevDescriptor(descriptor, rest))
        rest = after(rest, bytesWritten)
      }
    },
    sync: () => io(fsyncDescriptor(descriptor)),
    stats: () => fstatSync(descriptor, { bigint: true }),
    async [Symbol.asyncDispose]() {
      if (!isOpen) return
      isOpen = false
      await io(closeDescriptor(descriptor))
    },
  }
}

/** What is left of the pieces when their first bytes are written: a write may be cut short (POSIX write). */
function after(pieces: readonly Uint8Array[], writtenBytes: number): readonly Uint8Array[] {
  let skip = writtenBytes
  for (const [index, piece] of pieces.entries()) {
    if (skip < piece.length) return [piece.subarray(skip), ...pieces.slice(index + 1)]
    skip -= piece.length
  }
  return []
}
