// What the real client makes of each fault, and what it leaves in the bucket. It waits a second before it tries again,
// so the rows of a table run beside each other where they can, each with an emulator of its own.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { Bucket } from '@google-cloud/storage'
import type { Fault } from '../faults.ts'
import { client, createOnly, refused } from './fixture.ts'
import { type GcsEmulator, startGcsEmulator } from './server.ts'

const bytes = randomBytes(600_000)
const chunkSize = 262_144

type Act =
  | 'multipart'
  | 'resumable'
  | 'chunked'
  | 'read'
  | 'range'
  | 'get'
  | 'list'
  | 'patch'
  | 'patch without condition'
  | 'delete'

const acts: Readonly<Record<Act, (bucket: Bucket) => Promise<unknown>>> = {
  multipart: (bucket: Bucket) => bucket.file('new').save(bytes, { ...createOnly, resumable: false }),
  resumable: (bucket: Bucket) => bucket.file('new').save(bytes, { ...createOnly, resumable: true }),
  chunked: (bucket: Bucket) => bucket.file('new').save(bytes, { ...createOnly, resumable: true, chunkSize }),
  read: async (bucket: Bucket) => assert.ok((await bucket.file('old').download())[0].equals(bytes)),
  range: async (bucket: Bucket) => {
    const [part] = await bucket.file('old').download({ start: 10, end: 500_000 })
    assert.ok(part.equals(bytes.subarray(10, 500_001)), 'other bytes')
  },
  get: (bucket: Bucket) => bucket.file('old').getMetadata(),
  list: (bucket: Bucket) => bucket.getFiles(),
  patch: (bucket: Bucket) =>
    bucket.file('old').setMetadata({ temporaryHold: true }, { ifMetagenerationMatch: 1 }),
  'patch without condition': (bucket: Bucket) => bucket.file('old').setMetadata({ temporaryHold: true }),
  delete: (bucket: Bucket) => bucket.file('old').delete(),
}

const start = 'objects.insert.resumable.start'
const chunk = 'objects.insert.resumable.chunk'

interface Row {
  readonly act: Act
  readonly operation: string
  /** `ok`, or the code of the error. */
  readonly outcome: unknown
  readonly autoRetry?: boolean
  readonly left?: (gcs: GcsEmulator) => void
}

const isWhole = (gcs: GcsEmulator) => assert.ok(gcs.state.object('calls', 'new')?.bytes().equals(bytes))
const isAbsent = (gcs: GcsEmulator) => assert.equal(gcs.state.object('calls', 'new'), null)
const isGone = (gcs: GcsEmulator) => assert.equal(gcs.state.object('calls', 'old'), null)
const isHeld = (gcs: GcsEmulator) => assert.ok(gcs.state.object('calls', 'old')?.temporaryHold)
const isNotHeld = (gcs: GcsEmulator) => assert.ok(!gcs.state.object('calls', 'old')?.temporaryHold)

async function strike(fault: Fault, { act, operation, outcome, autoRetry = true, left }: Row): Promise<void> {
  await using gcs = await startGcsEmulator({ callers: { somebody: { permissions: allOnObjects } } })
  gcs.createBucket('calls')
  await client(gcs, { token: 'somebody' })
    .bucket('calls')
    .file('old')
    .save(bytes, { ...createOnly, resumable: false })
  gcs.faults.add({ operation, fault, times: 1 })
  const storage = client(gcs, { token: 'somebody', retryOptions: { autoRetry, maxRetryDelay: 1 } })
  const attempt = acts[act](storage.bucket('calls'))
  const what = `${fault.type} at ${operation}, ${act}`
  if (outcome === 'ok') await attempt
  else assert.equal((await refused(attempt)).code, outcome, what)
  assert.deepEqual(gcs.faults.injected, { [fault.type]: 1 }, what)
  left?.(gcs)
}

const allOnObjects = ['create', 'get', 'list', 'delete', 'update'].map(verb => `storage.objects.${verb}`)

async function strikeAll(fault: Fault, rows: readonly Row[]): Promise<void> {
  // A read that fails makes the client destroy the connections of everything else in the process: see the README.
  const isRead = ({ act }: Row) => act === 'read' || act === 'range'
  await Promise.all(rows.filter(row => !isRead(row)).map(row => strike(fault, row)))
  for (const row of rows.filter(isRead)) await strike(fault, row)
}

for (const fault of [
  { type: 'status', status: 503 },
  { type: 'status', status: 429, retryAfterSeconds: 1 },
] as const) {
  test(`${fault.status} is tried again where that is safe, and leaves nothing`, () =>
    strikeAll(fault, [
      { act: 'multipart', operation: 'objects.insert.multipart', outcome: 'ok', left: isWhole },
      {
        act: 'multipart',
        operation: 'objects.insert.multipart',
        outcome: fault.status,
        autoRetry: false,
        left: isAbsent,
      },
      { act: 'resumable', operation: start, outcome: 'ok', left: isWhole },
      { act: 'resumable', operation: chunk, outcome: 'ok', left: isWhole },
      { act: 'chunked', operation: chunk, outcome: 'ok', left: isWhole },
      // With retries on, the client leaves a rejection behind that nobody handles: see the README.
      { act: 'read', operation: 'objects.get.media', outcome: fault.status, autoRetry: false },
      { act: 'range', operation: 'objects.get.media', outcome: fault.status, autoRetry: false },
      { act: 'get', operation: 'objects.get', outcome: 'ok' },
      { act: 'list', operation: 'objects.list', outcome: 'ok' },
      { act: 'patch', operation: 'objects.patch', outcome: 'ok', left: isHeld },
      { act: 'patch without condition', operation: 'objects.patch', outcome: fault.status, left: isNotHeld },
      { act: 'delete', operation: 'objects.delete', outcome: fault.status },
    ]))
}

test('the wait that a refusal asks for stands in its header', async () => {
  await using gcs = await startGcsEmulator()
  gcs.faults.add({ operation: 'any', fault: { type: 'status', status: 429, retryAfterSeconds: 7 } })
  const answer = await fetch(`${gcs.url}/storage/v1/b/calls`)
  assert.equal(answer.headers.get('retry-after'), '7')
})

test('an answer that is cut had its effect: a retry finds the object there, a session tells that it is done', () =>
  strikeAll({ type: 'cut', afterBytes: 100 }, [
    { act: 'multipart', operation: 'objects.insert.multipart', outcome: 412, left: isWhole },
    { act: 'resumable', operation: start, outcome: 'ok', left: isWhole },
    { act: 'resumable', operation: chunk, outcome: 'ok', left: isWhole },
    { act: 'chunked', operation: chunk, outcome: 'ok', left: isWhole },
    { act: 'read', operation: 'objects.get.media', outcome: 'ECONNRESET' },
    { act: 'range', operation: 'objects.get.media', outcome: 'ECONNRESET' },
    { act: 'get', operation: 'objects.get', outcome: 'ok' },
    { act: 'list', operation: 'objects.list', outcome: 'ok' },
    { act: 'patch', operation: 'objects.patch', outcome: 412, left: isHeld },
    { act: 'delete', operation: 'objects.delete', outcome: 'ECONNRESET', left: isGone },
  ]))

test('a request that is cut had no effect', () =>
  strikeAll({ type: 'cut', afterBytes: 300_000, side: 'request' }, [
    { act: 'multipart', operation: 'objects.insert.multipart', outcome: 'ok', left: isWhole },
    {
      act: 'multipart',
      operation: 'objects.insert.multipart',
      outcome: 'ECONNRESET',
      autoRetry: false,
      left: isAbsent,
    },
    { act: 'resumable', operation: chunk, outcome: 'ok', left: isWhole },
    { act: 'chunked', operation: chunk, outcome: 'ok', left: isWhole },
    { act: 'patch without condition', operation: 'objects.patch', outcome: 'ECONNRESET', left: isNotHeld },
  ]))

test('of a chunk that is cut whole quanta stay, and the session tells how many', async () => {
  await using gcs = await startGcsEmulator()
  gcs.createBucket('calls')
  gcs.faults.add({ operation: chunk, fault: { type: 'cut', afterBytes: 300_000, side: 'request' } })
  const storage = client(gcs, { retryOptions: { autoRetry: false } })
  await refused(acts.resumable(storage.bucket('calls')))
  assert.deepEqual(
    gcs.state.sessions().map(({ receivedBytes, state }) => [receivedBytes, state]),
    [[chunkSize, 'open']],
  )
})

test('bytes that differ are noticed, but not in a range', () =>
  strikeAll({ type: 'corrupt', what: 'bytes' }, [
    // The client deletes what it has just written.
    { act: 'multipart', operation: 'objects.insert.multipart', outcome: 'FILE_NO_UPLOAD', left: isAbsent },
    { act: 'resumable', operation: 'any', outcome: 'FILE_NO_UPLOAD', left: isAbsent },
    { act: 'chunked', operation: chunk, outcome: 'FILE_NO_UPLOAD', left: isAbsent },
    { act: 'read', operation: 'any', outcome: 'CONTENT_DOWNLOAD_MISMATCH' },
    { act: 'range', operation: 'any', outcome: 'ERR_ASSERTION' },
  ]))

test('where the client may not delete, what was spoiled on its way stays, unless the checksum was sent first', async () => {
  await using gcs = await startGcsEmulator({
    callers: { ingest: { permissions: ['storage.objects.create'] } },
  })
  gcs.createBucket('calls')
  gcs.faults.add({ operation: 'objects.insert.multipart', fault: { type: 'corrupt', what: 'bytes' } })
  const bucket = client(gcs, { token: 'ingest' }).bucket('calls')
  assert.equal((await refused(acts.multipart(bucket))).code, 'FILE_NO_UPLOAD_DELETE')
  assert.ok(!gcs.state.object('calls', 'new')?.bytes().equals(bytes))
  const told = {
    ...createOnly,
    resumable: false,
    validation: false,
    metadata: { crc32c: '4waSgw==' },
  } as const
  assert.equal((await refused(bucket.file('digits').save('123456789', told))).code, 400)
  assert.equal(gcs.state.object('calls', 'digits'), null)
})

test('a checksum that differs is noticed where the client compares one', () =>
  strikeAll({ type: 'corrupt', what: 'checksum' }, [
    { act: 'multipart', operation: 'objects.insert.multipart', outcome: 'FILE_NO_UPLOAD', left: isAbsent },
    { act: 'resumable', operation: 'any', outcome: 'FILE_NO_UPLOAD', left: isAbsent },
    { act: 'chunked', operation: 'any', outcome: 'FILE_NO_UPLOAD', left: isAbsent },
    { act: 'read', operation: 'objects.get.media', outcome: 'CONTENT_DOWNLOAD_MISMATCH' },
    { act: 'range', operation: 'objects.get.media', outcome: 'ok' },
    { act: 'get', operation: 'objects.get', outcome: 'ok' },
  ]))

test('what is slow arrives', () =>
  strikeAll({ type: 'slow', ms: 50 }, [
    { act: 'multipart', operation: 'any', outcome: 'ok', left: isWhole },
    { act: 'chunked', operation: chunk, outcome: 'ok', left: isWhole },
    { act: 'read', operation: 'objects.get.media', outcome: 'ok' },
    { act: 'delete', operation: 'objects.delete', outcome: 'ok', left: isGone },
  ]))

test('an acknowledgement is lost after the effect', () =>
  strikeAll({ type: 'lost-acknowledgement' }, [
    { act: 'multipart', operation: 'objects.insert.multipart', outcome: 412, left: isWhole },
    { act: 'resumable', operation: start, outcome: 'ok', left: isWhole },
    { act: 'resumable', operation: chunk, outcome: 'ok', left: isWhole },
    { act: 'chunked', operation: chunk, outcome: 'ok', left: isWhole },
    { act: 'read', operation: 'objects.get.media', outcome: 'ok' },
    { act: 'get', operation: 'objects.get', outcome: 'ok' },
    { act: 'patch', operation: 'objects.patch', outcome: 412, left: isHeld },
    { act: 'patch without condition', operation: 'objects.patch', outcome: 'ECONNRESET', left: isHeld },
    { act: 'delete', operation: 'objects.delete', outcome: 'ECONNRESET', left: isGone },
  ]))

test('a token that has expired is refused everywhere', () =>
  strikeAll({ type: 'expired-token' }, [
    { act: 'multipart', operation: 'objects.insert.multipart', outcome: 401, left: isAbsent },
    { act: 'resumable', operation: start, outcome: 401, left: isAbsent },
    { act: 'resumable', operation: chunk, outcome: 401, left: isAbsent },
    { act: 'chunked', operation: chunk, outcome: 401, left: isAbsent },
    { act: 'read', operation: 'objects.get.media', outcome: 401 },
    { act: 'get', operation: 'objects.get', outcome: 401 },
    { act: 'list', operation: 'objects.list', outcome: 401 },
    { act: 'patch', operation: 'objects.patch', outcome: 401, left: isNotHeld },
    { act: 'delete', operation: 'objects.delete', outcome: 401 },
  ]))

test('an expired token stays expired, and the next one of its caller is good', async () => {
  await using gcs = await startGcsEmulator({ callers: { doctor: { permissions: ['storage.buckets.get'] } } })
  gcs.createBucket('calls')
  gcs.faults.add({ operation: 'buckets.get', fault: { type: 'expired-token' }, times: 1 })
  const status = async (token: string) =>
    (await fetch(`${gcs.url}/storage/v1/b/calls`, { headers: { authorization: `Bearer ${token}` } })).status
  assert.deepEqual(
    [await status('doctor.1'), await status('doctor.1'), await status('doctor.2')],
    [401, 401, 200],
  )
})

test('bytes that rot in the bucket are noticed by whoever reads all of them', async () => {
  await using gcs = await startGcsEmulator()
  gcs.createBucket('calls')
  const bucket = client(gcs).bucket('calls')
  await acts.multipart(bucket)
  gcs.state.rot('calls', 'new')
  assert.equal((await refused(bucket.file('new').download())).code, 'CONTENT_DOWNLOAD_MISMATCH')
})
