// Every operation of the port of keys, as a caller uses it, with what is right about its answers.
import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, verify } from 'node:crypto'
import { newTenantId } from '@auricle/contract'
import type { AnyKeyName, PublicKey } from '@auricle/keys'
import type { KeySubject } from './google-keys.ts'
import type { Answer, Attempt, Operation } from './port.ts'

type KeyOperation = Operation<KeySubject>

const aad = Buffer.from('what it belongs to')
const data = Buffer.from('what is authenticated')
const dataKeyBytes = 32
const checkpoints = { purpose: 'checkpoints' } as const
const recordings = () => ({ purpose: 'recordings', tenantId: newTenantId() }) as const
const search = () => ({ purpose: 'search', tenantId: newTenantId() }) as const
const done: Answer = { said: 'done' }

export const keyOperations: readonly KeyOperation[] = [
  {
    name: 'ensure',
    async prepare(subject) {
      const name = recordings()
      return {
        async call() {
          await subject.service.ensure(name)
          return { said: 'done', judge: () => opensWhatItWraps(subject, name) }
        },
        left: leftOf(subject, name),
      }
    },
  },
  {
    name: 'wrap',
    async prepare(subject) {
      const [name, dataKey] = [recordings(), randomBytes(dataKeyBytes)]
      await subject.other.ensure(name)
      return {
        async call() {
          const wrap = await subject.service.key(name).wrap(dataKey, aad)
          return {
            said: 'done',
            judge: async () => {
              assert.deepEqual(Buffer.from(await subject.other.key(name).unwrap(wrap, aad)), dataKey)
            },
          }
        },
        left: leftOf(subject, name),
      }
    },
  },
  {
    name: 'unwrap',
    async prepare(subject) {
      const [name, dataKey] = [recordings(), randomBytes(dataKeyBytes)]
      await subject.other.ensure(name)
      const wrap = await subject.other.key(name).wrap(dataKey, aad)
      return {
        async call() {
          assert.deepEqual(Buffer.from(await subject.service.key(name).unwrap(wrap, aad)), dataKey)
          return done
        },
        left: leftOf(subject, name),
      }
    },
  },
  rotation('rotate a wrapping key', recordings),
  rotation('rotate an HMAC key', search),
  {
    name: 'MAC: sign',
    async prepare(subject) {
      const name = search()
      await subject.other.ensure(name)
      return {
        async call() {
          const { mac, keyVersion } = await subject.service.mac(name).sign(data)
          return {
            said: 'done',
            judge: async () => assert.ok(await subject.other.mac(name).verify(data, mac, keyVersion)),
          }
        },
        left: leftOf(subject, name),
      }
    },
  },
  verification('MAC: verify, a right one', mac => mac, true),
  verification('MAC: verify, a wrong one', mac => mac.map(byte => byte ^ 1), false),
  {
    name: 'signer: sign',
    async prepare(subject) {
      await subject.other.ensure(checkpoints)
      const publicKey = await subject.other.signer(checkpoints).publicKey()
      return {
        async call() {
          const { signature } = await subject.service.signer(checkpoints).sign(data)
          assert.ok(verifies(signature, publicKey))
          return done
        },
        left: leftOf(subject, checkpoints),
      }
    },
  },
  {
    name: 'signer: public key',
    async prepare(subject) {
      await subject.other.ensure(checkpoints)
      const { signature } = await subject.other.signer(checkpoints).sign(data)
      return {
        async call() {
          assert.ok(verifies(signature, await subject.service.signer(checkpoints).publicKey()))
          return done
        },
        left: leftOf(subject, checkpoints),
      }
    },
  },
  {
    name: 'inspect',
    async prepare(subject) {
      const name = recordings()
      await subject.other.ensure(name)
      return {
        async call() {
          const findings = await subject.service.inspect()
          const bad = findings.filter(({ state }) => state !== 'ok')
          return { said: bad.length === 0 ? 'nothing bad' : `a finding: ${bad[0]?.name}` }
        },
        left: leftOf(subject, name),
      }
    },
    // It throws nothing: that the service cannot be looked at is what it finds.
    mayBeSaid: /^nothing bad$|^a finding: /,
  },
]

function rotation(name: string, makeName: () => AnyKeyName): KeyOperation {
  return {
    name,
    async prepare(subject) {
      const key = makeName()
      await subject.other.ensure(key)
      return {
        async call() {
          await subject.service.rotate(key)
          return done
        },
        left: leftOf(subject, key),
      }
    },
    // A version more than was asked for does no harm.
    mayBeLeft: /^[23] versions, the newest in use$/,
  }
}

function verification(name: string, alter: (mac: Uint8Array) => Uint8Array, isMac: boolean): KeyOperation {
  return {
    name,
    async prepare(subject) {
      const key = search()
      await subject.other.ensure(key)
      const { mac } = await subject.other.mac(key).sign(data)
      return {
        async call() {
          assert.equal(await subject.service.mac(key).verify(data, alter(mac)), isMac)
          return done
        },
        left: leftOf(subject, key),
      }
    },
  }
}

/** Of a key: how many versions it has, and which of them is in use. */
function leftOf({ keyRing, versionsOf }: KeySubject, name: AnyKeyName): Attempt['left'] {
  const id = 'tenantId' in name ? `tenants-${name.tenantId}-${name.purpose}` : name.purpose
  return () => {
    const versions = versionsOf(`${keyRing}/cryptoKeys/${id}`)
    if (versions === null) return 'no key'
    assert.ok(versions.every(({ state }) => state === 'ENABLED'))
    if (versions.length === 1) return '1 version'
    const primary = versions.find(({ isPrimary }) => isPrimary)?.number ?? versions.length
    return `${versions.length} versions, ${primary === versions.length ? 'the newest' : 'an older one'} in use`
  }
}

async function opensWhatItWraps(subject: KeySubject, name: ReturnType<typeof recordings>): Promise<void> {
  const dataKey = randomBytes(dataKeyBytes)
  const wrap = await subject.service.key(name).wrap(dataKey, aad)
  assert.deepEqual(Buffer.from(await subject.other.key(name).unwrap(wrap, aad)), dataKey)
}

function verifies(signature: Uint8Array, { algorithm, spki }: PublicKey): boolean {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  return verify(algorithm === 'ed25519' ? null : 'sha256', data, key, signature)
}
