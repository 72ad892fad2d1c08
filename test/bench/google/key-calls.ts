// Wrapping and unwrapping a data key: our adapter, and the bare client with every checksum looked at. A process of its
// own: gRPC reads once, when it is loaded, whose certificates it trusts.
import { randomBytes } from 'node:crypto'
import type { Wrap } from '@auricle/contract'
import { createGoogleKeyService } from '@auricle/keys/google'
import { KeyManagementServiceClient } from '@google-cloud/kms'
import { crc32c } from '@node-rs/crc32'
import type { Row } from '../report.ts'
import { serveParent } from '../system/child.ts'
import { timeOnAllClocks, type Work } from './clocks.ts'
import { overheadRows } from './overhead.ts'
import { type GooglePlace, keyRing } from './place.ts'

const callsATurn = 100
const dataKeyBytes = 32
const contextBytes = 64
const rounds = { rounds: 21, warmUps: 3, budgetMs: 10_000 }

export type KeyCallsQuestion = Pick<GooglePlace, 'keysEndpoint'>

serveParent('ready', measureKeyCalls)

async function measureKeyCalls({ keysEndpoint }: KeyCallsQuestion): Promise<readonly Row[]> {
  await using service = createGoogleKeyService({
    keyRing,
    protection: 'SOFTWARE',
    rotationDays: 90,
    destroyDays: 30,
    endpoint: keysEndpoint,
  })
  const keyName = { purpose: 'identity' } as const
  await service.ensure(keyName)
  const key = service.key(keyName)
  const [dataKey, context] = [randomBytes(dataKeyBytes), randomBytes(contextBytes)]
  const wrap: Wrap = await key.wrap(dataKey, context)
  const ciphertext = Buffer.from(wrap.wrapped, 'base64url')

  const client = new KeyManagementServiceClient({ apiEndpoint: keysEndpoint.host, port: keysEndpoint.port })
  const checksum = (bytes: Uint8Array) => ({ value: crc32c(bytes) })
  const bound = {
    name: wrap.key,
    additionalAuthenticatedData: context,
    additionalAuthenticatedDataCrc32c: checksum(context),
  }
  const demand = (holds: boolean) => {
    if (!holds) throw new Error('An answer of the emulated Cloud KMS is not right')
  }
  const isChecked = (bytes: unknown, stated: { readonly value?: unknown } | null | undefined) =>
    bytes instanceof Uint8Array && String(stated?.value) === String(crc32c(bytes))

  const wraps = await timeOnAllClocks(
    [
      repeated('we', async () => demand((await key.wrap(dataKey, context)).key === wrap.key)),
      repeated('encrypt', async () => {
        const [answer] = await client.encrypt({
          ...bound,
          plaintext: dataKey,
          plaintextCrc32c: checksum(dataKey),
        })
        demand(answer.verifiedPlaintextCrc32c === true)
        demand(answer.verifiedAdditionalAuthenticatedDataCrc32c === true)
        demand(isChecked(answer.ciphertext, answer.ciphertextCrc32c))
      }),
    ],
    rounds,
  )
  const unwraps = await timeOnAllClocks(
    [
      repeated('we', async () => demand(dataKey.equals(await key.unwrap(wrap, context)))),
      repeated('decrypt', async () => {
        const [answer] = await client.decrypt({
          ...bound,
          ciphertext,
          ciphertextCrc32c: checksum(ciphertext),
        })
        demand(isChecked(answer.plaintext, answer.plaintextCrc32c))
        demand(answer.plaintext instanceof Uint8Array && dataKey.equals(answer.plaintext))
      }),
    ],
    rounds,
  )
  await client.close()
  const clocks = { wall: null, processor: null }
  return [
    ...overheadRows('wrap a data key, against the bare client', wraps, clocks),
    ...overheadRows('unwrap a data key, the same', unwraps, clocks),
  ]
}

function repeated(name: string, call: () => Promise<void>): Work {
  return {
    name,
    units: callsATurn,
    async run() {
      for (let i = 0; i < callsATurn; i++) await call()
      return null
    },
    async after() {},
  }
}
