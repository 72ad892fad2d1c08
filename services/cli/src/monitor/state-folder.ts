// What the monitor remembers, in a folder of its own: its state in one file, and of each log the digests of the sealed
// private parts as they were when they were first seen.
import { createHash } from 'node:crypto'
import { constants, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { lockFolder, readIfPresent, writeDurably } from '@auricle/runtime'
import {
  type DigestStore,
  decodeState,
  digestBytes,
  encodeState,
  firstState,
  type MonitorState,
} from '@auricle/vault'
import { UsageError } from '../error.ts'

const ownerOnlyFile = 0o600
const ownerOnlyFolder = 0o700
const stateName = 'state.json'

export interface MonitorFolder extends AsyncDisposable {
  readonly state: MonitorState
  readonly digests: DigestStore
  save(state: MonitorState): Promise<void>
}

/**
 * Takes the folder for this process, making it where it does not exist. A state that cannot be read is never begun anew by
 * itself: what was seen before would be forgotten, and that is what an attacker wants.
 */
export async function openMonitorFolder(folder: string): Promise<MonitorFolder> {
  await using opening = new AsyncDisposableStack()
  opening.use(await lockFolder(folder))
  const digestFolder = join(folder, 'private')
  await mkdir(digestFolder, { recursive: true, mode: ownerOnlyFolder })
  const file = join(folder, stateName)
  const kept = await readIfPresent(file)
  const state = kept === null ? firstState : readState(kept, file)
  const opened = opening.move()
  return {
    state,
    save: next => writeDurably(file, encodeState(next), ownerOnlyFile),
    digests: createDigests(digestFolder),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function readState(text: string, file: string): MonitorState {
  try {
    return decodeState(text)
  } catch (cause) {
    throw new UsageError(
      `${file} cannot be read. Put a copy of it back; without it the monitor forgets what it has seen`,
      { cause },
    )
  }
}

/** A number's digest stands at its place in the file, so what was never written reads as zeros. */
function createDigests(folder: string): DigestStore {
  const fileOf = (origin: string) => join(folder, createHash('sha256').update(origin).digest('hex'))
  return {
    async read(origin, from, count) {
      const digests = new Uint8Array(count * digestBytes)
      await using file = await open(fileOf(origin), constants.O_RDONLY | constants.O_CREAT, ownerOnlyFile)
      await file.read(digests, 0, digests.length, from * digestBytes)
      return digests
    },
    async write(origin, from, digests) {
      await using file = await open(fileOf(origin), constants.O_WRONLY | constants.O_CREAT, ownerOnlyFile)
      await file.write(digests, 0, digests.length, from * digestBytes)
      // Before the state says that these leaves were read.
      await file.datasync()
    },
  }
}
