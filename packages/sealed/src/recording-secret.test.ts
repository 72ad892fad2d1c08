// One wrap for all objects of a recording: what it costs, that it stays apart by object, and that it is wiped.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { Wrap } from '@auricle/contract'
import fc from 'fast-check'
import { openBytes, sealBytes } from './bytes.ts'
import {
  createTestKeyring,
  joined,
  KeyringError,
  patternBytes,
  testContext,
  watchedSource,
} from './fixture.ts'
import { inspectSealed } from './inspect.ts'
import { recordingAad, wrapAad } from './keys.ts'
import { openSealed } from './open.ts'
import type { KeyUnwrapper, KeyWrapper } from './port.ts'
import { type RecordingSecret, startRecordingSecret } from './recording-secret.ts'
import { startSeal } from './seal.ts'
import { bytesSource } from './source.ts'

const { tenant, recording } = testContext
const identity = { tenant, recording }
const roles = ['intake', 'notice', 'original', 'playback', 'peaks']
const plaintext = patternBytes(300)

/** Refuses everything: what needs no key service gets this one. */
const closed: KeyWrapper & KeyUnwrapper = {
  wrap: () => Promise.reject(new KeyringError('asked to wrap', false)),
  unwrap: () => Promise.reject(new KeyringError('asked to unwrap', false)),
}

/** A keyring that keeps what passed through it, by reference and as it was. */
function watchedKeyring() {
  const keyring = createTestKeyring()
  const given: Uint8Array[] = []
  const copies: Buffer[] = []
  const note = (bytes: Uint8Array) => {
    given.push(bytes)
    copies.push(Buffer.from(bytes))
  }
  const watched: KeyWrapper & KeyUnwrapper = {
    async wrap(secret, aad) {
      note(secret)
      return await keyring.wrap(secret, aad)
    },
    async unwrap(wrap, aad) {
      const secret = await keyring.unwrap(wrap, aad)
      note(secret)
      return secret
    },
  }
  return { ...watched, given, copies }
}

const isWiped = (bytes: Uint8Array | undefined) => bytes?.every(byte => byte === 0) === true

async function sealedUnder(under: RecordingSecret, role = 'original'): Promise<Uint8Array> {
  return (await sealBytes(plaintext, { context: { ...testContext, role }, under })).bytes
}

test('a whole recording costs one wrap, and one unwrap to open all of it', async () => {
  const keyring = watchedKeyring()
  using key = await startRecordingSecret({ ...identity, wrapper: keyring })
  const objects = await Promise.all(roles.map(async role => ({ role, bytes: await sealedUnder(key, role) })))
  assert.equal(keyring.given.length, 1)
  for (const { bytes } of objects) {
    assert.deepEqual((await inspectSealed(bytesSource(bytes))).wraps, [key.wrap])
    assert.equal(key.wrap.aad, 2)
  }
  const [{ bytes: first } = { bytes: plaintext }] = objects
  const expect = { ...testContext, role: 'intake' }
  using opened = await openSealed(watchedSource(first), { expect, unwrapper: keyring })
  assert.equal(keyring.given.length, 2)
  for (const { role, bytes } of objects) {
    const options = { expect: { ...testContext, role }, unwrapper: closed, under: opened.recordingSecret }
    assert.ok(plaintext.equals(await openBytes(bytes, options)))
    // Each opens by its own header alone, too.
    assert.ok(plaintext.equals(await openBytes(bytes, { ...options, unwrapper: keyring, under: null })))
  }
})

test('what opened an object seals further ones with the same wrap', async () => {
  const keyring = createTestKeyring()
  using key = await startRecordingSecret({ ...identity, wrapper: keyring })
  const bytes = await sealedUnder(key, 'intake')
  const expect = { ...testContext, role: 'intake' }
  using opened = await openSealed(watchedSource(bytes), { expect, unwrapper: keyring })
  assert.ok(opened.recordingSecret)
  const later = await sealedUnder(opened.recordingSecret, 'peaks')
  assert.deepEqual((await inspectSealed(bytesSource(later))).wraps, [key.wrap])
  const options = { expect: { ...testContext, role: 'peaks' }, unwrapper: closed, under: key }
  assert.ok(plaintext.equals(await openBytes(later, options)))
})

test('the same content sealed twice has other keys', async () => {
  const keyring = createTestKeyring()
  using key = await startRecordingSecret({ ...identity, wrapper: keyring })
  const [one, two] = [await sealedUnder(key), await sealedUnder(key)].map(bytes => Buffer.from(bytes))
  const commitments = await Promise.all(
    [one, two].map(async bytes => (await inspectSealed(bytesSource(bytes ?? plaintext))).commitment),
  )
  assert.notDeepEqual(commitments[0], commitments[1])
})

test('the secret is wiped: by the wrap, by disposing key and object, and where an object is refused', async () => {
  const keyring = watchedKeyring()
  const key = await startRecordingSecret({ ...identity, wrapper: keyring })
  assert.ok(isWiped(keyring.given[0]))
  const bytes = await sealedUnder(key)
  const options = { expect: testContext, unwrapper: keyring }
  const opened = await openSealed(watchedSource(bytes), options)
  assert.deepEqual(keyring.copies[1], keyring.copies[0])
  assert.ok(!isWiped(keyring.given[1]))
  opened[Symbol.dispose]()
  assert.ok(isWiped(keyring.given[1]))
  const altered = Buffer.from(bytes)
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1
  await assert.rejects(openSealed(watchedSource(altered), options), { code: 'not_authentic' })
  assert.equal(keyring.given.length, 3)
  assert.ok(isWiped(keyring.given[2]))
  key[Symbol.dispose]()
  assert.equal(key.copy(), null)
  const refusing: KeyWrapper = {
    wrap(secret) {
      keyring.given.push(secret)
      return closed.wrap(secret, plaintext)
    },
  }
  await assert.rejects(startRecordingSecret({ ...identity, wrapper: refusing }), KeyringError)
  assert.ok(isWiped(keyring.given[3]))
})

test('an object and the key it was opened with are disposed apart', async () => {
  const keyring = createTestKeyring()
  const key = await startRecordingSecret({ ...identity, wrapper: keyring })
  const bytes = await sealedUnder(key)
  const options = { expect: testContext, unwrapper: closed }
  const one = await openSealed(watchedSource(bytes), { ...options, under: key })
  using two = await openSealed(watchedSource(bytes), { ...options, under: one.recordingSecret })
  key[Symbol.dispose]()
  one[Symbol.dispose]()
  assert.ok((await joined(two.read(null))).equals(plaintext))
  using three = await openSealed(watchedSource(bytes), { ...options, under: two.recordingSecret })
  assert.ok((await joined(three.read(null))).equals(plaintext))
})

test('a disposed key seals nothing, and opens nothing itself', async () => {
  const keyring = createTestKeyring()
  const key = await startRecordingSecret({ ...identity, wrapper: keyring })
  const bytes = await sealedUnder(key)
  key[Symbol.dispose]()
  await assert.rejects(startSeal({ context: testContext, under: key }), { code: 'misuse' })
  const options = { expect: testContext, under: key }
  await assert.rejects(openBytes(bytes, { ...options, unwrapper: closed }), KeyringError)
  assert.ok(plaintext.equals(await openBytes(bytes, { ...options, unwrapper: keyring })))
})

test('the key of another recording or tenant is a mistake at once', async () => {
  const keyring = createTestKeyring()
  using key = await startRecordingSecret({ ...identity, wrapper: keyring })
  const bytes = await sealedUnder(key)
  for (const member of ['tenant', 'recording'] as const) {
    using other = await startRecordingSecret({ ...identity, [member]: 'other', wrapper: keyring })
    await assert.rejects(startSeal({ context: testContext, under: other }), { code: 'misuse' })
    const options = { expect: testContext, unwrapper: keyring, under: other }
    await assert.rejects(openBytes(bytes, options), { code: 'misuse' })
  }
  assert.equal(keyring.unwrapped.length, 0)
})

test('objects of either rule open beside each other', async () => {
  const keyring = createTestKeyring()
  using key = await startRecordingSecret({ ...identity, wrapper: keyring })
  const { bytes: alone } = await sealBytes(plaintext, { context: testContext, wrapper: keyring })
  using opened = await openSealed(watchedSource(alone), {
    expect: testContext,
    unwrapper: keyring,
    under: key,
  })
  assert.equal(opened.recordingSecret, null)
  assert.ok((await joined(opened.read(null))).equals(plaintext))
})

test('one rewrap serves every object of the recording', async () => {
  const [old, young] = [createTestKeyring(), createTestKeyring(randomBytes(32), '2')]
  const secret = randomBytes(32)
  const random = () => Uint8Array.from(secret)
  using key = await startRecordingSecret({ ...identity, wrapper: old, random })
  const newer: Wrap = { ...(await young.wrap(secret, recordingAad(identity))), aad: 2 }
  for (const role of roles) {
    const bytes = await sealedUnder(key, role)
    const expect = { ...testContext, role }
    using opened = await openSealed(watchedSource(bytes), { expect, unwrapper: young, newerWraps: [newer] })
    assert.deepEqual(opened.recordingSecret?.wrap, newer)
    assert.ok((await joined(opened.read(null))).equals(plaintext))
  }
  const foreign: Wrap = { ...(await young.wrap(randomBytes(32), recordingAad(identity))), aad: 2 }
  const options = { expect: testContext, unwrapper: old, newerWraps: [foreign, newer] }
  assert.ok(plaintext.equals(await openBytes(await sealedUnder(key), options)))
})

test('the rule of a wrap is the format’s to say, whatever the key service says', async () => {
  const keyring = createTestKeyring()
  const lying: KeyWrapper = {
    wrap: async (...parameters) => ({ ...(await keyring.wrap(...parameters)), aad: 2 }),
  }
  const { bytes } = await sealBytes(plaintext, { context: testContext, wrapper: lying })
  assert.ok(plaintext.equals(await openBytes(bytes, { expect: testContext, unwrapper: keyring })))
})

test('what is out of its limits, or no wrap at all, is refused before or after the call', async () => {
  for (const wrong of ['', 'x'.repeat(129), '\ud800']) {
    for (const member of ['tenant', 'recording']) {
      const options = { ...identity, [member]: wrong, wrapper: closed }
      await assert.rejects(startRecordingSecret(options), { code: 'misuse' })
    }
  }
  const wrapper = { wrap: async () => ({}) as Wrap }
  await assert.rejects(startRecordingSecret({ ...identity, wrapper }), { code: 'misuse' })
  const stop = AbortSignal.abort(new Error('stopped'))
  await assert.rejects(startRecordingSecret({ ...identity, wrapper: closed, signal: stop }), /stopped/)
})

test('no two recordings share what their wraps are bound to, nor with an object of rule 1', () => {
  const name = fc.oneof(
    fc.string({ minLength: 1, maxLength: 128, unit: fc.constantFrom('a', '"', ',', ':', '\\', '{') }),
    fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }).filter(text => text.isWellFormed()),
  )
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  fc.assert(
    fc.property(name, name, name, name, (a, b, c, d) => {
      const same = a === c && b === d
      const one = recordingAad({ tenant: a, recording: b })
      assert.equal(hex(one) === hex(recordingAad({ tenant: c, recording: d })), same)
      assert.equal(hex(one) === hex(recordingAad({ tenant: b, recording: a })), a === b)
      assert.notEqual(one.length, wrapAad(randomBytes(32)).length)
    }),
  )
})

test('any content under any identity comes back, by key and by wrap', async () => {
  const keyring = createTestKeyring()
  const text = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' })
  await fc.assert(
    fc.asyncProperty(text, text, text, fc.uint8Array({ maxLength: 400 }), async (...drawn) => {
      const [ofTenant, ofRecording, role, bytes] = drawn
      const context = { ...testContext, tenant: ofTenant, recording: ofRecording, role }
      using under = await startRecordingSecret({ tenant: ofTenant, recording: ofRecording, wrapper: keyring })
      const { bytes: sealed } = await sealBytes(bytes, { context, under, segmentBytes: 64 })
      const options = { expect: context, unwrapper: keyring }
      assert.deepEqual(Uint8Array.from(await openBytes(sealed, options)), bytes)
      assert.deepEqual(
        Uint8Array.from(await openBytes(sealed, { ...options, unwrapper: closed, under })),
        bytes,
      )
    }),
    { numRuns: 60 },
  )
})

test('options that contradict each other do not compile', async () => {
  using key = await startRecordingSecret({ ...identity, wrapper: createTestKeyring() })
  const context = testContext
  const mistakes = [
    // @ts-expect-error: with neither
    () => startSeal({ context }),
    // @ts-expect-error: with both
    () => startSeal({ context, under: key, wrapper: closed }),
    // @ts-expect-error: with what only looks like a key
    () => startSeal({ context, under: { identity, wrap: key.wrap, [Symbol.dispose]: () => undefined } }),
    // @ts-expect-error: without a key service
    () => openBytes(plaintext, { expect: context, under: key }),
  ]
  assert.equal(mistakes.length, 4)
})
