import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Fault } from '../../../../test/emulators/faults.ts'
import {
  emulatedBucketName as bucket,
  type EmulatedBucket,
  googleEnvironment,
  startEmulatedBucket,
} from '../../../../test/harness/emulated-bucket.ts'
import { ObjectError, type ObjectErrorCode } from '../error.ts'
import { quantumBytes } from './chunks.ts'
import { createGoogleStore, type GoogleStore, type GoogleStoreOptions } from './google-store.ts'

const kept = { retainUntil: null }
const triesMost = 4
const small = randomBytes(100_000)
/** Three chunks and a bit. */
const large = randomBytes(3 * quantumBytes + 4321)
const bodies = { small, large }

const once = (fault: Fault) => ({ fault, times: 1 })
const lost: Fault = { type: 'lost-acknowledgement' }
const busy: Fault = { type: 'status', status: 503 }
const limited: Fault = { type: 'status', status: 429, retryAfterSeconds: 0 }
const expired: Fault = { type: 'expired-token' }
const slow: Fault = { type: 'slow', ms: 600 }
const cutRequest: Fault = { type: 'cut', afterBytes: 50_000, side: 'request' }
const cutAnswer: Fault = { type: 'cut', afterBytes: 10 }
const corruptBytes: Fault = { type: 'corrupt', what: 'bytes' }
const corruptChecksum: Fault = { type: 'corrupt', what: 'checksum' }

interface Subject extends AsyncDisposable, Pick<EmulatedBucket, 'gcs' | 'metadata'> {
  readonly store: GoogleStore
}

async function start(
  options: Parameters<typeof startEmulatedBucket>[0] & { readonly store?: Partial<GoogleStoreOptions> } = {},
): Promise<Subject> {
  const { store, ...rest } = options
  const emulated = await startEmulatedBucket(rest)
  Object.assign(process.env, googleEnvironment(emulated.metadata.host))
  return {
    ...emulated,
    store: createGoogleStore({
      bucket,
      retentionMode: 'Locked',
      endpoint: emulated.gcs.url,
      triesMost,
      firstDelayMs: 1,
      tryTimeoutMs: 400,
      chunkBytes: quantumBytes,
      ...store,
    }),
  }
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found = []
  for await (const item of items) found.push(item)
  return found
}

async function read(store: GoogleStore, key: string, range: { start: number; end: number } | null = null) {
  const pieces = []
  for await (const piece of store.read(key, range)) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** What the caller sees is one of the codes, with a cause that says nothing of addresses or tokens. */
const fails = (call: Promise<unknown>, code: ObjectErrorCode) =>
  assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof ObjectError, String(error))
    assert.equal(error.code, code, String(error.cause))
    const told = [error.message, error.cause instanceof Error ? error.cause.message : ''].join(' ')
    assert.doesNotMatch(told, /https?:|upload_id|Bearer|caller\.\d/)
    return true
  })

/** Exactly one object, whole. */
function onlyWhole({ gcs }: Subject, bytes: Buffer): void {
  const objects = gcs.state.objects(bucket)
  assert.equal(objects.length, 1)
  assert.ok(objects[0]?.bytes().equals(bytes))
}

describe('a fault once is no matter', () => {
  const ofUpload: Record<string, Fault> = {
    busy,
    limited,
    expired,
    slow,
    cutRequest,
    cutAnswer,
    lost,
    corruptChecksum,
  }
  const uploads = {
    small: ['objects.insert.multipart'],
    large: ['objects.insert.resumable.start', 'objects.insert.resumable.chunk'],
  }
  for (const [size, operations] of Object.entries(uploads)) {
    for (const operation of operations) {
      for (const [name, fault] of Object.entries(ofUpload)) {
        if (operation.endsWith('start') && (fault === cutRequest || fault === corruptChecksum)) continue
        test(`put, ${size}, ${operation}: ${name}`, async () => {
          const bytes = bodies[size as keyof typeof bodies]
          for (const skip of operation.endsWith('chunk') ? [0, 1, 2, 3] : [0]) {
            // An answer that tells no checksum cannot tell a wrong one.
            if (fault === corruptChecksum && operation.endsWith('chunk') && skip > 0) continue
            await using subject = await start()
            subject.gcs.faults.add({ operation, skip, ...once(fault) })
            const metadata = { a: 'b' }
            const retainUntil = new Date(Date.now() + 60_000)
            const put = await subject.store.put('key', inPieces(bytes), { retainUntil, metadata })
            assert.equal(put.status, 'created')
            assert.deepEqual(put.facts.metadata, metadata)
            assert.deepEqual(put.facts.retainUntil, retainUntil)
            onlyWhole(subject, bytes)
            assert.equal(subject.gcs.faults.injected[fault.type], 1)
          }
        })
      }
    }
  }

  test('put, small: bytes that were damaged on their way are sent again', async () => {
    await using subject = await start()
    subject.gcs.faults.add({ operation: 'objects.insert.multipart', ...once(corruptBytes) })
    assert.equal((await subject.store.put('key', inPieces(small), kept)).status, 'created')
    onlyWhole(subject, small)
  })

  const calls: Record<string, { operation: string; call: (store: GoogleStore) => Promise<unknown> }> = {
    head: { operation: 'objects.get', call: store => store.head('key') },
    list: {
      operation: 'objects.list',
      call: async store => {
        for await (const facts of store.list('')) return facts
        return null
      },
    },
    read: { operation: 'objects.get.media', call: store => read(store, 'key') },
    range: { operation: 'objects.get.media', call: store => read(store, 'key', { start: 100, end: 90_000 }) },
    retain: { operation: 'objects.patch', call: store => store.retain('key', new Date('2100-01-01')) },
    hold: { operation: 'objects.patch', call: store => store.setHold('key', true) },
    metadata: { operation: 'objects.patch', call: store => store.setMetadata('key', { c: 'd' }) },
    delete: { operation: 'objects.delete', call: store => store.delete('key') },
  }
  const ofCall = { busy, limited, expired, slow, lost, cutAnswer }
  for (const [name, { operation, call }] of Object.entries(calls)) {
    test(`${name}: ${Object.keys(ofCall).join(', ')}`, async () => {
      for (const [faultName, fault] of Object.entries(ofCall)) {
        // An answer without a body has nothing that could be cut.
        if (fault === cutAnswer && name === 'delete') continue
        await using subject = await start()
        await subject.store.put('key', inPieces(small), kept)
        const clean = await start()
        await clean.store.put('key', inPieces(small), kept)
        const expected = await call(clean.store)
        await clean[Symbol.asyncDispose]()
        Object.assign(process.env, googleEnvironment(subject.metadata.host))
        subject.gcs.faults.add({ operation, ...once(fault) })
        const got = await call(subject.store)
        const comparable = (value: unknown) =>
          value instanceof Buffer || typeof value === 'string' || value === null
            ? value
            : { ...(value as object), generation: '', createdAt: null }
        assert.deepEqual(comparable(got), comparable(expected), faultName)
        assert.equal(subject.gcs.faults.injected[fault.type], 1, faultName)
      }
    })
  }

  test('a token that the service took back is renewed, for all who need it at once', async () => {
    await using subject = await start({ permissions: ['storage.objects.create', 'storage.objects.get'] })
    await subject.store.put('key', inPieces(small), kept)
    subject.gcs.faults.add({ operation: 'objects.get', fault: expired, times: 1 })
    const heads = await Promise.all(Array.from({ length: 8 }, () => subject.store.head('key')))
    for (const facts of heads) assert.equal(facts?.sizeBytes, small.length)
    assert.equal(subject.metadata.fetches, 2)
  })

  test('a new token that is taken back at once is renewed as well, and a third is not asked for', async () => {
    await using subject = await start({ permissions: ['storage.objects.create', 'storage.objects.get'] })
    subject.gcs.faults.add({ operation: 'objects.insert.multipart', fault: expired, times: 2 })
    assert.equal((await subject.store.put('key', inPieces(small), kept)).status, 'created')
    assert.equal(subject.metadata.fetches, 3)
    subject.gcs.faults.add({ operation: 'objects.get', fault: expired })
    await fails(subject.store.head('key'), 'denied')
    assert.equal(subject.metadata.fetches, 5)
  })
})

describe('a fault that stays', () => {
  test('is told as an outage after a bounded number of tries, and leaves nothing', async () => {
    for (const fault of [busy, limited, cutRequest]) {
      for (const bytes of [small, large]) {
        await using subject = await start()
        const operation = bytes === small ? 'objects.insert.multipart' : /resumable\.(chunk|status)/
        subject.gcs.faults.add({ operation, fault })
        await fails(subject.store.put('key', inPieces(bytes), kept), 'unavailable')
        const { requests } = subject.gcs
        const asked =
          (requests['objects.insert.multipart'] ?? 0) + (requests['objects.insert.resumable.chunk'] ?? 0)
        assert.ok(asked + (requests['objects.insert.resumable.status'] ?? 0) <= triesMost)
        assert.deepEqual(subject.gcs.state.objects(bucket), [])
        // Nothing of it is left to be gone on with either.
        assert.ok(subject.gcs.state.sessions().every(({ state }) => state !== 'open'))
      }
    }
  })

  test('of every other call: an outage, never absence', async () => {
    await using subject = await start()
    const { store, gcs } = subject
    await store.put('key', inPieces(small), kept)
    for (const fault of [busy, limited, slow, { type: 'cut', afterBytes: 0 } satisfies Fault]) {
      gcs.faults.add({ operation: 'any', fault })
      await fails(store.head('key'), 'unavailable')
      await fails(read(store, 'key'), 'unavailable')
      await fails(store.delete('key'), 'unavailable')
      await fails(store.setHold('key', true), 'unavailable')
      await fails(all(store.list('')), 'unavailable')
      assert.equal((await store.inspect())[0]?.state, 'away')
      gcs.faults.clear()
    }
    onlyWhole(subject, small)
  })

  test('a service that asks for more patience than there is, is not asked again', async () => {
    await using subject = await start({ store: { totalTimeoutMs: 1000 } })
    subject.gcs.faults.add({
      operation: 'any',
      fault: { type: 'status', status: 503, retryAfterSeconds: 3600 },
    })
    await fails(subject.store.head('key'), 'unavailable')
    assert.equal(subject.gcs.requests['objects.get'], 1)
  })

  test('answers that are always lost leave one whole object at most, and an outage is told', async () => {
    for (const bytes of [small, large]) {
      await using subject = await start()
      subject.gcs.faults.add({ operation: /insert\.multipart|chunk|status|^objects.get$/, fault: lost })
      await fails(subject.store.put('key', inPieces(bytes), kept), 'unavailable')
      subject.gcs.faults.clear()
      const objects = subject.gcs.state.objects(bucket)
      assert.equal(objects.length, bytes === small ? 1 : 0)
      for (const object of objects) assert.ok(object.bytes().equals(bytes))
    }
  })

  test('bytes that are damaged on every way never become an object', async () => {
    for (const bytes of [small, large]) {
      await using subject = await start()
      subject.gcs.faults.add({
        operation: /multipart|chunk/,
        fault: corruptBytes,
        times: bytes === small ? 99 : 1,
      })
      const retainUntil = new Date(Date.now() + 60_000)
      await fails(subject.store.put('key', inPieces(bytes), { retainUntil }), 'unavailable')
      assert.deepEqual(subject.gcs.state.objects(bucket), [])
      subject.gcs.faults.clear()
      assert.equal((await subject.store.put('key', inPieces(bytes), { retainUntil })).status, 'created')
      onlyWhole(subject, bytes)
    }
  })

  test('an answer that tells a wrong checksum is asked about again, and what is there is left as it is', async () => {
    await using subject = await start()
    subject.gcs.faults.add({ operation: /multipart|^objects.get$/, fault: corruptChecksum })
    await fails(subject.store.put('key', inPieces(small), kept), 'damaged')
    onlyWhole(subject, small)
    assert.equal(subject.gcs.requests['objects.delete'] ?? 0, 0)
  })

  test('an identity that is not known, or may not, is denied', async () => {
    await using subject = await start({ permissions: ['storage.objects.create'] })
    await fails(subject.store.head('key'), 'denied')
    await fails(subject.store.put('key', inPieces(small), { retainUntil: new Date('2100-01-01') }), 'denied')
    await fails(all(subject.store.list('')), 'denied')
    await fails(subject.store.location(), 'denied')
    assert.equal((await subject.store.inspect())[0]?.state, 'warn')
    subject.gcs.faults.add({ operation: 'any', fault: expired })
    await fails(subject.store.put('key', inPieces(small), kept), 'denied')
  })

  test('a bucket that is not there is an outage, never absence', async () => {
    await using subject = await start({ store: { bucket: 'another' } })
    const { store } = subject
    await fails(store.put('key', inPieces(small), kept), 'unavailable')
    await fails(store.put('key', inPieces(large), kept), 'unavailable')
    await fails(store.head('key'), 'unavailable')
    await fails(read(store, 'key'), 'unavailable')
    await fails(store.delete('key'), 'unavailable')
    await fails(store.delete('key', { generation: '1' }), 'unavailable')
    await fails(store.setHold('key', true), 'unavailable')
    await fails(all(store.list('')), 'unavailable')
    assert.match((await store.inspect())[0]?.mend ?? '', /^gcloud storage buckets create gs:\/\/another /)
  })
})

describe('an answer that is lost', () => {
  test('is made up for by an identity that may only create, by the session alone', async () => {
    await using subject = await start({
      permissions: ['storage.objects.create', 'storage.objects.setRetention'],
    })
    const retainUntil = new Date(Date.now() + 60_000)
    for (const skip of [0, 1, 2, 3]) {
      subject.gcs.faults.add({ operation: 'objects.insert.resumable.chunk', fault: lost, times: 1, skip })
      const put = await subject.store.put(`large/${skip}`, inPieces(large), { retainUntil })
      assert.equal(put.status, 'created')
      assert.deepEqual(put.facts.retainUntil, retainUntil)
      subject.gcs.faults.clear()
    }
    assert.equal((await subject.store.put('small', inPieces(small), { retainUntil })).status, 'created')
    subject.gcs.faults.add({ operation: 'objects.insert.multipart', fault: lost, times: 1 })
    // It cannot look whose the object is, so nothing is promised, and the caller uses another key.
    await fails(subject.store.put('lost', inPieces(small), kept), 'unavailable')
    await fails(subject.store.put('lost', inPieces(small), kept), 'denied')
    assert.equal((await subject.store.put('lost/again', inPieces(small), kept)).status, 'created')
    await fails(read(subject.store, 'small'), 'denied')
    await fails(subject.store.delete('small', { generation: '1' }), 'denied')
  })

  test('does not make an object ours that another has made', async () => {
    for (const metadata of [{}, { long: 'v'.repeat(8188) }]) {
      await using subject = await start()
      const first = await subject.store.put('key', inPieces(small), kept)
      // Its own request is not answered, and the same bytes are there.
      subject.gcs.faults.add({
        operation: 'objects.insert.multipart',
        ...once({ type: 'cut', afterBytes: 0 }),
      })
      const second = await subject.store.put('key', inPieces(small), { ...kept, metadata })
      assert.deepEqual(second, { status: 'exists', facts: first.facts })
    }
  })

  test('is made up for also where metadata leaves no room for an id', async () => {
    await using subject = await start()
    subject.gcs.faults.add({ operation: 'objects.insert.multipart', ...once(lost) })
    const metadata = { long: 'v'.repeat(8188) }
    const put = await subject.store.put('key', inPieces(small), { ...kept, metadata })
    assert.equal(put.status, 'created')
    assert.deepEqual(put.facts.metadata, metadata)
  })

  test('of a delete is not taken for absence', async () => {
    await using subject = await start()
    const { facts } = await subject.store.put('key', inPieces(small), kept)
    subject.gcs.faults.add({ operation: 'objects.delete', ...once(lost) })
    assert.equal(await subject.store.delete('key', facts), 'deleted')
    assert.equal(await subject.store.delete('key', facts), 'absent')
  })
})

describe('a read', () => {
  test('is taken up where it broke, as often as it gets on', async () => {
    const bytes = randomBytes(9_000_000)
    await using subject = await start({ store: { chunkBytes: 40 * quantumBytes } })
    await subject.store.put('key', inPieces(bytes), kept)
    subject.gcs.faults.add({
      operation: 'objects.get.media',
      fault: { type: 'cut', afterBytes: 1_400_000 },
      times: 6,
    })
    assert.ok((await read(subject.store, 'key')).equals(bytes))
    subject.gcs.faults.add({
      operation: 'objects.get.media',
      fault: { type: 'cut', afterBytes: 1000 },
      times: 3,
    })
    const range = { start: 77, end: 8_000_001 }
    assert.ok((await read(subject.store, 'key', range)).equals(bytes.subarray(range.start, range.end)))
    assert.equal(subject.gcs.faults.injected.cut, 9)
  })

  test('that gets no further fails and is never short', async () => {
    await using subject = await start()
    await subject.store.put('key', inPieces(large), kept)
    subject.gcs.faults.add({ operation: 'objects.get.media', fault: { type: 'cut', afterBytes: 1000 } })
    await fails(read(subject.store, 'key'), 'unavailable')
    await fails(read(subject.store, 'key', { start: 5, end: 500_000 }), 'unavailable')
    assert.equal(subject.gcs.requests['objects.get.media'], 2 * triesMost)
  })

  test('stays with the object that it began with', async () => {
    await using subject = await start()
    await subject.store.put('key', inPieces(large), kept)
    subject.gcs.faults.add({
      operation: 'objects.get.media',
      fault: { type: 'cut', afterBytes: 200_000 },
      times: 1,
    })
    const got: Uint8Array[] = []
    const reading = async () => {
      for await (const piece of subject.store.read('key', null)) {
        if (got.length === 0) {
          await subject.store.delete('key')
          await subject.store.put('key', inPieces(randomBytes(large.length)), kept)
        }
        got.push(piece)
      }
    }
    await fails(reading(), 'not_found')
    assert.ok(large.subarray(0, Buffer.concat(got).length).equals(Buffer.concat(got)))
  })

  test('of all the bytes finds rot', async () => {
    await using subject = await start()
    await subject.store.put('key', inPieces(large), kept)
    subject.gcs.state.rot(bucket, 'key')
    await fails(read(subject.store, 'key'), 'damaged')
    await subject.store.put('on/its/way', inPieces(large), kept)
    subject.gcs.faults.add({ operation: 'objects.get.media', fault: corruptBytes })
    await fails(read(subject.store, 'on/its/way'), 'damaged')
  })

  test('waits for its reader as long as that takes, and not for the service', async () => {
    await using subject = await start({ store: { tryTimeoutMs: 100 } })
    await subject.store.put('key', inPieces(large), kept)
    const pieces = []
    for await (const piece of subject.store.read('key', null)) {
      if (pieces.length < 3) await new Promise(resolve => setTimeout(resolve, 150))
      pieces.push(piece)
    }
    assert.ok(Buffer.concat(pieces).equals(large))
    assert.equal(subject.gcs.requests['objects.get.media'], 1)
  })

  test('that is aborted or left closes its connection', async () => {
    await using subject = await start({ store: { tryTimeoutMs: 5000 } })
    await subject.store.put('key', inPieces(large), kept)
    subject.gcs.faults.add({ operation: 'objects.get.media', fault: { type: 'slow', ms: 2000 } })
    const controller = new AbortController()
    const reason = new Error('stopped listening')
    setTimeout(() => controller.abort(reason), 30)
    const reading = async () => {
      for await (const _ of subject.store.read('key', null, { signal: controller.signal })) assert.fail()
    }
    await assert.rejects(reading(), reason)
    for (const call of ['head', 'delete'] as const) {
      const aborting = new AbortController()
      subject.gcs.faults.add({ operation: /^objects.get$/, fault: { type: 'slow', ms: 2000 } })
      setTimeout(() => aborting.abort(reason), 30)
      await assert.rejects(subject.store[call]('key', { signal: aborting.signal }), reason)
    }
  })
})
