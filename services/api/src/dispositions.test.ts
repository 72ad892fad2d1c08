// Dispositions from the outside: two different people, what may be taken out, what each is told, and what the log says.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { AuditEvent } from '@auricle/audit'
import {
  DispositionDetail,
  DispositionItemPage,
  DispositionPage,
  DispositionPreview,
  newDispositionId,
  newRecordingId,
  type RecordingId,
} from '@auricle/contract'
import { archiveAudio } from '../../../test/archived.ts'
import { ask, problemOf } from '../../../test/ask.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { placeHoldRow } from '../../../test/disposition-fixture.ts'
import { addRule, leaveOutOfRecordSet, makeOld } from '../../../test/disposition-vault.ts'
import { type Front, openFront } from '../../../test/front.ts'
import {
  type Clinic,
  makeClinic,
  makePerson,
  openTestVault,
  shortWav,
  type TestVault,
} from '../../../test/vault.ts'

let vault: TestVault
let front: Front
let clinic: Clinic
let officer: string
let administrator: string
let second: string

before(async () => {
  vault = await openTestVault()
  front = await openFront(vault)
})
beforeEach(async () => {
  clinic = await makeClinic(vault)
  await addRule(vault, clinic.tenant.id, { dispose: 'review' })
  await leaveOutOfRecordSet(vault, clinic.tenant.id, clinic.mailbox.id)
  officer = (await front.sessionOf(clinic.complianceOfficer)).token
  administrator = (await front.sessionOf(clinic.administrator)).token
  second = (await front.sessionOf(await makePerson(vault, clinic.tenant, 'second', ['compliance_officer'])))
    .token
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const post = (path: string, body: unknown, token = officer) => ask(front.url, token, ['POST', path], body)
const get = (path: string, token = officer) => ask(front.url, token, ['GET', path])
let deliveries = 0

async function old(): Promise<RecordingId> {
  const sourceId = `source-${deliveries++}`
  const id = await archiveAudio(vault, clinic, shortWav(1), { sourceId }, { audio: null })
  await makeOld(vault, clinic.tenant.id, id)
  return id
}

async function propose(recordings: readonly RecordingId[], token = officer): Promise<DispositionDetail> {
  const told = await post('/v1/dispositions', { recordings }, token)
  assert.equal(told.status, 201, JSON.stringify(told.body))
  return DispositionDetail.parse(told.body)
}
const review = (id: string, body: object, token = administrator) =>
  post(`/v1/dispositions/${id}/reviews`, { verdict: 'approve', ...body }, token)
const items = async (id: string, query = '') =>
  DispositionItemPage.parse((await get(`/v1/dispositions/${id}/items?${query}`)).body)
async function newest(action: AuditEvent['action']): Promise<AuditEvent> {
  const events = await auditEvents(vault, clinic.tenant.id)
  return events.findLast(event => event.action === action) ?? assert.fail(`no ${action} is in the log`)
}

describe('what is due', () => {
  test('is counted, proposed by one, approved by another, and waits', async () => {
    const [one, two] = [await old(), await old()]
    const preview = DispositionPreview.parse(
      (await post('/v1/disposition-previews', { recordings: [one, two, newRecordingId()] })).body,
    )
    // Nobody has decided on them by the rule yet, and a preview changes nothing.
    assert.equal(preview.leftOut.length, 3)

    const proposed = await propose([one, two])
    assert.deepEqual(
      [proposed.state, proposed.kind, proposed.stages, proposed.proposedBy, proposed.counts.listed],
      ['proposed', 'review', 1, clinic.complianceOfficer.row.id, 2],
    )
    const event = await newest('disposition.proposed')
    assert.deepEqual([event.object?.id, event.detail], [proposed.id, { kind: 'found', count: 2 }])

    const approved = await review(proposed.id, { note: 'as the rule says' })
    assert.equal(approved.status, 201, JSON.stringify(approved.body))
    const { state, readyAt, reviews } = DispositionDetail.parse(approved.body)
    assert.equal(state, 'waiting')
    const days = (Date.parse(readyAt ?? '') - Date.parse(proposed.proposedAt)) / 86_400_000
    assert.ok(days >= 7 && days < 7.1, `${days} days`)
    assert.deepEqual(
      reviews.map(({ stage, by, verdict, note }) => ({ stage, by, verdict, note })),
      [
        {
          ...{ stage: 1, by: clinic.administrator.row.id, verdict: 'approve' },
          note: 'as the rule says',
        },
      ],
    )
    assert.deepEqual((await newest('disposition.reviewed')).reasons.slice(0, 1), ['approve'])
    for (const { leaf } of await vault.catalog.listEvents(clinic.tenant.id, { afterId: null, limit: 1000 }))
      assert.ok(!Buffer.from(leaf).includes('as the rule says'))

    const again = await post('/v1/dispositions', { recordings: [one, two] })
    assert.equal(problemOf(again), 'conflict')
    const first = await items(proposed.id, 'limit=1')
    const rest = await items(proposed.id, `limit=1&cursor=${first.nextCursor}`)
    assert.deepEqual(
      [...first.items, ...rest.items].map(({ recording }) => recording),
      [one, two].toSorted(),
    )
    assert.equal(rest.nextCursor, null)
    assert.equal((await items(proposed.id, 'state=kept')).items.length, 0)
  })

  test('is counted once the rules have come to it, and what is held is left out', async () => {
    const [one, two] = [await old(), await old()]
    await propose([one])
    await placeHoldRow(vault.database.appPool, clinic.tenant.id, [two], new Date())
    const answer = await post('/v1/dispositions', { recordings: [two] })
    assert.equal(problemOf(answer), 'conflict')
    const preview = await post('/v1/disposition-previews', {})
    assert.deepEqual(DispositionPreview.parse(preview.body).count, 0)
  })
})

describe('nobody', () => {
  test('reviews what they proposed, or twice, whatever their rights; and that is in the log', async () => {
    await vault.database.superuserPool.query(
      'update auricle.tenant set disposition_stages = 2 where id = $1',
      [clinic.tenant.id],
    )
    const { id } = await propose([await old()])
    for (const verdict of ['approve', 'reject']) {
      assert.equal(problemOf(await review(id, { verdict }, officer)), 'denied')
      const denied = await newest('disposition.reviewed')
      assert.deepEqual([denied.outcome, denied.reasons], ['denied', ['own_proposal']])
    }
    assert.equal((await review(id, {})).status, 201)
    assert.equal(problemOf(await review(id, {})), 'denied')
    assert.deepEqual((await newest('disposition.reviewed')).reasons, ['reviewed_before'])
    assert.equal(DispositionDetail.parse((await get(`/v1/dispositions/${id}`)).body).state, 'proposed')
    const last = await review(id, {}, second)
    assert.equal(DispositionDetail.parse(last.body).state, 'waiting')
    assert.equal(problemOf(await review(id, {}, second)), 'conflict')
  })

  test('but those of the role proposes, reviews or cancels', async () => {
    const recording = await old()
    const { id } = await propose([recording])
    for (const person of [clinic.clinician, clinic.supervisor, clinic.auditor]) {
      const { token } = await front.sessionOf(person)
      assert.equal(problemOf(await post('/v1/dispositions', { recordings: [recording] }, token)), 'denied')
      assert.equal(problemOf(await review(id, {}, token)), 'denied')
      assert.equal(problemOf(await post(`/v1/dispositions/${id}/cancellation`, {}, token)), 'denied')
    }
    assert.equal(
      problemOf(await post('/v1/dispositions', { recordings: [recording] }, administrator)),
      'denied',
    )
  })

  test('of another tenant learns of it', async () => {
    const { id } = await propose([await old()])
    const other = await makeClinic(vault)
    const { token } = await front.sessionOf(other.complianceOfficer)
    for (const path of ['', '/items']) {
      assert.equal(problemOf(await get(`/v1/dispositions/${id}${path}`, token)), 'notFound')
      assert.equal(problemOf(await get(`/v1/dispositions/${newDispositionId()}${path}`, token)), 'notFound')
    }
    assert.equal(problemOf(await review(id, {}, token)), 'notFound')
    assert.equal(problemOf(await post(`/v1/dispositions/${id}/cancellation`, {}, token)), 'notFound')
  })
})

describe('a reviewer', () => {
  test('takes recordings out, and the others go on', async () => {
    const [one, two] = [await old(), await old()]
    const { id } = await propose([one, two])
    assert.equal(problemOf(await review(id, { keep: [newRecordingId()] })), 'conflict')
    assert.equal(problemOf(await review(id, { keep: [one, two] })), 'conflict')
    const { counts } = DispositionDetail.parse((await review(id, { keep: [one, one] })).body)
    assert.deepEqual([counts.listed, counts.kept], [1, 1])
    const [kept] = (await items(id, 'state=kept')).items
    assert.deepEqual([kept?.recording, kept?.reason], [one, 'reviewer'])
    // A person may, what the vault does not do by itself.
    assert.equal((await propose([one], second)).counts.listed, 1)
  })

  test('says no, and it is over', async () => {
    const { id } = await propose([await old()])
    const told = DispositionDetail.parse((await review(id, { verdict: 'reject', note: 'not yet' })).body)
    assert.deepEqual([told.state, told.endedBy], ['rejected', clinic.administrator.row.id])
    assert.equal(problemOf(await review(id, {}, second)), 'conflict')
  })
})

describe('whoever may propose', () => {
  test('cancels, until something is being destroyed', async () => {
    const { id } = await propose([await old()])
    const told = await post(`/v1/dispositions/${id}/cancellation`, {}, second)
    assert.equal(DispositionDetail.parse(told.body).state, 'cancelled')
    assert.equal(problemOf(await post(`/v1/dispositions/${id}/cancellation`, {})), 'conflict')
    assert.deepEqual((await newest('disposition.cancelled')).object?.id, id)
  })

  test('finds all of them, newest first, by state', async () => {
    const ids = [(await propose([await old()])).id, (await propose([await old()])).id]
    await post(`/v1/dispositions/${ids[0]}/cancellation`, {})
    const page = DispositionPage.parse((await get('/v1/dispositions?limit=1')).body)
    assert.deepEqual(
      page.dispositions.map(({ id }) => id),
      ids.slice(1),
    )
    const rest = DispositionPage.parse((await get(`/v1/dispositions?limit=1&cursor=${page.nextCursor}`)).body)
    assert.deepEqual(
      rest.dispositions.map(({ id }) => id),
      ids.slice(0, 1),
    )
    const open = DispositionPage.parse((await get('/v1/dispositions?state=proposed', administrator)).body)
    assert.deepEqual(
      open.dispositions.map(({ id }) => id),
      ids.slice(1),
    )
  })
})
