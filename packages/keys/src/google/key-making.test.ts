import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, verify } from 'node:crypto'
import { describe, test } from 'node:test'
import { newTenantId } from '@auricle/contract'
import { KeyManagementServiceClient } from '@google-cloud/kms'
import { identityWith } from '../../../../test/emulators/kms/identity.ts'
import { keyRing, startKeysOnEmulator } from '../../../../test/emulators/kms/keys-on-emulator.ts'
import { refuses } from '../conformance-checks.ts'
import { type AnyKeyName, type KeyName, maxSignedBytes, type SignerName } from '../key-service.ts'
import { createGoogleKeyService } from './google-key-service.ts'
import { keyResource } from './resource-names.ts'

const aad = Buffer.from('recording one')
const data = Buffer.from('what is authenticated')
const checkpoints: SignerName = { purpose: 'checkpoints' }
const recordings = (): KeyName => ({ purpose: 'recordings', tenantId: newTenantId() })
const versionOf = (name: AnyKeyName, number: number) =>
  `${keyResource(keyRing, name).name}/cryptoKeyVersions/${number}`

describe('keys that are made', () => {
  test('are named readably, after their purpose and tenant, within the limits of KMS', () => {
    const tenantId = newTenantId()
    const names: AnyKeyName[] = [
      { purpose: 'recordings', tenantId },
      { purpose: 'connectors', tenantId },
      { purpose: 'search', tenantId },
      { purpose: 'identity' },
      { purpose: 'checkpoints' },
      { purpose: 'receipts' },
      { purpose: 'certificates' },
    ]
    const ids = names.map(name => keyResource(keyRing, name).id)
    assert.equal(ids[0], `tenants-${tenantId}-recordings`)
    assert.equal(new Set(ids).size, names.length)
    for (const id of ids) assert.match(id, /^[a-zA-Z0-9_-]{1,63}$/)
  })

  test('are made once, though the answer is lost', async () => {
    await using keys = await startKeysOnEmulator()
    const name = recordings()
    keys.emulator.faults.add({
      operation: 'CreateCryptoKey',
      fault: { type: 'lost-acknowledgement' },
      times: 1,
    })
    await keys.open().ensure(name)
    const wrap = await keys.open().key(name).wrap(randomBytes(32), aad)
    assert.equal(wrap.keyVersion, versionOf(name, 1))
    assert.equal(wrap.key, keyResource(keyRing, name).name)
    assert.equal(wrap.kms, 'gcp')
    assert.equal(wrap.protection, 'SOFTWARE')
  })

  test('are rotated once, though the answer is lost', async () => {
    await using keys = await startKeysOnEmulator()
    const service = keys.open()
    for (const operation of ['CreateCryptoKeyVersion', 'UpdateCryptoKeyPrimaryVersion']) {
      const name = recordings()
      await service.ensure(name)
      keys.emulator.faults.add({ operation, fault: { type: 'lost-acknowledgement' }, times: 1 })
      await service.rotate(name)
      const wrap = await service.key(name).wrap(randomBytes(32), aad)
      assert.equal(wrap.keyVersion, versionOf(name, 2), operation)
      await refuses(keys.open().mac({ purpose: 'search', tenantId: newTenantId() }).sign(data), 'unknown_key')
    }
    await service.ensure(checkpoints)
    keys.emulator.faults.add({
      operation: 'CreateCryptoKeyVersion',
      fault: { type: 'lost-acknowledgement' },
      times: 1,
    })
    await service.rotate(checkpoints)
    assert.equal((await service.signer(checkpoints).sign(data)).keyVersion, versionOf(checkpoints, 2))
  })

  test('rotate by themselves when their time comes', async () => {
    const dayMs = 86_400_000
    let now = Date.now()
    await using keys = await startKeysOnEmulator({ clock: () => now })
    const service = keys.open({ rotationDays: 30, now: () => now })
    const name = recordings()
    await service.ensure(name)
    const before = await service.key(name).wrap(randomBytes(32), aad)
    now += 31 * dayMs
    const after = await service.key(name).wrap(randomBytes(32), aad)
    assert.deepEqual([before.keyVersion, after.keyVersion], [versionOf(name, 1), versionOf(name, 2)])
    await service.key(name).unwrap(before, aad)
  })

  test('are waited for while KMS is still making them, and not for ever', async () => {
    await using keys = await startKeysOnEmulator({ generationMs: 700 })
    const service = keys.open({ protection: 'HSM' })
    const name = recordings()
    await service.ensure(name)
    assert.equal((await service.key(name).wrap(randomBytes(32), aad)).protection, 'HSM')
    await refuses(keys.open({ protection: 'HSM', readyTimeoutMs: 1 }).ensure(recordings()), 'unavailable')
  })

  test('sign with ECDSA on P-256 where Ed25519 is not offered', async () => {
    await using keys = await startKeysOnEmulator({ notOffered: ['HSM EC_SIGN_ED25519'] })
    const service = keys.open({ protection: 'HSM' })
    await service.ensure(checkpoints)
    const signed = await service.signer(checkpoints).sign(data)
    const { algorithm, spki } = await service.signer(checkpoints).publicKey()
    assert.deepEqual([signed.algorithm, algorithm], ['p256-sha256', 'p256-sha256'])
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    assert.equal(verify('sha256', data, key, signed.signature), true)
    assert.equal(verify('sha256', Buffer.from('other'), key, signed.signature), false)
  })

  test('sign certificates with ECDSA on P-256 wherever they are, and those of Ed25519 are told of', async () => {
    await using keys = await startKeysOnEmulator()
    const service = keys.open()
    const certificates: SignerName = { purpose: 'certificates' }
    await service.ensure(certificates)
    assert.equal((await service.signer(certificates).publicKey()).algorithm, 'p256-sha256')
    assert.deepEqual(
      (await service.inspect()).filter(({ state }) => state === 'bad'),
      [],
    )
    await using others = await startKeysOnEmulator()
    const { host: apiEndpoint, port } = others.emulator.endpoint
    const authClient = identityWith(() => 'anybody')
    const client = new KeyManagementServiceClient({ apiEndpoint, port, authClient })
    await client.createCryptoKey({
      parent: keyRing,
      cryptoKeyId: 'certificates',
      cryptoKey: { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm: 'EC_SIGN_ED25519' } },
    })
    await client.close()
    const bad = (await others.open().inspect()).filter(({ state }) => state === 'bad')
    assert.deepEqual(
      bad.map(({ name }) => name),
      ['key algorithm'],
    )
    const signer = others.open().signer(certificates)
    await refuses(signer.sign(randomBytes(maxSignedBytes + 1)), 'wrong_protection')
  })

  test('are refused where they are held otherwise than demanded', async () => {
    await using keys = await startKeysOnEmulator()
    const name = recordings()
    await keys.open({ protection: 'SOFTWARE' }).ensure(name)
    const demanding = keys.open({ protection: 'HSM' })
    await refuses(demanding.ensure(name), 'wrong_protection')
    await refuses(demanding.key(name).wrap(randomBytes(32), aad), 'wrong_protection')
  })

  test('need options that can be', () => {
    const right = { keyRing, protection: 'SOFTWARE', rotationDays: 90, destroyDays: 30 } as const
    for (const wrong of [
      { keyRing: 'keyRings/auricle' },
      { keyRing: `${keyRing}/cryptoKeys/x` },
      { rotationDays: 0 },
      { rotationDays: 1.5 },
      { destroyDays: 0 },
      { destroyDays: 121 },
    ]) {
      assert.throws(() => createGoogleKeyService({ ...right, ...wrong }), RangeError)
    }
  })

  test('are out of reach once the service is closed', async () => {
    await using keys = await startKeysOnEmulator()
    const service = keys.open()
    const name = recordings()
    await service.ensure(name)
    await service[Symbol.asyncDispose]()
    await service[Symbol.asyncDispose]()
    await refuses(service.key(name).wrap(randomBytes(32), aad), 'unavailable')
  })
})

describe('versions that somebody disabled or destroyed', () => {
  test('neither wrap nor unwrap until they are restored', async () => {
    await using keys = await startKeysOnEmulator()
    const service = keys.open()
    const name = recordings()
    await service.ensure(name)
    const handle = service.key(name)
    const wrap = await handle.wrap(randomBytes(32), aad)
    const { emulator } = keys
    emulator.disable(wrap.keyVersion)
    await refuses(handle.wrap(randomBytes(32), aad), 'disabled')
    await refuses(handle.unwrap(wrap, aad), 'disabled')
    emulator.enable(wrap.keyVersion)
    await handle.unwrap(wrap, aad)
    await service.rotate(name)
    emulator.scheduleDestroy(wrap.keyVersion)
    await refuses(handle.unwrap(wrap, aad), 'disabled')
    await handle.wrap(randomBytes(32), aad)
    emulator.restore(wrap.keyVersion)
    await refuses(handle.unwrap(wrap, aad), 'disabled')
    emulator.enable(wrap.keyVersion)
    await handle.unwrap(wrap, aad)
    emulator.destroy(wrap.keyVersion)
    await refuses(handle.unwrap(wrap, aad), 'disabled')
    emulator.resetCalls()
    await refuses(handle.unwrap(wrap, aad), 'disabled')
    assert.equal(emulator.calls['Decrypt'], 1)
  })

  test('give way to the newest that is enabled, where they signed', async () => {
    await using keys = await startKeysOnEmulator()
    const service = keys.open()
    const name = { purpose: 'search', tenantId: newTenantId() } as const
    for (const key of [checkpoints, name]) {
      await service.ensure(key)
      await service.rotate(key)
    }
    assert.equal((await service.signer(checkpoints).sign(data)).keyVersion, versionOf(checkpoints, 2))
    assert.equal((await service.mac(name).sign(data)).keyVersion, versionOf(name, 2))
    for (const key of [checkpoints, name]) keys.emulator.disable(versionOf(key, 2))
    assert.equal((await service.signer(checkpoints).sign(data)).keyVersion, versionOf(checkpoints, 1))
    assert.equal((await service.mac(name).sign(data)).keyVersion, versionOf(name, 1))
    for (const key of [checkpoints, name]) keys.emulator.disable(versionOf(key, 1))
    await refuses(service.signer(checkpoints).sign(data), 'disabled')
    await refuses(service.mac(name).sign(data), 'disabled')
  })
})
