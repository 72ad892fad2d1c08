import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BucketSettings } from '../../../../test/emulators/gcs/bucket.ts'
import {
  emulatedBucketName as bucket,
  googleEnvironment,
  lawfulSettings,
  startEmulatedBucket,
} from '../../../../test/harness/emulated-bucket.ts'
import { ObjectError } from '../error.ts'
import { createGoogleStore, type GoogleStoreOptions } from './google-store.ts'

const kept = { retainUntil: null }

async function start(
  options: Parameters<typeof startEmulatedBucket>[0] = {},
  store: Partial<GoogleStoreOptions> = {},
) {
  const emulated = await startEmulatedBucket(options)
  Object.assign(process.env, googleEnvironment(emulated.metadata.host))
  const at = { bucket, retentionMode: 'Unlocked', endpoint: emulated.gcs.url, firstDelayMs: 1 } as const
  return { ...emulated, at, store: createGoogleStore({ ...at, ...store }) }
}

async function* whole(text: string) {
  yield Buffer.from(text)
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found = []
  for await (const item of items) found.push(item)
  return found
}

describe('a bucket', () => {
  test('is found lawful, and where it lies is told', async () => {
    await using subject = await start({ settings: { ...lawfulSettings, location: 'ME-CENTRAL2' } })
    for (const finding of await subject.store.inspect()) assert.equal(finding.state, 'ok', finding.found)
    assert.equal(await subject.store.location(), 'ME-CENTRAL2')
    assert.match((await subject.store.inspect())[0]?.found ?? '', /ME-CENTRAL2/)
  })

  test('that is set otherwise is found, each thing with the line that mends it', async () => {
    const wrong: [BucketSettings, 'bad' | 'warn', RegExp][] = [
      [{ ...lawfulSettings, iamConfiguration: {} }, 'bad', /--uniform-bucket-level-access$/],
      [
        { ...lawfulSettings, iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } },
        'bad',
        /--public-access-prevention$/,
      ],
      [{ ...lawfulSettings, objectRetention: false }, 'bad', /--enable-per-object-retention$/],
      [{ ...lawfulSettings, defaultEventBasedHold: true }, 'bad', /--no-default-event-based-hold$/],
      [{ ...lawfulSettings, versioning: { enabled: true } }, 'warn', /--no-versioning$/],
      [
        { ...lawfulSettings, retentionPolicy: { retentionPeriod: '86400' } },
        'warn',
        /--clear-retention-period$/,
      ],
    ]
    for (const [settings, state, mend] of wrong) {
      await using subject = await start({ settings })
      const found = (await subject.store.inspect()).find(finding => mend.test(finding.mend ?? ''))
      assert.equal(found?.state, state, String(mend))
      assert.match(found?.mend ?? '', /gcloud storage buckets (?:update|create) gs:\/\//)
    }
  })

  test('that is written to once is to keep by a policy that nobody can shorten', async () => {
    const found = async (retentionPeriod: string | null, isLocked = false) => {
      const policy = retentionPeriod === null ? {} : { retentionPolicy: { retentionPeriod } }
      const settings = { ...lawfulSettings, objectRetention: false, ...policy }
      await using subject = await start({ settings }, { keptByBucketDays: 7 })
      if (isLocked) {
        const lock = `/storage/v1/b/${bucket}/lockRetentionPolicy?ifMetagenerationMatch=1`
        assert.ok((await fetch(subject.gcs.url + lock, { method: 'POST' })).ok)
      }
      const findings = await subject.store.inspect()
      return findings.find(finding => /Keeps (every|its) object/.test(finding.found))
    }
    assert.match((await found(null))?.mend ?? '', /--retention-period=7d$/)
    assert.match((await found('604799'))?.mend ?? '', /--retention-period=7d$/)
    const unlocked = await found('604800')
    assert.equal(unlocked?.state, 'bad')
    assert.match(unlocked?.mend ?? '', /--lock-retention-period$/)
    assert.equal((await found('604800', true))?.state, 'ok')
  })

  test('that keeps by its policy takes puts without a right to set retention', async () => {
    await using subject = await start(
      {
        settings: {
          ...lawfulSettings,
          objectRetention: false,
          retentionPolicy: { retentionPeriod: '604800', isLocked: true },
        },
      },
      { keptByBucketDays: 7 },
    )
    const { facts } = await subject.store.put('key', whole('x'), { retainUntil: new Date('2100-01-01') })
    assert.ok((facts.retainUntil?.getTime() ?? 0) > Date.now())
  })

  test('tells how long what was deleted can be restored', async () => {
    const settings = { ...lawfulSettings, softDeletePolicy: { retentionDurationSeconds: '604800' } }
    await using subject = await start({ settings })
    assert.ok((await subject.store.inspect()).some(({ found }) => found.includes('for 7 days')))
  })

  test('that cannot retain refuses what is to be retained, and holds nothing of it', async () => {
    await using subject = await start({ settings: {} })
    const put = subject.store.put('key', whole('x'), { retainUntil: new Date('2100-01-01') })
    await assert.rejects(put, error => error instanceof ObjectError && error.code === 'denied')
    assert.deepEqual(subject.gcs.state.objects(bucket), [])
  })

  test('with a policy of its own keeps what was put without a retention', async () => {
    await using subject = await start({
      settings: { ...lawfulSettings, retentionPolicy: { retentionPeriod: '86400' } },
    })
    const { facts } = await subject.store.put('key', whole('x'), kept)
    assert.ok((facts.retainUntil?.getTime() ?? 0) > Date.now())
    assert.deepEqual((await subject.store.head('key'))?.retainUntil, facts.retainUntil)
    await assert.rejects(
      subject.store.delete('key'),
      error => error instanceof ObjectError && error.code === 'retained',
    )
  })
})

describe('one bucket', () => {
  test('serves several stores by their prefixes, and others may use it too', async () => {
    await using subject = await start()
    const one = createGoogleStore({ ...subject.at, prefix: 'one' })
    const other = createGoogleStore({ ...subject.at, prefix: 'one/two' })
    await one.put('a', whole('of one'), kept)
    await other.put('a', whole('of two'), kept)
    await subject.store.put('one-a', whole('of nobody'), kept)
    const keysOf = async (store: typeof one, prefix = '') =>
      (await all(store.list(prefix))).map(({ key }) => key)
    assert.deepEqual(await keysOf(one), ['a', 'two/a'])
    assert.deepEqual(await keysOf(other), ['a'])
    assert.deepEqual(await keysOf(one, 't'), ['two/a'])
    assert.equal((await one.head('two/a'))?.sizeBytes, 6)
    assert.equal(await other.delete('a'), 'deleted')
    assert.deepEqual(await keysOf(subject.store), ['one-a', 'one/a'])
    for (const prefix of ['/a', 'a/', 'A']) {
      assert.throws(() => createGoogleStore({ ...subject.at, prefix }), ObjectError)
    }
  })

  test('is listed page by page', async () => {
    await using subject = await start()
    const keys = Array.from({ length: 1203 }, (_, index) => `many/${String(index).padStart(4, '0')}`)
    for (let at = 0; at < keys.length; at += 100) {
      await Promise.all(keys.slice(at, at + 100).map(key => subject.store.put(key, whole(''), kept)))
    }
    assert.deepEqual(
      (await all(subject.store.list('many/'))).map(({ key }) => key),
      keys,
    )
    assert.equal(subject.gcs.requests['objects.list'], 2)
    for await (const _ of subject.store.list('')) break
    assert.equal(subject.gcs.requests['objects.list'], 3)
  })

  test('costs one request a small put, a read and a head, and none for what cannot be', async () => {
    await using subject = await start()
    const { facts } = await subject.store.put('key', whole('x'), { ...kept, metadata: { a: 'b' } })
    await all(subject.store.read('key', null))
    await all(subject.store.read('key', { start: 0, end: 1 }))
    await subject.store.head('key')
    assert.equal(await subject.store.delete('key', { generation: 'of another store' }), 'absent')
    await subject.store.delete('key', facts)
    assert.deepEqual(subject.gcs.requests, {
      'objects.insert.multipart': 1,
      'objects.get.media': 2,
      'objects.get': 1,
      'objects.delete': 1,
    })
  })

  test('keeps the mode of a retention that is made longer', async () => {
    await using subject = await start()
    const until = new Date(Date.now() + 60_000)
    await subject.store.put('key', whole('x'), { retainUntil: until })
    const strict = createGoogleStore({ ...subject.at, retentionMode: 'Locked' })
    await strict.retain('key', new Date(until.getTime() + 60_000))
    assert.equal(subject.gcs.state.object(bucket, 'key')?.retention?.mode, 'Unlocked')
    await strict.put('locked', whole('x'), { retainUntil: until })
    assert.equal(subject.gcs.state.object(bucket, 'locked')?.retention?.mode, 'Locked')
  })

  test('releases no hold that somebody else put on', async () => {
    await using subject = await start({ settings: { ...lawfulSettings, defaultEventBasedHold: true } })
    const { facts } = await subject.store.put('key', whole('x'), kept)
    assert.equal(facts.held, true)
    assert.equal((await subject.store.setHold('key', true)).held, true)
    assert.equal((await subject.store.setHold('key', false)).held, true)
    await assert.rejects(
      subject.store.delete('key'),
      error => error instanceof ObjectError && error.code === 'held',
    )
  })
})
