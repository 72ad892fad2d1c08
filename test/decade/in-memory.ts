// A decade writes more than disks shared by others take in minutes, and nobody pulls the plug: its database and its stores
// lie in memory, where the system has a folder for that. They sync as they always do.
import { accessSync, constants } from 'node:fs'
import { settingsVariable } from '../shared-postgres.ts'

const memory = '/dev/shm'

/** Before anything is opened. */
export function stayInMemory(): void {
  try {
    accessSync(memory, constants.W_OK)
  } catch {
    return
  }
  process.env['TMPDIR'] = memory
  // A server of its own, there, in the place of the one that all tests share.
  delete process.env[settingsVariable]
}
