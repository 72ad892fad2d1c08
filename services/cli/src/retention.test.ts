// Retention at the keyboard: real processes, a service that runs, and sessions that were signed in over HTTP.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { RecordSetPage, RetentionEventView, RetentionSettings, RuleView, Session } from '@auricle/contract'
import { totpCode } from '@auricle/identity'
import { z } from 'zod'
import { ask } from '../../../test/ask.ts'
import { type CommandFolder, openCommandFolder } from '../../../test/command.ts'

let place: CommandFolder
let api = ''
let officer = ''
let administrator = ''
let clinician = ''

before(async () => {
  place = await openCommandFolder()
  const service = place.start(['start'])
  api = /^ {2}API +(http:[^\s,]+)/m.exec(await service.said('Ctrl-C stops it'))?.[1] ?? ''
  assert.equal((await place.run(['tenant', 'create', 'clinic', '--name', 'A clinic'])).code, 0)
  officer = await signIn('officer', 'compliance_officer')
  administrator = await signIn('admin', 'administrator')
  clinician = await signIn('clinician', 'clinician')
  assert.equal((await place.run(['mailbox', 'create', '1001', '--name', 'Front desk'])).code, 0)
})
after(() => place[Symbol.asyncDispose]())

async function signIn(login: string, role: string): Promise<string> {
  const made = await place.run(['user', 'create', login, '--name', login, '--role', role, '--json'])
  assert.equal(made.code, 0, made.stderr)
  const { password, totpSecret } = z
    .looseObject({ password: z.string(), totpSecret: z.string() })
    .parse(JSON.parse(made.stdout.toString()))
  const code = totpCode(totpSecret, new Date())
  const { body } = await ask(api, null, ['POST', '/v1/sessions'], { tenant: 'clinic', login, password, code })
  return Session.parse(body).token
}

async function run(args: readonly string[], { token = officer, input = '' } = {}) {
  const ran = await place.run(['retention', ...args], { env: { AURICLE_TOKEN: token }, input })
  return { code: ran.code, stdout: ran.stdout.toString(), stderr: ran.stderr }
}

async function done(args: readonly string[], options: Parameters<typeof run>[1] = {}): Promise<string> {
  const { code, stdout, stderr } = await run(args, options)
  assert.equal(code, 0, stderr)
  return stdout
}

async function refused(args: readonly string[], sentence: RegExp, options: Parameters<typeof run>[1] = {}) {
  const { code, stdout, stderr } = await run(args, options)
  assert.deepEqual([code, stdout], [2, ''], stderr)
  assert.match(stderr, sentence)
}

async function fileOf(name: string, definition: unknown): Promise<string> {
  const file = join(place.folder, name)
  await writeFile(file, typeof definition === 'string' ? definition : JSON.stringify(definition))
  return file
}

test('a rule is proposed, changed, approved by another person, and shown with what is to come', async () => {
  assert.equal(await done(['rules']), 'There are no rules: everything is kept, and nothing is ever due\n')
  assert.deepEqual(JSON.parse(await done(['rules', 'list', '--json'])), [])
  const minors = { majorityAge: 18, keep: { years: 3 } }
  const ten = await fileOf('ten.json', {
    keep: { years: 10 },
    minors,
    dispose: 'review',
    source: 'G.L. c.111 s.70',
  })
  const made = await done(['rules', 'propose', 'Adults', '--file', ten])
  assert.match(
    made,
    /^Adults \(rul_\w+\), in force\n\n *VERSION +STATE +EFFECT +FROM +OF +KEEPS +THEN +PROPOSED BY +APPROVED BY\n/,
  )
  assert.match(
    made,
    / 1 +in force +lengthens .* everything +10 years from the call; of minors 3 years from the age of 18 +people decide +officer +officer\n/,
  )
  assert.match(made, /\nSource of version 1: G\.L\. c\.111 s\.70\n$/)

  const seven = await fileOf('seven.json', {
    keep: { years: 7 },
    dispose: 'automatic',
    disposeAfterDays: 30,
    lock: true,
  })
  const shorter = await done(['rules', 'change', 'Adults', '--file', seven])
  assert.match(
    shorter,
    / 2 +proposed +shortens +- +everything +7 years from the call +goes by itself after 30 days, locked +officer +-\n/,
  )
  assert.match(shorter, /Version 2 shortens: somebody else approves it/)
  assert.match(
    await done(['rules', 'list']),
    /^RULE +STATE +OF +KEEPS +THEN +TO COME +ID\nAdults +in force .* version 2 waits for approval +rul_/,
  )
  await refused(
    ['rules', 'approve', 'Adults', '--version-number', '2'],
    /^auricle: Not allowed: own_proposal\n$/,
  )
  const soon = ['rules', 'approve', 'Adults', '--version-number', '2', '--from', '2026-01-01T00:00:00Z']
  await refused(soon, /^auricle: It shortens, and can begin on 20\d\d-/, { token: administrator })
  const { id, versions } = RuleView.parse(
    JSON.parse(
      await done(['rules', 'approve', 'Adults', '--version-number', '2', '--json'], { token: administrator }),
    ),
  )
  assert.equal(versions[1]?.state, 'scheduled')
  assert.match(
    await done(['rules', 'show', id], { token: administrator }),
    / 2 +scheduled +shortens +20\d\d-/,
  )
  await refused(['rules', 'end', 'Adults', '--from', 'now'], /unknown option '--from'/)
  assert.match(
    await done(['rules', 'withdraw', 'Adults', '--version-number', '2']),
    / 2 +withdrawn +shortens/,
  )
  assert.match(
    await done(['rules', 'end', 'Adults']),
    / 3 +proposed +shortens +- +the rule ends +the rule ends +the rule ends +officer/,
  )
})

test('what is wrong with a rule is said in a sentence', async () => {
  const ten = await fileOf('good.json', { keep: { years: 10 }, dispose: 'review' })
  await refused(
    ['rules', 'show', 'Nobody'],
    /^auricle: There is no rule "Nobody"; `auricle retention rules list` shows them\n$/,
  )
  await refused(['rules', 'show', 'rul_01jd3w8h9k6n2q4s5t7v8x9y0z'], /^auricle: There is no such rule\n$/)
  await refused(
    ['rules', 'propose', 'Other', '--file', join(place.folder, 'none.json')],
    /none\.json cannot be read, or is no JSON/,
  )
  await refused(
    ['rules', 'propose', 'Other', '--file', await fileOf('bad.json', '{')],
    /bad\.json cannot be read, or is no JSON/,
  )
  const zero = await fileOf('zero.json', { keep: {}, dispose: 'review' })
  await refused(
    ['rules', 'propose', 'Other', '--file', zero],
    /is no definition of a rule:\n✖ a period is at least one day\n +→ at keep\n/,
  )
  await refused(
    ['rules', 'propose', 'Other', '--file', ten, '--from', 'soon'],
    /--from is a time in RFC 3339 UTC/,
  )
  await refused(['rules', 'propose', 'Other'], /required option '--file <path>' not specified/)
  await refused(
    ['rules', 'withdraw', 'Other', '--version-number', 'x'],
    /There is no rule "Other"|--version-number is/,
  )
  await refused(['rules', 'propose', 'Other', '--file', ten], /^auricle: Not allowed: no_role\n$/, {
    token: clinician,
  })
})

test('settings are shown and changed one by one', async () => {
  assert.match(
    await done(['settings']),
    /^Calendar: +UTC\nDisposition: +looked at by 1 person, .*\nBefore deletion: +7 days\nBefore shortening: +30 days\nStorage price: +not stated\n$/,
  )
  await done(['settings', 'set', '--zone', 'America/Chicago', '--storage-price', '0.02 USD'])
  const settings = RetentionSettings.parse(
    JSON.parse(await done(['settings', 'set', '--stages', '2', '--json'])),
  )
  assert.deepEqual(settings, {
    ...{ zone: 'America/Chicago', stages: 2, waitingDays: 7, shorteningDays: 30 },
    storagePrice: { currency: 'USD', perGibibyteMonth: 0.02 },
  })
  assert.match(await done(['settings', 'set', '--storage-price', 'none']), /Storage price: +not stated/)
  await refused(
    ['settings', 'set', '--zone', 'Mars/Olympus', '--shortening-days', '29'],
    /^auricle: --zone is a zone of the tz database, .*; --shortening-days is a whole number from 30 to 365\n$/,
  )
  await refused(
    ['settings', 'set', '--storage-price', 'cheap'],
    /--storage-price is what a gibibyte costs a month/,
  )
})

test('events and birth dates are recorded, and the date is nobody’s to see', async () => {
  const patient = ['--patient', 'MRN-zebra']
  const recorded = [
    'event',
    'record',
    'treatment_ended',
    ...patient,
    '--at',
    '2026-02-03T10:00:00Z',
    '--json',
  ]
  const { id } = RetentionEventView.parse(JSON.parse(await done(recorded)))
  assert.match(
    await done(['event', 'list', ...patient]),
    /^WHAT +AT +OF +RECORDED +WITHDRAWN +EVENT\ntreatment ended +2026-02-03 .* pat_\w+ .* - +rev_/,
  )
  assert.match(await done(['event', 'withdraw', id]), /counts no more/)
  await refused(['event', 'withdraw', id], /^auricle: The event was withdrawn before\n$/)
  await refused(['event', 'withdraw', 'x'], /"x" is not an event's id/)
  await refused(
    ['event', 'record', 'lost', '--at', 'x'],
    /What happened is one of treatment_ended, .*--at is a time/s,
  )
  await refused(['event', 'list'], /Say whose: --patient or --recording/)
  const birth = await done(['birth-date', ...patient], { input: '2012-02-29\n' })
  assert.match(birth, /^The birth date of pat_\w+ is recorded; 0 recordings will be decided anew\n$/)
  assert.doesNotMatch(birth, /2012/)
  assert.match(await done(['birth-date', ...patient, '--forget']), /is taken back/)
  const wrong = await run(['birth-date', ...patient], { input: '29.2.2012' })
  assert.deepEqual([wrong.code, wrong.stderr], [2, 'auricle: A birth date is written 2012-02-29\n'])
})

test('the record set is listed and decided', async () => {
  assert.match(
    await done(['record-set']),
    /^MAILBOX +NAME +RECORD SET +RECORDINGS +UNDECIDED +WHY\n1001 +Front desk +undecided +0 +0 +-\n$/,
  )
  const decide = ['record-set', 'decide', 'in', '--rationale', 'used to decide about care']
  assert.equal(
    await done([...decide, '--mailbox', '1001']),
    'Mailbox 1001 is part of the designated record set\n',
  )
  const page = RecordSetPage.parse(JSON.parse(await done(['record-set', 'list', '--json'])))
  assert.deepEqual(
    page.mailboxes.map(({ decision, latest }) => [decision, latest?.rationale]),
    [['in', 'used to decide about care']],
  )
  await refused(decide, /^auricle: Say of what: --mailbox or --recording\n$/)
  await refused([...decide, '--mailbox', '9999'], /There is no mailbox "9999"/)
  await refused(
    ['record-set', 'decide', 'maybe', '--rationale', 'x'],
    /Allowed choices are in, out, undecided/,
  )
  await refused(['record-set', 'list', '--cursor', 'x'], /The cursor is not one/)
})
