// The services as processes, each with its own identity and what Terraform grants it, on services that hold them to it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { KeyManagementServiceClient } from '@google-cloud/kms'
import { client, createOnly, refused } from './emulators/gcs/fixture.ts'
import { identityWith } from './emulators/kms/identity.ts'
import { type Clinic, openClinic } from './harness/clinic.ts'
import { deliver, type Way } from './harness/delivery.ts'
import type { Google } from './harness/google.ts'
import { send } from './harness/http-client.ts'
import { readSamples } from './harness/samples.ts'
import { openStack, type Stack } from './harness/stack.ts'

const audio = readSamples().find(({ file }) => file === 'voicemail-short.wav')?.bytes ?? Buffer.alloc(0)
const timeoutMs = 60_000
const pollMs = 100
const once = { retry: null, timeout: timeoutMs }
const forbidden = 403
const permissionDenied = 7
const versions = (...what: string[]) => what.map(name => `cloudkms.cryptoKeyVersions.${name}`)

let stack: Stack
let google: Google
let clinic: Clinic
const stop = new AsyncDisposableStack()

before(async () => {
  const prepared = stop.use(
    await openStack({ name: 'identities', logLevel: 'info', workerConcurrency: 1, backend: 'google' }),
  )
  assert.ok(prepared.google !== null)
  google = prepared.google
  clinic = await openClinic(prepared, {
    slug: 'identities',
    name: 'A clinic',
    mailboxAddress: '2001',
    mailboxName: 'Front desk',
    clinicianName: 'Clinician',
    password: 'a password for a test only',
    allowedHosts: [],
  })
  stack = await prepared.startServices()
})
after(() => stop.disposeAsync())

const as = (token: string, bucket: string = google.places.recordings) =>
  client({ url: google.storageUrl }, { token }).bucket(bucket)

function keysAs(token: string): KeyManagementServiceClient & AsyncDisposable {
  const { host: apiEndpoint, port } = google.keysEndpoint
  const keys = new KeyManagementServiceClient({ apiEndpoint, port, authClient: identityWith(() => token) })
  return Object.assign(keys, { [Symbol.asyncDispose]: () => keys.close() })
}

async function deliverBy(way: Way): Promise<string> {
  const answer = await deliver(way, {
    ingestUrl: stack.urls.ingest,
    point: way === 'upload' ? clinic.upload : clinic.standard,
    sourceId: `by-${way}`,
    facts: { kind: 'voicemail', mailbox: clinic.mailbox, from: '+15550100100' },
    audio,
    contentType: 'audio/wav',
    fileName: 'message.wav',
    timeoutMs,
  })
  assert.equal(answer.status, 200, answer.body.toString())
  return JSON.parse(answer.body.toString()).recording
}

async function untilReplicated(recordings: number): Promise<void> {
  for (;;) {
    const { rows } = await stack.superuser.query<{ done: number }>(
      'select count(distinct recording_id)::int as done from auricle.recording_object where replicated_at is not null',
    )
    if (rows[0]?.done === recordings) return
    await delay(pollMs)
  }
}

/** Everything in both buckets, so that it can be seen that nothing of it changed. */
async function everything(): Promise<unknown> {
  const { recordings, recovery } = google.places
  const look = (bucket: string) => google.storage.command<readonly object[]>('recompute', { bucket })
  return [await look(recordings), await look(recovery)]
}

async function keyIds(): Promise<{ recordings: string; connectors: string }> {
  await using keys = keysAs('ingest')
  const [found] = await keys.listCryptoKeys({ parent: google.places.keyRing }, once)
  const ending = (text: string) => found.find(({ name }) => name?.endsWith(text))?.name ?? ''
  return { recordings: ending('-recordings'), connectors: ending('-connectors') }
}

async function originalName(): Promise<string> {
  const { rows } = await stack.superuser.query<{ key: string }>(
    `select object_key as key from auricle.recording_object where role = 'original' limit 1`,
  )
  return rows[0]?.key ?? ''
}

test('what ingest takes is archived, copied and played, and every service needs only what it is granted', async () => {
  const ids = [await deliverBy('upload'), await deliverBy('multipart')]
  await untilReplicated(ids.length)
  for (const id of ids) {
    const played = await send({
      method: 'GET',
      url: `${stack.urls.api}/v1/recordings/${id}/audio?role=original`,
      headers: { authorization: `Bearer ${clinic.clinician.token}` },
      body: null,
      timeoutMs,
    })
    assert.equal(played.status, 200)
    assert.deepEqual(played.body, audio)
  }
  const [storage, keys] = [await google.storage.counts(), await google.keys.counts()]
  for (const uses of [storage.uses, keys.uses]) {
    for (const [caller, permissions] of Object.entries(uses)) {
      for (const [permission, { refused }] of Object.entries(permissions))
        assert.equal(refused, 0, `${caller} was refused ${permission}`)
    }
  }
  const used = (uses: typeof storage.uses, caller: string) => Object.keys(uses[caller] ?? {}).sort()
  assert.deepEqual(used(storage.uses, 'ingest'), ['storage.buckets.get', 'storage.objects.create'])
  assert.deepEqual(used(storage.uses, 'api'), ['storage.buckets.get', 'storage.objects.get'])
  assert.deepEqual(used(keys.uses, 'ingest'), [
    ...versions('useToDecrypt', 'useToEncrypt'),
    'cloudkms.cryptoKeys.list',
    'cloudkms.keyRings.get',
  ])
  assert.ok(!used(keys.uses, 'api').some(name => /destroy|create|update/.test(name)))
})

test('with the identity of ingest nothing can be read back, listed, replaced, deleted or kept otherwise', async () => {
  const ingest = as('ingest')
  await ingest.file('intake/of-an-intruder').save('x', { resumable: false, ...createOnly })
  const before = await everything()
  const later = new Date(Date.now() + 10 * 365 * 86_400_000).toISOString()
  for (const name of ['intake/of-an-intruder', await originalName()]) {
    const file = ingest.file(name)
    const attempts = {
      read: () => file.download(),
      'look at': () => file.getMetadata(),
      replace: () => file.save('y', { resumable: false }),
      'replace in a session': () => file.save('y', { resumable: true }),
      delete: () => file.delete(),
      'write metadata': () => file.setMetadata({ metadata: { note: 'changed' } }),
      retain: () => file.setMetadata({ retention: { mode: 'Unlocked', retainUntilTime: later } }),
      release: () => file.setMetadata({ retention: null }, { overrideUnlockedRetention: true }),
      hold: () => file.setMetadata({ temporaryHold: true }),
      copy: () => file.copy(ingest.file('intake/copy')),
    }
    for (const [what, attempt] of Object.entries(attempts))
      assert.equal((await refused(attempt())).code, forbidden, `${what} ${name}`)
  }
  const kept = { retention: { mode: 'Locked', retainUntilTime: later } }
  const recovery = as('ingest', google.places.recovery)
  const attempts = {
    list: () => ingest.getFiles(),
    'list what was deleted': () => ingest.getFiles({ softDeleted: true }),
    'create a recording': () =>
      ingest.file('recordings/forged').save('x', { resumable: false, ...createOnly }),
    'create and retain': () =>
      ingest.file('intake/kept').save('x', { resumable: false, ...createOnly, metadata: kept }),
    'change the bucket': () => ingest.setMetadata({ versioning: { enabled: true } }),
    'create a copy': () => recovery.file('intake/one').save('x', { resumable: false, ...createOnly }),
    'look at the other bucket': () => recovery.getMetadata(),
  }
  for (const [what, attempt] of Object.entries(attempts))
    assert.equal((await refused(attempt())).code, forbidden, what)
  assert.deepEqual(await everything(), before)
})

test('with the identity of ingest nothing sealed under recordings can be opened, and no key made or destroyed', async () => {
  await using keys = keysAs('ingest')
  const { recordings, connectors } = await keyIds()
  const { keyRing: parent } = google.places
  const [{ ciphertext, name: version }] = await keys.encrypt(
    { name: recordings, plaintext: Buffer.from('a key of a recording') },
    once,
  )
  assert.ok(ciphertext && version)
  const cryptoKey = { purpose: 'ENCRYPT_DECRYPT' as const }
  const updateMask = { paths: ['labels'] }
  const attempts = {
    decrypt: () => keys.decrypt({ name: recordings, ciphertext }, once),
    'encrypt secrets of connectors': () =>
      keys.encrypt({ name: connectors, plaintext: Buffer.from('x') }, once),
    'make a key': () => keys.createCryptoKey({ parent, cryptoKeyId: 'more', cryptoKey }, once),
    'make a version': () => keys.createCryptoKeyVersion({ parent: recordings }, once),
    'change a key': () => keys.updateCryptoKey({ cryptoKey: { name: recordings }, updateMask }, once),
    'choose a version': () =>
      keys.updateCryptoKeyPrimaryVersion({ name: recordings, cryptoKeyVersionId: '1' }, once),
    'disable a version': () =>
      keys.updateCryptoKeyVersion(
        { cryptoKeyVersion: { name: version, state: 'DISABLED' }, updateMask: { paths: ['state'] } },
        once,
      ),
    'destroy a version': () => keys.destroyCryptoKeyVersion({ name: version }, once),
  }
  for (const [what, attempt] of Object.entries(attempts)) {
    await assert.rejects(attempt, (error: unknown) => {
      assert.equal((error as { code?: unknown }).code, permissionDenied, what)
      return true
    })
  }
  await using api = keysAs('api')
  const [{ plaintext }] = await api.decrypt({ name: recordings, ciphertext }, once)
  assert.equal(Buffer.from(plaintext ?? '').toString(), 'a key of a recording')
})

test('the identity of the api plays and cannot delete; that of the worker cannot delete a recording', async () => {
  const name = await originalName()
  const before = await everything()
  const api = as('api')
  const [bytes] = await api.file(name).download()
  assert.ok(bytes.length > audio.length)
  for (const [what, attempt] of Object.entries({
    delete: () => api.file(name).delete(),
    replace: () => api.file(name).save('y', { resumable: false }),
    list: () => api.getFiles(),
    hold: () => api.file(name).setMetadata({ temporaryHold: true }),
    'read an intake': () => api.file('intake/of-an-intruder').download(),
    'delete with the rights of the worker': () => as('worker').file(name).delete(),
    'shorten with the rights of the worker': () =>
      as('worker').file(name).setMetadata({ retention: null }, { overrideUnlockedRetention: true }),
    'delete a copy with the rights of the worker': () =>
      as('worker', google.places.recovery).file(name).delete(),
  })) {
    assert.equal((await refused(attempt())).code, forbidden, what)
  }
  assert.deepEqual(await everything(), before)
})
