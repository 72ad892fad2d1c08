// The end of recordings at the keyboard: real processes, a service that runs, and two people who were signed in over HTTP.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DispositionPage, DispositionPreview, newDispositionId } from '@auricle/contract'
import { type CommandFolder, openCommandFolder } from '../../../test/command.ts'
import { apiOf, signInAt } from '../../../test/command-session.ts'

let place: CommandFolder
let api = ''
let officer = ''
let administrator = ''

before(async () => {
  place = await openCommandFolder()
  const service = place.start(['start'])
  api = await apiOf(service)
  assert.equal((await place.run(['tenant', 'create', 'clinic', '--name', 'A clinic'])).code, 0)
  officer = await signIn('officer', 'compliance_officer')
  administrator = await signIn('administrator', 'administrator')
})
after(() => place[Symbol.asyncDispose]())

const signIn = (login: string, role: string) => signInAt(place, api, { login, role })

async function run(args: readonly string[], token = officer) {
  const { code, stdout, stderr } = await place.run(['dispose', ...args], { env: { AURICLE_TOKEN: token } })
  return { code, stdout: stdout.toString(), stderr }
}

test('nothing is due where no rule says so, and each command says so in a sentence', async () => {
  const listed = await run(['list', '--json'])
  assert.deepEqual(DispositionPage.parse(JSON.parse(listed.stdout)).dispositions, [])
  assert.match((await run(['list'])).stdout, /There are no dispositions/)
  const preview = await run(['propose', '--preview', '--json'])
  assert.equal(DispositionPreview.parse(JSON.parse(preview.stdout)).count, 0)
  for (const [args, sentence] of [
    [['propose'], /Nothing of that is due, free of holds and in no other disposition/],
    [['propose', '--recording', 'rec_nothing'], /--recording is a recording's id/],
    [['propose', '--due-before', 'tomorrow'], /--due-before is a time in UTC/],
    [['show', 'dsp_nothing'], /"dsp_nothing" is not a disposition's id/],
    [['review', newDispositionId(), '--verdict', 'approve'], /There is no such disposition/],
  ] as const) {
    const { code, stderr } = await run(args)
    assert.notEqual(code, 0, args.join(' '))
    assert.match(stderr, sentence)
  }
  assert.match((await run(['propose'], administrator)).stderr, /Not allowed/)
})

test('one round says what it did', async () => {
  const { code, stdout } = await run(['run'])
  assert.equal(code, 0)
  assert.match(
    stdout,
    /Proposed 0 recordings in 0 dispositions\.\nDestroyed 0 recordings, took 0 out, postponed 0\./,
  )
  const json = await run(['run', '--json'])
  assert.deepEqual(JSON.parse(json.stdout), {
    ...{ proposed: { dispositions: 0, recordings: 0 }, destroyed: 0, takenOut: 0, postponed: 0 },
    failures: [],
  })
})
