// Notes each use of a recording's key in a file a day beside the keyring, for whoever counts them against the log.
import { constants, mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { OnKeyUse } from './guarded-keys.ts'

const folderMode = 0o700
const fileMode = 0o600
const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants
const dayCharacters = '2030-01-01'.length

/** Where the files of a keyring are. */
export const keyUsesFolder = (keyringFile: string): string => join(dirname(keyringFile), 'key-uses')

/**
 * One JSON line a use: `{"at","tenant","event"}`, in `<yyyy-mm-dd>.ndjson` of its day in UTC. Processes that share the
 * keyring share the files. Nothing here reads, shortens or removes them. A line is written when it resolves, and may be
 * lost with the machine: the event that it names is not.
 */
export function createKeyUses(folder: string): OnKeyUse {
  return async ({ tenantId: tenant, eventId: event, at }) => {
    const time = at.toISOString()
    const line = `${JSON.stringify({ at: time, tenant, event })}\n`
    await using file = await openDay(folder, `${time.slice(0, dayCharacters)}.ndjson`)
    // One write of less than a page to a file opened for appending: lines of two processes do not mix.
    await file.write(line)
  }
}

async function openDay(folder: string, name: string) {
  const openFile = () => open(join(folder, name), O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW, fileMode)
  try {
    return await openFile()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    await mkdir(folder, { recursive: true, mode: folderMode })
    return await openFile()
  }
}
