// Open files by descriptor: fewer steps than a FileHandle, which counts where objects are small and many.
//
// A small write into the page cache, a second name and a name less are called at once and not handed to the thread pool:
// they take some ten microseconds, and the hand-over with its two switches of threads takes ten times that. Whatever
// may wait for a disk goes to the pool: fsync, reads, large writes, opening, and above all making a file, which waits
// for the journal while somebody else's fsync is under way (ext4: 0.1 ms alone, 1 ms beside 16 writers).
import {
  close,
  closeSync,
  fstatSync,
  fsync,
  linkSync,
  open,
  read,
  unlinkSync,
  writev,
  writevSync,
} from 'node:fs'
import { promisify } from 'node:util'
import type { ObjectStats } from './facts.ts'
import { io, unavailable } from './failure.ts'

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

/** Up to this much a write is a copy into memory; more could have to wait for pages to be written back. */
const smallWriteBytes = 256 * 1024

/** Rejects as `fs.open` does. What the file itself throws is `unavailable`. */
export async function openFile(path: string, flags: number, mode?: number): Promise<OpenFile> {
  return fileOf(await openDescriptor(path, flags, mode))
}

/** A second name for a file, durable once its folder is synced. Throws as `fs.linkSync` does. */
export const addName: (path: string, name: string) => void = linkSync

/** Takes a name away. Throws as `fs.unlinkSync` does. */
export const removeName: (path: string) => void = unlinkSync

function fileOf(descriptor: number): OpenFile {
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
        const bytesWritten = isSmall(rest)
          ? writeNow(descriptor, rest)
          : (await io(writevDescriptor(descriptor, rest))).bytesWritten
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

function isSmall(pieces: readonly Uint8Array[]): boolean {
  let bytes = 0
  for (const piece of pieces) bytes += piece.length
  return bytes <= smallWriteBytes
}

function writeNow(descriptor: number, pieces: readonly Uint8Array[]): number {
  try {
    return writevSync(descriptor, pieces)
  } catch (error) {
    throw unavailable(error)
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
