// A recording that is being destroyed, or is: to everybody who asks it is not there, and nothing brings it back.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type RecordingId, RecordingQuery } from '@auricle/contract'
import { type EndOfLife, openEndOfLife } from '../../../../test/disposition-vault.ts'
import { deliveryOf, giveToken, noticeOf, shortWav } from '../../../../test/vault.ts'
import { actorOf } from '../actor.ts'
import { labelRecording, listRecordings, markRecording, showRecording } from '../browse.ts'
import { namePatients } from '../name-patients.ts'
import { createPlayer } from '../play.ts'
import { receive } from '../receive.ts'
import { attemptReplication } from '../replicate-attempt.ts'
import { verifyTenant } from '../verify.ts'
import { verifyCopies } from '../verify-copies.ts'
import { destroyReady } from './destroy-ready.ts'

let end: EndOfLife
let destroying: RecordingId
let destroyed: RecordingId
let kept: RecordingId

before(async () => {
  end = await openEndOfLife()
  destroyed = await end.archive({ sourceId: 'the first' })
  await end.propose()
  end.pass(8)
  await destroyReady(end.parts, {})
  destroying = await end.archive({ sourceId: 'the second', patientReference: 'MRN-7' })
  await end.propose()
  end.pass(8)
  // Its waveform goes, and then the store is out.
  const { primary, recovery } = end
  let deletes = 0
  const failing = {
    list: primary.list.bind(primary),
    listGone: primary.listGone.bind(primary),
    restorable: primary.restorable.bind(primary),
    delete: (...args: Parameters<typeof primary.delete>) => {
      if (++deletes > 1) return Promise.reject(new Error('out'))
      return primary.delete(...args)
    },
  }
  await destroyReady({ ...end.parts, stores: { primary: failing, recovery } }, {})
  kept = await end.archive({ sourceId: 'the third' })
})
after(() => end[Symbol.asyncDispose]())

async function clinician() {
  const { row } = end.clinic.clinician
  const tokenId = await giveToken(end.vault, end.clinic.clinician)
  const bearer = (await end.vault.catalog.findBearer(row.tenantId, tokenId, new Date())) ?? assert.fail()
  const actor = actorOf({ tenantId: row.tenantId, userId: row.id, tokenId, ...bearer })
  return { actor, purposeOfUse: 'treatment', request: 'r', ip: null, userAgent: null } as const
}

const absent = { name: 'VaultError', code: 'not_found' }

describe('what is being destroyed, and what is,', () => {
  test('is not in lists', async () => {
    for (const query of [{}, { mailbox: end.clinic.mailbox.id }, { number: '+1 555 0100' }]) {
      const facts = await clinician()
      const page = await listRecordings(end.vault, facts, RecordingQuery.parse(query), {})
      assert.deepEqual(
        page.recordings.map(({ id }) => id),
        [kept],
      )
    }
  })

  test('is not shown, marked or labelled', async () => {
    for (const id of [destroying, destroyed]) {
      const facts = await clinician()
      await assert.rejects(showRecording(end.vault, facts, id, {}), absent)
      await assert.rejects(markRecording(end.vault, facts, id, true, {}), absent)
      const change = { add: ['vip' as const], remove: [] }
      await assert.rejects(labelRecording(end.vault, facts, id, change, {}), absent)
    }
  })

  test('is not heard, and its waveform not drawn', async () => {
    await using player = createPlayer(end.vault)
    for (const id of [destroying, destroyed]) {
      for (const role of ['playback', 'original', 'peaks'] as const) {
        const facts = await clinician()
        const { tenantId, userId, tokenId } = facts.actor
        const bearer = { tenantId, userId, tokenId, secretHash: null }
        const asked = { ...facts, bearer, recordingId: id, role, purpose: 'play' } as const
        await assert.rejects(player.open(asked), absent)
      }
    }
  })

  test('is neither verified nor copied nor named again', async () => {
    const seen = new Set<string>()
    for await (const finding of verifyTenant(end.vault, end.tenantId, {})) {
      assert.equal(finding.type, 'good')
      if (finding.type === 'good') seen.add(finding.recording)
    }
    for await (const finding of verifyCopies({ ...end.vault, recovery: end.recovery }, end.tenantId, {})) {
      assert.equal(finding.type, 'good')
      seen.add(finding.recording)
    }
    assert.deepEqual([...seen], [kept])
    await end.vault.database.superuserPool.query(
      `update auricle.recording_object set replicated_at = null, recovery_generation = null
       where recording_id = any($1) and role = 'original'`,
      [[destroying, destroyed]],
    )
    for (const id of [destroying, destroyed]) {
      const outcome = await attemptReplication({ ...end.vault, recovery: end.recovery }, end.tenantId, id, {})
      assert.equal(outcome.status, 'gone')
    }
    await end.vault.database.superuserPool.query(
      'update auricle.recording set patient_id = null where id = $1',
      [destroying],
    )
    assert.deepEqual(await namePatients(end.vault, {}), { named: 0, damaged: 0 })
  })

  test('is not brought back by a delivery of the same name, whatever it holds', async () => {
    for (const sourceId of ['the first', 'the second']) {
      const delivery = deliveryOf(shortWav(2), noticeOf(sourceId))
      const receiving = receive(end.vault, end.clinic.connector, delivery, { request: 'r' })
      // Of what is destroyed, nothing is left that the audio could be compared with.
      if (sourceId === 'the second') await assert.rejects(receiving, { code: 'source_conflict' })
      else
        assert.deepEqual(
          [(await receiving).duplicate, (await receiving).receipt.recording],
          [true, destroyed],
        )
    }
    const facts = await clinician()
    const page = await listRecordings(end.vault, facts, RecordingQuery.parse({}), {})
    assert.deepEqual(
      page.recordings.map(({ id }) => id),
      [kept],
    )
  })
})
