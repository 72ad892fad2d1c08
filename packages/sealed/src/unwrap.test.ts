// Whose failure is it: a key service that is down is never "not authentic", and a wrong key never opens anything.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { openBytes, sealBytes } from './bytes.ts'
import { createTestKeyring, KeyringError, patternBytes, testContext } from './fixture.ts'
import { inspectSealed } from './inspect.ts'
import { wrapAad } from './keys.ts'
import { openSealed } from './open.ts'
import type { KeyUnwrapper } from './port.ts'
import { bytesSource } from './source.ts'

const plaintext = patternBytes(300)
const expect = testContext

async function sealedUnder(keyring = createTestKeyring()) {
  const kept: Uint8Array[] = []
  const wrapper = {
    wrap: (dataKey: Uint8Array, aad: Uint8Array) => {
      kept.push(dataKey, Uint8Array.from(dataKey))
      return keyring.wrap(dataKey, aad)
    },
  }
  const { bytes } = await sealBytes(plaintext, { context: testContext, wrapper })
  const aad = wrapAad((await inspectSealed(bytesSource(bytes))).coreDigest)
  const [given = plaintext, dataKey = plaintext] = kept
  return { bytes, aad, given, dataKey }
}

test('the data key is wiped after sealing and after opening', async () => {
  const keyring = createTestKeyring()
  const { bytes, given } = await sealedUnder(keyring)
  assert.ok(given.every(byte => byte === 0))
  const unwrapped: Uint8Array[] = []
  const unwrapper: KeyUnwrapper = {
    async unwrap(wrap, aad) {
      const dataKey = await keyring.unwrap(wrap, aad)
      unwrapped.push(dataKey)
      return dataKey
    },
  }
  assert.ok(plaintext.equals(await openBytes(bytes, { expect, unwrapper })))
  assert.equal(unwrapped.length, 1)
  assert.ok(unwrapped[0]?.every(byte => byte === 0))
})

test('a newer wrap is tried first and the one in the object is kept as a fallback', async () => {
  const [old, young] = [createTestKeyring(), createTestKeyring(randomBytes(32), '2')]
  const { bytes, aad, dataKey } = await sealedUnder(old)
  const newer = await young.wrap(dataKey, aad)
  const options = { expect, newerWraps: [newer] }
  assert.ok(plaintext.equals(await openBytes(bytes, { ...options, unwrapper: young })))
  assert.deepEqual(young.unwrapped, [newer])
  assert.ok(plaintext.equals(await openBytes(bytes, { ...options, unwrapper: old })))
  assert.equal(old.unwrapped.length, 2)
})

test('a newer wrap of another key is passed over', async () => {
  const keyring = createTestKeyring()
  const { bytes, aad } = await sealedUnder(keyring)
  const newerWraps = [await keyring.wrap(randomBytes(32), aad), await keyring.wrap(randomBytes(16), aad)]
  assert.ok(plaintext.equals(await openBytes(bytes, { expect, newerWraps, unwrapper: keyring })))
  assert.equal(keyring.unwrapped.length, 3)
})

test('failures of the key service pass through as they are, a transient one first', async () => {
  const keyring = createTestKeyring()
  const { bytes, aad } = await sealedUnder(keyring)
  const newer = await keyring.wrap(randomBytes(32), aad)
  const refused = new KeyringError('refused', false)
  const down = new KeyringError('down', true)
  const failing = (first: unknown, then: unknown): KeyUnwrapper => {
    const failures = [first, then]
    return {
      async unwrap() {
        throw failures.shift()
      },
    }
  }
  const opening = (unwrapper: KeyUnwrapper) =>
    openBytes(bytes, { expect, newerWraps: [newer], unwrapper }).catch(failure => failure)
  assert.equal(await opening(failing(refused, down)), down)
  assert.equal(await opening(failing(down, refused)), down)
  const other = new KeyringError('refused too', false)
  assert.equal(await opening(failing(refused, other)), refused)
  const half: KeyUnwrapper = {
    async unwrap(wrap) {
      if (wrap === newer) return randomBytes(32)
      throw down
    },
  }
  assert.equal(await opening(half), down)
})

test('an abort while unwrapping is the reason, not a failure of the key service', async () => {
  const { bytes } = await sealedUnder()
  const stop = new AbortController()
  const reason = new Error('stopped')
  const unwrapper: KeyUnwrapper = {
    async unwrap() {
      stop.abort(reason)
      throw new KeyringError('interrupted', true)
    },
  }
  await assert.rejects(openBytes(bytes, { expect, unwrapper, signal: stop.signal }), reason)
})

test('failures of the source pass through', async () => {
  const keyring = createTestKeyring()
  const outage = new Error('no route to the store')
  const source = {
    sizeBytes: 100_000,
    // biome-ignore lint/correctness/useYield: it fails before it gives anything
    async *read(): AsyncGenerator<Uint8Array> {
      throw outage
    },
  }
  await assert.rejects(inspectSealed(source), outage)
  await assert.rejects(openSealed(source, { expect, unwrapper: keyring }), outage)
})
