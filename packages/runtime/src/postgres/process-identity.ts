// Which process a number stands for: numbers are used again.
import { execFile } from 'node:child_process'
import { readlink } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What the kernel answers for a process that has just ended, or that belongs to somebody else. */
const notOurs: ReadonlySet<unknown> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM'])

/** Whether there is a process of that number, of whatever user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Whether a process is a PostgreSQL server that works in `dataFolder` (a real path). */
export async function isPostmasterOf(pid: number, dataFolder: string): Promise<boolean> {
  if (!isAlive(pid)) return false
  if (process.platform !== 'linux') return await isPostgresByPs(pid)
  try {
    // A postmaster changes into its data folder when it starts and stays there.
    return (await readlink(`/proc/${pid}/cwd`)) === dataFolder
  } catch (error) {
    if (error instanceof Error && 'code' in error && notOurs.has(error.code)) return false
    throw error
  }
}

async function isPostgresByPs(pid: number): Promise<boolean> {
  try {
    const { stdout } = await run('ps', ['-o', 'comm=', '-p', String(pid)])
    return stdout.trim().endsWith('postgres')
  } catch (error) {
    // ps answers with status 1 for a process that has just ended.
    if (error instanceof Error && 'code' in error && error.code === 1) return false
    throw error
  }
}
