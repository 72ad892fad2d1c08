// Scheduled reports with a real database, a real store and a real mail server: each made once, whatever happens between.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type NewReportSchedule, newReportScheduleId, RetentionReport } from '@auricle/contract'
import { retentionReportPdf } from '@auricle/documents'
import { createMailer, type Mailer } from '@auricle/mail'
import { createFolderStore, type ObjectStore } from '@auricle/objects'
import { type RunReportsParts, runReports } from '@auricle/vault'
import { auditEvents } from '../../../../test/audit-log.ts'
import { anEvent } from '../../../../test/catalog-fixture.ts'
import { type MailServer, startMailServer } from '../../../../test/mail-server.ts'
import { type Clinic, makeClinic, openTestVault, type TestVault } from '../../../../test/vault.ts'

const minuteMs = 60_000

let vault: TestVault
let server: MailServer
let mailer: Mailer
let folder: string
let store: ObjectStore
before(async () => {
  vault = await openTestVault()
  server = await startMailServer()
  folder = await mkdtemp(join(tmpdir(), 'auricle-reports-'))
  store = createFolderStore({ folder })
  mailer = createMailer({
    ...{ host: '127.0.0.1', port: server.port, tls: 'starttls', ca: server.ca },
    ...{ username: null, password: null, from: 'auricle@vault.example' },
  })
})
after(async () => {
  await server[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const createdAt = new Date('2026-03-14T15:09:26.000Z')

async function schedule({ tenant }: Clinic, change: Partial<NewReportSchedule> = {}) {
  return vault.catalog.addReportSchedule(
    {
      ...{
        tenantId: tenant.id,
        id: newReportScheduleId(),
        name: 'Of Dana Example',
        createdAt,
        createdBy: null,
      },
      ...{ sections: ['status', 'overdue'], formats: ['pdf'], every: 'month', mailTo: [], toStore: true },
      ...change,
    },
    anEvent(tenant.id),
  )
}

const run = (now: Date, change: Partial<RunReportsParts> = {}) =>
  runReports(
    {
      ...{ ...vault, renderPdf: retentionReportPdf, reportStore: store, mailer },
      ...{ apiUrl: 'https://vault.example', onFailure: () => undefined, now: () => now },
      ...change,
    },
    {},
  )

async function runsOf({ tenant }: Clinic) {
  return vault.catalog.listReportRuns(tenant.id, { scheduleId: null, beforeId: null, limit: 100 })
}

async function read(key: string): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of store.read(key, null)) pieces.push(piece)
  return Buffer.concat(pieces)
}

test('it is due when the next day, Monday or month begins where the tenant is', async () => {
  const clinic = await makeClinic(vault)
  const zoned = (zone: string) =>
    vault.database.superuserPool.query('update auricle.tenant set retention_zone = $2 where id = $1', [
      clinic.tenant.id,
      zone,
    ])
  const next = async (every: NewReportSchedule['every']) =>
    (await schedule(clinic, { every, toStore: true })).nextRunAt.toISOString()
  await zoned('UTC')
  assert.deepEqual(
    [await next('day'), await next('week'), await next('month')],
    ['2026-03-15T00:00:00.000Z', '2026-03-16T00:00:00.000Z', '2026-04-01T00:00:00.000Z'],
  )
  // Over the change of clocks of 8 March, and behind UTC.
  await zoned('America/Chicago')
  assert.deepEqual(
    [await next('day'), await next('month')],
    ['2026-03-15T05:00:00.000Z', '2026-04-01T05:00:00.000Z'],
  )
  for (const { id } of await vault.catalog.listReportSchedules(clinic.tenant.id, {
    ...{ withEnded: false, beforeId: null, limit: 100 },
  }))
    await vault.catalog.endReportSchedule(
      { tenantId: clinic.tenant.id, id, at: createdAt, by: clinic.complianceOfficer.row.id },
      anEvent(clinic.tenant.id),
    )
  assert.deepEqual(await run(new Date('2027-01-01T00:00:00Z')), { sent: 0, failed: 0 })
})

test('it is stored once under its own key, told of by mail, logged, and due again a month later', async () => {
  const clinic = await makeClinic(vault)
  const made = await schedule(clinic, {
    formats: ['pdf', 'json', 'csv'],
    mailTo: ['officer@clinic.example', 'other@clinic.example'],
  })
  assert.deepEqual(await run(new Date('2026-03-31T23:59:59Z')), { sent: 0, failed: 0 })
  const before = server.mails.length
  assert.deepEqual(await run(new Date('2026-04-01T00:00:05Z')), { sent: 1, failed: 0 })
  assert.deepEqual(await run(new Date('2026-04-01T00:00:06Z')), { sent: 0, failed: 0 })
  const [only, ...others] = await runsOf(clinic)
  assert.ok(only !== undefined && others.length === 0)
  assert.deepEqual(
    [only.outcome, only.asOf.toISOString(), only.attempts],
    ['sent', '2026-04-01T00:00:00.000Z', 1],
  )
  const place = `reports/${clinic.tenant.id}/${made.id}/2026-04-01t00-00-00z`
  assert.deepEqual(
    only.stored.map(({ key }) => key),
    ['retention.pdf', 'retention.json', 'retention-status.csv', 'retention-overdue.csv'].map(
      name => `${place}/${name}`,
    ),
  )
  for (const { key, bytes, sha256 } of only.stored) {
    const content = await read(key)
    assert.equal(content.byteLength, bytes)
    assert.equal(createHash('sha256').update(content).digest('hex'), sha256)
  }
  const report = RetentionReport.parse(JSON.parse((await read(`${place}/retention.json`)).toString()))
  assert.equal(report.asOf, '2026-04-01T00:00:00.000Z')
  assert.deepEqual([report.due, report.status?.total.recordings], [null, 0])
  const [mail, ...more] = server.mails.slice(before)
  assert.ok(mail !== undefined && more.length === 0)
  assert.deepEqual(mail.to, ['officer@clinic.example', 'other@clinic.example'])
  assert.ok(mail.isEncrypted)
  assert.match(mail.text.replaceAll('=\r\n', ''), /asOf=3D?2026-04-01T00:00:00\.000Z/)
  for (const secret of ['Dana', clinic.tenant.name, clinic.tenant.slug, 'mailbox', only.scheduleId])
    assert.ok(!mail.text.includes(secret), `the mail says ${secret}`)
  assert.doesNotMatch(mail.text, /Content-Disposition|multipart/i)
  const events = await auditEvents(vault, clinic.tenant.id)
  const sent = events.filter(({ action }) => action === 'report.sent')
  assert.deepEqual(
    sent.map(({ outcome, object }) => [outcome, object?.type, object?.id]),
    [['allowed', 'report_run', only.id]],
  )
  const next = await vault.catalog.findReportSchedule(clinic.tenant.id, made.id)
  assert.equal(next?.nextRunAt.toISOString(), '2026-05-01T00:00:00.000Z')
})

test('months that nobody ran are made up for one by one, each as of its own time', async () => {
  const clinic = await makeClinic(vault)
  await schedule(clinic)
  const late = new Date('2026-06-02T00:00:00Z')
  for (let round = 0; round < 4; round++) await run(late)
  assert.deepEqual((await runsOf(clinic)).map(({ asOf }) => asOf.toISOString().slice(0, 10)).sort(), [
    '2026-04-01',
    '2026-05-01',
    '2026-06-01',
  ])
})

test('of workers at the same time one makes it', async () => {
  const clinic = await makeClinic(vault)
  await schedule(clinic, { mailTo: ['officer@clinic.example'] })
  const before = server.mails.length
  const now = new Date('2026-04-01T00:00:01Z')
  const counts = await Promise.all([run(now), run(now), run(now)])
  assert.equal(
    counts.reduce((sum, { sent }) => sum + sent, 0),
    1,
  )
  assert.equal((await runsOf(clinic)).length, 1)
  assert.equal(server.mails.length, before + 1)
})

test('what failed is tried again later and later; a file that was stored stays as it is', async () => {
  const clinic = await makeClinic(vault)
  const made = await schedule(clinic, { mailTo: ['officer@clinic.example'] })
  const start = new Date('2026-04-01T00:00:01Z')
  const after = (minutes: number) => new Date(start.getTime() + minutes * minuteMs)
  const gone: Mailer = createMailer({
    ...{ host: '127.0.0.1', port: 1, tls: 'starttls', ca: null, username: null, password: null },
    from: 'auricle@vault.example',
  })
  const failures: unknown[] = []
  const failing = { mailer: gone, onFailure: (_run: unknown, error: unknown) => failures.push(error) }
  assert.deepEqual(await run(start, failing), { sent: 0, failed: 0 })
  assert.deepEqual(await run(after(1), failing), { sent: 0, failed: 0 })
  assert.equal(failures.length, 1)
  const key = `reports/${clinic.tenant.id}/${made.id}/2026-04-01t00-00-00z/retention.pdf`
  const first = await read(key)
  const [waiting] = await runsOf(clinic)
  assert.deepEqual([waiting?.error, waiting?.attempts, waiting?.outcome], ['unreachable', 1, null])
  assert.deepEqual(await run(after(3)), { sent: 1, failed: 0 })
  const [sent] = await runsOf(clinic)
  assert.deepEqual([sent?.outcome, sent?.attempts, sent?.error], ['sent', 2, null])
  assert.deepEqual(await read(key), first)
  assert.equal(sent?.stored[0]?.sha256, createHash('sha256').update(first).digest('hex'))
})

test('after ten attempts it is given up on, which the log says, and the next month is made', async () => {
  const clinic = await makeClinic(vault)
  const made = await schedule(clinic)
  const start = new Date('2026-04-01T00:00:01Z')
  let failed = 0
  for (let attempt = 0; attempt < 12; attempt++) {
    const now = new Date(start.getTime() + 2 ** attempt * minuteMs)
    failed += (await run(now, { reportStore: null })).failed
  }
  assert.equal(failed, 1)
  const [given] = await runsOf(clinic)
  assert.deepEqual([given?.outcome, given?.attempts, given?.error], ['failed', 10, 'conflict'])
  const events = await auditEvents(vault, clinic.tenant.id)
  assert.deepEqual(
    events.filter(({ action }) => action === 'report.sent').map(({ outcome, reasons }) => [outcome, reasons]),
    [['failed', ['conflict']]],
  )
  const next = await vault.catalog.findReportSchedule(clinic.tenant.id, made.id)
  assert.equal(next?.nextRunAt.toISOString(), '2026-05-01T00:00:00.000Z')
})

test('a worker that is stopped between its steps leaves a run that the next one ends', async () => {
  const clinic = await makeClinic(vault)
  await schedule(clinic, { formats: ['json', 'csv'], mailTo: ['officer@clinic.example'] })
  const now = new Date('2026-04-01T00:00:01Z')
  let puts = 0
  const stop = new AbortController()
  const cut: RunReportsParts['reportStore'] = {
    read: store.read,
    put: (key, source, options) => {
      if (++puts > 1) stop.abort(new Error('killed'))
      return store.put(key, source, options)
    },
  }
  const parts = { ...vault, renderPdf: retentionReportPdf, reportStore: cut, mailer }
  const rest = { apiUrl: 'https://vault.example', onFailure: assert.fail, now: () => now }
  await assert.rejects(runReports({ ...parts, ...rest }, { signal: stop.signal }), /killed/)
  const before = server.mails.length
  assert.deepEqual(await run(new Date(now.getTime() + 3 * minuteMs)), { sent: 1, failed: 0 })
  const [ended] = await runsOf(clinic)
  assert.deepEqual([ended?.outcome, ended?.attempts, ended?.stored.length], ['sent', 2, 3])
  assert.equal(server.mails.length, before + 1)
})
