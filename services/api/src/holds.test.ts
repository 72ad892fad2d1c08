// Legal holds from the outside: who may, what is answered, what the log says and keeps, and what stands nowhere in clear.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { AuditEvent } from '@auricle/audit'
import {
  HeldPage,
  HoldChange,
  HoldDetail,
  type HoldId,
  HoldPage,
  HoldPreview,
  HoldView,
  newHoldId,
  newMailboxId,
  newPatientId,
  newRecordingId,
  newUserId,
  OwnNotice,
  OwnNoticeList,
  type RecordingId,
  RecordingPage,
} from '@auricle/contract'
import { archiveAudio } from '../../../test/archived.ts'
import { ask, problemOf } from '../../../test/ask.ts'
import { auditEvents, privatePartOf } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { type Clinic, makeClinic, openTestVault, shortWav, type TestVault } from '../../../test/vault.ts'

const reference = 'MRN-zebra-77'
const number = '+1 202 555 0143'
const matter = 'Quagga against Zebra'

let vault: TestVault
let front: Front
let clinic: Clinic
let officer: string
let clinician: string

before(async () => {
  vault = await openTestVault()
  front = await openFront(vault)
})
beforeEach(async () => {
  clinic = await makeClinic(vault)
  officer = (await front.sessionOf(clinic.complianceOfficer)).token
  clinician = (await front.sessionOf(clinic.clinician)).token
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const post = (path: string, body: unknown, token = officer) => ask(front.url, token, ['POST', path], body)
const get = (path: string, token = officer) => ask(front.url, token, ['GET', path])
let deliveries = 0
const record = (facts: object = {}): Promise<RecordingId> =>
  archiveAudio(vault, clinic, shortWav(1), { sourceId: `source-${deliveries++}`, ...facts })

async function place(body: object): Promise<HoldChange> {
  const told = await post('/v1/holds', { matter, ...body })
  assert.equal(told.status, 201, JSON.stringify(told.body))
  return HoldChange.parse(told.body)
}
async function newest(action: AuditEvent['action']): Promise<AuditEvent> {
  const events = await auditEvents(vault, clinic.tenant.id)
  return events.findLast(event => event.action === action) ?? assert.fail(`no ${action} is in the log`)
}
const heldOf = async (id: HoldId) =>
  HeldPage.parse((await get(`/v1/holds/${id}/recordings`)).body).recordings.map(one => one.id)
async function listed(query: string, token = officer): Promise<readonly RecordingId[]> {
  const { recordings } = RecordingPage.parse((await get(`/v1/recordings?${query}`, token)).body)
  return recordings.map(one => one.id)
}

test('a hold covers what it asks for, now and later, and is seen with the recordings', async () => {
  const [called, other] = [await record({ from: number }), await record()]
  const clauses = [{ number }, { patient: reference, kind: 'voicemail' }, { label: 'vip' }]
  const preview = HoldPreview.parse((await post('/v1/hold-previews', { clauses })).body)
  assert.deepEqual([preview.recordings, preview.heldAlready], [1, 0])
  assert.equal(await vault.catalog.findPatient(clinic.tenant.id, reference, (await secrets()).columns), null)

  const { hold, covered } = await place({ clauses })
  assert.equal(covered, 1)
  const later = await record({ patientReference: ` ${reference} ` })
  assert.deepEqual(await heldOf(hold.id), [called, later].toSorted())
  const labelled = await ask(front.url, officer, ['PATCH', `/v1/recordings/${other}`], {
    labels: { add: ['vip'], remove: [] },
  })
  assert.equal(labelled.status, 200)
  assert.deepEqual(await heldOf(hold.id), [called, later, other].toSorted())
  assert.deepEqual((await listed('held=true')).toSorted(), [called, later, other].toSorted())
  assert.deepEqual(await listed('held=false'), [])

  const shown = HoldDetail.parse((await get(`/v1/holds/${hold.id}`)).body)
  assert.deepEqual(
    shown.scope.map(({ clause }) => clause),
    clauses,
  )
  assert.equal(shown.recordings, 3)
  const pages = HeldPage.parse((await get(`/v1/holds/${hold.id}/recordings?limit=2`)).body)
  const rest = await get(`/v1/holds/${hold.id}/recordings?limit=2&cursor=${pages.nextCursor}`)
  assert.deepEqual(HeldPage.parse(rest.body).nextCursor, null)
  assert.equal(HeldPage.parse(rest.body).recordings.length, 1)
})

const secrets = () => vault.secrets.get(clinic.tenant.id, {})

test('one recording is let go, then the whole hold; each with its reason in the log and nowhere else', async () => {
  const [one, two] = [await record(), await record()]
  const { hold } = await place({ clauses: [{ everything: true }] })
  const release = { reason: 'It is not about the quagga' }
  const path = `/v1/holds/${hold.id}/recordings/${one}/release`
  assert.equal((await post(path, release)).status, 204)
  assert.equal(problemOf(await post(path, release)), 'conflict')
  assert.deepEqual(await listed('held=true'), [two])
  const event = await newest('hold.cover_released')
  assert.deepEqual(event.object, { type: 'hold', id: hold.id, version: one })
  const part = await privatePartOf(vault, clinic.tenant.id, event.id)
  assert.deepEqual([part?.reason, part?.what], [release.reason, matter])

  // By hand it is back.
  const back = HoldChange.parse((await post(`/v1/holds/${hold.id}/recordings`, { recordings: [one] })).body)
  assert.equal(back.covered, 1)
  const over = await post(`/v1/holds/${hold.id}/release`, { reason: 'Settled for a quagga' })
  assert.equal(over.status, 201)
  const view = HoldView.parse(over.body)
  assert.deepEqual(
    [view.state, view.recordings, view.release?.reason],
    ['released', 2, 'Settled for a quagga'],
  )
  assert.deepEqual((await newest('hold.released')).detail, { kind: 'covered', count: 2 })
  assert.deepEqual(await listed('held=true'), [])
  for (const [action, body] of [
    ['release', { reason: 'again' }],
    ['recordings', { recordings: [two] }],
    ['clauses', { clauses: [{ everything: true }] }],
    ['custodians', { custodians: [clinic.clinician.row.id] }],
  ] as const)
    assert.equal(problemOf(await post(`/v1/holds/${hold.id}/${action}`, body)), 'conflict', action)
  const list = async (query: string) => HoldPage.parse((await get(`/v1/holds${query}`)).body).holds.length
  assert.deepEqual([await list(''), await list('?active=true'), await list('?active=false')], [1, 0, 1])
})

test('custodians read what they are told, each for themselves, and nobody else does', async () => {
  const id = clinic.clinician.row.id
  const notice = 'Keep the paper slips.'
  const { hold } = await place({ notice, clauses: [{ everything: true }], custodians: [id] })
  const own = OwnNoticeList.parse((await get('/v1/own-notices', clinician)).body)
  assert.deepEqual(
    own.notices.map(one => [one.id, one.acknowledgedAt]),
    [[hold.id, null]],
  )
  const plain = await fetch(`${front.url}/v1/own-notices`, {
    headers: { authorization: `Bearer ${clinician}`, accept: 'text/plain' },
  })
  assert.equal(plain.headers.get('content-type'), 'text/plain; charset=utf-8')
  const text = await plain.text()
  assert.match(text, /^LEGAL HOLD: DO NOT DESTROY\n.*Keep the paper slips\./s)
  assert.doesNotMatch(text, /Quagga/)

  const stranger = (await front.sessionOf(clinic.stranger)).token
  assert.deepEqual(OwnNoticeList.parse((await get('/v1/own-notices', stranger)).body).notices, [])
  const acknowledge = `/v1/own-notices/${hold.id}/acknowledgement`
  assert.equal(problemOf(await post(acknowledge, {}, stranger)), 'notFound')
  const denied = (await auditEvents(vault, clinic.tenant.id)).at(-1)
  assert.deepEqual([denied?.action, denied?.outcome], ['hold.acknowledged', 'denied'])
  const read = await post(acknowledge, {}, clinician)
  assert.equal(read.status, 201)
  assert.notEqual(OwnNotice.parse(read.body).acknowledgedAt, null)
  assert.equal((await newest('hold.acknowledged')).actor.id, id)
  assert.equal(problemOf(await post(acknowledge, {}, clinician)), 'conflict')
  const { acknowledged, custodians } = HoldDetail.parse((await get(`/v1/holds/${hold.id}`)).body)
  assert.deepEqual([acknowledged, custodians], [1, 1])
})

test('whoever may not, or not any more, is refused and in the log', async () => {
  const body = { matter, clauses: [{ everything: true }] }
  const stale = await front.sessionOf(clinic.complianceOfficer, {
    verifiedAt: new Date(Date.now() - 6 * 60_000),
  })
  assert.equal(problemOf(await post('/v1/holds', body, stale.token)), 'stepUpRequired')
  assert.equal(problemOf(await post('/v1/holds', body, clinician)), 'denied')
  assert.equal(problemOf(await get('/v1/holds', clinician)), 'denied')
  const program = await front.tokenOf(clinic.complianceOfficer)
  assert.equal(problemOf(await post('/v1/holds', body, program)), 'denied')
  const { hold } = await place({ clauses: [{ everything: true }] })
  assert.equal(
    problemOf(await post(`/v1/holds/${hold.id}/release`, { reason: 'r' }, stale.token)),
    'stepUpRequired',
  )
  const denied = (await auditEvents(vault, clinic.tenant.id)).filter(({ outcome }) => outcome === 'denied')
  assert.deepEqual(
    denied.map(({ action, reasons }) => [action, reasons[0]]),
    [
      ['hold.placed', 'step_up_required'],
      ['hold.placed', 'no_role'],
      ['hold.listed', 'no_role'],
      ['hold.placed', 'needs_session'],
      ['hold.released', 'step_up_required'],
    ],
  )
})

test('what is not there, or not whole, holds nothing at all', async () => {
  const own = await record()
  const absent: object[] = [
    { recordings: [own, newRecordingId()] },
    { recordings: [own], custodians: [newUserId()] },
    { recordings: [own], clauses: [{ mailbox: newMailboxId() }] },
    { recordings: [own], clauses: [{ patient: newPatientId() }] },
  ]
  for (const scope of absent) {
    assert.equal(problemOf(await post('/v1/holds', { matter, ...scope })), 'notFound')
    const last = (await auditEvents(vault, clinic.tenant.id)).at(-1)
    assert.deepEqual([last?.action, last?.outcome, last?.reasons], ['hold.placed', 'denied', ['not_found']])
  }
  const malformed: object[] = [
    {},
    { clauses: [{}] },
    { clauses: [{ everything: false }] },
    { clauses: [{ everything: true, kind: 'voicemail' }] },
    { clauses: [{ number: 'nobody@host5' }] },
    { clauses: [{ number: 'tel:;ext=5' }] },
    { clauses: [{ after: '2026-01-01T00:00:00Z', before: '2026-01-01T00:00:00Z' }] },
    { clauses: [{ labels: 'vip' }] },
    { recordings: ['rec_1'] },
  ]
  for (const scope of malformed)
    assert.equal(problemOf(await post('/v1/holds', { matter, ...scope })), 'malformed', JSON.stringify(scope))
  assert.equal(problemOf(await get(`/v1/holds/${newHoldId()}`)), 'notFound')
  assert.equal(problemOf(await post(`/v1/holds/${newHoldId()}/release`, { reason: 'r' })), 'notFound')
  assert.deepEqual(await listed('held=true'), [])
})

test('the log keeps the private part of what is about a held recording, until it is released', async () => {
  const [held, free] = [await record({ from: number }), await record()]
  for (const id of [held, free]) assert.equal((await get(`/v1/recordings/${id}`, clinician)).status, 200)
  const { hold } = await place({ clauses: [{ number }] })
  const shown = (await auditEvents(vault, clinic.tenant.id)).filter(
    ({ action }) => action === 'recording.shown',
  )
  const drop = async (recording: RecordingId) => {
    const event = shown.find(({ object }) => object?.id === recording) ?? assert.fail()
    return post(`/v1/audit/events/${event.id}/private-part`, { reason: 'asked for' })
  }
  assert.equal((await drop(free)).status, 204)
  assert.equal(problemOf(await drop(held)), 'conflict')
  const refused = await newest('private_part.dropped')
  assert.deepEqual([refused.outcome, refused.reasons], ['denied', ['held']])
  const event = shown.find(({ object }) => object?.id === held) ?? assert.fail()
  assert.notEqual(await privatePartOf(vault, clinic.tenant.id, event.id), null)
  // Nor of the hold itself.
  const placed = await newest('hold.placed')
  const ofHold = await post(`/v1/audit/events/${placed.id}/private-part`, { reason: 'asked for' })
  assert.equal(problemOf(ofHold), 'conflict')
  assert.equal((await post(`/v1/holds/${hold.id}/release`, { reason: 'over' })).status, 201)
  assert.equal((await drop(held)).status, 204)
})

test('matter, notice, clauses and reasons stand nowhere in clear: not in rows, events, or lines of the service', async () => {
  const words = { notice: 'Notice-about-a-quagga', reason: 'Reason-about-a-quagga' }
  const { hold } = await place({
    ...{ notice: words.notice, clauses: [{ number, patient: reference }] },
    custodians: [clinic.clinician.row.id],
  })
  await post('/v1/hold-previews', { clauses: [{ number, patient: reference }] })
  await get('/v1/own-notices', clinician)
  await post(`/v1/holds/${hold.id}/release`, { reason: words.reason })
  const secret = [matter, ...Object.values(words), reference, number, '12025550143']
  const places: [string, string][] = [['the lines of the service', front.log.text()]]
  const { rows: tables } = await vault.database.superuserPool.query<{ name: string }>(
    `select quote_ident(tablename) as name from pg_tables where schemaname = 'auricle'`,
  )
  for (const { name } of tables) {
    const { rows } = await vault.database.superuserPool.query<{ row: string }>(
      `select t::text as row from auricle.${name} t`,
    )
    places.push(...rows.map(({ row }): [string, string] => [name, row]))
  }
  for (const [where, text] of places) {
    for (const word of secret) {
      assert.ok(!text.includes(word), `${word} stands in ${where}`)
      assert.ok(!text.includes(Buffer.from(word).toString('hex')), `${word} stands in ${where}`)
    }
  }
})
