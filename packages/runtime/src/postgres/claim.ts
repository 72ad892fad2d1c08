// One process at a time may run PostgreSQL on a folder; whoever holds the claim may stop what serves it.
import { RuntimeError } from '../error.ts'
import { lockFolder } from '../lock-folder.ts'
import { PostgresError } from './error.ts'

/** Claims the folder until disposal or the end of this process. Throws `in_use` where another process holds it. */
export async function claimFolder(folder: string): Promise<AsyncDisposable> {
  try {
    return await lockFolder(folder)
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error
    if (error.code !== 'folder_in_use') throw new PostgresError('unusable', error.message, { cause: error })
    throw new PostgresError(
      'in_use',
      `Another process runs PostgreSQL in ${folder} already. Stop it first, or choose another data folder.`,
      { cause: error },
    )
  }
}
