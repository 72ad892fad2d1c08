import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Bucket, FileMetadata } from '@google-cloud/storage'
import { client, createOnly, generationOf, refused } from './fixture.ts'
import { type GcsEmulator, startGcsEmulator } from './server.ts'

const dayMs = 24 * 3_600_000
let gcs: GcsEmulator
let bucket: Bucket
let now = Date.parse('2026-11-25T12:00:00Z')
const inDays = (days: number) => new Date(now + days * dayMs).toISOString()
const retention = (mode: 'Unlocked' | 'Locked', days: number) => ({
  retention: { mode, retainUntilTime: inDays(days) },
})

before(async () => {
  const ordinary = ['create', 'get', 'list', 'delete', 'update', 'setRetention'].map(
    verb => `storage.objects.${verb}`,
  )
  gcs = await startGcsEmulator({
    clock: () => now,
    callers: {
      keeper: { permissions: ordinary },
      overrider: { permissions: [...ordinary, 'storage.objects.overrideUnlockedRetention'] },
      writer: { permissions: ['storage.objects.create'] },
      owner: { permissions: [...ordinary, 'storage.buckets.get', 'storage.buckets.update'] },
    },
  })
  gcs.createBucket('calls', { objectRetention: true })
  gcs.createBucket('plain')
  gcs.createBucket('policy', { retentionPolicy: { retentionPeriod: '86400' } })
  gcs.createBucket('versions', { objectRetention: true, versioning: { enabled: true } })
  bucket = client(gcs, { token: 'keeper' }).bucket('calls')
})
after(() => gcs[Symbol.asyncDispose]())

const save = (name: string, metadata: FileMetadata = {}, to = bucket) =>
  to.file(name).save('x', { ...createOnly, resumable: false, metadata })

for (const mode of ['Unlocked', 'Locked'] as const) {
  test(`${mode} retention refuses deletion and replacement until its time, and leaves metadata editable`, async () => {
    await save(mode, retention(mode, 1))
    const file = bucket.file(mode)
    assert.deepEqual((await file.getMetadata())[0].retention, { mode, retainUntilTime: inDays(1) })
    const refusal = await refused(file.delete())
    assert.equal(refusal.code, 403)
    assert.equal(refusal.reason, 'retentionPolicyNotMet')
    assert.equal((await refused(file.save('y', { resumable: false }))).reason, 'retentionPolicyNotMet')
    const sent = await refused(file.save('y', { resumable: true }))
    assert.equal(sent.code, 403)
    assert.equal(
      (
        await refused(
          bucket
            .file('other')
            .save('y')
            .then(() => bucket.file('other').copy(file)),
        )
      ).code,
      403,
    )
    await file.setMetadata({ metadata: { seen: 'yes' } })
    assert.equal(gcs.state.object('calls', mode)?.bytes().toString(), 'x')
    now += dayMs
    await file.delete()
  })
}

test('a create-only upload of a name that is kept is a failed precondition, not a retention refusal', async () => {
  await save('taken', retention('Locked', 1))
  assert.equal((await refused(save('taken'))).code, 412)
})

test('a locked retention is only ever extended', async () => {
  const file = client(gcs, { token: 'overrider' }).bucket('calls').file('only longer')
  await save('only longer', retention('Locked', 2))
  const override = { overrideUnlockedRetention: true }
  for (const change of [
    retention('Locked', 1),
    retention('Unlocked', 3),
    retention('Unlocked', 1),
    { retention: null },
  ]) {
    assert.equal((await refused(file.setMetadata(change as never, override as never))).code, 403)
  }
  await file.setMetadata(retention('Locked', 3))
  assert.equal((await file.getMetadata())[0].retention?.retainUntilTime, inDays(3))
})

test('an unlocked one grows freely; to shorten, clear or lock it takes the parameter and the right', async () => {
  await save('flexible', retention('Unlocked', 2))
  const kept = bucket.file('flexible')
  const overriding = client(gcs, { token: 'overrider' }).bucket('calls').file('flexible')
  const override = { overrideUnlockedRetention: true } as never
  await kept.setMetadata(retention('Unlocked', 3))
  for (const change of [retention('Unlocked', 1), { retention: null }, retention('Locked', 3)]) {
    assert.equal((await refused(kept.setMetadata(change as never))).code, 403)
    assert.equal((await refused(kept.setMetadata(change as never, override))).code, 403)
    assert.equal((await refused(overriding.setMetadata(change as never))).code, 403)
  }
  await overriding.setMetadata(retention('Unlocked', 1), override)
  await overriding.setMetadata({ retention: null } as never, override)
  assert.equal((await kept.getMetadata())[0].retention, undefined)
  await kept.delete()
})

test('retention needs a bucket that has it, the right to set it, and a time from now to a hundred years', async () => {
  const plain = client(gcs, { token: 'keeper' }).bucket('plain')
  assert.equal((await refused(save('a', retention('Unlocked', 1), plain))).code, 400)
  const writer = client(gcs, { token: 'writer' }).bucket('calls')
  assert.equal((await refused(save('a', retention('Unlocked', 1), writer))).code, 403)
  await save('by a writer', {}, writer)
  assert.equal((await refused(save('a', retention('Unlocked', 0)))).code, 400)
  assert.equal((await refused(save('a', retention('Unlocked', 36_526)))).code, 400)
  await save('a', retention('Unlocked', 36_525))
  assert.equal((await refused(save('b', { retention: { mode: 'Unlocked' } } as never))).code, 400)
})

test('holds refuse deletion and replacement, whatever the retention says, and come off', async () => {
  await save('held', retention('Unlocked', 1))
  const file = bucket.file('held')
  await file.setMetadata({ temporaryHold: true })
  now += 2 * dayMs
  const refusal = await refused(file.delete())
  assert.equal(refusal.code, 403)
  assert.equal(refusal.reason, 'objectUnderActiveHold')
  assert.match(refusal.message, /under active Temporary hold/)
  assert.equal((await refused(file.save('y', { resumable: false }))).reason, 'objectUnderActiveHold')
  await file.setMetadata({ temporaryHold: false })
  await file.delete()
})

test('an event-based hold and a retention exclude each other', async () => {
  await save('event', { eventBasedHold: true })
  const file = bucket.file('event')
  assert.equal((await refused(file.setMetadata(retention('Unlocked', 1)))).code, 400)
  assert.equal((await refused(file.delete())).reason, 'objectUnderActiveHold')
  await save('retained', retention('Unlocked', 1))
  assert.equal((await refused(bucket.file('retained').setMetadata({ eventBasedHold: true }))).code, 400)
})

test("a bucket's policy counts from creation, or from the release of an event-based hold", async () => {
  const policy = client(gcs, { token: 'owner' }).bucket('policy')
  await save('old', {}, policy)
  await save('event', { eventBasedHold: true }, policy)
  const [facts] = await policy.file('old').getMetadata()
  assert.equal((facts as { retentionExpirationTime?: string }).retentionExpirationTime, inDays(1))
  assert.equal((await refused(policy.file('old').delete())).reason, 'retentionPolicyNotMet')
  now += dayMs
  await policy.file('old').delete()
  await policy.file('event').setMetadata({ eventBasedHold: false })
  assert.equal((await refused(policy.file('event').delete())).reason, 'retentionPolicyNotMet')
  now += dayMs
  await policy.file('event').delete()
})

test('in a bucket with versions a kept object becomes noncurrent, and its generation stays', async () => {
  const versions = client(gcs, { token: 'keeper' }).bucket('versions')
  await save('v', retention('Locked', 1), versions)
  const live = versions.file('v')
  await live.getMetadata()
  await versions.file('v').delete()
  const noncurrent = versions.file('v', { generation: generationOf(live) })
  assert.equal((await refused(noncurrent.delete())).reason, 'retentionPolicyNotMet')
  assert.equal((await noncurrent.download())[0].toString(), 'x')
})

test('where it is watched, a second write to an object within a second is too much', async () => {
  let clock = 1_000_000
  await using watched = await startGcsEmulator({ clock: () => clock, oneWritePerSecond: true })
  watched.createBucket('calls')
  const file = client(watched, { retryOptions: { autoRetry: false } })
    .bucket('calls')
    .file('a')
  await file.save('x', { resumable: false })
  assert.deepEqual(
    await refused(file.setMetadata({ temporaryHold: true })).then(({ code, reason }) => [code, reason]),
    [429, 'rateLimitExceeded'],
  )
  clock += 1_000
  await file.setMetadata({ temporaryHold: true })
})
