import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { newTenantId } from '@auricle/contract'
import { keyRing, startKeysOnEmulator } from '../../../../test/emulators/kms/keys-on-emulator.ts'
import { refuses } from '../conformance-checks.ts'
import type { KeyName } from '../key-service.ts'
import { keyResource } from './resource-names.ts'

const aad = Buffer.from('recording one')
const tenantId = newTenantId()
const recordings: KeyName = { purpose: 'recordings', tenantId }
const connectors: KeyName = { purpose: 'connectors', tenantId }
const versions = (...what: string[]) => what.map(name => `cloudkms.cryptoKeyVersions.${name}`)
const keysPermissions = ['create', 'get', 'list', 'update'].map(name => `cloudkms.cryptoKeys.${name}`)
const operator = [...keysPermissions, ...versions('create', 'get', 'list'), 'cloudkms.keyRings.get']
const on = (name: KeyName, ...what: string[]) => ({ [keyResource(keyRing, name).name]: versions(...what) })

const callers = {
  operator: { permissions: operator },
  ingest: {
    permissions: [],
    on: { ...on(recordings, 'useToEncrypt'), ...on(connectors, 'useToEncrypt', 'useToDecrypt') },
  },
  player: { permissions: [], on: on(recordings, 'useToDecrypt') },
}

describe('identities that may do little', () => {
  test('who only seals may wrap under recordings and not unwrap, and needs nothing else', async () => {
    await using keys = await startKeysOnEmulator({ callers })
    const setUp = keys.open({}, 'operator')
    for (const name of [recordings, connectors]) await setUp.ensure(name)
    await refuses(setUp.key(recordings).wrap(randomBytes(32), aad), 'denied')

    const ingest = keys.open({}, 'ingest')
    const dataKey = randomBytes(32)
    const wrap = await ingest.key(recordings).wrap(dataKey, aad)
    await refuses(ingest.key(recordings).unwrap(wrap, aad), 'denied')
    const secret = await ingest.key(connectors).wrap(dataKey, aad)
    assert.deepEqual(Buffer.from(await ingest.key(connectors).unwrap(secret, aad)), dataKey)

    const player = keys.open({}, 'player')
    assert.deepEqual(Buffer.from(await player.key(recordings).unwrap(wrap, aad)), dataKey)
    await refuses(player.key(recordings).wrap(dataKey, aad), 'denied')
    await refuses(player.key(connectors).unwrap(secret, aad), 'denied')
  })

  test('making sure of a key needs no right to make it where it is there', async () => {
    await using keys = await startKeysOnEmulator({ callers })
    const ingest = keys.open({}, 'ingest')
    await refuses(ingest.ensure(recordings), 'denied')
    await keys.open({}, 'operator').ensure(recordings)
    await ingest.ensure(recordings)
    await refuses(ingest.ensure({ purpose: 'identity' }), 'denied')
    await refuses(ingest.rotate(recordings), 'denied')
    await refuses(ingest.mac({ purpose: 'search', tenantId }).sign(aad), 'denied')
  })

  test('what may not be looked at is said, and nothing of it is called bad', async () => {
    await using keys = await startKeysOnEmulator({ callers })
    await keys.open({}, 'operator').ensure(recordings)
    const findings = await keys.open({}, 'ingest').inspect()
    assert.deepEqual(
      findings.map(({ state }) => state),
      ['warn', 'warn'],
    )
    for (const { found, mend } of findings) {
      assert.match(found, /Not looked at: this identity lacks cloudkms\./)
      assert.match(
        mend ?? '',
        /gcloud kms keyrings add-iam-policy-binding auricle --location=me-central2 --project=clinic/,
      )
    }
    assert.deepEqual(
      (await keys.open({}, 'operator').inspect()).map(({ state }) => state),
      ['ok', 'ok'],
    )
  })
})

describe('what is found of a key ring', () => {
  const told = async (service: {
    inspect(): Promise<readonly { name: string; state: string; mend: string | null }[]>
  }) =>
    Object.fromEntries(
      (await service.inspect()).map(({ name, state, mend }) => [name, `${state}: ${mend ?? ''}`]),
    )

  test('a ring that does not exist is bad, with the line that makes it', async () => {
    await using keys = await startKeysOnEmulator({ keyRings: [] })
    const found = await told(keys.open())
    const line = 'bad: gcloud kms keyrings create auricle --location=me-central2 --project=clinic'
    assert.deepEqual(found, { 'key ring': line })
  })

  test('a service that cannot be reached is away, which says nothing of its keys', async () => {
    await using keys = await startKeysOnEmulator()
    keys.emulator.faults.add({ operation: 'any', fault: { type: 'status', code: 14 } })
    const [ring, ...others] = await keys.open({ attemptsMost: 1 }).inspect()
    assert.equal(ring?.state, 'away')
    assert.equal(others.length, 0)
  })

  test('keys that are not as configured are told, each fault with the line that mends it', async () => {
    await using keys = await startKeysOnEmulator()
    await keys.open({ rotationDays: 365, destroyDays: 1 }).ensure(recordings)
    const { id, name } = keyResource(keyRing, recordings)
    keys.emulator.disable(`${name}/cryptoKeyVersions/1`)
    const now = () => Date.UTC(2030, 0, 1)
    const found = await told(keys.open({ protection: 'HSM', rotationDays: 90, destroyDays: 30, now }))
    const place = '--keyring=auricle --location=me-central2 --project=clinic'
    assert.match(found['key protection'] ?? '', /^bad: .*AURICLE_KMS_PROTECTION/)
    assert.equal(found['key versions'], `bad: gcloud kms keys versions enable 1 --key=${id} ${place}`)
    assert.equal(
      found['key rotation'],
      `warn: gcloud kms keys update ${id} ${place} --rotation-period=90d --next-rotation-time=2030-04-01T00:00:00.000Z`,
    )
    assert.match(found['key destruction'] ?? '', /^warn: .*AURICLE_KMS_DESTROY_DAYS/)
  })

  test('more keys than fit on a page are all looked at, and those of others are left out', async () => {
    await using keys = await startKeysOnEmulator()
    const service = keys.open()
    await Promise.all(
      Array.from({ length: 120 }, () => service.ensure({ purpose: 'recordings', tenantId: newTenantId() })),
    )
    keys.emulator.tampering = {
      request: (method, message) => (method === 'ListCryptoKeys' ? { ...message, pageSize: 50 } : message),
    }
    const [, found] = await service.inspect()
    assert.equal(keys.emulator.calls['ListCryptoKeys'], 3)
    assert.match(found?.found ?? '', /^120 keys/)
  })
})
