import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { newTenantId } from '@auricle/contract'
import type { Fault } from '../../../../test/emulators/faults.ts'
import { type KeysOnEmulator, startKeysOnEmulator } from '../../../../test/emulators/kms/keys-on-emulator.ts'
import { refuses } from '../conformance-checks.ts'
import { KeyError } from '../error.ts'
import type { KeyName, KeyService, MacName, SignerName } from '../key-service.ts'

const aad = Buffer.from('recording one')
const data = Buffer.from('what is authenticated')
const checkpoints: SignerName = { purpose: 'checkpoints' }
const recordings = (): KeyName => ({ purpose: 'recordings', tenantId: newTenantId() })
const search = (): MacName => ({ purpose: 'search', tenantId: newTenantId() })
const unavailable = 14
const exhausted = 8

interface Case {
  readonly method: string
  /** Everything up to the call itself, which is what comes back. */
  prepare(service: KeyService): Promise<() => Promise<unknown>>
}

const cases: readonly Case[] = [
  {
    method: 'Encrypt',
    async prepare(service) {
      const name = recordings()
      await service.ensure(name)
      return () => service.key(name).wrap(randomBytes(32), aad)
    },
  },
  {
    method: 'Decrypt',
    async prepare(service) {
      const name = recordings()
      await service.ensure(name)
      const wrap = await service.key(name).wrap(randomBytes(32), aad)
      return () => service.key(name).unwrap(wrap, aad)
    },
  },
  {
    method: 'MacSign',
    async prepare(service) {
      const name = search()
      await service.ensure(name)
      return () => service.mac(name).sign(data)
    },
  },
  {
    method: 'MacVerify',
    async prepare(service) {
      const name = search()
      await service.ensure(name)
      const { mac, keyVersion } = await service.mac(name).sign(data)
      return async () => assert.equal(await service.mac(name).verify(data, mac, keyVersion), true)
    },
  },
  {
    method: 'AsymmetricSign',
    async prepare(service) {
      await service.ensure(checkpoints)
      return () => service.signer(checkpoints).sign(data)
    },
  },
  {
    method: 'GetPublicKey',
    async prepare(service) {
      await service.ensure(checkpoints)
      return () => service.signer(checkpoints).publicKey()
    },
  },
]

async function prepared(keys: KeysOnEmulator, { prepare }: Case, service: KeyService = keys.open()) {
  const call = await prepare(service)
  keys.emulator.resetCalls()
  return call
}

describe('what a caller sees of the faults of Cloud KMS', () => {
  const passing: readonly (readonly [string, Fault])[] = [
    ['a service that is away', { type: 'status', code: unavailable }],
    ['an internal error', { type: 'status', code: 13 }],
    ['a quota', { type: 'status', code: exhausted, retryAfterSeconds: 0.05 }],
    ['a connection cut in the request', { type: 'cut', afterBytes: 0, side: 'request' }],
    ['a connection cut in the answer', { type: 'cut', afterBytes: 7 }],
    ['a lost answer', { type: 'lost-acknowledgement' }],
  ]
  for (const [what, fault] of passing) {
    test(`${what} once is not seen at all`, async () => {
      await using keys = await startKeysOnEmulator()
      for (const each of cases) {
        const call = await prepared(keys, each)
        keys.emulator.faults.add({ operation: each.method, fault, times: 1 })
        await call()
        assert.equal(keys.emulator.calls[each.method], 2, each.method)
      }
    })
  }

  test('a service that stays away is unavailable after a bounded number of attempts', async () => {
    await using keys = await startKeysOnEmulator()
    for (const each of cases) {
      const call = await prepared(keys, each, keys.open({ attemptsMost: 3 }))
      keys.emulator.faults.add({ operation: each.method, fault: { type: 'status', code: unavailable } })
      await assert.rejects(call(), isKeyError('unavailable', true))
      assert.equal(keys.emulator.calls[each.method], 3, each.method)
      keys.emulator.faults.clear()
      await call()
    }
  })

  test('a quota that lasts longer than the call is not hammered', async () => {
    await using keys = await startKeysOnEmulator()
    for (const each of cases) {
      const call = await prepared(keys, each)
      const fault: Fault = { type: 'status', code: exhausted, retryAfterSeconds: 60 }
      keys.emulator.faults.add({ operation: each.method, fault })
      await assert.rejects(call(), isKeyError('unavailable', true))
      assert.equal(keys.emulator.calls[each.method], 1, each.method)
      keys.emulator.faults.clear()
    }
  })

  test('a service that never answers is given up, attempt by attempt and in all', async () => {
    await using keys = await startKeysOnEmulator()
    for (const each of cases) {
      const call = await prepared(keys, each, keys.open({ attemptTimeoutMs: 400, attemptsMost: 2 }))
      keys.emulator.faults.add({ operation: each.method, fault: { type: 'slow', ms: 60_000 } })
      await assert.rejects(call(), isKeyError('unavailable', true))
      assert.equal(keys.emulator.calls[each.method], 2, each.method)
      keys.emulator.faults.clear()
    }
    const [first] = cases
    assert.ok(first)
    const call = await prepared(keys, first, keys.open({ callTimeoutMs: 600, attemptsMost: 1000 }))
    keys.emulator.faults.add({ operation: 'Encrypt', fault: { type: 'slow', ms: 60_000 } })
    await assert.rejects(call(), isKeyError('unavailable', true))
    assert.equal(keys.emulator.calls['Encrypt'], 1)
  })

  test('a token that expired early is fetched anew; one that nobody knows is refused', async () => {
    const everything = [
      'useToEncrypt',
      'useToDecrypt',
      'useToSign',
      'useToVerify',
      'viewPublicKey',
      'list',
    ].map(what => `cloudkms.cryptoKeyVersions.${what}`)
    const permissions = [...everything, 'cloudkms.cryptoKeys.get', 'cloudkms.cryptoKeys.create']
    await using keys = await startKeysOnEmulator({ callers: { worker: { permissions } } })
    const worker = keys.open({}, 'worker')
    for (const each of cases) {
      const call = await prepared(keys, each, worker)
      keys.emulator.faults.add({ operation: each.method, fault: { type: 'expired-token' }, times: 1 })
      await call()
      assert.equal(keys.emulator.calls[each.method], 2, each.method)
    }
    const stranger = keys.open({}, 'stranger')
    await refuses(stranger.key(recordings()).wrap(randomBytes(32), aad), 'denied')
    await refuses(stranger.ensure(recordings()), 'denied')
  })

  test('an aborted call ends at the service too, and throws the reason', async () => {
    await using keys = await startKeysOnEmulator()
    const service = keys.open()
    const name = recordings()
    await service.ensure(name)
    keys.emulator.faults.add({ operation: 'Encrypt', fault: { type: 'slow', ms: 60_000 } })
    const [controller, reason] = [new AbortController(), new Error('the caller went away')]
    const call = service.key(name).wrap(randomBytes(32), aad, { signal: controller.signal })
    const ended = assert.rejects(call, reason)
    await eventually(() => keys.emulator.calls['Encrypt'] === 1)
    controller.abort(reason)
    await ended
    await eventually(() => keys.emulator.cancelled === 1)
    assert.equal(keys.emulator.calls['Encrypt'], 1)

    keys.emulator.faults.clear()
    keys.emulator.faults.add({ operation: 'Encrypt', fault: { type: 'status', code: unavailable } })
    const pausing = new AbortController()
    const paused = assert.rejects(
      service.key(name).wrap(randomBytes(32), aad, { signal: pausing.signal }),
      reason,
    )
    await eventually(() => keys.emulator.calls['Encrypt'] === 2)
    pausing.abort(reason)
    await paused
  })

  test('the connections are cut under many calls at once, and all of them come through', async () => {
    await using keys = await startKeysOnEmulator()
    const service = keys.open()
    const name = recordings()
    await service.ensure(name)
    const { key } = service
    const calls = Array.from({ length: 30 }, async () => {
      const dataKey = randomBytes(32)
      const wrap = await key(name).wrap(dataKey, aad)
      assert.deepEqual(Buffer.from(await key(name).unwrap(wrap, aad)), dataKey)
    })
    keys.emulator.cutAllConnections()
    await Promise.all(calls)
  })

  test('no message of an error holds a key, what is wrapped, or a token', async () => {
    await using keys = await startKeysOnEmulator()
    const service = keys.open({ attemptsMost: 1 }, 'secret-token')
    const name = recordings()
    await service.ensure(name)
    const dataKey = Buffer.alloc(32, 0x5a)
    const faults: Fault[] = [
      { type: 'status', code: unavailable },
      { type: 'status', code: 7 },
      { type: 'status', code: 9 },
      { type: 'corrupt', what: 'bytes' },
    ]
    for (const fault of faults) {
      keys.emulator.faults.clear()
      keys.emulator.faults.add({ operation: 'Encrypt', fault })
      const error: unknown = await service
        .key(name)
        .wrap(dataKey, aad)
        .catch((thrown: unknown) => thrown)
      assert.ok(error instanceof KeyError)
      const told = [error.message, error.stack, String((error.cause as Error | undefined)?.message)].join(
        '\n',
      )
      for (const mark of ['ZZZZ', '5a5a', 'WlpaWl', 'secret-token']) assert.ok(!told.includes(mark))
    }
  })
})

describe('checksums of every field, both ways', () => {
  const requests: Readonly<Record<string, readonly string[]>> = {
    Encrypt: [
      'plaintext',
      'additionalAuthenticatedData',
      'plaintextCrc32c',
      'additionalAuthenticatedDataCrc32c',
    ],
    Decrypt: [
      'ciphertext',
      'additionalAuthenticatedData',
      'ciphertextCrc32c',
      'additionalAuthenticatedDataCrc32c',
    ],
    MacSign: ['data', 'dataCrc32c'],
    MacVerify: ['data', 'mac', 'dataCrc32c', 'macCrc32c'],
    AsymmetricSign: ['data', 'dataCrc32c'],
  }
  const answers: Readonly<Record<string, readonly string[]>> = {
    Encrypt: [
      ...['name', 'ciphertext', 'ciphertextCrc32c', 'verifiedPlaintextCrc32c'],
      'verifiedAdditionalAuthenticatedDataCrc32c',
    ],
    Decrypt: ['plaintext', 'plaintextCrc32c'],
    MacSign: ['name', 'mac', 'macCrc32c', 'verifiedDataCrc32c'],
    MacVerify: ['name', 'success', 'verifiedSuccessIntegrity', 'verifiedDataCrc32c', 'verifiedMacCrc32c'],
    AsymmetricSign: ['name', 'signature', 'signatureCrc32c', 'verifiedDataCrc32c'],
    GetPublicKey: ['name', 'pem', 'pemCrc32c'],
  }

  for (const side of ['request', 'response'] as const) {
    for (const each of cases) {
      const fields = (side === 'request' ? requests : answers)[each.method] ?? []
      if (fields.length === 0) continue
      test(`${each.method}: ${side === 'request' ? 'on the way there' : 'on the way back'}`, async () => {
        await using keys = await startKeysOnEmulator()
        for (const field of fields) {
          const call = await prepared(keys, each)
          let left = 1
          keys.emulator.tampering = {
            [side]: (method: string, message: Record<string, unknown>) => {
              if (method !== each.method || left-- <= 0) return message
              return { ...message, [field]: altered(message[field]) }
            },
          }
          await call()
          assert.equal(keys.emulator.calls[each.method], 2, `${field} once`)

          left = Number.POSITIVE_INFINITY
          const again = await prepared(keys, each, keys.open())
          await assert.rejects(again(), isKeyError('corrupted', true), `${field} always`)
          assert.equal(keys.emulator.calls[each.method], 2, `${field} always`)
          keys.emulator.tampering = null
        }
      })
    }
  }

  test('an answer of a key that is held otherwise than demanded is not used', async () => {
    await using keys = await startKeysOnEmulator()
    for (const each of cases) {
      const call = await prepared(keys, each)
      keys.emulator.tampering = { response: (_, message) => ({ ...message, protectionLevel: 'EXTERNAL' }) }
      const expected = each.method === 'Decrypt' ? 'not_authentic' : 'wrong_protection'
      await assert.rejects(call(), isKeyError(expected, false), each.method)
      keys.emulator.tampering = null
    }
  })
})

const isKeyError = (code: string, transient: boolean) => (error: unknown) =>
  error instanceof KeyError && error.code === code && error.transient === transient

function altered(value: unknown): unknown {
  if (typeof value === 'boolean') return !value
  if (typeof value === 'string') return value.replace(/.(?=.{3}$)/s, letter => (letter === 'A' ? 'B' : 'A'))
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value)
    bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0)
    return bytes
  }
  const { value: number } = value as { value: string }
  return { value: String((Number(number) ^ 1) >>> 0) }
}

async function eventually(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(resolve => setImmediate(resolve))
}
