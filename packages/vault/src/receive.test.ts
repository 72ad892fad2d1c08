import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { decodeLeaf } from '@auricle/audit'
import type { TenantId } from '@auricle/contract'
import { openBytes } from '@auricle/sealed'
import {
  type Clinic,
  deliveryOf,
  gather,
  makeClinic,
  noticeOf,
  openTestVault,
  sample,
  type TestVault,
} from '../../../test/vault.ts'
import { recordingIdentity } from './object-context.ts'
import { intakePrefix } from './object-key.ts'
import { receive } from './receive.ts'
import { openStored } from './stored-object.ts'
import { sweepIntakeObjects } from './sweep.ts'
import { operatorEvent } from './token.ts'

let vault: TestVault
let clinic: Clinic
let wav: Buffer
const options = { request: 'r1' }

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  wav = await sample('voicemail-short.wav')
})
after(() => vault[Symbol.asyncDispose]())

async function intakeObjects(): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of vault.objects.list(intakePrefix)) keys.push(key)
  return keys
}

async function events(tenantId: TenantId) {
  const rows = await vault.catalog.listEvents(tenantId, { afterId: null, limit: 1000 })
  return rows.map(({ leaf }) => decodeLeaf(leaf))
}

test('a delivery is sealed, committed with its event and answered with its recording', async () => {
  const notice = noticeOf('first')
  const { receipt, duplicate, audioBytes } = await receive(
    vault,
    clinic.connector,
    deliveryOf(wav, notice),
    options,
  )
  assert.equal(duplicate, false)
  assert.equal(audioBytes, wav.length)

  const { tenant, connectorRow, connector } = clinic
  const intake = await vault.catalog.findIntakeBySource(
    tenant.id,
    connectorRow.id,
    connector.sourceKey('first'),
  )
  assert.ok(intake?.objectKey)
  assert.equal(intake.recordingId, receipt.recording)
  assert.equal(intake.state, 'received')
  const unwrapper = vault.keyService.key({ purpose: 'recordings', tenantId: tenant.id })
  const opened = await openBytes(intake.sealedNotice ?? assert.fail(), {
    expect: recordingIdentity(tenant.id, receipt.recording, 'notice'),
    unwrapper,
  })
  assert.deepEqual(JSON.parse(Buffer.from(opened).toString()), notice)

  const facts = await vault.objects.head(intake.objectKey)
  assert.ok(facts)
  const object = { objectKey: intake.objectKey, sealedBytes: facts.sizeBytes, wrap: null }
  const looked = await operatorEvent(tenant.id, 'key.used', { type: 'tenant', id: tenant.id })
  const event = await vault.log.append(looked, {})
  using audio = await openStored({ ...vault, event }, tenant.id, receipt.recording, 'intake', object, {})
  assert.deepEqual(await gather(audio.read(null)), wav)

  const received = (await events(tenant.id)).filter(({ action }) => action === 'delivery.received')
  assert.equal(received.length, 1)
  assert.deepEqual(received[0]?.object, { type: 'recording', id: receipt.recording, version: null })
  assert.deepEqual(received[0]?.actor, { type: 'connector', id: connectorRow.id, session: null })
})

test('the same delivery again gets the same receipt and stores nothing that stays', async () => {
  const notice = noticeOf('again')
  const first = await receive(vault, clinic.connector, deliveryOf(wav, notice), options)
  const objects = await intakeObjects()
  for (const known of [true, false]) {
    const again = await receive(vault, clinic.connector, deliveryOf(wav, notice, known), options)
    assert.deepEqual(again.receipt, first.receipt)
    assert.equal(again.duplicate, true)
  }
  // The sender whose id was not known beforehand left an object that no row claims.
  assert.equal((await intakeObjects()).length, objects.length + 1)
  assert.deepEqual(await sweepIntakeObjects(vault, -1000, {}), { unclaimed: 1, archived: 0 })
  assert.deepEqual((await intakeObjects()).sort(), objects.sort())
})

test('one source id delivered by many at once becomes one recording', async () => {
  const deliveries = Array.from({ length: 12 }, () =>
    receive(vault, clinic.connector, deliveryOf(wav, noticeOf('race'), false), options),
  )
  const received = await Promise.all(deliveries)
  assert.equal(new Set(received.map(({ receipt }) => receipt.recording)).size, 1)
  assert.equal(received.filter(({ duplicate }) => !duplicate).length, 1)
})

test('other audio under a source id that is taken is refused', async () => {
  await receive(vault, clinic.connector, deliveryOf(wav, noticeOf('taken')), options)
  const other = await sample('voicemail.mp3')
  for (const known of [true, false]) {
    const delivery = deliveryOf(other, noticeOf('taken'), known)
    await assert.rejects(receive(vault, clinic.connector, delivery, options), { code: 'source_conflict' })
  }
})

test('a source id belongs to its connector alone', async () => {
  const elsewhere = await makeClinic(vault)
  const notice = noticeOf('shared')
  const here = await receive(vault, clinic.connector, deliveryOf(wav, notice), options)
  const there = await receive(vault, elsewhere.connector, deliveryOf(wav, notice), options)
  assert.notEqual(here.receipt.recording, there.receipt.recording)
  assert.notDeepEqual(clinic.connector.sourceKey('shared'), elsewhere.connector.sourceKey('shared'))
})

test('what is not right is refused and leaves no row', async () => {
  const html = Buffer.from('<!doctype html><title>503 Service Unavailable</title>')
  const sha256 = createHash('sha256').update(wav).digest('hex')
  const wrong: readonly [string, Uint8Array, Parameters<typeof noticeOf>[1]][] = [
    ['empty_body', new Uint8Array(), {}],
    ['not_audio', html, {}],
    ['not_audio', Buffer.from('{"error":"expired"}'), { contentType: 'application/json' }],
    ['content_mismatch', wav, { declaredBytes: wav.length - 1 }],
    ['content_mismatch', wav, { declaredSha256: '0'.repeat(64) }],
  ]
  for (const [code, bytes, facts] of wrong) {
    const notice = noticeOf('wrong', facts)
    await assert.rejects(receive(vault, clinic.connector, deliveryOf(bytes, notice), options), { code })
  }
  const { tenant, connectorRow, connector } = clinic
  assert.equal(
    await vault.catalog.findIntakeBySource(tenant.id, connectorRow.id, connector.sourceKey('wrong')),
    null,
  )
  const right = noticeOf('wrong', { declaredBytes: wav.length, declaredSha256: sha256 })
  assert.equal((await receive(vault, clinic.connector, deliveryOf(wav, right), options)).duplicate, false)
})

test('a body that breaks off leaves nothing at all', async () => {
  const objects = await intakeObjects()
  const broken = {
    type: 'audio' as const,
    sourceId: 'broken',
    async *audio() {
      yield wav.subarray(0, 100_000)
      throw new Error('the socket broke')
    },
    notice: () => noticeOf('broken'),
  }
  const delivery = { ...broken, audio: broken.audio() }
  await assert.rejects(receive(vault, clinic.connector, delivery, options), /the socket broke/)
  assert.deepEqual(await intakeObjects(), objects)
})

test('a delivery by URL is committed without audio', async () => {
  const notice = noticeOf('by-url', { audioUrl: 'https://pbx.example.org/a.wav' })
  const { receipt, audioBytes } = await receive(vault, clinic.connector, { type: 'remote', notice }, options)
  assert.equal(audioBytes, null)
  const again = await receive(vault, clinic.connector, { type: 'remote', notice }, options)
  assert.deepEqual(again.receipt, receipt)
})
