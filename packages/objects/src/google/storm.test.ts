// The whole conformance suite while every tenth request goes wrong: the caller must not see any of it.
import {
  emulatedBucketName as bucket,
  googleEnvironment,
  startBucketApart,
  startEmulatedBucket,
} from '../../../../test/harness/emulated-bucket.ts'
import { objectStoreConformance } from '../conformance.ts'
import { quantumBytes } from './chunks.ts'
import { createGoogleStore } from './google-store.ts'

const faults = [
  { type: 'status', status: 503 },
  { type: 'status', status: 429, retryAfterSeconds: 0 },
  { type: 'cut', afterBytes: 20_000 },
  { type: 'cut', afterBytes: 0 },
  { type: 'lost-acknowledgement' },
] as const
const share = 0.02
/** Whether a delete that was not answered found something nobody can tell, and the suite wants to know (`bucket.ts`). */
const allButDelete = /^(?!objects\.delete)/

let seed = 0

const makeStore = async () => {
  const startedAt = Date.now()
  let aheadMs = 0
  const now = () => startedAt + aheadMs
  const emulated = await startEmulatedBucket({ clock: now, seed: ++seed })
  for (const fault of faults) emulated.gcs.faults.add({ operation: allButDelete, fault, probability: share })
  Object.assign(process.env, googleEnvironment(emulated.metadata.host))
  return {
    store: createGoogleStore({
      bucket,
      retentionMode: 'Locked',
      endpoint: emulated.gcs.url,
      now,
      triesMost: 12,
      firstDelayMs: 1,
      chunkBytes: quantumBytes,
    }),
    now,
    advance(milliseconds: number) {
      aheadMs += milliseconds
    },
    [Symbol.asyncDispose]: () => emulated[Symbol.asyncDispose](),
  }
}

objectStoreConformance(makeStore, {
  async makeApart() {
    const apart = await startBucketApart()
    Object.assign(process.env, googleEnvironment(apart.metadataHost))
    return {
      store: createGoogleStore({
        bucket,
        retentionMode: 'Locked',
        endpoint: apart.url,
        chunkBytes: quantumBytes,
      }),
      now: Date.now,
      advance: () => undefined,
      [Symbol.asyncDispose]: () => apart[Symbol.asyncDispose](),
    }
  },
})
