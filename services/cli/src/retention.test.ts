// Retention at the keyboard: real processes, a service that runs, and sessions that were signed in over HTTP.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  newRecordingId,
  RecordSetPage,
  RetentionEventView,
  RetentionExplanation,
  RetentionPreview,
  RetentionSettings,
  RuleDefinition,
  RuleView,
} from '@auricle/contract'
import { z } from 'zod'
import { type CommandFolder, openCommandFolder } from '../../../test/command.ts'
import { apiOf, signInAt } from '../../../test/command-session.ts'

let place: CommandFolder
let api = ''
let administrator = ''

before(async () => {
  place = await openCommandFolder()
  const service = place.start(['start'])
  api = await apiOf(service)
  assert.equal((await place.run(['tenant', 'create', 'clinic', '--name', 'A clinic'])).code, 0)
  administrator = await signIn('admin', 'administrator')
  assert.equal((await place.run(['mailbox', 'create', '1001', '--name', 'Front desk'])).code, 0)
})
after(() => place[Symbol.asyncDispose]())

const signIn = (login: string, role: string) => signInAt(place, api, { login, role })

/** Of whoever signed in last: what takes a fresh second factor is tried soon after. */
let officer = ''

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
  officer = await signIn('officer', 'compliance_officer')
  assert.equal(await done(['rules']), 'There are no rules: everything is kept, and nothing is ever due\n')
  const made = await done(['rules', 'propose', 'Adults', '--preset', 'us-conservative'])
  assert.match(
    made,
    /^Adults \(rul_\w+\), in force\n\n *VERSION +STATE +EFFECT +FROM +OF +KEEPS +THEN +PROPOSED BY +APPROVED BY\n/,
  )
  assert.match(
    made,
    / 1 +in force +lengthens .* everything +20 years from the call; of minors 12 years from the age of 18 +people decide +officer +officer\n/,
  )
  assert.match(made, /\nSource of version 1: .*G\.L\. c\.111 s\.70/)
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
  const approve = ['rules', 'approve', 'Adults', '--version-number', '2']
  await refused(approve, /^auricle: Not allowed: own_proposal\n$/)
  const early = [...approve, '--from', new Date(Date.now() + 60_000).toISOString()]
  await refused(early, /^auricle: It shortens, and can begin on 20\d\d-/, { token: administrator })
  const { id, versions } = RuleView.parse(
    JSON.parse(await done([...approve, '--json'], { token: administrator })),
  )
  assert.equal(versions[1]?.state, 'scheduled')
  assert.match(
    await done(['rules', 'list'], { token: administrator }),
    /^RULE +STATE +OF +KEEPS +THEN +TO COME +ID\nAdults +in force .* version 2 from 20\d\d-\S+ \S+ +rul_/,
  )
  const withdrawn = await done(['rules', 'withdraw', id, '--version-number', '2'])
  assert.match(withdrawn, / 2 +withdrawn +shortens/)
  assert.match(await done(['rules', 'end', id]), / 3 +proposed +shortens +- +the rule ends/)
})

test('presets are shown with their sources, and one as the definition that it is', async () => {
  const list = await done(['presets'])
  assert.match(list, /^PRESET +NAME +KEEPS +THEN +SURE +AS OF +SOURCE\n/)
  assert.match(list, /\nus-nc-\w+ +NC, .* 11 years from the call; /)
  assert.match(list, /\n\nA starting point to confirm with counsel: [^\n]+\n$/)
  const one = RuleDefinition.parse(JSON.parse(await done(['presets', 'us-default'])))
  assert.deepEqual([one.keep.years, one.preset], [10, 'us-default'])
  await refused(
    ['presets', 'us-nowhere'],
    /There is no preset "us-nowhere"; `auricle retention presets` shows them/,
  )
})

test('settings, events, birth dates and the record set are changed and shown', async () => {
  officer = await signIn('another', 'compliance_officer')
  await done(['settings', 'set', '--zone', 'America/Chicago', '--stages', '2', '--storage-price', '0.02 USD'])
  assert.deepEqual(RetentionSettings.parse(JSON.parse(await done(['settings', '--json']))), {
    ...{ zone: 'America/Chicago', stages: 2, waitingDays: 7, shorteningDays: 30 },
    storagePrice: { currency: 'USD', perGibibyteMonth: 0.02 },
  })

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
  assert.match(await done(['event', 'withdraw', id]), /counts no more/)
  assert.match(
    await done(['event', 'list', ...patient]),
    /^WHAT +AT +OF +RECORDED +WITHDRAWN +EVENT\ntreatment ended +2026-02-03 .* pat_\w+ .* 20\d\d-.* rev_/,
  )
  const birth = await done(['birth-date', ...patient], { input: '2012-02-29\n' })
  assert.match(birth, /^The birth date of pat_\w+ is recorded; 0 recordings will be decided anew\n$/)
  assert.match(await done(['birth-date', ...patient, '--forget']), /is taken back/)

  assert.match(
    await done(['record-set']),
    /^MAILBOX +NAME +RECORD SET +RECORDINGS +UNDECIDED +WHY\n1001 +Front desk +undecided +0 +0 +-\n$/,
  )
  const decide = ['record-set', 'decide', 'in', '--rationale', 'used to decide about care']
  const decided = await done([...decide, '--mailbox', '1001'])
  assert.equal(decided, 'Mailbox 1001 is part of the designated record set\n')
  const page = RecordSetPage.parse(JSON.parse(await done(['record-set', 'list', '--json'])))
  assert.deepEqual(
    page.mailboxes.map(({ decision, latest }) => [decision, latest?.rationale]),
    [['in', 'used to decide about care']],
  )
})

test('what is wrong is said in a sentence', async () => {
  const zero = await fileOf('zero.json', { keep: {}, dispose: 'review' })
  const propose = ['rules', 'propose', 'Other']
  await refused(propose, /Say what the rule is: --file or --preset/)
  await refused(
    [...propose, '--file', await fileOf('bad.json', '{')],
    /bad\.json cannot be read, or is no JSON/,
  )
  await refused(
    [...propose, '--file', zero],
    /is no definition of a rule:\n✖ a period is at least one day\n +→ at keep\n/,
  )
  await refused([...propose, '--preset', 'us-default', '--from', 'soon'], /--from is a time in RFC 3339 UTC/)
  await refused(
    ['rules', 'show', 'Nobody'],
    /^auricle: There is no rule "Nobody"; `auricle retention rules list` shows them\n$/,
  )
  await refused(
    ['settings', 'set', '--zone', 'Mars/Olympus', '--shortening-days', '29'],
    /^auricle: --zone is a zone of the tz database, .*; --shortening-days is a whole number from 30 to 365\n$/,
  )
  await refused(
    ['event', 'record', 'lost', '--at', 'x'],
    /What happened is one of treatment_ended, .*--at is a time/s,
  )
  await refused(['event', 'list'], /Say whose: --patient or --recording/)
  const wrong = { input: '29.2.2012' }
  await refused(
    ['birth-date', '--patient', 'MRN-zebra'],
    /^auricle: A birth date is written 2012-02-29\n$/,
    wrong,
  )
  await refused(
    ['record-set', 'decide', 'in', '--rationale', 'x', '--mailbox', '9999'],
    /There is no mailbox "9999"/,
  )
  const clinician = await signIn('clinician', 'clinician')
  await refused(['rules', 'list'], /^auricle: Not allowed: no_role\n$/, { token: clinician })
})

test('what a rule would do is previewed, and how one recording stands is explained', async () => {
  officer = await signIn('previewer', 'compliance_officer')
  const upload = ['connector', 'create', 'upload', '--name', 'PBX', '--mailbox', '1001', '--json']
  const connected = await place.run(upload)
  assert.equal(connected.code, 0, connected.stderr)
  const { id: connector } = z.looseObject({ id: z.string() }).parse(JSON.parse(connected.stdout.toString()))
  const ogg = fileURLToPath(new URL('../../../test/samples/voicemail.ogg', import.meta.url))
  const ingested = await place.run(['ingest', ogg, '--connector', connector, '--json'])
  assert.equal(ingested.code, 0, ingested.stderr)
  const { recording } = z.looseObject({ recording: z.string() }).parse(JSON.parse(ingested.stdout.toString()))
  for (let tries = 0; (await run(['explain', recording])).code !== 0; tries++) {
    assert.ok(tries < 50, 'the recording is not archived')
    await delay(200)
  }
  assert.match(await done(['explain', recording]), /\nThe minimum that was set when it was archived ends at /)
  const told = RetentionExplanation.parse(JSON.parse(await done(['explain', recording, '--json'])))
  assert.equal(told.recording, recording)
  await refused(['explain', 'rec_1'], /"rec_1" is not a recording's id/)
  await refused(['explain', newRecordingId()], /No such recording/)

  const file = await fileOf('century.json', { keep: { years: 100 }, dispose: 'review' })
  const said = await done(['preview', file])
  assert.match(said, /^It lengthens: one person may decide it, at once\n/)
  assert.match(said, /\nkept longer +1 +[\d.]+ KB\n/)
  assert.match(said, /\nOf 1 recording, 0 stay as they are\nSuch as rec_\w{26}\n$/)
  const preview = RetentionPreview.parse(
    JSON.parse(await done(['preview', file, '--rule', 'Adults', '--json'])),
  )
  assert.equal(preview.all.recordings, 1)
  await refused(['preview'], /Say what the rule would be/)
  await refused(['preview', file, '--rule', 'Adults', '--end'], /Say what the rule would be/)
})
