// What PostgreSQL's postmaster.pid says: which process serves a data folder, and whether it is ready.
import path from 'node:path'
import { readIfPresent } from './durable.ts'

export interface PostmasterFile {
  readonly pid: number
  readonly ready: boolean
  /** Folder of its socket; null while it has none. */
  readonly socketFolder: string | null
}

/** Line numbers of the file (PostgreSQL's src/include/utils/pidfile.h), from 0. */
const pidLine = 0
const socketFolderLine = 4
const statusLine = 7

export function postmasterFile(dataFolder: string): string {
  return path.join(dataFolder, 'postmaster.pid')
}

/** Null where there is no such file, or nothing in it yet. */
export async function readPostmasterFile(dataFolder: string): Promise<PostmasterFile | null> {
  const lines = (await readIfPresent(postmasterFile(dataFolder)))?.split('\n') ?? []
  const pid = Number(lines[pidLine])
  if (!Number.isSafeInteger(pid) || pid === 0) return null
  // A stand-alone backend writes its number negated.
  const socketFolder = lines[socketFolderLine]?.trim() || null
  return { pid: Math.abs(pid), ready: lines[statusLine]?.trim() === 'ready', socketFolder }
}
