// The weekly review from the outside: opened once by several workers, read, signed once, told of when it is late.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  ActivityReviewDetail,
  ActivityReviewPage,
  newEventId,
  Problem,
  type ProblemName,
  problems,
  Session,
  WorkingHours,
} from '@auricle/contract'
import { totpCode } from '@auricle/identity'
import { type OnAlert, sweepReviews, weekOf } from '@auricle/vault'
import { archiveAudio } from '../../../test/archived.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import {
  type Clinic,
  makeClinic,
  openTestVault,
  type Person,
  shortWav,
  type TestVault,
} from '../../../test/vault.ts'

const weekMs = 7 * 24 * 3_600_000
const hourMs = 3_600_000

let vault: TestVault
let front: Front
before(async () => {
  vault = await openTestVault()
  front = await openFront(vault)
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

function call(method: string, path: string, token: string, body?: unknown): Promise<Response> {
  return fetch(front.url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

async function refused(response: Response, name: ProblemName): Promise<void> {
  assert.equal(Problem.parse(await response.json()).type, problems[name].type)
}

/** Events as the sequencer would have sealed them. */
async function seal(
  { tenant }: Clinic,
  events: readonly { at: Date; action: string; outcome?: string; actorId: string; objectId?: string }[],
): Promise<void> {
  const pool = vault.database.superuserPool
  const year = 2026
  await pool.query(
    `insert into auricle.audit_log (tenant_id, year, origin, opened_at) values ($1, $2, $3, now())
     on conflict do nothing`,
    [tenant.id, year, `audit.test/t/${tenant.id}/${year}`],
  )
  for (const { at, action, outcome = 'allowed', actorId, objectId = null } of events) {
    await pool.query(
      `insert into auricle.audit_seal
         (tenant_id, year, seq, event_id, leaf_hash, at, action, outcome, actor_id, object_id)
       select $1, $2, coalesce(max(seq), -1) + 1, $3, sha256('x'), $4, $5, $6, $7, $8
       from auricle.audit_seal where tenant_id = $1`,
      [tenant.id, year, newEventId(), at, action, outcome, actorId, objectId],
    )
  }
}

const sweepAt = (now: Date, onAlert: OnAlert = () => undefined) =>
  sweepReviews({ ...vault, onAlert, now: () => now }, {})

async function sessionOf({ tenant }: Clinic, { row, password, totpSecret }: Person): Promise<string> {
  const credentials = { tenant: tenant.slug, login: row.login, password }
  const code = totpCode(totpSecret, new Date())
  const response = await fetch(`${front.url}/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...credentials, code }),
  })
  return Session.parse(await response.json()).token
}

test('a week is looked through once, by any number of workers, and each finding is signed with a verdict', async () => {
  const clinic = await makeClinic(vault)
  const officer = await sessionOf(clinic, clinic.complianceOfficer)
  const { id: userId, name } = clinic.clinician.row
  const surname = name.split(' ').at(-1) ?? name
  const recordingId = await archiveAudio(vault, clinic, shortWav(1), {
    sourceId: 'one',
    fromName: `Somebody ${surname}`,
  })
  const from = weekOf(clinic.tenant.createdAt)
  const night = new Date(from.getTime() + 26 * hourMs)
  await seal(clinic, [
    { at: night, action: 'recording.played', actorId: userId, objectId: recordingId },
    ...Array.from({ length: 5 }, (_, minute) => ({
      ...{ at: new Date(from.getTime() + 30 * hourMs + minute * 60_000), action: 'session.refused' },
      ...{ actorId: 'sign-in', outcome: 'denied' },
    })),
    {
      at: new Date(from.getTime() + weekMs),
      action: 'recording.played',
      actorId: userId,
      objectId: recordingId,
    },
  ])
  const over = new Date(from.getTime() + weekMs)
  await sweepAt(new Date(over.getTime() + hourMs - 1))
  const reviewsOf = async (query = '') => {
    const response = await call('GET', `/v1/activity-reviews${query}`, officer)
    return ActivityReviewPage.parse(await response.json()).reviews
  }
  assert.deepEqual(await reviewsOf(), [], 'a week settles for an hour')
  await Promise.all(Array.from({ length: 4 }, () => sweepAt(new Date(over.getTime() + hourMs))))
  const [review, ...others] = await reviewsOf('?open=true')
  assert.deepEqual(others, [])
  assert.ok(review !== undefined)
  const path = `/v1/activity-reviews/${review.id}`
  const shown = ActivityReviewDetail.parse(await (await call('GET', path, officer)).json())
  assert.deepEqual(
    shown.findings.map(({ kind, actor, eventCount }) => [kind, actor?.name ?? actor?.id, eventCount]),
    [
      ['same_name', name, 1],
      ['after_hours', name, 1],
      ['failed_sign_ins', 'sign-in', 5],
    ],
  )
  const verdicts = shown.findings.map(({ number }) => ({ number, verdict: 'expected' }))
  const sign = (body: unknown, who: string = officer) => call('POST', `${path}/signature`, who, body)
  await refused(await sign({ note: 'seen', verdicts: verdicts.slice(1) }), 'conflict')
  await refused(await sign({ note: 'seen', verdicts: [...verdicts.slice(1), verdicts[1]] }), 'conflict')
  await refused(await sign({ note: ' ', verdicts }), 'malformed')
  await refused(await sign({ note: 'seen', verdicts }, await sessionOf(clinic, clinic.clinician)), 'denied')
  const answers = await Promise.all([
    sign({ note: 'a private note', verdicts }),
    sign({ note: 'a private note', verdicts }),
  ])
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 409])
  const signed = ActivityReviewDetail.parse(await (await call('GET', path, officer)).json())
  assert.deepEqual(
    [signed.state, signed.note, signed.signature?.by, signed.findings.map(({ verdict }) => verdict)],
    ['signed', 'a private note', clinic.complianceOfficer.row.id, ['expected', 'expected', 'expected']],
  )
  const { rows } = await vault.database.superuserPool.query<{ note: Buffer }>(
    'select note from auricle.activity_review where id = $1',
    [review.id],
  )
  assert.ok(!rows[0]?.note.includes('private'), 'the note is sealed')
  const logged = (await auditEvents(vault, clinic.tenant.id)).filter(({ object }) => object?.id === review.id)
  assert.deepEqual(
    logged.filter(({ outcome }) => outcome === 'allowed').map(({ action }) => action),
    ['review.opened', 'review.listed', 'review.signed', 'review.listed'],
  )
})

test('a review that nobody signs is told of once, and weeks without a worker are looked at later', async () => {
  const clinic = await makeClinic(vault)
  const officer = await sessionOf(clinic, clinic.complianceOfficer)
  const from = weekOf(clinic.tenant.createdAt)
  const late = new Date(from.getTime() + 3 * weekMs + hourMs)
  await sweepAt(late)
  const pool = vault.database.superuserPool
  const count = 'select count(*)::integer as count from auricle.activity_review where tenant_id = $1'
  assert.equal(
    (await pool.query(count, [clinic.tenant.id])).rows[0].count,
    0,
    'nothing before there is a log',
  )
  await seal(clinic, [])
  await sweepAt(late)
  const list = async () => {
    const response = await call('GET', '/v1/activity-reviews', officer)
    return ActivityReviewPage.parse(await response.json()).reviews
  }
  assert.deepEqual(
    (await list()).map(review => review.from).toSorted(),
    [0, 1, 2].map(week => new Date(from.getTime() + week * weekMs).toISOString()),
  )
  // Of every tenant that these tests made, so alerts are counted in the one.
  const overdue = async () => {
    const alerts = await vault.catalog.listAlerts(clinic.tenant.id, { beforeId: null, limit: 100 })
    return alerts.filter(({ kind }) => kind === 'activity_review_overdue').length
  }
  await sweepAt(new Date(late.getTime() + weekMs - 1))
  assert.equal(await overdue(), 0)
  const told: string[] = []
  const due = new Date(late.getTime() + weekMs)
  await Promise.all(Array.from({ length: 3 }, () => sweepAt(due, ({ id }) => told.push(id))))
  assert.equal(await overdue(), 3)
  assert.equal(new Set(told).size, told.length, 'each is told once')
})

test('working hours are the tenant’s own, checked, and a change is in the log', async () => {
  const clinic = await makeClinic(vault)
  const administrator = await sessionOf(clinic, clinic.administrator)
  const hours = { timeZone: 'America/Chicago', opensAt: '22:00', closesAt: '06:00', days: [5, 6] }
  const put = (body: unknown) => call('PUT', '/v1/working-hours', administrator, body)
  for (const wrong of [
    { ...hours, timeZone: 'Mars/Olympus' },
    { ...hours, opensAt: '24:00' },
    { ...hours, closesAt: '22:00' },
    { ...hours, days: [1, 1] },
    { ...hours, days: [0] },
    { ...hours, more: true },
  ])
    await refused(await put(wrong), 'malformed')
  assert.deepEqual(WorkingHours.parse(await (await put(hours)).json()), hours)
  const shown = await call('GET', '/v1/working-hours', administrator)
  assert.deepEqual(WorkingHours.parse(await shown.json()), hours)
  const events = await auditEvents(vault, clinic.tenant.id)
  assert.ok(
    events.some(({ action, reasons }) => action === 'tenant.changed' && reasons.includes('working_hours')),
  )
})
