// The object store on an emulated Cloud Storage, for the matrix: a bucket and two adapters a cell.
import { ObjectError, type ObjectStore } from '@auricle/objects'
import { createGoogleStore } from '@auricle/objects/google'
import { startGcsEmulator } from '../emulators/gcs/server.ts'
import type { GcsState } from '../emulators/gcs/state.ts'
import { lawfulSettings } from '../harness/emulated-bucket.ts'
import { objectOperations } from './object-operations.ts'
import type { Lane, Port } from './port.ts'

export interface ObjectSubject {
  /** What is tried. */
  readonly store: ObjectStore
  /** For what has to be there, and for judging. */
  readonly other: ObjectStore
  readonly bucket: string
  readonly state: GcsState
}

export const objectTriesMost = 3
/** One more for a new token each, and to ask how far an upload has come. */
const requestsMostPerTry = 3
const chunkBytes = 262_144
/** Five objects are three pages. */
const pageObjectsMost = 2
const weekSeconds = 604_800

/** Calls with Application Default Credentials: the environment has to lead to an emulated metadata server. */
export const googleObjects: Port<ObjectSubject> = {
  name: 'Objects in Cloud Storage',
  operations: objectOperations,
  openLane,
  seenOf: error => (error instanceof ObjectError ? { code: error.code, transient: error.transient } : null),
  codes: {
    status: ['unavailable'],
    cut: ['unavailable'],
    corrupt: ['damaged', 'unavailable'],
    slow: ['unavailable'],
    'lost-acknowledgement': ['unavailable'],
    'expired-token': ['denied'],
  },
  attemptsMost: objectTriesMost * requestsMostPerTry,
}

async function openLane(): Promise<Lane<ObjectSubject>> {
  const emulator = await startGcsEmulator({ pageObjectsMost })
  let cells = 0
  return {
    faults: emulator.faults,
    requests: () => emulator.requests,
    async open({ attemptTimeoutMs }) {
      const bucket = `cell-${++cells}`
      // What was deleted or replaced stays to be seen.
      const softDeletePolicy = { retentionDurationSeconds: String(weekSeconds) }
      emulator.createBucket(bucket, { ...lawfulSettings, softDeletePolicy })
      const open = (tryTimeoutMs?: number) =>
        createGoogleStore({
          bucket,
          retentionMode: 'Locked',
          endpoint: emulator.url,
          chunkBytes,
          triesMost: objectTriesMost,
          tryTimeoutMs,
          firstDelayMs: 50,
        })
      const store = open(attemptTimeoutMs)
      // Fetches a token.
      await store.head('nothing')
      return {
        store,
        other: open(),
        bucket,
        state: emulator.state,
        [Symbol.asyncDispose]: async () => {},
      }
    },
    [Symbol.asyncDispose]: () => emulator[Symbol.asyncDispose](),
  }
}
