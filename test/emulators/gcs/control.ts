// What a harness in another process may look at in the emulated Cloud Storage, and do to it.
import type { Controlled } from '../control.ts'
import { asInt64, asRecord, asText } from './json.ts'
import type { GcsEmulator } from './server.ts'
import { writeOut } from './write-out.ts'

export function controlGcs(gcs: GcsEmulator): Controlled {
  return {
    faults: gcs.faults,
    get requests() {
      return gcs.requests
    },
    uses: gcs.uses,
    commands: {
      'create-bucket': ({ name, settings }) =>
        gcs.createBucket(asText(name, 'name'), asRecord(settings ?? {}, 'settings')),
      buckets: () => gcs.state.buckets(),
      objects: ({ bucket }) => gcs.state.objects(asText(bucket, 'bucket')),
      recompute: ({ bucket }) => gcs.state.recompute(asText(bucket, 'bucket')),
      'write-out': ({ folder }) => writeOut(gcs.state, asText(folder, 'folder')),
      sessions: () => gcs.state.sessions(),
      advance: ({ ms }) => gcs.advance(asInt64(ms, 'ms')),
      rot: ({ bucket, name }) => gcs.state.rot(asText(bucket, 'bucket'), asText(name, 'name')),
    },
  }
}
