// How much room a folder's file system has left, for readiness checks.
import { statfs } from 'node:fs/promises'
import { io } from './failure.ts'

export interface FreeSpace {
  /** What this process may still use: blocks reserved for root are not counted. */
  readonly freeBytes: number
  readonly totalBytes: number
  /** Files that may still be made; null where the file system has no fixed number. */
  readonly freeFiles: number | null
}

/** Throws `unavailable`, also when the folder does not exist. */
export async function measureFreeSpace(folder: string): Promise<FreeSpace> {
  const { bavail, blocks, bsize, ffree, files } = await io(statfs(folder))
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, freeFiles: files === 0 ? null : ffree }
}
