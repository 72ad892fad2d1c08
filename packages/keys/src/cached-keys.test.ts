import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { newTenantId, type Wrap } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type CachedKeysOptions, cachedKeys } from './cached-keys.ts'
import { keyServiceConformance } from './conformance.ts'
import { KeyError } from './error.ts'
import type { KeyName, KeyService } from './key-service.ts'
import { createLocalKeyService } from './local-key-service.ts'

const long: CachedKeysOptions = { keptMs: 3_600_000, keysMost: 1000 }
const aad = Buffer.from('recording one')
const name: KeyName = { purpose: 'recordings', tenantId: newTenantId() }

async function openKeyring() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'cached-keys-'))
  const service = await createLocalKeyService({ file: join(folder.path, 'keyring.json') })
  return { folder, service, [Symbol.asyncDispose]: () => folder.remove() }
}

/** The service, with its unwraps counted, held back while `gate` is open, and what it gave out kept in sight. */
function watched(service: KeyService) {
  const given: Uint8Array[] = []
  const signals: AbortSignal[] = []
  let gate = Promise.withResolvers<void>()
  gate.resolve()
  const watching: KeyService = {
    ...service,
    key: keyName => {
      const handle = service.key(keyName)
      return {
        ...handle,
        async unwrap(wrap: Wrap, context: Uint8Array, { signal }: CallOptions = {}) {
          if (signal !== undefined) signals.push(signal)
          await gate.promise
          signal?.throwIfAborted()
          const dataKey = await handle.unwrap(wrap, context)
          given.push(dataKey)
          return dataKey
        },
      }
    },
  }
  return {
    service: watching,
    given,
    signals,
    hold() {
      gate = Promise.withResolvers<void>()
      return () => gate.resolve()
    },
  }
}

async function wrapOf(service: KeyService, context: Uint8Array = aad) {
  await service.ensure(name)
  const dataKey = randomBytes(32)
  return { dataKey, wrap: await service.key(name).wrap(dataKey, context) }
}

const isZero = (bytes: Uint8Array | undefined) => bytes?.every(byte => byte === 0) === true

keyServiceConformance(async () => {
  const folder = await mkdtempDisposable(join(tmpdir(), 'cached-keys-'))
  const file = join(folder.path, 'keyring.json')
  const open = async () => cachedKeys(await createLocalKeyService({ file }), long)
  return { service: await open(), another: open, [Symbol.asyncDispose]: () => folder.remove() }
})

describe('cached keys', () => {
  test('are unwrapped once, and every caller wipes a copy of its own', async () => {
    await using keyring = await openKeyring()
    const { service, given } = watched(keyring.service)
    using keys = cachedKeys(service, long)
    const { dataKey, wrap } = await wrapOf(service)
    for (let round = 0; round < 3; round++) {
      const copy = await keys.key(name).unwrap(wrap, aad)
      assert.deepEqual(Buffer.from(copy), dataKey)
      copy.fill(0)
    }
    assert.equal(given.length, 1)
    assert.ok(isZero(given[0]), 'what the service gave is wiped once it is copied')
  })

  test('are one flight for everybody who asks at once', async () => {
    await using keyring = await openKeyring()
    const { service, given, hold } = watched(keyring.service)
    using keys = cachedKeys(service, long)
    const { dataKey, wrap } = await wrapOf(service)
    const release = hold()
    const asked = Array.from({ length: 20 }, () => keys.key(name).unwrap(wrap, aad))
    release()
    const copies = await Promise.all(asked)
    assert.equal(given.length, 1)
    for (const copy of copies) assert.deepEqual(Buffer.from(copy), dataKey)
    assert.equal(new Set(copies).size, copies.length)
    assert.ok(isZero(given[0]))
  })

  test('are no answer to any other question', async () => {
    await using keyring = await openKeyring()
    using keys = cachedKeys(keyring.service, long)
    const { wrap } = await wrapOf(keyring.service)
    const other: KeyName = { purpose: 'recordings', tenantId: newTenantId() }
    await keys.ensure(other)
    await keys.key(name).unwrap(wrap, aad)
    const refused = (call: Promise<unknown>) =>
      assert.rejects(call, error => error instanceof KeyError && error.code === 'not_authentic')
    await refused(keys.key(name).unwrap(wrap, Buffer.from('recording two')))
    await refused(keys.key(other).unwrap(wrap, aad))
    for (const lie of [
      { kms: 'other' },
      { key: 'x' },
      { keyVersion: '2' },
      { protection: 'HSM' },
      { wrapped: 'AA' },
    ]) {
      await refused(keys.key(name).unwrap({ ...wrap, ...lie }, aad))
    }
  })

  test('are forgotten and wiped when their time is up, without keeping the process alive', async () => {
    await using keyring = await openKeyring()
    const { service, given } = watched(keyring.service)
    let now = 0
    using keys = cachedKeys(service, { keptMs: 50, keysMost: 10, now: () => now })
    const { wrap } = await wrapOf(service)
    await keys.key(name).unwrap(wrap, aad)
    now = 49
    await keys.key(name).unwrap(wrap, aad)
    assert.equal(given.length, 1)
    now = 50
    await keys.key(name).unwrap(wrap, aad)
    assert.equal(given.length, 2)
    // By the timer alone: the clock that is asked stands still.
    await sleep(100)
    await keys.key(name).unwrap(wrap, aad)
    assert.equal(given.length, 3)
  })

  test('are kept up to their limit, the oldest going first', async () => {
    await using keyring = await openKeyring()
    const { service, given } = watched(keyring.service)
    using keys = cachedKeys(service, { keptMs: 3_600_000, keysMost: 2 })
    const [one, two, three] = [await wrapOf(service), await wrapOf(service), await wrapOf(service)]
    for (const { wrap } of [one, two, three]) await keys.key(name).unwrap(wrap, aad)
    assert.equal(given.length, 3)
    for (const { wrap } of [two, three]) await keys.key(name).unwrap(wrap, aad)
    assert.equal(given.length, 3)
    await keys.key(name).unwrap(one.wrap, aad)
    assert.equal(given.length, 4)
  })

  test('are zeroes in memory once they are forgotten or the cache is disposed', async context => {
    await using keyring = await openKeyring()
    const { wrap } = await wrapOf(keyring.service)
    const other = await wrapOf(keyring.service)
    // Every array that is made of the data key, the one that is kept among them.
    const copies: Uint8Array[] = []
    const from = Uint8Array.from.bind(Uint8Array)
    context.mock.method(Uint8Array, 'from', (bytes: Uint8Array) => {
      const copy = from(bytes)
      if (copy.length === 32) copies.push(copy)
      return copy
    })
    const keys = cachedKeys(keyring.service, { keptMs: 3_600_000, keysMost: 1 })
    const [first, second] = [
      await keys.key(name).unwrap(wrap, aad),
      await keys.key(name).unwrap(other.wrap, aad),
    ]
    const live = () => copies.filter(copy => copy !== first && copy !== second && !isZero(copy))
    assert.equal(live().length, 1)
    keys[Symbol.dispose]()
    assert.equal(live().length, 0)
    assert.ok(!isZero(first) && !isZero(second), 'the copies of the callers are theirs')
    await assert.rejects(keys.key(name).unwrap(wrap, aad), KeyError)
  })

  test('a failure is not kept', async () => {
    await using keyring = await openKeyring()
    const { wrap } = await wrapOf(keyring.service)
    let asked = 0
    const failing: KeyService = {
      ...keyring.service,
      key: keyName => ({
        ...keyring.service.key(keyName),
        async unwrap(given, context) {
          if (++asked === 1) throw new KeyError('unavailable', 'Not now')
          return await keyring.service.key(keyName).unwrap(given, context)
        },
      }),
    }
    using keys = cachedKeys(failing, long)
    const both = await Promise.allSettled([
      keys.key(name).unwrap(wrap, aad),
      keys.key(name).unwrap(wrap, aad),
    ])
    assert.deepEqual(
      both.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    await keys.key(name).unwrap(wrap, aad)
    assert.equal(asked, 2)
  })

  test('one caller who goes away does not end it for the others, and the last one does', async () => {
    await using keyring = await openKeyring()
    const { service, given, signals, hold } = watched(keyring.service)
    using keys = cachedKeys(service, long)
    const { dataKey, wrap } = await wrapOf(service)
    const release = hold()
    const [leaving, reason] = [new AbortController(), new Error('the caller went away')]
    const gone = keys.key(name).unwrap(wrap, aad, { signal: leaving.signal })
    const staying = keys.key(name).unwrap(wrap, aad)
    leaving.abort(reason)
    await assert.rejects(gone, reason)
    assert.equal(signals[0]?.aborted, false)
    release()
    assert.deepEqual(Buffer.from(await staying), dataKey)
    assert.equal(given.length, 1)

    const lonely = await wrapOf(service)
    const releaseAgain = hold()
    const alone = new AbortController()
    const left = keys.key(name).unwrap(lonely.wrap, aad, { signal: alone.signal })
    alone.abort(reason)
    await assert.rejects(left, reason)
    assert.equal(signals[1]?.aborted, true)
    // Whoever asks now does not get the flight that was ended.
    const next = keys.key(name).unwrap(lonely.wrap, aad)
    releaseAgain()
    assert.deepEqual(Buffer.from(await next), lonely.dataKey)
  })
})
