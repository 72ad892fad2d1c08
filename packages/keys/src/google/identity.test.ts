import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { keyRing } from '../../../../test/emulators/kms/keys-on-emulator.ts'
import { startKmsEmulator } from '../../../../test/emulators/kms/server.ts'
import { startMetadataServer } from '../../../../test/emulators/metadata/server.ts'

const program = fileURLToPath(new URL('./testdata/wrap-once.ts', import.meta.url))
const permissions = [
  ...['useToEncrypt', 'useToDecrypt'].map(what => `cloudkms.cryptoKeyVersions.${what}`),
  ...['get', 'create'].map(what => `cloudkms.cryptoKeys.${what}`),
]

/**
 * What a process of ours has at Google, and a variable that would have the client print what it sends. The libraries below
 * it print tokens then, which no adapter can keep them from: docs/google-kms.md warns of it.
 */
const environment = (metadataHost: string, rootsFile: string) => ({
  GCE_METADATA_HOST: metadataHost,
  METADATA_SERVER_DETECTION: 'assume-present',
  GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: rootsFile,
  GOOGLE_SDK_NODE_LOGGING: 'all',
})

test('a process works under the identity of its machine, through an expired token, prints no key and ends', async () => {
  await using emulator = await startKmsEmulator({ keyRings: [keyRing], callers: { worker: { permissions } } })
  await using metadata = await startMetadataServer({ token: 'worker', email: 'worker@clinic', rotates: true })
  emulator.faults.add({ operation: 'Decrypt', fault: { type: 'expired-token' }, times: 1 })
  const dataKey = randomBytes(32)
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [program, keyRing, String(emulator.endpoint.port), dataKey.toString('hex')],
    { env: environment(metadata.host, emulator.rootCertificateFile) },
  )
  assert.match(stdout, /^projects\/clinic\/.*\/cryptoKeyVersions\/1\n$/)
  assert.equal(emulator.calls['Decrypt'], 2)
  assert.equal(metadata.fetches, 2)
  const bytes = JSON.stringify([...dataKey]).slice(1, -1)
  for (const mark of [bytes, dataKey.toString('base64'), 'MetadataLookupWarning']) {
    assert.ok(!`${stdout}${stderr}`.includes(mark), mark)
  }
})

test('without an identity a process is told so, quietly', async () => {
  await using emulator = await startKmsEmulator({ keyRings: [keyRing] })
  const { METADATA_SERVER_DETECTION, ...others } = environment('127.0.0.1:1', emulator.rootCertificateFile)
  await assert.rejects(
    promisify(execFile)(
      process.execPath,
      [program, keyRing, String(emulator.endpoint.port), '00'.repeat(32)],
      {
        env: others,
      },
    ),
    (error: unknown) => {
      const { stderr } = error as { stderr: string }
      assert.match(stderr, /No credentials for Cloud KMS can be had now/)
      assert.ok(!stderr.includes('MetadataLookupWarning'))
      return true
    },
  )
})
