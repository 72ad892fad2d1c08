// What every key service must do with its HMAC and signing keys; signatures are checked by Node's own code.
import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, verify } from 'node:crypto'
import { describe, test } from 'node:test'
import { newTenantId, type TenantId } from '@auricle/contract'
import type { KeyServiceUnderTest } from './conformance.ts'
import { flippedBits, refuses } from './conformance-checks.ts'
import {
  type MacName,
  maxCertificateBytes,
  maxSignedBytes,
  type PublicKey,
  type Signature,
  type SignerName,
} from './key-service.ts'

const macBytes = 32
const ed25519Bytes = 64
const data = Buffer.from('what is authenticated')
const checkpoints: SignerName = { purpose: 'checkpoints' }
const receipts: SignerName = { purpose: 'receipts' }
const certificates: SignerName = { purpose: 'certificates' }

interface SigningOptions {
  readonly sparing: boolean
  /** Used where it is sparing. */
  readonly tenants: readonly TenantId[]
  /** Whether keys of other tenants may be made. */
  readonly mayMake: boolean
}

/** Part of `keyServiceConformance`. */
export function signingConformance(
  makeService: () => Promise<KeyServiceUnderTest>,
  { sparing, tenants, mayMake }: SigningOptions,
): void {
  const search = (nth = 0): MacName => {
    const tenantId = sparing ? tenants[nth] : undefined
    return { purpose: 'search', tenantId: tenantId ?? newTenantId() }
  }

  describe('HMAC keys of a key service', () => {
    test('the same data has the same MAC, everywhere, and other data another', async () => {
      await using subject = await makeService()
      const name = search()
      await subject.service.ensure(name)
      const key = subject.service.mac(name)
      const first = await key.sign(data)
      assert.equal(first.mac.length, macBytes)
      const elsewhere = (await subject.another()).mac(name)
      assert.deepEqual(copied(await elsewhere.sign(data)), copied(first))
      assert.equal(await elsewhere.verify(data, first.mac, first.keyVersion), true)
      assert.equal(await key.verify(data, first.mac), true)
      for (const other of [data.subarray(0, 1), data.subarray(1), randomBytes(maxSignedBytes)]) {
        const { mac } = await key.sign(other)
        assert.notDeepEqual(Buffer.from(mac), Buffer.from(first.mac))
        assert.equal(await key.verify(other, mac), true)
        assert.equal(await key.verify(other, first.mac), false)
      }
    })

    test('an altered MAC is not one', async () => {
      await using subject = await makeService()
      const name = search()
      await subject.service.ensure(name)
      const key = subject.service.mac(name)
      const { mac, keyVersion } = await key.sign(data)
      for (const altered of flippedBits(mac, sparing ? 101 : 1)) {
        assert.equal(await key.verify(data, altered, keyVersion), false)
      }
      for (const altered of [new Uint8Array(), mac.subarray(1), Buffer.concat([mac, mac])]) {
        assert.equal(await key.verify(data, altered, keyVersion), false)
      }
    })

    test('the MAC of another tenant is not one', async () => {
      await using subject = await makeService()
      const [mine, others] = [search(), search(1)]
      await subject.service.ensure(mine)
      await subject.service.ensure(others)
      const { mac } = await subject.service.mac(others).sign(data)
      assert.equal(await subject.service.mac(mine).verify(data, mac), false)
    })

    test('after a rotation new MACs are of the new version, and old ones are found under theirs', async () => {
      await using subject = await makeService()
      const name = search()
      await subject.service.ensure(name)
      const elsewhere = (await subject.another()).mac(name)
      const key = subject.service.mac(name)
      const before = await key.sign(data)
      await subject.service.rotate(name)
      const after = await key.sign(data)
      assert.notEqual(after.keyVersion, before.keyVersion)
      assert.notDeepEqual(Buffer.from(after.mac), Buffer.from(before.mac))
      for (const instance of [key, elsewhere]) {
        for (const { mac, keyVersion } of [before, after]) {
          assert.deepEqual(copied(await instance.sign(data, { keyVersion })), copied({ mac, keyVersion }))
          assert.equal(await instance.verify(data, mac, keyVersion), true)
        }
        assert.equal(await instance.verify(data, before.mac, after.keyVersion), false)
        assert.equal(await instance.verify(data, after.mac, before.keyVersion), false)
      }
    })

    test('a key or version that does not exist is not made by asking', async () => {
      await using subject = await makeService()
      const unmade: MacName = { purpose: 'search', tenantId: newTenantId() }
      await refuses(subject.service.mac(unmade).sign(data), 'unknown_key')
      await refuses(subject.service.mac(unmade).verify(data, randomBytes(macBytes)), 'unknown_key')
      const name = mayMake ? unmade : search()
      const key = subject.service.mac(name)
      await subject.service.ensure(name)
      const { mac, keyVersion } = await key.sign(data)
      for (const other of [
        '',
        '0',
        'x',
        `${keyVersion}9`,
        `${keyVersion}/1`,
        keyVersion.replace('1', '4294967297'),
      ]) {
        await refuses(key.verify(data, mac, other), 'unknown_key')
        await refuses(key.sign(data, { keyVersion: other }), 'unknown_key')
      }
    })

    test('more data than every service takes is refused, and none', async () => {
      await using subject = await makeService()
      const name = search()
      await subject.service.ensure(name)
      for (const wrong of [new Uint8Array(), new Uint8Array(maxSignedBytes + 1)]) {
        await assert.rejects(subject.service.mac(name).sign(wrong), RangeError)
        await assert.rejects(subject.service.mac(name).verify(wrong, randomBytes(macBytes)), RangeError)
        await assert.rejects(subject.service.signer(receipts).sign(wrong), RangeError)
      }
    })
  })

  describe('signing keys of a key service', () => {
    test('what it signs verifies elsewhere, and nothing else does', async () => {
      await using subject = await makeService()
      const { service } = subject
      await Promise.all([service.ensure(checkpoints), service.ensure(receipts)])
      const signer = service.signer(checkpoints)
      const publicKey = await signer.publicKey()
      for (const text of [data, new Uint8Array(1), randomBytes(maxSignedBytes)]) {
        const signature = await signer.sign(text)
        assert.equal(signature.keyVersion, publicKey.keyVersion)
        assert.equal(verifies(text, signature, publicKey), true)
        assert.equal(verifies(Buffer.concat([text, Buffer.from(' ')]), signature, publicKey), false)
        if (signature.algorithm === 'ed25519') assert.equal(signature.signature.length, ed25519Bytes)
      }
      const others = await service.signer(receipts).sign(data)
      assert.equal(verifies(data, others, publicKey), false)
      const elsewhere = await (await subject.another()).signer(checkpoints).publicKey()
      assert.deepEqual(Buffer.from(elsewhere.spki), Buffer.from(publicKey.spki))
      assert.equal(elsewhere.keyVersion, publicKey.keyVersion)
    })

    // The signing keys of a real key ring are left as they are, and may be there already.
    const testUnlessSparing = (name: string, run: () => Promise<void>) => {
      if (!sparing) test(name, run)
    }

    testUnlessSparing(
      'after a rotation the new key signs, and the old public key is there for what the old one signed',
      async () => {
        await using subject = await makeService()
        await subject.service.ensure(checkpoints)
        const signer = subject.service.signer(checkpoints)
        const before = { signature: await signer.sign(data), publicKey: await signer.publicKey() }
        await subject.service.rotate(checkpoints)
        const after = { signature: await signer.sign(data), publicKey: await signer.publicKey() }
        assert.notEqual(after.signature.keyVersion, before.signature.keyVersion)
        assert.equal(verifies(data, after.signature, after.publicKey), true)
        assert.equal(verifies(data, after.signature, before.publicKey), false)
        for (const instance of [subject.service, await subject.another()]) {
          const { keyVersion } = before.signature
          const old = await instance.signer(checkpoints).publicKey({ keyVersion })
          assert.equal(old.keyVersion, keyVersion)
          assert.equal(verifies(data, before.signature, old), true)
        }
      },
    )

    testUnlessSparing('a key that was never made does not sign, nor is it made by that', async () => {
      await using subject = await makeService()
      const signer = subject.service.signer(receipts)
      await refuses(signer.sign(data), 'unknown_key')
      await refuses(signer.publicKey(), 'unknown_key')
      await refuses(subject.service.rotate(receipts), 'unknown_key')
      await subject.service.ensure(receipts)
      const { keyVersion } = await signer.sign(data)
      for (const other of ['', 'x', `${keyVersion}9`]) {
        await refuses(signer.publicKey({ keyVersion: other }), 'unknown_key')
      }
    })

    test('as much as a certificate is signed by the key of certificates alone', async () => {
      await using subject = await makeService()
      const { service } = subject
      await Promise.all([service.ensure(certificates), service.ensure(receipts)])
      const long = randomBytes(maxCertificateBytes)
      const signer = service.signer(certificates)
      const publicKey = await signer.publicKey()
      for (const text of [long, data]) {
        assert.equal(verifies(text, await signer.sign(text), publicKey), true)
        assert.equal(verifies(text, await signer.sign(text.subarray(1)), publicKey), false)
      }
      const tooLong = randomBytes(maxCertificateBytes + 1)
      await assert.rejects(signer.sign(tooLong), RangeError)
      await assert.rejects(signer.sign(new Uint8Array()), RangeError)
      await assert.rejects(service.signer(receipts).sign(long), RangeError)
    })

    testUnlessSparing('all its public keys are there, the one that signs first', async () => {
      await using subject = await makeService()
      const { service } = subject
      await refuses(service.signer(certificates).publicKeys(), 'unknown_key')
      await service.ensure(certificates)
      const made = [await service.signer(certificates).publicKey()]
      for (let round = 0; round < 2; round++) {
        await service.rotate(certificates)
        made.unshift(await service.signer(certificates).publicKey())
      }
      for (const instance of [service, await subject.another()]) {
        const found = await instance.signer(certificates).publicKeys()
        assert.deepEqual(
          found.map(({ keyVersion, spki }) => [keyVersion, Buffer.from(spki)]),
          made.map(({ keyVersion, spki }) => [keyVersion, Buffer.from(spki)]),
        )
        const signal = AbortSignal.abort(new Error('the caller went away'))
        await assert.rejects(instance.signer(certificates).publicKeys({ signal }), signal.reason)
      }
    })

    test('many at once do not mix', async () => {
      await using subject = await makeService()
      const { service } = subject
      const name = search()
      await Promise.all([name, checkpoints, receipts].map(key => service.ensure(key)))
      const publicKeys = await Promise.all(
        [checkpoints, receipts].map(key => service.signer(key).publicKey()),
      )
      await Promise.all(
        Array.from({ length: sparing ? 4 : 40 }, async (_, index) => {
          const text = randomBytes(index + 1)
          const [signed, { mac }] = await Promise.all([
            service.signer(index % 2 === 0 ? checkpoints : receipts).sign(text),
            service.mac(name).sign(text),
          ])
          const results = publicKeys.map(publicKey => verifies(text, signed, publicKey))
          assert.deepEqual(results, [index % 2 === 0, index % 2 === 1])
          assert.equal(await service.mac(name).verify(text, mac), true)
        }),
      )
    })

    test('an aborted call throws the reason', async () => {
      await using subject = await makeService()
      const name = search()
      await subject.service.ensure(name)
      const reason = new Error('the caller went away')
      const signal = AbortSignal.abort(reason)
      const key = subject.service.mac(name)
      const { mac, keyVersion } = await key.sign(data)
      await assert.rejects(key.sign(data, { signal }), reason)
      await assert.rejects(key.verify(data, mac, keyVersion, { signal }), reason)
      await assert.rejects(subject.service.signer(receipts).sign(data, { signal }), reason)
      await assert.rejects(subject.service.signer(receipts).publicKey({ signal }), reason)
    })
  })
}

function verifies(text: Uint8Array, { signature }: Signature, { algorithm, spki }: PublicKey): boolean {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  assert.equal(key.asymmetricKeyType, algorithm === 'ed25519' ? 'ed25519' : 'ec')
  return verify(algorithm === 'ed25519' ? null : 'sha256', text, key, signature)
}

const copied = ({ mac, keyVersion }: { mac: Uint8Array; keyVersion: string }) => ({
  mac: Buffer.from(mac),
  keyVersion,
})
