// What a recording costs at the key service, counted at a real one: one wrap in all its life, one unwrap to archive
// it, one to hear it.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createAudioTool, probeAudioTool } from '@auricle/audio'
import {
  type IntakeId,
  newIntakeId,
  newRecordingId,
  type ObjectRole,
  type RecordingId,
} from '@auricle/contract'
import type { KeyService } from '@auricle/keys'
import { inspectSealed, sealBytes } from '@auricle/sealed'
import { guardedKeys } from '../../../test/guarded-keys.ts'
import {
  type Clinic,
  deliveryOf,
  gather,
  giveToken,
  makeClinic,
  noticeOf,
  openTestVault,
  sample,
  shortWav,
  type TestVault,
} from '../../../test/vault.ts'
import { type ArchiveParts, archive } from './archive.ts'
import { auditRecord } from './audit-record.ts'
import { recordingIdentity, sealContext } from './object-context.ts'
import { intakeKey } from './object-key.ts'
import { createPlayer, type Player, type PlayRequest } from './play.ts'
import { receive } from './receive.ts'
import { createTenantSecrets, type TenantSecretsCache } from './tenant-secrets.ts'
import type { VaultKeys } from './vault-keys.ts'
import { verifyTenant } from './verify.ts'

let vault: TestVault
let clinic: Clinic
let wav: Buffer
let keys: VaultKeys
let secrets: TenantSecretsCache
let calls: { wraps: number; unwraps: number }

/** The same service, with every call counted. */
function counting(service: KeyService): VaultKeys {
  return guardedKeys({
    ...service,
    key(name) {
      const handle = service.key(name)
      return {
        wrap(...parameters) {
          calls.wraps++
          return handle.wrap(...parameters)
        },
        unwrap(...parameters) {
          calls.unwraps++
          return handle.unwrap(...parameters)
        },
      }
    },
  })
}

before(async () => {
  assert.ok(await probeAudioTool(), 'these tests need ffmpeg')
  vault = await openTestVault()
  wav = await sample('voicemail-short.wav')
})
after(() => vault[Symbol.asyncDispose]())

beforeEach(async () => {
  clinic = await makeClinic(vault)
  keys = counting(vault.keyService)
  secrets = createTenantSecrets({ ...vault, keys })
  calls = { wraps: 0, unwraps: 0 }
  // A tenant's own secret is unwrapped once a while and kept, however many recordings come.
  await secrets.get(clinic.tenant.id)
  assert.deepEqual(counted(), { wraps: 0, unwraps: 1 })
})

/** What was asked of the key service since this was asked last. */
function counted() {
  const since = calls
  calls = { wraps: 0, unwraps: 0 }
  return since
}

function archiveParts(): ArchiveParts {
  const fetchAudio: ArchiveParts['fetchAudio'] = async () => ({
    audio: (async function* () {
      yield wav
    })(),
  })
  return { ...vault, keys, secrets, audio: createAudioTool(), fetchAudio }
}

interface Delivered {
  readonly intakeId: IntakeId
  readonly recordingId: RecordingId
}

async function deliver(sourceId: string, by: 'audio' | 'remote', audio: Buffer = wav): Promise<Delivered> {
  const { tenant, connector, connectorRow } = clinic
  const notice = noticeOf(sourceId, { audioUrl: by === 'remote' ? 'https://pbx.example.org/a.wav' : null })
  const delivery = by === 'remote' ? ({ type: 'remote', notice } as const) : deliveryOf(audio, notice)
  await receive({ ...vault, keys }, connector, delivery, { request: 'r' })
  const sourceKey = connector.sourceKey(sourceId)
  const intake = await vault.catalog.findIntakeBySource(tenant.id, connectorRow.id, sourceKey)
  assert.ok(intake)
  return { intakeId: intake.id, recordingId: intake.recordingId }
}

async function requestOf({ recordingId }: Delivered): Promise<PlayRequest> {
  const { tenantId, id: userId } = clinic.clinician.row
  const bearer = { tenantId, userId, tokenId: await giveToken(vault, clinic.clinician), secretHash: null }
  const origin = { request: 'r', ip: '192.0.2.7', userAgent: 'test' }
  return { bearer, recordingId, role: 'playback', purpose: 'play', purposeOfUse: null, ...origin }
}

const openPlayer = () => createPlayer({ ...vault, keys, secrets })
const waveform = (request: PlayRequest): PlayRequest => ({ ...request, role: 'peaks', purpose: 'show' })

async function hear(player: Player, request: PlayRequest): Promise<void> {
  const { sizeBytes } = await player.open(request)
  for (let seek = 0; seek < 6; seek++) {
    const start = Math.floor((sizeBytes * seek) / 6)
    const playback = await player.open(request)
    const heard = await gather(playback.read({ start, end: Math.min(start + 500, sizeBytes) }))
    assert.ok(heard.length > 0)
  }
}

async function wrapsOf({ recordingId }: Delivered) {
  const found: { readonly role: ObjectRole; readonly wraps: string }[] = []
  for (const { role, objectKey, sealedBytes } of await vault.catalog.listObjects(
    clinic.tenant.id,
    recordingId,
  )) {
    const { wraps } = await inspectSealed({
      sizeBytes: sealedBytes,
      read: (range, options) => vault.objects.read(objectKey, range, options),
    })
    assert.equal(wraps.length, 1)
    assert.equal(wraps[0]?.aad, 2)
    found.push({ role, wraps: JSON.stringify(wraps) })
  }
  return found
}

for (const by of ['audio', 'remote'] as const) {
  test(`delivered (${by}), archived, heard with seeks and seen: one wrap in all, one unwrap a step`, async () => {
    const delivered = await deliver('one', by)
    assert.deepEqual(counted(), { wraps: 1, unwraps: 0 })

    const outcome = await archive(archiveParts(), clinic.tenant.id, delivered.intakeId, {})
    assert.deepEqual(outcome, { status: 'archived', audioState: 'ready', bytes: wav.length })
    assert.deepEqual(counted(), { wraps: 0, unwraps: 1 })

    await using player = openPlayer()
    const request = await requestOf(delivered)
    await hear(player, request)
    await gather((await player.open(waveform(request))).read(null))
    const original = await player.open({ ...request, role: 'original', purpose: 'export' })
    assert.deepEqual(await gather(original.read(null)), wav)
    assert.deepEqual(counted(), { wraps: 0, unwraps: 1 })

    const found = await wrapsOf(delivered)
    assert.deepEqual(found.map(({ role }) => role).sort(), ['original', 'peaks', 'playback'])
    assert.equal(new Set(found.map(({ wraps }) => wraps)).size, 1)
  })
}

test('sound and waveform asked for at once take one unwrap, and each has its event', async () => {
  const delivered = await deliver('at-once', 'audio')
  await archive(archiveParts(), clinic.tenant.id, delivered.intakeId, {})
  const request = await requestOf(delivered)
  await using player = openPlayer()
  counted()
  const opened = await Promise.all(
    [request, waveform(request), request, waveform(request)].map(each => player.open(each)),
  )
  assert.deepEqual(counted(), { wraps: 0, unwraps: 1 })
  assert.equal(new Set(opened.map(({ receipt }) => receipt.event.eventId)).size, 2)
  for (const playback of opened) assert.ok((await gather(playback.read(null))).length > 0)
  await player.open({ ...request, ip: '192.0.2.8' })
  assert.deepEqual(counted(), { wraps: 0, unwraps: 1 }, 'another address has its own')
})

test('a key at hand opens nothing for whoever may not hear it', async () => {
  const delivered = await deliver('foreign', 'audio')
  await archive(archiveParts(), clinic.tenant.id, delivered.intakeId, {})
  await using player = openPlayer()
  const request = await requestOf(delivered)
  await player.open(request)
  counted()
  const { tenantId, id: userId } = clinic.stranger.row
  const bearer = { tenantId, userId, tokenId: await giveToken(vault, clinic.stranger), secretHash: null }
  await assert.rejects(player.open({ ...request, bearer }), { code: 'denied' })
  await assert.rejects(player.open({ ...waveform(request), bearer }), { code: 'denied' })
  assert.deepEqual(counted(), { wraps: 0, unwraps: 0 })
})

test('an archive that died after any object and is run again wraps nothing, and the objects share their wrap', async () => {
  const audio = shortWav(1)
  for (const died of ['playback', 'peaks', 'commit']) {
    const delivered = await deliver(died, 'audio', audio)
    counted()
    const parts = archiveParts()
    const dying: ArchiveParts = {
      ...parts,
      objects: {
        ...vault.objects,
        put: (key, ...rest) =>
          key.endsWith(`/${died}`) ? Promise.reject(new Error('it died')) : vault.objects.put(key, ...rest),
      },
      catalog: {
        ...vault.catalog,
        commitArchive: (...facts) =>
          died === 'commit' ? Promise.reject(new Error('it died')) : vault.catalog.commitArchive(...facts),
      },
    }
    await assert.rejects(archive(dying, clinic.tenant.id, delivered.intakeId, {}), /it died/)
    assert.deepEqual(counted(), { wraps: 0, unwraps: 1 })
    const outcome = await archive(parts, clinic.tenant.id, delivered.intakeId, {})
    assert.equal(outcome.status, 'archived')
    assert.deepEqual(counted(), { wraps: 0, unwraps: 1 })
    const found = await wrapsOf(delivered)
    assert.equal(found.length, 3)
    assert.equal(new Set(found.map(({ wraps }) => wraps)).size, 1)
  }
})

test('two recordings share nothing, and verifying takes one unwrap each', async () => {
  const delivered = [await deliver('first', 'audio'), await deliver('second', 'remote')]
  for (const { intakeId } of delivered) await archive(archiveParts(), clinic.tenant.id, intakeId, {})
  const wraps = (await Promise.all(delivered.map(wrapsOf))).flat()
  assert.equal(new Set(wraps.map(each => each.wraps)).size, 2)
  counted()
  let good = 0
  for await (const finding of verifyTenant({ ...vault, keys }, clinic.tenant.id, {})) {
    assert.equal(finding.type, 'good')
    good++
  }
  assert.equal(good, 6)
  assert.deepEqual(counted(), { wraps: 0, unwraps: 2 })
})

test('a repeated delivery that is known beforehand asks the key service nothing', async () => {
  await deliver('again', 'audio')
  counted()
  await deliver('again', 'audio')
  assert.deepEqual(counted(), { wraps: 0, unwraps: 0 })
})

test('a delivery whose objects were wrapped one by one, as it once was, is archived and heard', async () => {
  const { tenant, connector, connectorRow } = clinic
  const [intakeId, recordingId, receivedAt] = [newIntakeId(), newRecordingId(), new Date()]
  const wrapper = vault.keys.key({ purpose: 'recordings', tenantId: tenant.id })
  const seal = async (role: 'intake' | 'notice', bytes: Uint8Array) => {
    const context = sealContext(recordingIdentity(tenant.id, recordingId, role), 'a/b', receivedAt)
    return (await sealBytes(bytes, { context, wrapper })).bytes
  }
  const audio = await seal('intake', wav)
  const objectKey = intakeKey(tenant.id, intakeId)
  await vault.objects.put(
    objectKey,
    (async function* () {
      yield audio
    })(),
    { retainUntil: null },
  )
  const intake = {
    id: intakeId,
    tenantId: tenant.id,
    connectorId: connectorRow.id,
    sourceKey: connector.sourceKey('old'),
    contentMac: null,
    recordingId,
    objectKey,
    audioBytes: wav.length,
    sealedNotice: await seal('notice', Buffer.from(JSON.stringify(noticeOf('old')))),
    receivedAt,
  }
  const actor = { type: 'connector', tenantId: tenant.id, connectorId: connectorRow.id } as const
  const event = await auditRecord(
    {
      tenantId: tenant.id,
      action: 'delivery.received',
      outcome: 'allowed',
      actor,
      object: null,
      request: null,
    },
    null,
  )
  await vault.catalog.commitIntake(intake, event)
  const outcome = await archive(archiveParts(), tenant.id, intakeId, {})
  assert.equal(outcome.status === 'archived' && outcome.audioState, 'ready')
  await using player = openPlayer()
  const request = await requestOf({ intakeId, recordingId })
  const original = await player.open({ ...request, role: 'original' })
  assert.deepEqual(await gather(original.read(null)), wav)
  await hear(player, request)
  await gather((await player.open(waveform(request))).read(null))
  for await (const { type } of verifyTenant({ ...vault, keys }, tenant.id, {})) assert.equal(type, 'good')
})
