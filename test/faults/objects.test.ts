import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type MetadataServer, startMetadataServer } from '../emulators/metadata/server.ts'
import { googleEnvironment } from '../harness/emulated-bucket.ts'
import { googleObjects } from './google-objects.ts'
import { runMatrix } from './matrix.ts'
import { renderPort } from './page.ts'
import { writtenSection } from './written.ts'

let metadata: MetadataServer
before(async () => {
  metadata = await startMetadataServer({ token: 'caller', email: 'caller@auricle-test', rotates: true })
  Object.assign(process.env, googleEnvironment(metadata.host))
})
after(() => metadata[Symbol.asyncDispose]())

test('every fault at every request to Cloud Storage comes to what docs/faults.md says', async () => {
  const rendered = renderPort(await runMatrix(googleObjects))
  assert.equal(rendered.trim(), await writtenSection(googleObjects.name), 'npm run faults writes it anew')
})
