// The log and its reports at the keyboard: real processes, a service that runs, and sessions that were signed in over HTTP.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Accounting, DisclosureView } from '@auricle/contract'
import { z } from 'zod'
import { ask } from '../../../test/ask.ts'
import { type CommandFolder, openCommandFolder } from '../../../test/command.ts'
import { apiOf, signInAt } from '../../../test/command-session.ts'

let place: CommandFolder
let api = ''
let officer = ''
let clinician = ''
const patient = 'MRN-zebra'

before(async () => {
  place = await openCommandFolder()
  const service = place.start(['start'])
  api = await apiOf(service)
  assert.equal((await place.run(['tenant', 'create', 'clinic', '--name', 'A clinic'])).code, 0)
  officer = await signIn('officer', 'compliance_officer')
  clinician = await signIn('clinician', 'clinician')
})
after(() => place[Symbol.asyncDispose]())

const signIn = (login: string, role: string) => signInAt(place, api, { login, role })

async function run(args: readonly string[], token = officer) {
  const { code, stdout, stderr } = await place.run(args, { env: { AURICLE_TOKEN: token } })
  return { code, stdout: stdout.toString(), stderr }
}

async function disclose(change: object): Promise<DisclosureView> {
  const disclosure = {
    ...{ patient, disclosedAt: '2026-02-03T10:00:00Z', purpose: 'judicial', what: 'one voicemail' },
    ...{ why: 'a subpoena', recipient: { kind: 'court', name: 'County court', address: '1 Court Square' } },
    ...change,
  }
  const { status, body } = await ask(api, officer, ['POST', '/v1/disclosures'], disclosure)
  assert.equal(status, 201, JSON.stringify(body))
  return DisclosureView.parse(body)
}

/** The worker seals what happens within about a second. */
async function sealedIds(filters: readonly string[]): Promise<readonly string[]> {
  const Page = z.looseObject({ events: z.array(z.looseObject({ id: z.string() })) })
  for (;;) {
    const { code, stdout, stderr } = await run(['audit', 'search', ...filters, '--json'])
    assert.equal(code, 0, stderr)
    const { events } = Page.parse(JSON.parse(stdout))
    if (events.length > 0) return events.map(({ id }) => id)
  }
}

test('the log is searched, shown and looked at, and an event knows its private part', async () => {
  await disclose({})
  const status = await run(['audit', 'status'])
  assert.equal(status.code, 0, status.stderr)
  assert.match(status.stdout, /^LOG +EVENTS +SIGNED +PUBLISHED +LAST SIGNED +STATE\n/)
  const [id] = await sealedIds(['--action', 'disclosure.recorded', '--actor', 'officer'])
  const shown = await run(['audit', 'show', id ?? ''])
  assert.equal(shown.code, 0, shown.stderr)
  assert.match(shown.stdout, /What: +disclosure\.recorded, allowed\n/)
  assert.match(shown.stdout, /Private: +recipientName: County court\n/)
  assert.match(shown.stdout, /In the log: number \d+ of 20\d\d, proved under the root of [\d,]+ events\n$/)
  const table = await run(['audit', 'search', '--patient', patient, '--limit', '1'])
  assert.match(table.stdout, /^AT +WHO +WHAT +OF +OUTCOME +WHY +EVENT\n.*\n\nAs of \d+ events in /)
  const found = await run(['audit', 'search', '--action', 'user.erased'])
  assert.equal(found.code, 2)
  assert.match(found.stderr, /--action is what an event is called, such as recording\.played/)
  const none = await run(['audit', 'search', '--actor', 'clinician', '--action', 'disclosure.recorded'])
  assert.equal(none.code, 0, none.stderr)
  assert.match(none.stdout, /^No events match\n\nAs of \d+ events in /)
  const wrong = await run(['audit', 'search', '--from', 'yesterday', '--limit', '0'])
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /--from is a time in UTC.*; --limit is a whole number from 1 to 200/)
  assert.match(
    (await run(['audit', 'search', '--cursor', 'x'])).stderr,
    /The cursor is not one that a page before has given/,
  )

  assert.match((await run(['audit', 'show', 'evt_1'])).stderr, /is not an event's id/)
  const gone = await run(['audit', 'show', 'evt_01jd3w8h9k6n2q4s5t7v8x9y0z'])
  assert.deepEqual([gone.code, gone.stderr], [2, 'auricle: There is no such event\n'])
})

test('the accounting of disclosures is a table, JSON, or a document for a spreadsheet', async () => {
  const reference = 'MRN-accounting'
  await disclose({ patient: reference })
  await disclose({
    patient: reference,
    purpose: 'treatment',
    recipient: { kind: 'provider', name: 'A ward' },
  })
  const args = ['report', 'disclosures', '--patient', reference]
  const table = await run(args)
  assert.equal(table.code, 0, table.stderr)
  assert.match(table.stdout, /^DATE +TO WHOM +WHAT +WHY +TIMES +LAST\n/)
  assert.match(table.stdout, /County court, 1 Court Square +one voicemail +a subpoena +1/)
  assert.doesNotMatch(table.stdout, /A ward/)
  const { lines } = Accounting.parse(JSON.parse((await run([...args, '--json'])).stdout))
  assert.equal(lines.length, 1)
  assert.match(
    (await run([...args, '--csv', '--summary'])).stdout,
    /^"date","recipient",.*\r\n"2026-02-03T10:00:00/,
  )
  const both = await run([...args, '--csv', '--json'])
  assert.deepEqual([both.code, both.stderr], [2, 'auricle: Say either --csv or --json\n'])
  const empty = await run([...args, '--to', '2026-01-01T00:00:00Z'])
  assert.equal(empty.stdout, 'There are no disclosures to account for\n')
  const nobody = await run(['report', 'disclosures', '--patient', 'MRN-nobody'])
  assert.deepEqual([nobody.code, nobody.stderr], [2, 'auricle: There is no patient of that reference here\n'])
})

test('the access report says whose, and that nobody came', async () => {
  const reference = 'MRN-access'
  await disclose({ patient: reference })
  const whose = await run(['report', 'access'])
  assert.deepEqual([whose.code, whose.stderr], [2, 'auricle: Say whose: --patient, --user or --recording\n'])
  const args = ['report', 'access', '--patient', reference]
  const old = await run([...args, '--to', '2026-01-01T00:00:00Z'])
  assert.deepEqual([old.code, old.stdout.split('\n')[0]], [0, 'Nobody came to it'], old.stderr)
  const csv = await run([...args, '--to', '2026-01-01T00:00:00Z', '--csv'])
  assert.match(csv.stdout, /^"at","login","name",[^\n]*\r\n$/)
  const json = JSON.parse((await run([...args, '--to', '2026-01-01T00:00:00Z', '--json'])).stdout)
  assert.deepEqual(json.accesses, [])
})

test('who may not read the log is told so, in a sentence', async () => {
  for (const args of [
    ['audit', 'search'],
    ['audit', 'status'],
    ['report', 'access', '--user', 'clinician'],
    ['report', 'disclosures', '--patient', patient],
  ]) {
    const { code, stderr, stdout } = await run(args, clinician)
    assert.deepEqual([code, stderr, stdout], [2, 'auricle: Not allowed: no_role\n', ''], args.join(' '))
  }
})
