import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createGoogleStore } from '@auricle/objects/google'
import { type GcsEmulator, startGcsEmulator } from '../emulators/gcs/server.ts'
import { type KmsEmulator, startKmsEmulator } from '../emulators/kms/server.ts'
import { type MetadataServer, startMetadataServer } from '../emulators/metadata/server.ts'
import { googleEnvironment, lawfulSettings } from '../harness/emulated-bucket.ts'
import { liveTenants } from './tenants.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const keyRing = 'projects/clinic/locations/me-central2/keyRings/live'
const bucket = 'of-a-clinic'
/** One of everything that can be left behind: bytes, a retention, a hold, a rotation. */
const few = 'what is kept for a while|a hold refuses|after a rotation old|two wraps'

interface Project extends AsyncDisposable {
  readonly gcs: GcsEmulator
  readonly kms: KmsEmulator
  readonly metadata: MetadataServer
  readonly env: Readonly<Record<string, string>>
}

/** With somebody's object in the bucket, which nobody may touch. */
async function openProject(): Promise<Project> {
  await using stack = new AsyncDisposableStack()
  const gcs = stack.use(await startGcsEmulator())
  const kms = stack.use(await startKmsEmulator({ keyRings: [keyRing] }))
  const metadata = stack.use(await startMetadataServer({ token: 'operator', email: 'operator@clinic' }))
  gcs.createBucket(bucket, lawfulSettings)
  Object.assign(process.env, googleEnvironment(metadata.host))
  const store = createGoogleStore({ bucket, prefix: 'tests', retentionMode: 'Unlocked', endpoint: gcs.url })
  await store.put('live-of-somebody', [Buffer.from('not ours')].values() as never, { retainUntil: null })
  const env = {
    PATH: process.env['PATH'] ?? '',
    ...googleEnvironment(metadata.host),
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: kms.rootCertificateFile,
    AURICLE_OBJECTS: `gs://${bucket}/tests`,
    AURICLE_OBJECTS_ENDPOINT: gcs.url,
    AURICLE_KMS: `gcp-kms://${keyRing}`,
    AURICLE_KMS_ENDPOINT: `${kms.endpoint.host}:${kms.endpoint.port}`,
  }
  const opened = stack.move()
  return { gcs, kms, metadata, env, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

function live(args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = Promise.all([text(child.stdout), text(child.stderr)])
  const ended = Promise.all([once(child, 'close'), output]).then(([[code], [stdout, stderr]]) => ({
    code: Number(code),
    stdout,
    stderr,
  }))
  return { child, ended }
}

const onlyObjects = ({ env }: Project): Readonly<Record<string, string>> => {
  const { AURICLE_KMS: _, AURICLE_KMS_ENDPOINT: __, ...rest } = env
  return rest
}
const namesIn = ({ gcs }: Project): string[] => gcs.state.objects(bucket).map(({ name }) => name)
const untouched = ['tests/live-of-somebody']

describe('the live run', () => {
  test('says in one line what it needs where no project is given', async () => {
    const { code, stdout, stderr } = await live([], { PATH: process.env['PATH'] ?? '' }).ended
    assert.equal(code, 0)
    assert.match(stdout, /^Live run skipped: .*AURICLE_OBJECTS=gs:.*AURICLE_KMS=gcp-kms:.*\n$/)
    assert.equal(stderr, '')
  })

  test('passes, and leaves nothing but one version of each key', async () => {
    await using project = await openProject()
    const keysMade: unknown[] = []
    for (const versionsBefore of [0, 2]) {
      const { code, stdout, stderr } = await live(['--only', few], project.env).ended
      assert.equal(code, 0, `${stdout}${stderr}`)
      assert.match(stdout, /^Live run against Google Cloud\n/)
      assert.match(stdout, /: \d+ removed, nothing is left/)
      assert.deepEqual(namesIn(project), untouched)
      const keys = keysOf(project)
      assert.ok(Math.max(...keys.map(versions => versions.length)) > versionsBefore)
      for (const versions of keys) {
        assert.equal(versions.filter(({ state }) => state === 'ENABLED').length, 1)
      }
      keysMade.push(project.kms.calls['CreateCryptoKey'])
    }
    assert.equal(keysMade[0], keysMade[1], 'the second run uses the keys of the first')
  })

  test('removes what it made also when a case fails', async () => {
    await using project = await openProject()
    project.gcs.faults.add({ operation: 'objects.get.media', fault: { type: 'status', status: 403 } })
    const { code, stdout } = await live(['--only', 'what was put is what'], onlyObjects(project)).ended
    assert.equal(code, 1, stdout)
    assert.match(stdout, /: 1 removed, nothing is left/)
    assert.deepEqual(namesIn(project), untouched)
  })

  test('removes what it made also when it is interrupted', async () => {
    await using project = await openProject()
    const run = live(['--only', 'a hold refuses|what is kept for a while'], onlyObjects(project))
    while (namesIn(project).length === untouched.length) await sleep(10)
    run.child.kill('SIGINT')
    const { code, stdout } = await run.ended
    assert.equal(code, 1, stdout)
    assert.match(stdout, /was interrupted/)
    assert.deepEqual(namesIn(project), untouched)
  })
})

/** The versions of every key that the test tenants have. */
function keysOf({ kms }: Project) {
  return liveTenants.flatMap(tenantId =>
    ['recordings', 'connectors', 'search'].flatMap(purpose => {
      const versions = kms.versionsOf(`${keyRing}/cryptoKeys/tenants-${tenantId}-${purpose}`)
      return versions === null ? [] : [versions]
    }),
  )
}
