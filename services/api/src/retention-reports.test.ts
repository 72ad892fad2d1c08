// The retention report from the outside: as JSON, CSV and PDF, whole and page by page, as of now and before.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Problem, type ProblemName, problems, RetentionReport } from '@auricle/contract'
import fc from 'fast-check'
import { auditEvents, privatePartOf } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import {
  amountOf,
  type History,
  isThere,
  reasonAt,
  someHistory,
  stateAt,
} from '../../../test/retention-history.ts'
import { plantHistory } from '../../../test/retention-history-rows.ts'
import { type Clinic, makeClinic, openTestVault, type Person, type TestVault } from '../../../test/vault.ts'

let vault: TestVault
let front: Front
let clinic: Clinic
let officer: Person
let history: History
let planted: Awaited<ReturnType<typeof plantHistory>>
before(async () => {
  vault = await openTestVault()
  front = await openFront(vault)
  clinic = await makeClinic(vault)
  officer = clinic.complianceOfficer
  const histories = fc.sample(someHistory, { numRuns: 200, seed: 11 })
  history = histories
    .filter(({ holds }) => holds.length === 0)
    .reduce((most, one) => (overdueIn(one).length > overdueIn(most).length ? one : most))
  const columns = (await vault.secrets.get(clinic.tenant.id)).columns
  const tenant = {
    ...{ tenantId: clinic.tenant.id, slug: clinic.tenant.slug, login: officer.row.login, columns },
    ...{ userId: officer.row.id, mailboxId: clinic.mailbox.id, connectorId: clinic.connectorRow.id },
  }
  planted = await plantHistory(vault.database.superuserPool, tenant, history, () => new Uint8Array())
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

async function ask(query: string, accept = 'application/json'): Promise<Response> {
  const authorization = `Bearer ${await front.tokenOf(officer)}`
  return fetch(`${front.url}/v1/reports/retention?${query}`, { headers: { authorization, accept } })
}

const reportOf = async (response: Response) => RetentionReport.parse(await response.json())

async function refused(response: Response, name: ProblemName): Promise<void> {
  assert.equal(Problem.parse(await response.json()).type, problems[name].type)
}

/** At the first of its times. */
const overdueIn = ({ stories, asOf: [asOf] }: History) =>
  stories.filter(story => asOf !== undefined && isThere(story, asOf) && reasonAt(story, asOf) !== null)

const aTime = () => history.asOf[0] ?? new Date(0)
const asOfTime = () => `asOf=${aTime().toISOString()}`

test('the whole report says of every section what a count says, and its lines are the totals it gives', async () => {
  for (const asOf of history.asOf) {
    const report = await reportOf(await ask(`asOf=${asOf.toISOString()}&limit=1000`))
    const there = history.stories.filter(story => isThere(story, asOf))
    assert.ok(report.status !== null && report.overdue !== null && report.destroyed !== null)
    const { states, ...total } = report.status.total
    assert.deepEqual(total, amountOf(there))
    for (const [state, count] of Object.entries(states))
      assert.equal(count, there.filter(story => stateAt(story, asOf) === state).length)
    for (const lines of [
      report.status.rules,
      report.status.kinds,
      report.status.mailboxes,
      report.status.ages,
    ])
      assert.equal(
        lines.reduce((sum, { recordings }) => sum + recordings, 0),
        there.length,
      )
    const overdue = there.filter(story => reasonAt(story, asOf) !== null)
    assert.equal(report.overdue.recordings.length, overdue.length)
    assert.deepEqual(report.overdue.total, amountOf(overdue))
    const gone = history.stories.filter(({ destroyedAt }) => destroyedAt !== null && destroyedAt <= asOf)
    assert.deepEqual(report.destroyed.total, amountOf(gone))
    const byMonth = [report.destroyed.earlier, ...report.destroyed.months]
    assert.equal(
      byMonth.reduce((sum, { recordings }) => sum + recordings, 0),
      gone.length,
    )
    assert.equal(report.due?.months.length, 13)
    const last = report.storage?.months.at(-1)
    assert.equal(last?.bytes, total.bytes)
    assert.equal(last.month, report.due.months[0]?.month)
  }
})

test('storage goes on from month to month, and costs what is stated', async () => {
  await vault.database.superuserPool.query('update auricle.tenant set storage_price = $2 where id = $1', [
    clinic.tenant.id,
    { currency: 'EUR', perGibibyteMonth: 0.5 },
  ])
  const { storage } = await reportOf(await ask(`${asOfTime()}&section=storage`))
  assert.ok(storage !== null)
  for (const [index, month] of storage.months.entries()) {
    const earlier: typeof month | undefined = storage.months[index - 1]
    if (earlier !== undefined)
      assert.equal(month.bytes, earlier.bytes + month.addedBytes - month.destroyedBytes)
    assert.equal(month.cost, Math.round(((month.bytes + month.copiedBytes) / 2 ** 30) * 50) / 100)
  }
})

test('one section comes alone, its recordings page by page', async () => {
  const whole = await reportOf(await ask(`${asOfTime()}&section=overdue`))
  assert.equal(whole.status, null)
  assert.ok(whole.overdue !== null && whole.overdue.recordings.length > 1)
  const found: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const more: string = cursor === '' ? '' : `&cursor=${cursor}`
    const { overdue } = await reportOf(await ask(`${asOfTime()}&section=overdue&limit=1${more}`))
    assert.ok(overdue !== null && overdue.recordings.length <= 1)
    found.push(...overdue.recordings.map(({ recording }) => recording))
    cursor = overdue.nextCursor
  }
  assert.deepEqual(
    found,
    whole.overdue.recordings.map(({ recording }) => recording),
  )
  const gone = await reportOf(await ask('section=destroyed&limit=1'))
  assert.ok(gone.destroyed?.nextCursor != null)
  const next = await reportOf(await ask(`section=destroyed&limit=1000&cursor=${gone.destroyed.nextCursor}`))
  const all = [...gone.destroyed.recordings, ...(next.destroyed?.recordings ?? [])]
  assert.equal(new Set(all.map(({ recording }) => recording)).size, gone.destroyed.total.recordings)
  assert.ok(all.every(({ recording }) => planted.recordings.includes(recording)))
})

test('it comes as CSV section by section and as PDF, by Accept or by format', async () => {
  for (const section of RetentionReport.keyof().options.slice(4)) {
    const csv = await ask(`section=${section}`, 'text/csv')
    assert.equal(csv.status, 200, section)
    assert.match(csv.headers.get('content-type') ?? '', /^text\/csv/)
    assert.match(csv.headers.get('content-disposition') ?? '', new RegExp(`retention-${section}-`))
    assert.match(await csv.text(), /^"[a-z_]+"(,"[a-z_]+")+\r\n/)
  }
  const lines = (await (await ask(`${asOfTime()}&section=overdue&format=csv`)).text()).trim().split('\r\n')
  assert.equal(lines.length, 1 + overdueIn(history).length)
  for (const response of [await ask('', 'application/pdf'), await ask('format=pdf')]) {
    assert.equal(response.headers.get('content-type'), 'application/pdf')
    const bytes = Buffer.from(await response.arrayBuffer())
    assert.equal(bytes.subarray(0, 5).toString(), '%PDF-')
  }
})

test('what cannot be is told so', async () => {
  await refused(await ask('asOf=2099-01-01T00:00:00Z'), 'malformed')
  await refused(await ask('section=everything'), 'malformed')
  await refused(await ask('format=csv'), 'malformed')
  await refused(await ask('section=status&cursor=x'), 'malformed')
  await refused(await ask('section=overdue&cursor=x'), 'malformed')
  await refused(await ask('section=destroyed&cursor=123.rec_x'), 'malformed')
  await refused(await ask('', 'image/png'), 'notAcceptable')
})

test('who read it, and what they asked for, is in the log', async () => {
  await reportOf(await ask(`${asOfTime()}&section=holds`))
  const events = await auditEvents(vault, clinic.tenant.id)
  const last = events.findLast(({ action }) => action === 'report.retention')
  assert.ok(last !== undefined)
  assert.deepEqual(
    [last.outcome, last.actor.id, last.reasons.includes('holds')],
    ['allowed', officer.row.id, true],
  )
  const part = await privatePartOf(vault, clinic.tenant.id, last.id)
  assert.match(part?.query ?? '', /"asOf"/)
})
