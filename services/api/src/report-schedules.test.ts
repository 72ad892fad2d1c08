// Scheduled reports from the outside: set up with and without saying everything, listed, ended, and the runs that came.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  newReportRunId,
  Problem,
  type ProblemName,
  problems,
  ReportRunPage,
  ReportRunView,
  ReportSchedulePage,
  ReportScheduleView,
  ReportSection,
} from '@auricle/contract'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { type Clinic, makeClinic, openTestVault, type TestVault } from '../../../test/vault.ts'

let vault: TestVault
let front: Front
let clinic: Clinic
let token: string
before(async () => {
  vault = await openTestVault()
  front = await openFront(vault)
  clinic = await makeClinic(vault)
  token = (await front.sessionOf(clinic.complianceOfficer)).token
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const call = (method: string, path: string, body?: unknown) =>
  fetch(front.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

async function refused(response: Response, name: ProblemName): Promise<void> {
  assert.equal(Problem.parse(await response.json()).type, problems[name].type)
}

async function made(body: object): Promise<ReportScheduleView> {
  const response = await call('POST', '/v1/report-schedules', body)
  assert.equal(response.status, 201)
  return ReportScheduleView.parse(await response.json())
}

const aSchedule = { name: 'Monthly', every: 'month', mailTo: ['officer@clinic.example'], toStore: true }

test('a schedule that says little is of all sections as PDF, and is logged with how it goes out', async () => {
  const schedule = await made(aSchedule)
  assert.deepEqual([schedule.sections, schedule.formats], [ReportSection.options, ['pdf']])
  assert.equal(schedule.createdBy, clinic.complianceOfficer.row.id)
  const events = await auditEvents(vault, clinic.tenant.id)
  const event = events.find(({ object }) => object?.id === schedule.id)
  assert.equal(event?.action, 'report.scheduled')
  for (const reason of ['month', 'to_store', 'by_mail']) assert.ok(event.reasons.includes(reason))
})

test('schedules are listed page by page, and those that have ended only for who asks', async () => {
  const [first, second] = [await made(aSchedule), await made({ ...aSchedule, every: 'week' })]
  assert.equal((await call('POST', `/v1/report-schedules/${first.id}/end`)).status, 204)
  await refused(await call('POST', `/v1/report-schedules/${first.id}/end`), 'notFound')
  const list = async (query: string) =>
    ReportSchedulePage.parse(await (await call('GET', `/v1/report-schedules?${query}`)).json())
  const open = (await list('')).schedules.map(({ id }) => id)
  assert.ok(open.includes(second.id) && !open.includes(first.id))
  const all: ReportScheduleView[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const more: string = cursor === '' ? '' : `&cursor=${cursor}`
    const page = await list(`all=true&limit=1${more}`)
    all.push(...page.schedules)
    cursor = page.nextCursor
  }
  const ended = all.find(({ id }) => id === first.id)
  assert.ok(ended !== undefined && ended.endedAt !== null && ended.nextRunAt === null)
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length)
})

test('a run is shown with what stood against it, and nobody sees that of another tenant', async () => {
  const { id: scheduleId } = await made(aSchedule)
  const { id: tenantId } = clinic.tenant
  const at = new Date('2026-05-01T00:00:00Z')
  const run = { tenantId, id: newReportRunId(), scheduleId, asOf: at, startedAt: at }
  await vault.catalog.openReportRun(run)
  await vault.catalog.takeReportRun({ ...run, attempts: 0 })
  await vault.catalog.commitReportFailure({ ...run, errorCode: 'unreachable' })
  const shown = ReportRunView.parse(await (await call('GET', `/v1/report-runs/${run.id}`)).json())
  assert.deepEqual(
    [shown.state, shown.error, shown.attempts, shown.stored],
    ['running', 'unreachable', 1, []],
  )
  const page = await call('GET', `/v1/report-runs?schedule=${scheduleId}`)
  assert.deepEqual(ReportRunPage.parse(await page.json()).runs, [shown])
  const other = await makeClinic(vault)
  const { token: elsewhere } = await front.sessionOf(other.complianceOfficer)
  const headers = { authorization: `Bearer ${elsewhere}` }
  await refused(await fetch(`${front.url}/v1/report-runs/${run.id}`, { headers }), 'notFound')
})

test('what cannot be delivered, or says it badly, makes none', async () => {
  for (const wrong of [
    { name: 'x', every: 'month' },
    { ...aSchedule, mailTo: ['not an address'] },
    { ...aSchedule, mailTo: ['a@clinic.example, b@clinic.example'] },
    { ...aSchedule, mailTo: ['a@clinic.example\r\nBcc: thief@elsewhere.example'] },
    { ...aSchedule, sections: ['status', 'status'] },
    { ...aSchedule, formats: [] },
    { ...aSchedule, every: 'hour' },
  ])
    await refused(await call('POST', '/v1/report-schedules', wrong), 'malformed')
})
