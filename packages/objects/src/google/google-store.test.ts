import { randomUUID } from 'node:crypto'
import {
  emulatedBucketName as bucket,
  googleEnvironment,
  lawfulSettings,
  startBucketApart,
  startEmulatedBucket,
} from '../../../../test/harness/emulated-bucket.ts'
import { objectStoreConformance } from '../conformance.ts'
import { createGoogleStore } from './google-store.ts'

const prefix = randomUUID()
const settings = { ...lawfulSettings, softDeletePolicy: { retentionDurationSeconds: '604800' } }

objectStoreConformance(
  async () => {
    const startedAt = Date.now()
    let aheadMs = 0
    const now = () => startedAt + aheadMs
    const emulated = await startEmulatedBucket({ clock: now, settings })
    Object.assign(process.env, googleEnvironment(emulated.metadata.host))
    return {
      store: createGoogleStore({ bucket, prefix, retentionMode: 'Locked', endpoint: emulated.gcs.url, now }),
      now,
      advance(milliseconds) {
        aheadMs += milliseconds
      },
      [Symbol.asyncDispose]: () => emulated[Symbol.asyncDispose](),
    }
  },
  {
    keyCharactersMost: 1024 - prefix.length - 1,
    async makeApart() {
      const apart = await startBucketApart()
      Object.assign(process.env, googleEnvironment(apart.metadataHost))
      return {
        store: createGoogleStore({ bucket, prefix, retentionMode: 'Locked', endpoint: apart.url }),
        now: Date.now,
        advance: () => undefined,
        [Symbol.asyncDispose]: () => apart[Symbol.asyncDispose](),
      }
    },
  },
)
