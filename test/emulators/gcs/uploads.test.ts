import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { after, before, test } from 'node:test'
import type { Bucket } from '@google-cloud/storage'
import { client, createOnly, refused } from './fixture.ts'
import { type GcsEmulator, startGcsEmulator } from './server.ts'

const quantum = 262_144
let gcs: GcsEmulator
let bucket: Bucket
let now = 1_800_000_000_000

before(async () => {
  gcs = await startGcsEmulator({
    clock: () => now,
    callers: { writer: { permissions: ['storage.objects.create', 'storage.objects.get'] } },
  })
  gcs.createBucket('calls')
  bucket = client(gcs, { token: 'writer' }).bucket('calls')
})
after(() => gcs[Symbol.asyncDispose]())

const stored = (name: string) => gcs.state.object('calls', name)?.bytes() ?? null

const modes = [{ resumable: false }, { resumable: true }, { resumable: true, chunkSize: quantum }] as const

for (const mode of modes) {
  const title = JSON.stringify(mode)
  // In chunks the client announces no bytes at all as `0--1`, which is no range.
  const smallest = 'chunkSize' in mode ? [] : [0]
  for (const sizeBytes of [...smallest, 1, quantum, 3 * quantum + 5]) {
    test(`${title} stores ${sizeBytes} bytes`, async () => {
      const name = `${title} ${sizeBytes}`
      const bytes = randomBytes(sizeBytes)
      await bucket.file(name).save(bytes, { ...mode, ...createOnly, validation: 'crc32c' })
      assert.ok(stored(name)?.equals(bytes))
    })
  }

  test(`${title} refuses a name that is taken`, async () => {
    const name = `${title} taken`
    await bucket.file(name).save('x', { ...mode, ...createOnly })
    assert.equal((await refused(bucket.file(name).save('y', { ...mode, ...createOnly }))).code, 412)
    assert.equal(stored(name)?.toString(), 'x')
  })

  test(`${title} refuses bytes that are not those of the checksum that was sent first`, async () => {
    const name = `${title} wrong`
    const metadata = { crc32c: 'AAAAAA==' }
    const { code } = await refused(bucket.file(name).save('x', { ...mode, validation: false, metadata }))
    assert.equal(code, 400)
    assert.equal(stored(name), null)
    // The digits have this check value.
    await bucket
      .file(name)
      .save('123456789', { ...mode, validation: false, metadata: { crc32c: '4waSgw==' } })
  })

  test(`${title} refuses another MD5, and tells one where it was compared`, async () => {
    const name = `${title} md5`
    const md5Hash = '1B2M2Y8AsgTpgAmY7PhCfg=='
    assert.equal((await refused(bucket.file(name).save('x', { ...mode, metadata: { md5Hash } }))).code, 400)
    const right = 'JfnnlDI7RTiF9RgfG2JNCw=='
    await bucket.file(name).save('123456789', { ...mode, metadata: { md5Hash: right } })
    assert.equal((await bucket.file(name).getMetadata())[0].md5Hash, right)
  })

  test(`${title} leaves nothing when the source breaks`, async () => {
    const name = `${title} broken`
    async function* breaking() {
      yield randomBytes(2 * quantum)
      throw new Error('the source broke')
    }
    await assert.rejects(
      pipeline(breaking(), bucket.file(name).createWriteStream({ ...mode, ...createOnly })),
    )
    assert.equal(stored(name), null)
  })
}

test('one upload in a single request with the name in the query', async () => {
  const upload = (hash: string) =>
    fetch(`${gcs.url}/upload/storage/v1/b/calls/o?uploadType=media&name=plain`, {
      method: 'POST',
      body: '123456789',
      headers: { authorization: 'Bearer writer', 'content-type': 'text/plain', 'x-goog-hash': hash },
    })
  assert.equal((await upload('crc32c=AAAAAA==')).status, 400)
  assert.equal((await upload('md5=1B2M2Y8AsgTpgAmY7PhCfg==,crc32c=4waSgw==')).status, 400)
  assert.equal((await upload('sha1=AA==')).status, 400)
  assert.equal((await upload('crc32c=4waSgw==')).status, 200)
  assert.equal(gcs.state.object('calls', 'plain')?.texts.contentType, 'text/plain')
})

/** A request to the session as whoever has its address. */
async function put(uri: string, contentRange: string | null, body: Buffer | null, headers = {}) {
  const answer = await fetch(uri, {
    method: 'PUT',
    redirect: 'manual',
    headers: { ...headers, ...(contentRange === null ? {} : { 'content-range': contentRange }) },
    ...(body === null ? {} : { body }),
  })
  const text = await answer.text()
  return {
    status: answer.status,
    range: answer.headers.get('range'),
    name: answer.status === 200 ? (JSON.parse(text) as { name: string }).name : null,
  }
}

const begin = async (name: string) => (await bucket.file(name).createResumableUpload(createOnly))[0]

test('a session is filled by whoever has its address, in whole quanta but for the last', async () => {
  const uri = await begin('filled')
  const bytes = randomBytes(2 * quantum + 7)
  assert.deepEqual(await put(uri, 'bytes */*', null), { status: 308, range: null, name: null })
  const first = bytes.subarray(0, quantum)
  assert.equal((await put(uri, 'bytes 0-99/*', bytes.subarray(0, 100))).status, 400)
  assert.deepEqual(await put(uri, `bytes 0-${quantum - 1}/*`, first), {
    status: 308,
    range: `bytes=0-${quantum - 1}`,
    name: null,
  })
  // What has arrived is passed over when it comes again; what would leave a gap is refused.
  const both = bytes.subarray(0, 2 * quantum)
  assert.equal(
    (await put(uri, `bytes 0-${2 * quantum - 1}/${bytes.length}`, both)).range,
    `bytes=0-${2 * quantum - 1}`,
  )
  assert.equal(
    (await put(uri, `bytes ${2 * quantum + 1}-${2 * quantum + 6}/*`, bytes.subarray(1, 7))).status,
    400,
  )
  assert.deepEqual(await put(uri, `bytes */${bytes.length}`, null), {
    status: 308,
    range: `bytes=0-${2 * quantum - 1}`,
    name: null,
  })
  assert.equal(stored('filled'), null)
  const last = bytes.subarray(2 * quantum)
  const end = `bytes ${2 * quantum}-${bytes.length - 1}/${bytes.length}`
  assert.equal((await put(uri, end, last)).name, 'filled')
  assert.ok(stored('filled')?.equals(bytes))
  // So a lost acknowledgement of the last chunk is made up for.
  assert.equal((await put(uri, 'bytes */*', null)).name, 'filled')
  assert.equal((await put(uri, `bytes */${bytes.length}`, null)).name, 'filled')
  assert.equal((await put(uri, end, last)).name, 'filled')
  assert.equal(gcs.state.objects('calls').filter(({ name }) => name === 'filled').length, 1)
})

test('what has arrived can be declared to be all', async () => {
  const uri = await begin('declared')
  await put(uri, `bytes 0-${quantum - 1}/*`, Buffer.alloc(quantum, 1))
  assert.equal((await put(uri, `bytes */${quantum}`, null)).name, 'declared')
})

test('a checksum with the last request is compared, and a mismatch ends the session without an object', async () => {
  const uri = await begin('summed')
  const hash = { 'x-goog-hash': 'crc32c=AAAAAA==' }
  assert.equal((await put(uri, `bytes 0-${quantum - 1}/*`, Buffer.alloc(quantum), hash)).status, 308)
  assert.equal(
    (await put(uri, `bytes ${quantum}-${quantum + 2}/${quantum + 3}`, Buffer.from('abc'), hash)).status,
    400,
  )
  assert.equal((await put(uri, 'bytes */*', null)).status, 410)
  assert.equal(stored('summed'), null)
})

test('the precondition holds at the beginning and at the end', async () => {
  const [one, two] = [await begin('raced'), await begin('raced')]
  assert.equal((await put(two, null, Buffer.from('two'))).status, 200)
  assert.equal((await put(one, null, Buffer.from('one'))).status, 412)
  assert.equal((await refused(begin('raced'))).code, 412)
  assert.equal(stored('raced')?.toString(), 'two')
})

test('a session is cancelled by deleting it, and over after a week', async () => {
  const uri = await begin('cancelled')
  assert.equal((await fetch(uri, { method: 'DELETE' })).status, 499)
  assert.equal((await put(uri, null, Buffer.from('x'))).status, 499)
  const late = await begin('late')
  now += 7 * 24 * 3_600_000
  assert.equal((await put(late, null, Buffer.from('x'))).status, 410)
  assert.equal((await put(`${gcs.url}/upload/storage/v1/b/calls/o?upload_id=none`, null, null)).status, 404)
  assert.deepEqual(
    gcs.state
      .sessions()
      .filter(({ name }) => name === 'cancelled' || name === 'late')
      .map(({ state }) => state),
    ['cancelled', 'open'],
  )
})

test('a request that announces more or less than it brings is refused', async () => {
  for (const range of ['bytes 0-9/10', 'bytes 0-1/2', 'bytes 5-1/9', 'bytes 0-9/5', 'octets 0-1/2']) {
    assert.equal(
      (await put(await begin(`announced ${range}`), range, Buffer.from('12345'))).status,
      400,
      range,
    )
  }
})

test('the client continues a session that another one began', async () => {
  const uri = await begin('continued')
  const bytes = randomBytes(quantum + 10)
  await put(uri, `bytes 0-${quantum - 1}/*`, bytes.subarray(0, quantum))
  const stream = bucket
    .file('continued')
    .createWriteStream({ uri, offset: quantum, validation: false, resumable: true })
  await pipeline([bytes.subarray(quantum)], stream)
  assert.ok(stored('continued')?.equals(bytes))
})

test('a large upload is kept without being copied together', async () => {
  const piece = randomBytes(1_048_576)
  const pieces = 200
  async function* source() {
    for (let i = 0; i < pieces; i++) yield piece
  }
  await pipeline(
    source(),
    bucket.file('large').createWriteStream({ resumable: false, validation: false, ...createOnly }),
  )
  assert.equal(gcs.state.object('calls', 'large')?.sizeBytes, pieces * piece.length)
  const [part] = await bucket
    .file('large')
    .download({ start: 150 * piece.length + 1, end: 151 * piece.length })
  assert.ok(part.equals(Buffer.concat([piece.subarray(1), piece.subarray(0, 1)])))
})
