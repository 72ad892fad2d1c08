// Whom an event is about: the patient of a recording, under a random name, from its archive on.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type PatientId, RecordingQuery } from '@auricle/contract'
import { auditEvents } from '../../../test/audit-log.ts'
import {
  type Clinic,
  deliveryOf,
  giveToken,
  makeClinic,
  noticeOf,
  openTestVault,
  shortWav,
  type TestVault,
} from '../../../test/vault.ts'
import { actorOf } from './actor.ts'
import { archive } from './archive.ts'
import { listRecordings, markRecording, showRecording } from './browse.ts'
import { namePatients } from './name-patients.ts'
import { createPlayer } from './play.ts'
import { receive } from './receive.ts'

let vault: TestVault
let clinic: Clinic

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
})
after(() => vault[Symbol.asyncDispose]())

async function archiveOne(sourceId: string, patientReference: string | null) {
  const { tenant, connector, connectorRow } = clinic
  const delivery = deliveryOf(shortWav(1), noticeOf(sourceId, { patientReference }))
  await receive(vault, connector, delivery, { request: 'r' })
  const key = connector.sourceKey(sourceId)
  const intake = await vault.catalog.findIntakeBySource(tenant.id, connectorRow.id, key)
  const fetchAudio = () => Promise.reject(new Error('nothing is to be fetched here'))
  await archive({ ...vault, audio: null, fetchAudio }, tenant.id, intake?.id ?? assert.fail(), {})
  return intake?.recordingId ?? assert.fail()
}

async function personRequest() {
  const { row } = clinic.clinician
  const tokenId = await giveToken(vault, clinic.clinician)
  const bearer = (await vault.catalog.findBearer(row.tenantId, tokenId, new Date())) ?? assert.fail()
  const actor = actorOf({ tenantId: row.tenantId, userId: row.id, tokenId, ...bearer })
  return { actor, purposeOfUse: null, request: 'r', ip: null, userAgent: null }
}

async function patientOf(reference: string): Promise<PatientId> {
  const { columns } = await vault.secrets.get(clinic.tenant.id)
  return (await vault.catalog.findPatient(clinic.tenant.id, reference, columns)) ?? assert.fail()
}

async function lastOf(action: string) {
  const events = await auditEvents(vault, clinic.tenant.id)
  return events.findLast(event => event.action === action) ?? assert.fail(`no ${action}`)
}

test('archived, listed, shown, marked and heard: every event names the patient, and no event the reference', async () => {
  const first = await archiveOne('one', 'MRN-1')
  const patient = await patientOf('MRN-1')
  assert.deepEqual((await lastOf('recording.archived')).patients, [patient])
  await archiveOne('two', 'MRN-1')
  await archiveOne('three', 'MRN-2')
  await archiveOne('four', null)
  assert.equal((await lastOf('recording.archived')).patients, undefined)

  const facts = await personRequest()
  const page = await listRecordings(vault, facts, RecordingQuery.parse({}), {})
  const listed = await lastOf('recording.listed')
  assert.deepEqual([...(listed.patients ?? [])].sort(), [patient, await patientOf('MRN-2')].sort())
  assert.deepEqual(listed.detail, { kind: 'found', count: page.recordings.length })

  await showRecording(vault, facts, first, {})
  assert.deepEqual((await lastOf('recording.shown')).patients, [patient])
  await markRecording(vault, facts, first, true, {})
  assert.deepEqual((await lastOf('recording.marked')).patients, [patient])

  await using player = createPlayer(vault)
  const { tenantId, userId, tokenId } = facts.actor
  const bearer = { tenantId, userId, tokenId, secretHash: null }
  const asked = { ...facts, bearer, recordingId: first, role: 'playback', purpose: 'play' } as const
  await player.open({ ...asked, purposeOfUse: 'treatment' })
  const played = await lastOf('recording.played')
  assert.deepEqual([played.patients, played.purpose], [[patient], 'treatment'])
  for (const { leaf } of await vault.catalog.listEvents(tenantId, { afterId: null, limit: 1000 }))
    assert.ok(!Buffer.from(leaf).includes('MRN'))
})

test('recordings from before get the names that later ones have, once', async () => {
  const recordingId = await archiveOne('old', 'MRN-old')
  const newer = await patientOf('MRN-old')
  await vault.database.superuserPool.query('update auricle.recording set patient_id = null where id = $1', [
    recordingId,
  ])
  assert.deepEqual(await namePatients(vault, {}), { named: 1, damaged: 0 })
  const { columns } = await vault.secrets.get(clinic.tenant.id)
  const row = await vault.catalog.findRecording(clinic.tenant.id, recordingId, columns)
  assert.equal(row?.patientId, newer)
  assert.deepEqual(await namePatients(vault, {}), { named: 0, damaged: 0 })
})

test('who is refused is told of no patient, and the log tells whom it was about', async () => {
  const recordingId = await archiveOne('refused', 'MRN-refused')
  const { row } = clinic.stranger
  const bearer = {
    ...{ tenantId: row.tenantId, userId: row.id, secretHash: null },
    tokenId: await giveToken(vault, clinic.stranger),
  }
  await using player = createPlayer(vault)
  const origin = { request: 'r', ip: null, userAgent: null, purposeOfUse: null }
  await assert.rejects(player.open({ ...origin, bearer, recordingId, role: 'original', purpose: 'play' }), {
    code: 'denied',
  })
  const event = await lastOf('recording.played')
  assert.deepEqual([event.outcome, event.patients], ['denied', [await patientOf('MRN-refused')]])
})
