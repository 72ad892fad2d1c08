import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { decodeLeaf, decodePrivate } from '@auricle/audit'
import { Label, newBreakGlassId, newMailboxId, RecordingQuery, Scope } from '@auricle/contract'
import {
  type Clinic,
  deliveryOf,
  giveToken,
  makeClinic,
  noticeOf,
  openTestVault,
  type Person,
  shortWav,
  type TestVault,
} from '../../../test/vault.ts'
import { actorOf } from './actor.ts'
import { archive } from './archive.ts'
import { openPrivate } from './audit-record.ts'
import { listRecordings, markRecording, showRecording } from './browse.ts'
import { receive } from './receive.ts'
import type { RequestFacts } from './request-facts.ts'

let vault: TestVault
let clinic: Clinic

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  const { tenant, connector, connectorRow } = clinic
  const fetchAudio = () => Promise.reject(new Error('nothing is to be fetched here'))
  for (const [id, from] of [
    ['one', '+1 555 0100'],
    ['two', '+1 555 0199'],
  ] as const) {
    await receive(vault, connector, deliveryOf(shortWav(1), noticeOf(id, { from })), { request: 'r' })
    const intake = await vault.catalog.findIntakeBySource(tenant.id, connectorRow.id, connector.sourceKey(id))
    assert.ok(intake)
    await archive({ ...vault, audio: null, fetchAudio }, tenant.id, intake.id, {})
  }
})
after(() => vault[Symbol.asyncDispose]())

async function requestOf({ row }: Person): Promise<RequestFacts> {
  const tokenId = await giveToken(vault, { row, password: '', totpSecret: '' })
  const bearer = await vault.catalog.findBearer(row.tenantId, tokenId, new Date())
  assert.ok(bearer)
  return {
    actor: actorOf({ tenantId: row.tenantId, userId: row.id, tokenId, ...bearer }),
    purposeOfUse: null,
    request: 'request-of-a-test',
    ip: '192.0.2.7',
    userAgent: null,
  }
}

async function lastEvent() {
  const rows = await vault.catalog.listEvents(clinic.tenant.id, { afterId: null, limit: 1000 })
  const row = rows.at(-1)
  assert.ok(row)
  return { row, event: decodeLeaf(row.leaf) }
}

test('a list shows the own mailboxes, and its event keeps the number that was searched, sealed', async () => {
  const person = await requestOf(clinic.clinician)
  const all = await listRecordings(vault, person, RecordingQuery.parse({}), {})
  assert.equal(all.recordings.length, 2)
  const found = await listRecordings(vault, person, RecordingQuery.parse({ number: '1-555-0199' }), {})
  assert.deepEqual(
    found.recordings.map(({ from }) => from),
    ['+1 555 0199'],
  )
  const { row, event } = await lastEvent()
  assert.equal(event.action, 'recording.listed')
  assert.ok(!Buffer.from(row.leaf).includes('0199'))
  const { privateParts } = await vault.secrets.get(clinic.tenant.id)
  assert.ok(row.sealedPrivate)
  const { part } = decodePrivate(openPrivate(privateParts, row.id, row.sealedPrivate))
  assert.deepEqual(part, { ip: '192.0.2.7', number: '1-555-0199' })
})

test('who owns nothing sees nothing, and a mailbox of others is refused and logged', async () => {
  const stranger = await requestOf(clinic.stranger)
  assert.deepEqual((await listRecordings(vault, stranger, RecordingQuery.parse({}), {})).recordings, [])
  for (const mailbox of [clinic.mailbox.id, newMailboxId()]) {
    await assert.rejects(listRecordings(vault, stranger, RecordingQuery.parse({ mailbox }), {}), {
      code: 'denied',
    })
    assert.equal((await lastEvent()).event.outcome, 'denied')
  }
  await assert.rejects(
    listRecordings(vault, await requestOf(clinic.administrator), RecordingQuery.parse({}), {}),
    { code: 'denied' },
  )
})

test('heard is who heard it first, until it is marked unheard; both are logged, refusals too', async () => {
  const person = await requestOf(clinic.clinician)
  const { recordings } = await listRecordings(vault, person, RecordingQuery.parse({}), {})
  const [recording] = recordings
  assert.ok(recording)
  const heard = await markRecording(vault, person, recording.id, true, {})
  assert.equal(heard.heardBy, clinic.clinician.row.id)
  assert.equal((await markRecording(vault, person, recording.id, true, {})).heardAt, heard.heardAt)
  assert.deepEqual((await lastEvent()).event.reasons.slice(0, 1), ['heard'])
  assert.equal((await markRecording(vault, person, recording.id, false, {})).heardAt, null)
  const stranger = await requestOf(clinic.stranger)
  for (const attempt of [
    markRecording(vault, stranger, recording.id, true, {}),
    showRecording(vault, stranger, recording.id, {}),
  ]) {
    await assert.rejects(attempt, { code: 'denied' })
  }
  assert.equal((await showRecording(vault, person, recording.id, {})).heardAt, null)
})

test('a list holds exactly what may be shown: by role, relation, label and emergency', async () => {
  const { tenant, mailbox } = clinic
  const all = await vault.catalog.listRecordings(
    tenant.id,
    { mailboxIds: null, withoutLabels: [], limit: 50 },
    (await vault.secrets.get(tenant.id, {})).columns,
  )
  const query = RecordingQuery.parse({})
  const { actor, ...facts } = await requestOf(clinic.clinician)
  const breakGlass = { id: newBreakGlassId(), until: new Date(Date.now() + 60_000) }
  const own = [{ mailboxId: mailbox.id, kind: 'owner', until: null }] as const
  const supervised = [{ mailboxId: mailbox.id, kind: 'supervises', until: null }] as const
  const program = { kind: 'personal', scopes: Scope.options, verifiedAt: null } as const
  let compared = 0
  for (const label of [null, ...Label.options]) {
    await vault.database.superuserPool.query(
      'update auricle.recording set labels = $1 where tenant_id = $2',
      [label === null ? [] : [label], tenant.id],
    )
    for (const role of ['clinician', 'supervisor', 'compliance_officer'] as const) {
      for (const roles of label === null ? [[role]] : [[role], [role, `hears_${label}` as const]]) {
        for (const change of [
          { mailboxes: [] },
          { mailboxes: own },
          { mailboxes: supervised },
          { mailboxes: own, breakGlass },
          { mailboxes: [], breakGlass },
          { mailboxes: [], breakGlass, token: program },
        ]) {
          const asker = { ...facts, actor: { ...actor, roles, ...change } }
          const listed = await listRecordings(vault, asker, query, {})
          const named = await listRecordings(vault, asker, { ...query, mailbox: mailbox.id }, {}).catch(
            () => null,
          )
          for (const { id } of all.recordings) {
            const shown = await showRecording(vault, asker, id, {}).then(
              () => true,
              () => false,
            )
            const why = JSON.stringify([label, roles, change])
            // The list of everything leaves out what only one's own mailboxes open in an emergency.
            const isApart = label === 'psychotherapy' && 'breakGlass' in change
            if (!isApart)
              assert.equal(
                listed.recordings.some(one => one.id === id),
                shown,
                why,
              )
            assert.equal(named?.recordings.some(one => one.id === id) ?? false, shown, why)
            compared++
          }
        }
      }
    }
  }
  assert.ok(compared > 100)
  await vault.database.superuserPool.query(
    "update auricle.recording set labels = '{}' where tenant_id = $1",
    [tenant.id],
  )
})
