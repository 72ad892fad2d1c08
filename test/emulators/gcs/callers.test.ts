import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { client, createOnly, refused } from './fixture.ts'
import { type GcsEmulator, startGcsEmulator } from './server.ts'

let gcs: GcsEmulator

before(async () => {
  gcs = await startGcsEmulator({
    callers: {
      ingest: { permissions: ['storage.objects.create'] },
      api: { permissions: ['storage.objects.get'] },
      worker: {
        permissions: [],
        on: { calls: ['create', 'get', 'list', 'delete', 'update'].map(verb => `storage.objects.${verb}`) },
      },
      door: { permissions: [], on: { 'calls/intake': ['storage.objects.create'] } },
      doctor: { permissions: ['storage.buckets.get'] },
    },
  })
  gcs.createBucket('calls')
  gcs.createBucket('calls-recovery')
  await as('ingest').file('there').save('x', { resumable: false })
})
after(() => gcs[Symbol.asyncDispose]())

const as = (token: string | null, bucket = 'calls') => client(gcs, { token }).bucket(bucket)

test('who may only create does that in every way, and nothing else', async () => {
  const ingest = as('ingest')
  await ingest.file('one').save('x', { resumable: false, ...createOnly })
  await ingest.file('two').save('x', { resumable: true, ...createOnly })
  const file = ingest.file('there')
  for (const attempt of [
    file.getMetadata(),
    file.delete(),
    file.setMetadata({ metadata: {} }),
    ingest.getFiles(),
  ]) {
    const { code, reason } = await refused(attempt)
    assert.deepEqual([code, reason], [403, 'forbidden'])
  }
  assert.equal((await refused(file.download())).code, 403)
  assert.equal((await refused(ingest.getMetadata())).code, 403)
  // To replace is to delete; a create-only upload of a taken name fails before that matters.
  assert.equal((await refused(file.save('y', { resumable: false }))).code, 403)
  assert.equal((await refused(file.save('y', { resumable: false, ...createOnly }))).code, 412)
})

test('a refusal names the caller, the permission and the kind of thing', async () => {
  assert.match(
    (await refused(as('ingest').file('there').getMetadata())).message,
    /^ingest does not have storage\.objects\.get access to the Google Cloud Storage object\. Permission 'storage\.objects\.get' denied/,
  )
  assert.match(
    (await refused(as('api').getMetadata())).message,
    /storage\.buckets\.get access to the Google Cloud Storage bucket/,
  )
})

test('who may get but not list is not told that an object is absent', async () => {
  assert.equal((await as('api').file('there').download())[0].toString(), 'x')
  assert.equal((await refused(as('api').file('absent').getMetadata())).code, 403)
  assert.equal((await refused(as('worker').file('absent').getMetadata())).code, 404)
})

test('permissions may be given on one bucket alone', async () => {
  await as('worker').getFiles()
  assert.equal((await refused(as('worker', 'calls-recovery').getFiles())).code, 403)
  const copy = as('worker').file('there').copy(as('worker', 'calls-recovery').file('there'))
  assert.equal((await refused(copy)).code, 403)
})

test('permissions may be given on one folder alone, and it is noted which were needed', async () => {
  const door = as('door')
  await door.file('intake/one').save('x', { resumable: false, ...createOnly })
  await door.file('intake/two').save('x', { resumable: true, ...createOnly })
  for (const name of ['intakes/one', 'recordings/one', 'intak'])
    assert.equal((await refused(door.file(name).save('x', { resumable: false }))).code, 403)
  assert.equal((await refused(door.file('intake/one').download())).code, 403)
  assert.equal((await refused(door.file('intake/one').save('y', { resumable: false }))).code, 403)
  assert.deepEqual(gcs.uses['door'], {
    'storage.objects.create': { granted: 3, refused: 3 },
    'storage.objects.get': { granted: 0, refused: 1 },
    'storage.objects.delete': { granted: 0, refused: 1 },
  })
})

test('an unknown token and none at all are 401 with a challenge; a rotated token is still its caller', async () => {
  assert.equal((await refused(as('nobody').getMetadata())).code, 401)
  assert.equal((await refused(as(null).getMetadata())).code, 401)
  const answer = await fetch(`${gcs.url}/storage/v1/b/calls`, { headers: { authorization: 'Bearer stale' } })
  assert.equal(answer.status, 401)
  assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer realm=.*error="invalid_token"$/)
  assert.equal((await as('doctor.17').getMetadata())[0].name, 'calls')
  assert.equal((await refused(as('toString').getMetadata())).code, 401)
})

test('one may ask which permissions one has', async () => {
  const [has] = await as('worker').iam.testPermissions(['storage.objects.get', 'storage.buckets.get'])
  assert.deepEqual(has, { 'storage.objects.get': true, 'storage.buckets.get': false })
})
