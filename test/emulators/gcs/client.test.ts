// What the real client does that one would not expect. Whoever uses it has to know; a new version may differ.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { client, createOnly, refused } from './fixture.ts'
import { type GcsEmulator, startGcsEmulator } from './server.ts'

let gcs: GcsEmulator
before(async () => {
  gcs = await startGcsEmulator()
  gcs.createBucket('calls')
})
after(() => gcs[Symbol.asyncDispose]())

test('one save without a precondition turns off retries for all that the client does afterwards', async () => {
  const storage = client(gcs)
  await storage
    .bucket('calls')
    .file('guarded')
    .save('x', { ...createOnly, resumable: false })
  assert.equal(storage.retryOptions.autoRetry, true)
  await storage.bucket('calls').file('unguarded').save('x', { resumable: false })
  assert.equal(storage.retryOptions.autoRetry, false)
})

test('a read that fails breaks what else is under way, also of another client in the process', async () => {
  const reader = client(gcs).bucket('calls')
  await reader.file('read').save(Buffer.alloc(100_000), { ...createOnly, resumable: false })
  gcs.faults.add({ operation: 'objects.get.media', fault: { type: 'corrupt', what: 'checksum' }, times: 1 })
  gcs.faults.add({ operation: 'objects.get', fault: { type: 'slow', ms: 2_000 }, times: 1 })
  const other = client(gcs, { retryOptions: { autoRetry: false } }).bucket('calls')
  const waiting = refused(other.file('read').getMetadata())
  while (gcs.requests['objects.get'] === undefined) await new Promise(resolve => setTimeout(resolve, 5))
  assert.equal((await refused(reader.file('read').download())).code, 'CONTENT_DOWNLOAD_MISMATCH')
  assert.equal((await waiting).code, 'ECONNRESET')
})

test('a refused read that it tries again leaves a rejection that nobody handles', async () => {
  await client(gcs)
    .bucket('calls')
    .file('again')
    .save('x', { ...createOnly, resumable: false })
  gcs.faults.add({ operation: 'objects.get.media', fault: { type: 'status', status: 503 }, times: 1 })
  const program = `
    import { Storage } from '@google-cloud/storage'
    const storage = new Storage({ apiEndpoint: '${gcs.url}', projectId: 'p' })
    await storage.bucket('calls').file('again').download()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [[code], errors] = await Promise.all([once(child, 'close'), text(child.stderr)])
  assert.notEqual(code, 0)
  assert.match(errors, /ERR_STREAM_UNABLE_TO_PIPE/)
})
