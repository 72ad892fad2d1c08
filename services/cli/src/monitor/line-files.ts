// Files to which others append lines: read from where the last reading ended, whole lines only.
import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { LineFiles } from '@auricle/vault'
import { codeOf } from '../file-failure.ts'

/** Bytes of one reading: no file makes a round endless. */
const readMostBytes = 4 * 1024 * 1024
const lineFeed = 10

export const noLineFiles: LineFiles = {
  list: async () => [],
  read: async (_name, from) => ({ lines: [], to: from }),
}

/** One file, or every file of a folder in the order of their names. What is not there has no lines yet. */
export function createLineFiles(path: string): LineFiles {
  const folderOf = async (): Promise<string> => ((await isFolder(path)) ? path : dirname(path))
  return {
    async list() {
      if (await isFolder(path)) return (await readdir(path)).filter(name => !name.startsWith('.')).sort()
      return (await exists(path)) ? [basename(path)] : []
    },
    async read(name, from) {
      await using file = await open(join(await folderOf(), name), 'r')
      const { size } = await file.stat()
      // A file that got shorter was begun anew, as logs are when they are rotated.
      const start = from <= size ? from : 0
      const bytes = Buffer.alloc(Math.min(readMostBytes, size - start))
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start)
      const read = bytes.subarray(0, bytesRead)
      const end = read.lastIndexOf(lineFeed) + 1
      // A line longer than all that is read at once is none of ours.
      if (end === 0) return { lines: [], to: bytesRead < readMostBytes ? start : start + bytesRead }
      return {
        lines: read
          .subarray(0, end - 1)
          .toString('utf8')
          .split('\n'),
        to: start + end,
      }
    },
  }
}

const isFolder = async (path: string): Promise<boolean> =>
  await stat(path).then(
    found => found.isDirectory(),
    error => unlessMissing(error, false),
  )

const exists = async (path: string): Promise<boolean> =>
  await stat(path).then(
    () => true,
    error => unlessMissing(error, false),
  )

function unlessMissing<Value>(error: unknown, value: Value): Value {
  if (codeOf(error) === 'ENOENT') return value
  throw error
}
