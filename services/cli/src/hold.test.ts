// Legal holds at the keyboard: real processes, a service that runs, and sessions that were signed in over HTTP.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  HeldPage,
  HoldChange,
  HoldDetail,
  HoldPage,
  HoldPreview,
  newRecordingId,
  OwnNoticeList,
} from '@auricle/contract'
import type { z } from 'zod'
import { type CommandFolder, openCommandFolder } from '../../../test/command.ts'
import { apiOf, signInAt } from '../../../test/command-session.ts'

let place: CommandFolder
let api = ''
let officer = ''
let clinician = ''

before(async () => {
  place = await openCommandFolder()
  const service = place.start(['start'])
  api = await apiOf(service)
  assert.equal((await place.run(['tenant', 'create', 'clinic', '--name', 'A clinic'])).code, 0)
  assert.equal((await place.run(['mailbox', 'create', '1001', '--name', 'Front desk'])).code, 0)
  officer = await signIn('officer', 'compliance_officer')
  clinician = await signIn('clinician', 'clinician')
})
after(() => place[Symbol.asyncDispose]())

const signIn = (login: string, role: string) => signInAt(place, api, { login, role })

async function run(args: readonly string[], token = officer) {
  const { code, stdout, stderr } = await place.run(args, { env: { AURICLE_TOKEN: token } })
  return { code, stdout: stdout.toString(), stderr }
}

async function json<Schema extends z.ZodType>(
  schema: Schema,
  args: readonly string[],
  token = officer,
): Promise<z.infer<Schema>> {
  const { code, stdout, stderr } = await run([...args, '--json'], token)
  assert.equal(code, 0, stderr)
  return schema.parse(JSON.parse(stdout))
}

test('a hold is previewed, placed, extended, shown, read by its custodian, and released', async () => {
  const scope = ['--mailbox', '1001', '--number', '+1 202 555 0100', '--after', '2026-01-01T00:00:00Z']
  const previewed = await json(HoldPreview, ['hold', 'preview', ...scope])
  assert.equal(previewed.recordings, 0)

  const notice = join(place.folder, 'notice.txt')
  await writeFile(notice, 'The paper slips of the front desk belong to it too.\n')
  const told = ['--notice', notice, '--custodian', 'clinician']
  const placed = await run(['hold', 'place', '--matter', 'Example against Example', ...scope, ...told])
  assert.equal(placed.code, 0, placed.stderr)
  const [, id = ''] = /^Hold (hld_\w{26}) is in force\.\n0 recordings came under it/.exec(placed.stdout) ?? []
  assert.notEqual(id, '')
  assert.match(placed.stdout, /1 custodian told to keep what they have/)

  const clauses = join(place.folder, 'clauses.json')
  await writeFile(clauses, JSON.stringify([{ mailbox: '1001', label: 'vip' }, { patient: 'MRN-7' }]))
  const extended = await json(HoldChange, [
    'hold',
    'extend',
    id,
    '--clauses',
    clauses,
    '--custodian',
    'officer',
  ])
  assert.deepEqual([extended.hold.clauses, extended.hold.custodians], [3, 2])

  const [list, shown, notices] = await Promise.all([
    run(['hold', 'list']),
    run(['hold', 'show', id]),
    run(['hold', 'notices'], clinician),
  ])
  assert.match(
    list.stdout,
    /^HOLD +MATTER +STATE +PLACED +RECORDINGS +CLAUSES +NOTICES READ\nhld_.*0 of 2\n$/,
  )
  assert.match(shown.stdout, /number \+1 202 555 0100, .*after 2026-01-01T00:00:00Z/)
  assert.match(shown.stdout, /\nAT +WHAT +COUNT +BY\n.*placed +1 +officer\n/)
  assert.match(shown.stdout, /\nNotice:\nThe paper slips/)
  assert.match(notices.stdout, /^LEGAL HOLD: DO NOT DESTROY\n\nPractice: +A clinic\n/)
  assert.match(notices.stdout, new RegExp(`The paper slips .*auricle hold acknowledge ${id}\n$`, 's'))
  assert.ok(!notices.stdout.includes('Example against Example'), 'the matter is not the custodian’s to know')

  const read = await run(['hold', 'acknowledge', id], clinician)
  assert.equal(read.stdout, `You have said that you read the notice of hold ${id}\n`)
  const again = await run(['hold', 'acknowledge', id], clinician)
  assert.match(again.stderr, /^auricle: You said so before, or the hold is over\n$/)
  const { people } = await json(HoldDetail, ['hold', 'show', id])
  assert.deepEqual(
    people.map(({ name, acknowledgedAt }) => [name, acknowledgedAt !== null]),
    [
      ['clinician', true],
      ['officer', false],
    ],
  )
  const held = await run(['hold', 'recordings', id])
  assert.equal(held.stdout, 'It covers nothing\n')
  assert.deepEqual((await json(HeldPage, ['hold', 'recordings', id])).recordings, [])
  assert.equal((await run(['ls', '--held', 'yes'])).stdout, 'No recordings match\n')

  const released = await run(['hold', 'release', id, '--reason', 'Settled'])
  assert.match(released.stdout, new RegExp(`^Hold ${id} is released\\.\nIt covered 0 recordings`))
  const { holds } = await json(HoldPage, ['hold', 'list', '--active', 'no'])
  assert.deepEqual(
    holds.map(one => [one.id, one.release?.reason]),
    [[id, 'Settled']],
  )
  const over = await json(OwnNoticeList, ['hold', 'notices'], clinician)
  assert.match(over.notices[0]?.text ?? '', /^LEGAL HOLD: OVER\n/)
})

test('what cannot be is said in a sentence', async () => {
  const broken = join(place.folder, 'broken.json')
  await writeFile(broken, '[{"label":"nonsense"}]')
  const list = join(place.folder, 'ids.txt')
  await writeFile(list, `${newRecordingId()}\n\n${newRecordingId()}\n`)
  const matter = ['hold', 'place', '--matter', 'x']
  const cases: (readonly [readonly string[], RegExp])[] = [
    [matter, /Say what to hold/],
    [[...matter, '--everything', '--kind', 'voicemail'], /--everything goes without the rest/],
    [[...matter, '--number', 'nobody@host5'], /--number has digits/],
    [[...matter, '--after', 'yesterday'], /--after is a time in UTC/],
    [[...matter, '--mailbox', '9999'], /There is no mailbox with the address "9999"/],
    [[...matter, '--everything', '--custodian', 'nobody'], /There is nobody called "nobody" here/],
    [[...matter, '--recording', 'rec_1'], /"rec_1" is not a recording's id/],
    [[...matter, '--recordings', list], /It names a recording, mailbox, patient or person that is not here/],
    [[...matter, '--clauses', broken], /Clause 1 in .*broken\.json: /],
    [[...matter, '--clauses', list], /holds no JSON array of clauses/],
    [[...matter, '--clauses', join(place.folder, 'absent')], /is not there/],
    [['hold', 'show', 'nonsense'], /"nonsense" is not a hold's id/],
    [['hold', 'release', 'hld_01jd3w8h9k6n2q4s5t7v8x9y0z', '--reason', 'r'], /There is no such hold/],
  ]
  for (const [args, sentence] of cases) {
    const { code, stderr } = await run(args)
    assert.equal(code, 2, `${args}: ${stderr}`)
    assert.match(stderr, sentence)
  }
  const denied = await run(['hold', 'list'], clinician)
  assert.match(denied.stderr, /^auricle: Not allowed: no_role\n$/)
})
