import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { Bucket } from '@google-cloud/storage'
import { client, createOnly, generationOf, refused } from './fixture.ts'
import { type GcsEmulator, startGcsEmulator } from './server.ts'

let gcs: GcsEmulator
let bucket: Bucket

before(async () => {
  gcs = await startGcsEmulator()
  gcs.createBucket('calls', { location: 'europe-west3' })
  gcs.createBucket('versioned', { versioning: { enabled: true } })
  bucket = client(gcs).bucket('calls')
})
after(() => gcs[Symbol.asyncDispose]())

test('what was written is told with the fields that the client reads', async () => {
  const file = bucket.file('a/b c.bin')
  await file.save(Buffer.from('123456789'), {
    ...createOnly,
    resumable: false,
    metadata: { contentType: 'audio/x-sealed', metadata: { note: 'é' }, customTime: '2026-01-02T03:04:05Z' },
  })
  const [facts] = await file.getMetadata()
  // The check value of CRC-32C for the digits 1 to 9 is e3069283.
  assert.equal(facts.crc32c, '4waSgw==')
  assert.equal(facts.size, '9')
  assert.match(String(facts.generation), /^\d{16}$/)
  assert.equal(facts.metageneration, '1')
  assert.equal(facts.contentType, 'audio/x-sealed')
  assert.deepEqual(facts.metadata, { note: 'é' })
  assert.equal(facts.customTime, '2026-01-02T03:04:05.000Z')
  assert.equal(facts.storageClass, 'STANDARD')
})

test('an object is read whole and in ranges, and each answer names the whole object', async () => {
  const bytes = randomBytes(700_000)
  const file = bucket.file('ranged')
  await file.save(bytes, { resumable: false })
  assert.ok((await file.download({ validation: 'crc32c' }))[0].equals(bytes))
  for (const [start, end] of [
    [0, 0],
    [65_535, 65_536],
    [699_999, 699_999],
    [262_144, 700_000_000],
  ] as const) {
    const [part] = await file.download({ start, end })
    assert.ok(part.equals(bytes.subarray(start, end + 1)))
  }
  assert.ok((await file.download({ start: 699_000 }))[0].equals(bytes.subarray(699_000)))
  assert.ok((await file.download({ end: -10 }))[0].equals(bytes.subarray(-10)))

  const answer = await fetch(`${gcs.url}/storage/v1/b/calls/o/ranged?alt=media`, {
    headers: { range: 'bytes=5-9' },
  })
  assert.equal(answer.status, 206)
  assert.equal(answer.headers.get('content-range'), 'bytes 5-9/700000')
  const [facts] = await file.getMetadata()
  assert.equal(answer.headers.get('x-goog-hash'), `crc32c=${facts.crc32c}`)
  assert.equal(answer.headers.get('x-goog-generation'), facts.generation)
  assert.equal(answer.headers.get('x-goog-metageneration'), '1')
  assert.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes.subarray(5, 10)))
})

test('a range beyond the end is 416, absence 404, also of a bucket and of a generation', async () => {
  await bucket.file('short').save('12345', { resumable: false })
  assert.equal((await refused(bucket.file('short').download({ start: 5 }))).code, 416)
  assert.deepEqual(await refused(bucket.file('none').getMetadata()), {
    code: 404,
    reason: 'notFound',
    message: 'No such object: calls/none',
  })
  // Where bytes were asked for, the refusal is plain text.
  assert.deepEqual(await refused(bucket.file('none').download()), {
    code: 404,
    reason: null,
    message: 'No such object: calls/none',
  })
  assert.equal((await refused(bucket.file('none').delete())).code, 404)
  assert.equal((await refused(client(gcs).bucket('nowhere').file('x').getMetadata())).code, 404)
  assert.equal((await refused(bucket.file('short', { generation: 1 }).download())).code, 404)
  assert.deepEqual(await bucket.file('none').exists(), [false])
})

test('reading pins a generation, and a later object of the name is another one', async () => {
  const file = bucket.file('again')
  await file.save('first', { resumable: false })
  const first = generationOf(file)
  await bucket.file('again').save('second', { resumable: false })
  const later = bucket.file('again')
  await later.getMetadata()
  const generation = generationOf(later)
  assert.ok(BigInt(generation) > BigInt(first))
  assert.equal((await bucket.file('again', { generation }).download())[0].toString(), 'second')
  assert.equal((await refused(bucket.file('again', { generation: first }).download())).code, 404)
})

test('lists by prefix, delimiter and page, in the order of bytes, with the fields that were asked for', async () => {
  const names = ['l/', 'l/a/1', 'l/a/2', 'l/b', 'l/c/1', 'l/d', 'l/é', 'l/\u{1f600}', 'l/\uffee']
  for (const name of names) await bucket.file(name).save('x', { resumable: false })
  const listed = (files: readonly { name: string }[]) => files.map(({ name }) => name)
  const byBytes = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  assert.deepEqual(listed((await bucket.getFiles({ prefix: 'l/' }))[0]), byBytes)

  const pages: string[] = []
  for (let pageToken: string | undefined, more = true; more; ) {
    const [files, next, answer] = await bucket.getFiles({
      prefix: 'l/',
      delimiter: '/',
      maxResults: 2,
      autoPaginate: false,
      ...(pageToken === undefined ? {} : { pageToken }),
    })
    const { prefixes = [] } = answer as { prefixes?: string[] }
    assert.ok(files.length + prefixes.length <= 2)
    pages.push(...listed(files), ...prefixes)
    pageToken = (next as { pageToken?: string } | null)?.pageToken
    more = pageToken !== undefined
  }
  assert.deepEqual(
    pages.sort(),
    ['l/', 'l/a/', 'l/b', 'l/c/', 'l/d', 'l/é', 'l/\u{1f600}', 'l/\uffee'].sort(),
  )

  const fields = 'items(name,metadata/a),nextPageToken'
  const [, , masked] = await bucket.getFiles({ prefix: 'l/b', fields, autoPaginate: false })
  assert.deepEqual(masked, { items: [{ name: 'l/b' }] })
  assert.equal((await refused(bucket.getFiles({ fields: 'items(' }))).code, 400)
  assert.deepEqual(await bucket.getFiles({ prefix: 'nothing' }).then(([files]) => files), [])
})

test('a patch merges the custom metadata, null removes; the metageneration grows, the generation does not', async () => {
  const file = bucket.file('patched')
  await file.save('x', { resumable: false, metadata: { metadata: { a: '1', b: '2' } } })
  const { generation } = file.metadata
  const [patched] = await file.setMetadata({ metadata: { a: null, c: '3' } }, { ifMetagenerationMatch: 1 })
  assert.deepEqual(patched.metadata, { b: '2', c: '3' })
  assert.equal(patched.metageneration, '2')
  assert.equal(patched.generation, generation)
  assert.deepEqual(await refused(file.setMetadata({ metadata: {} }, { ifMetagenerationMatch: 1 })), {
    code: 412,
    reason: 'conditionNotMet',
    message: 'At least one of the pre-conditions you specified did not hold.',
  })
  const emptied = await fetch(`${gcs.url}/storage/v1/b/calls/o/patched`, {
    method: 'PATCH',
    body: '{"metadata":null}',
  })
  assert.equal(((await emptied.json()) as { metadata?: unknown }).metadata, undefined)
  await file.setMetadata({ customTime: '2026-02-01T00:00:00Z' })
  assert.equal((await refused(file.setMetadata({ customTime: '2026-01-01T00:00:00Z' }))).code, 400)
})

test('custom metadata ends at 8 KiB, names and values together', async () => {
  const file = bucket.file('noted')
  await file.save('x', { resumable: false, metadata: { metadata: { name: 'v'.repeat(8_188) } } })
  assert.equal((await refused(file.setMetadata({ metadata: { n: '' } }))).code, 400)
  const tooMuch = { metadata: { name: 'v'.repeat(8_189) } }
  const other = bucket.file('noted too much')
  assert.equal((await refused(other.save('x', { resumable: false, metadata: tooMuch }))).code, 400)
  assert.equal((await refused(other.save('x', { resumable: true, metadata: tooMuch }))).code, 400)
})

test('preconditions hold for reading, changing, deleting and copying', async () => {
  const file = bucket.file('guarded')
  await file.save('x', { resumable: false })
  const generation = Number(file.metadata.generation)
  const path = `${gcs.url}/storage/v1/b/calls/o/guarded`
  const status = async (query: string, method = 'GET') =>
    (await fetch(`${path}?${query}`, { method, ...(method === 'PATCH' ? { body: '{}' } : {}) })).status
  assert.equal(await status(`ifGenerationMatch=${generation}`), 200)
  assert.equal(await status(`ifGenerationMatch=${generation - 1}`), 412)
  assert.equal(await status(`ifGenerationNotMatch=${generation}`), 304)
  assert.equal(await status('alt=media&ifMetagenerationNotMatch=1'), 304)
  assert.equal(await status('ifMetagenerationMatch=2'), 412)
  assert.equal(await status('ifMetagenerationNotMatch=1', 'PATCH'), 412)
  assert.equal(await status(`ifGenerationNotMatch=${generation}`, 'DELETE'), 412)
  assert.equal(await status('ifGenerationMatch=0', 'DELETE'), 412)
  assert.equal(await status('ifGenerationMatch=x'), 400)
  assert.equal((await refused(file.copy('copy', { preconditionOpts: { ifGenerationMatch: 7 } }))).code, 412)
  await file.delete({ ifGenerationMatch: generation })
  assert.equal(gcs.state.object('calls', 'guarded'), null)
})

test('copies in one step or in several, and leaves holds and retention behind', async () => {
  const file = bucket.file('source')
  await file.save(Buffer.alloc(300_000, 1), { resumable: false, metadata: { metadata: { a: '1' } } })
  await file.setMetadata({ temporaryHold: true })
  const [copy] = await file.copy(bucket.file('target'), createOnly)
  await copy.getMetadata()
  assert.equal(copy.metadata.size, '300000')
  assert.deepEqual(copy.metadata.metadata, { a: '1' })
  assert.equal(copy.metadata.temporaryHold, undefined)

  const path = `${gcs.url}/storage/v1/b/calls/o/source/rewriteTo/b/calls/o/slow?maxBytesRewrittenPerCall=131072`
  const steps: unknown[] = []
  for (let token: string | undefined = ''; token !== undefined; ) {
    const answer = await fetch(`${path}&${token === '' ? '' : `rewriteToken=${token}`}`, { method: 'POST' })
    const step = (await answer.json()) as {
      done: boolean
      totalBytesRewritten: string
      rewriteToken?: string
    }
    steps.push([step.done, step.totalBytesRewritten])
    token = step.rewriteToken
  }
  assert.deepEqual(steps, [
    [false, '131072'],
    [false, '262144'],
    [true, '300000'],
  ])
  assert.ok(gcs.state.object('calls', 'slow')?.bytes().equals(Buffer.alloc(300_000, 1)))
})

test('what was deleted can be listed and restored for seven days, and not read', async () => {
  const file = bucket.file('deleted')
  await file.save('kept a while', { resumable: false })
  const generation = generationOf(file)
  await file.delete()
  assert.equal((await refused(bucket.file('deleted', { generation }).download())).code, 404)
  const [softDeleted] = await bucket.getFiles({ softDeleted: true, prefix: 'deleted' })
  assert.deepEqual(
    softDeleted.map(({ metadata }) => metadata.generation),
    [generation],
  )
  await bucket.file('deleted').restore({ generation: Number(generation) })
  const restored = bucket.file('deleted')
  await restored.getMetadata()
  assert.notEqual(generationOf(restored), generation)
  assert.equal((await bucket.file('deleted').download())[0].toString(), 'kept a while')
  gcs.advance(7 * 24 * 3_600_000)
  assert.deepEqual(await bucket.getFiles({ softDeleted: true }).then(([files]) => files), [])
})

test('in a bucket with versions a deleted object becomes noncurrent, and its generation can be deleted', async () => {
  const versioned = client(gcs).bucket('versioned')
  const file = versioned.file('v')
  await file.save('one', { resumable: false })
  const first = generationOf(file)
  await versioned.file('v').save('two', { resumable: false })
  await versioned.file('v').delete()
  assert.equal((await refused(versioned.file('v').getMetadata())).code, 404)
  assert.equal((await versioned.file('v', { generation: first }).download())[0].toString(), 'one')
  const all = async () => (await versioned.getFiles({ versions: true }))[0].length
  assert.equal(await all(), 2)
  await versioned.file('v', { generation: first }).delete()
  assert.equal(await all(), 1)
})
