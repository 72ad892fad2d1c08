import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createAudioTool } from '@auricle/audio'
import { makeWave, readSamples } from '../../../test/harness/samples.ts'
import { deliveryOf, makeClinic, noticeOf, openTestVault, type TestVault } from '../../../test/vault.ts'
import { type ArchiveParts, archive } from './archive.ts'
import { receive } from './receive.ts'

/** Five minutes: its rendition is larger than the first write of the store, which then leaves a taken key's rest. */
const audioBytes = 5 * 60 * 16_000

let vault: TestVault
let parts: ArchiveParts

before(async () => {
  vault = await openTestVault()
  const fetchAudio = () => Promise.reject(new Error('nothing is to be fetched here'))
  parts = { ...vault, audio: createAudioTool(), fetchAudio }
})
after(() => vault[Symbol.asyncDispose]())

test('a long recording whose archive died after its rendition and before its peaks is archived by the next run', async () => {
  const { tenant, connector, connectorRow } = await makeClinic(vault)
  const wave = readSamples().find(({ file }) => file === 'voicemail-pcm16.wav')?.wave
  assert.ok(wave)
  const audio = makeWave(wave, audioBytes, 'five minutes')
  await receive(vault, connector, deliveryOf(audio, noticeOf('long')), { request: 'r' })
  const sourceKey = connector.sourceKey('long')
  const intake = await vault.catalog.findIntakeBySource(tenant.id, connectorRow.id, sourceKey)
  assert.ok(intake)
  const dying: typeof vault.objects = {
    ...vault.objects,
    put: (key, ...rest) =>
      key.endsWith('/peaks')
        ? Promise.reject(new Error('the process died here'))
        : vault.objects.put(key, ...rest),
  }
  await assert.rejects(archive({ ...parts, objects: dying }, tenant.id, intake.id, {}), /died here/)
  const outcome = await archive(parts, tenant.id, intake.id, {})
  assert.equal(outcome.status === 'archived' && outcome.audioState, 'ready')
  const { columns } = await vault.secrets.get(tenant.id)
  const row = await vault.catalog.findRecording(tenant.id, intake.recordingId, columns)
  assert.equal(Math.round((row?.durationMs ?? 0) / 1000), 300)
})
