// Finds the PostgreSQL that another process of ours runs, so that a command can work beside it. Changes nothing.
import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { readPasswords } from './cluster.ts'
import { connections, type EmbeddedPostgres } from './embedded.ts'
import { isMissing, PostgresError } from './error.ts'
import { describePlace, findDatabaseFolder } from './place.ts'
import { readPostmasterFile } from './postmaster-file.ts'
import { isPostmasterOf } from './process-identity.ts'

/** Null where none runs on `home` now. Throws `PostgresError('unusable')` where it belongs to somebody else. */
export async function findRunningPostgres(
  home: string,
): Promise<Pick<EmbeddedPostgres, 'owner' | 'app' | 'monitor' | 'superuser'> | null> {
  try {
    const place = describePlace(await realpath(await findDatabaseFolder(path.resolve(home))), null)
    const server = await readPostmasterFile(place.dataFolder)
    if (server === null || !server.ready || server.socketFolder === null) return null
    if (!(await isPostmasterOf(server.pid, place.dataFolder))) return null
    const passwords = await readPasswords(place)
    return passwords === null ? null : connections(passwords, server.socketFolder)
  } catch (error) {
    if (isMissing(error)) return null
    if (!(error instanceof Error && 'code' in error && error.code === 'EACCES')) throw error
    throw new PostgresError(
      'unusable',
      `The database in ${home} belongs to another user. Run this as the user who started Auricle.`,
      { cause: error },
    )
  }
}
