// The retention report and its schedules at the keyboard: real processes, a service that runs, a mail server that is told.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ReportRunPage, ReportScheduleView, RetentionReport } from '@auricle/contract'
import { type CommandFolder, openCommandFolder } from '../../../test/command.ts'
import { apiOf, signInAt } from '../../../test/command-session.ts'
import { type MailServer, startMailServer } from '../../../test/mail-server.ts'

let mail: MailServer
let place: CommandFolder
let env: Record<string, string>
let api = ''
let officer = ''
let clinician = ''

before(async () => {
  mail = await startMailServer()
  place = await openCommandFolder()
  env = {
    AURICLE_REPORT_STORE: join(place.folder, 'reports'),
    AURICLE_SMTP_URL: `smtp://127.0.0.1:${mail.port}?ca=${mail.caFile}`,
    AURICLE_MAIL_FROM: 'auricle@vault.example',
  }
  const service = place.start(['start'], { env })
  api = await apiOf(service)
  assert.equal((await place.run(['tenant', 'create', 'clinic', '--name', 'A clinic'], { env })).code, 0)
  officer = await signIn('officer', 'compliance_officer')
  clinician = await signIn('clinician', 'clinician')
})
after(async () => {
  await place[Symbol.asyncDispose]()
  await mail[Symbol.asyncDispose]()
})

const signIn = (login: string, role: string) => signInAt(place, api, { login, role }, { env })

async function run(args: readonly string[], token = officer) {
  const all = ['report', ...args]
  const { code, stdout, stderr } = await place.run(all, { env: { ...env, AURICLE_TOKEN: token } })
  return { code, stdout: stdout.toString(), stderr }
}

test('the report comes as tables, as JSON, and as a file of any form', async () => {
  const tables = await run(['retention'])
  assert.equal(tables.code, 0, tables.stderr)
  for (const word of ['Status', 'Due', 'Overdue', 'On hold', 'Destroyed', 'Storage'])
    assert.ok(tables.stdout.includes(word), `${word} is missing`)
  const json = await run(['retention', '--json', '--section', 'due'])
  const report = RetentionReport.parse(JSON.parse(json.stdout))
  assert.deepEqual([report.due?.months.length, report.status], [13, null])
  const csv = await run(['retention', '--section', 'storage', '--format', 'csv'])
  assert.match(csv.stdout, /^"month","added_bytes"/)
  const file = join(place.folder, 'report.pdf')
  assert.equal((await run(['retention', '--format', 'pdf', '--out', file])).code, 0)
  assert.equal((await readFile(file)).subarray(0, 5).toString(), '%PDF-')
  const named = join(place.folder, 'named.CSV')
  assert.equal((await run(['retention', '--section', 'storage', '--out', named])).code, 0)
  assert.match((await readFile(named)).toString(), /^"month","added_bytes"/)
})

test('what does not go together is said, and whoever may not read it is told so', async () => {
  for (const args of [
    ['--format', 'pdf'],
    ['--out', 'x'],
    ['--out', 'x.docx'],
    ['--section', 'everything'],
    ['--as-of', 'yesterday'],
    ['--format', 'csv'],
    ['--as-of', '2099-01-01T00:00:00Z'],
  ]) {
    const refused = await run(['retention', ...args])
    assert.notEqual(refused.code, 0, args.join(' '))
    assert.equal(refused.stdout, '')
  }
  assert.match((await run(['retention'], clinician)).stderr, /Not allowed/)
})

test('a schedule is made, listed and ended, and takes a place to go to', async () => {
  const nowhere = await run(['schedule', 'add', '--name', 'Monthly', '--every', 'month'])
  assert.match(nowhere.stderr, /--store, --mail or both/)
  const made = await run([
    ...['schedule', 'add', '--name', 'Monthly', '--every', 'month', '--format', 'csv', '--section', 'holds'],
    ...['--store', '--mail', 'officer@clinic.example', '--json'],
  ])
  assert.equal(made.code, 0, made.stderr)
  const schedule = ReportScheduleView.parse(JSON.parse(made.stdout))
  assert.deepEqual(
    [schedule.sections, schedule.formats, schedule.toStore, schedule.mailTo],
    [['holds'], ['csv'], true, ['officer@clinic.example']],
  )
  assert.match((await run(['schedule', 'list'])).stdout, /Monthly +month +csv +store officer@clinic\.example/)
  assert.deepEqual(
    ReportRunPage.parse(JSON.parse((await run(['schedule', 'runs', '--json'])).stdout)).runs,
    [],
  )
  assert.equal((await run(['schedule', 'end', schedule.id])).code, 0)
  assert.match((await run(['schedule', 'end', schedule.id])).stderr, /no such schedule/)
  assert.match((await run(['schedule', 'list'])).stdout, /There are no schedules/)
  assert.deepEqual(mail.mails, [])
})
