// What the emulated Cloud KMS holds the real client to, beyond what our own key service asks of it.
import assert from 'node:assert/strict'
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import { test } from 'node:test'
import { KeyManagementServiceClient, type protos } from '@google-cloud/kms'
import { crc32c } from '@node-rs/crc32'
import { identityWith, trustCertificate } from './identity.ts'
import { type KmsEmulatorOptions, startKmsEmulator } from './server.ts'

const keyRing = 'projects/clinic/locations/me-central2/keyRings/auricle'
const dayMs = 86_400_000
const day = 86_400
const once = { retry: null }
const code = { invalid: 3, notFound: 5, exists: 6, precondition: 9, unauthenticated: 16 }

async function start(options: KmsEmulatorOptions = {}) {
  await using stack = new AsyncDisposableStack()
  const emulator = stack.use(await startKmsEmulator({ keyRings: [keyRing], ...options }))
  trustCertificate(emulator)
  const { host: apiEndpoint, port } = emulator.endpoint
  const authClient = identityWith(() => 'anybody')
  const client = stack.adopt(new KeyManagementServiceClient({ apiEndpoint, port, authClient }), it =>
    it.close(),
  )
  const opened = stack.move()
  return {
    emulator,
    client,
    async makeKey(cryptoKeyId: string, cryptoKey: protos.google.cloud.kms.v1.ICryptoKey): Promise<string> {
      await client.createCryptoKey({ parent: keyRing, cryptoKeyId, cryptoKey }, once)
      return `${keyRing}/cryptoKeys/${cryptoKeyId}`
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const refused = (call: Promise<unknown>, expected: number, sentence = /./) =>
  assert.rejects(call, (error: unknown) => {
    const { code: actual, message } = error as { code: number; message: string }
    assert.equal(actual, expected, message)
    assert.match(message, sentence)
    return true
  })

test('what is too large is refused, and for hardware the sum counts', async () => {
  await using kms = await start()
  const software = await kms.makeKey('software', { purpose: 'ENCRYPT_DECRYPT' })
  const hardware = await kms.makeKey('hardware', {
    purpose: 'ENCRYPT_DECRYPT',
    versionTemplate: { protectionLevel: 'HSM', algorithm: 'GOOGLE_SYMMETRIC_ENCRYPTION' },
  })
  const encrypt = (name: string, plaintext: number, additional: number) =>
    kms.client.encrypt(
      { name, plaintext: Buffer.alloc(plaintext), additionalAuthenticatedData: Buffer.alloc(additional) },
      once,
    )
  await encrypt(software, 65_536, 65_536)
  await refused(encrypt(software, 65_537, 0), code.invalid)
  await refused(encrypt(software, 0, 65_537), code.invalid)
  await encrypt(hardware, 4096, 4096)
  await refused(encrypt(hardware, 4096, 4097), code.invalid)
})

test('what was verified is said only where a checksum was given, and a wrong one is refused', async () => {
  await using kms = await start()
  const name = await kms.makeKey('key', { purpose: 'ENCRYPT_DECRYPT' })
  const plaintext = randomBytes(32)
  const [bare] = await kms.client.encrypt({ name, plaintext }, once)
  assert.equal(bare.verifiedPlaintextCrc32c, false)
  assert.equal(bare.verifiedAdditionalAuthenticatedDataCrc32c, false)
  assert.equal(Number(bare.ciphertextCrc32c?.value), crc32c(Buffer.from(bare.ciphertext ?? [])))
  const plaintextCrc32c = { value: crc32c(plaintext) }
  const [checked] = await kms.client.encrypt({ name, plaintext, plaintextCrc32c }, once)
  assert.equal(checked.verifiedPlaintextCrc32c, true)
  assert.equal(checked.verifiedAdditionalAuthenticatedDataCrc32c, false)
  const wrong = { value: crc32c(plaintext) ^ 1 }
  await refused(
    kms.client.encrypt({ name, plaintext, plaintextCrc32c: wrong }, once),
    code.invalid,
    /checksum/,
  )
})

test('a wrap opens under its key and its context alone, whichever version made it', async () => {
  await using kms = await start()
  const name = await kms.makeKey('key', { purpose: 'ENCRYPT_DECRYPT' })
  const other = await kms.makeKey('other', { purpose: 'ENCRYPT_DECRYPT' })
  const additionalAuthenticatedData = Buffer.from('context')
  const [{ ciphertext }] = await kms.client.encrypt(
    { name, plaintext: Buffer.from('text'), additionalAuthenticatedData },
    once,
  )
  assert.ok(ciphertext)
  const decrypt = (key: string, context: Uint8Array) =>
    kms.client.decrypt({ name: key, ciphertext, additionalAuthenticatedData: context }, once)
  const [first] = await decrypt(name, additionalAuthenticatedData)
  assert.deepEqual([String(first.plaintext), first.usedPrimary], ['text', true])
  await kms.client.createCryptoKeyVersion({ parent: name }, once)
  await kms.client.updateCryptoKeyPrimaryVersion({ name, cryptoKeyVersionId: '2' }, once)
  assert.equal((await decrypt(name, additionalAuthenticatedData))[0].usedPrimary, false)
  await refused(
    decrypt(name, Buffer.from('other')),
    code.invalid,
    /Decryption failed: the ciphertext is invalid/,
  )
  await refused(decrypt(other, additionalAuthenticatedData), code.invalid, /verify that 'name' refers/)
})

test('versions go from state to state as they may, and are gone after their time', async () => {
  let now = Date.now()
  await using kms = await start({ clock: () => now })
  const key = await kms.makeKey('key', {
    purpose: 'ENCRYPT_DECRYPT',
    destroyScheduledDuration: { seconds: 2 * day },
  })
  const name = `${key}/cryptoKeyVersions/1`
  const update = (state: 'ENABLED' | 'DISABLED') =>
    kms.client.updateCryptoKeyVersion(
      { cryptoKeyVersion: { name, state }, updateMask: { paths: ['state'] } },
      once,
    )
  const encrypt = () => kms.client.encrypt({ name: key, plaintext: Buffer.from('x') }, once)
  await update('DISABLED')
  await refused(encrypt(), code.precondition, /is not enabled, current state is: DISABLED/)
  await update('ENABLED')
  await encrypt()
  await kms.client.destroyCryptoKeyVersion({ name }, once)
  await refused(encrypt(), code.precondition, /DESTROY_SCHEDULED/)
  await refused(update('ENABLED'), code.precondition)
  await kms.client.restoreCryptoKeyVersion({ name }, once)
  assert.equal((await kms.client.getCryptoKeyVersion({ name }, once))[0].state, 'DISABLED')
  await refused(kms.client.restoreCryptoKeyVersion({ name }, once), code.precondition)
  await kms.client.destroyCryptoKeyVersion({ name }, once)
  now += 2 * dayMs
  await refused(encrypt(), code.precondition, /DESTROYED/)
  await refused(kms.client.restoreCryptoKeyVersion({ name }, once), code.precondition)
})

test('rings and keys are made once, and settings that cannot be are refused', async () => {
  await using kms = await start()
  const parent = 'projects/clinic/locations/me-central2'
  await kms.client.createKeyRing({ parent, keyRingId: 'second', keyRing: {} }, once)
  await refused(kms.client.createKeyRing({ parent, keyRingId: 'second', keyRing: {} }, once), code.exists)
  await refused(kms.client.getKeyRing({ name: `${parent}/keyRings/third` }, once), code.notFound)
  const key = await kms.makeKey('key', { purpose: 'ENCRYPT_DECRYPT', labels: { of: 'clinic' } })
  await refused(kms.makeKey('key', { purpose: 'ENCRYPT_DECRYPT' }), code.exists)
  const tomorrow = { seconds: Math.floor(Date.now() / 1000) + day }
  for (const wrong of [
    {},
    { purpose: 'MAC' },
    { purpose: 'MAC', versionTemplate: { algorithm: 'EC_SIGN_ED25519' } },
    { purpose: 'ENCRYPT_DECRYPT', rotationPeriod: { seconds: 90 * day } },
    { purpose: 'ENCRYPT_DECRYPT', rotationPeriod: { seconds: 3600 }, nextRotationTime: tomorrow },
    { purpose: 'ENCRYPT_DECRYPT', destroyScheduledDuration: { seconds: 3600 } },
    {
      purpose: 'MAC',
      versionTemplate: { algorithm: 'HMAC_SHA256' },
      rotationPeriod: { seconds: 90 * day },
      nextRotationTime: tomorrow,
    },
  ] as const) {
    await refused(kms.makeKey('wrong', wrong), code.invalid)
  }
  await refused(kms.makeKey('x'.repeat(64), { purpose: 'ENCRYPT_DECRYPT' }), code.invalid)
  const [updated] = await kms.client.updateCryptoKey(
    {
      cryptoKey: { name: key, rotationPeriod: { seconds: 30 * day }, nextRotationTime: tomorrow },
      updateMask: { paths: ['rotation_period', 'next_rotation_time'] },
    },
    once,
  )
  assert.equal(Number(updated.rotationPeriod?.seconds), 30 * day)
  assert.deepEqual(updated.labels, { of: 'clinic' })
  await refused(
    kms.client.updateCryptoKey(
      {
        cryptoKey: { name: key, destroyScheduledDuration: { seconds: 9 * day } },
        updateMask: { paths: ['destroy_scheduled_duration'] },
      },
      once,
    ),
    code.invalid,
  )
})

test('lists come in pages', async () => {
  await using kms = await start()
  const parent = await kms.makeKey('key', { purpose: 'ENCRYPT_DECRYPT' })
  for (let count = 1; count < 7; count++) await kms.client.createCryptoKeyVersion({ parent }, once)
  const byHand = { ...once, autoPaginate: false }
  const [first, , page] = await kms.client.listCryptoKeyVersions({ parent, pageSize: 3 }, byHand)
  assert.deepEqual([first.length, page?.nextPageToken, page?.totalSize], [3, '3', 7])
  const [last] = await kms.client.listCryptoKeyVersions({ parent, pageSize: 3, pageToken: '6' }, byHand)
  assert.equal(last[0]?.name, `${parent}/cryptoKeyVersions/7`)
})

test('Ed25519 signs data, P-256 a digest or data, and both verify by other code', async () => {
  await using kms = await start()
  const data = Buffer.from('a checkpoint')
  const sha256 = createHash('sha256').update(data).digest()
  for (const algorithm of ['EC_SIGN_ED25519', 'EC_SIGN_P256_SHA256'] as const) {
    const key = await kms.makeKey(algorithm, { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm } })
    const name = `${key}/cryptoKeyVersions/1`
    const [{ pem, algorithm: told }] = await kms.client.getPublicKey({ name }, once)
    assert.equal(told, algorithm)
    const publicKey = createPublicKey(pem ?? '')
    const verifies = (signature: Uint8Array | string | null | undefined) =>
      verify(algorithm === 'EC_SIGN_ED25519' ? null : 'sha256', data, publicKey, Buffer.from(signature ?? []))
    // Many, since the numbers of a DER signature differ in length.
    for (let round = 0; round < 20; round++) {
      const [ofData] = await kms.client.asymmetricSign({ name, data }, once)
      assert.equal(verifies(ofData.signature), true)
      if (algorithm === 'EC_SIGN_ED25519') continue
      const [ofDigest] = await kms.client.asymmetricSign({ name, digest: { sha256 } }, once)
      assert.equal(verifies(ofDigest.signature), true)
    }
    await refused(kms.client.asymmetricSign({ name, data, digest: { sha256 } }, once), code.invalid)
    if (algorithm === 'EC_SIGN_ED25519') {
      await refused(kms.client.asymmetricSign({ name, digest: { sha256 } }, once), code.invalid)
    }
    await refused(kms.client.encrypt({ name: key, plaintext: data }, once), code.precondition)
  }
})

test('who is not known is refused, and what is not there is not implemented', async () => {
  await using kms = await start({ callers: { worker: { permissions: [] } } })
  await refused(kms.client.getKeyRing({ name: keyRing }, once), code.unauthenticated)
  const unimplemented = 12
  await refused(kms.client.generateRandomBytes({ location: keyRing, lengthBytes: 8 }, once), unimplemented)
})
