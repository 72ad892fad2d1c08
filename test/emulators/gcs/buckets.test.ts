import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { client, refused } from './fixture.ts'
import { type GcsEmulator, startGcsEmulator } from './server.ts'

let gcs: GcsEmulator
before(async () => {
  gcs = await startGcsEmulator()
})
after(() => gcs[Symbol.asyncDispose]())

test('a bucket is made with the settings that the laws need, and tells them', async () => {
  const [bucket] = await client(gcs).createBucket('vault', {
    location: 'europe-west3',
    enableObjectRetention: true,
    versioning: { enabled: false },
    iamConfiguration: { publicAccessPrevention: 'enforced', uniformBucketLevelAccess: { enabled: true } },
    softDeletePolicy: { retentionDurationSeconds: 0 },
    encryption: { defaultKmsKeyName: 'projects/p/locations/l/keyRings/r/cryptoKeys/k' },
    retentionPolicy: { retentionPeriod: 60 },
  } as never)
  const [facts] = await bucket.getMetadata()
  assert.equal(facts.location, 'EUROPE-WEST3')
  assert.equal(facts.locationType, 'region')
  assert.equal(facts.iamConfiguration?.publicAccessPrevention, 'enforced')
  assert.equal(facts.iamConfiguration?.uniformBucketLevelAccess?.enabled, true)
  assert.deepEqual(facts.objectRetention, { mode: 'Enabled' })
  assert.equal(facts.softDeletePolicy?.retentionDurationSeconds, '0')
  assert.equal(facts.encryption?.defaultKmsKeyName, 'projects/p/locations/l/keyRings/r/cryptoKeys/k')
  assert.equal(facts.retentionPolicy?.retentionPeriod, '60')
  assert.equal(facts.metageneration, '1')
  assert.equal((await refused(client(gcs).createBucket('vault'))).code, 409)
})

test('what is not said is as the service has it: no object retention, seven days of soft deletion', async () => {
  const [bucket] = await client(gcs).createBucket('plain')
  const [facts] = await bucket.getMetadata()
  assert.equal(facts.objectRetention, undefined)
  assert.equal(facts.softDeletePolicy?.retentionDurationSeconds, '604800')
  assert.equal(facts.locationType, 'multi-region')
  const dual = await client(gcs).createBucket('dual', { location: 'NAM4' })
  assert.equal(dual[0].metadata.locationType, 'dual-region')
})

test('settings change under a precondition, and a locked policy only grows', async () => {
  const [bucket] = await client(gcs).createBucket('locked')
  await bucket.setRetentionPeriod(60)
  await bucket.setRetentionPeriod(30)
  const [facts] = await bucket.getMetadata()
  assert.equal(facts.metageneration, '3')
  assert.equal((await refused(bucket.lock(1))).code, 412)
  await bucket.lock(3)
  assert.equal((await refused(bucket.setRetentionPeriod(20))).code, 403)
  assert.equal((await refused(bucket.removeRetentionPeriod())).code, 403)
  await bucket.setRetentionPeriod(90)
  assert.equal((await bucket.getMetadata())[0].retentionPolicy?.retentionPeriod, '90')
  assert.equal((await bucket.getMetadata())[0].retentionPolicy?.isLocked, true)
})

test('only an empty bucket can be deleted', async () => {
  const [bucket] = await client(gcs).createBucket('short-lived')
  await bucket.file('a').save('x', { resumable: false })
  assert.equal((await refused(bucket.delete())).code, 409)
  await bucket.file('a').delete()
  await bucket.delete()
  assert.equal((await refused(bucket.getMetadata())).code, 404)
})
