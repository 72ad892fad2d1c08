// Emergency access at the keyboard: real processes, a service that runs, and a session that was signed in over HTTP.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { BreakGlassDetail, BreakGlassPage, Session } from '@auricle/contract'
import { totpCode } from '@auricle/identity'
import { z } from 'zod'
import { type CommandFolder, openCommandFolder } from '../../../test/command.ts'

let place: CommandFolder
/** Of the clinician: a session, which a program's token is not. */
let session = ''
let programToken = ''

before(async () => {
  place = await openCommandFolder()
  const service = place.start(['start'])
  const [, api = ''] = /^ {2}API +(http:[^\s,]+)/m.exec(await service.said('Ctrl-C stops it')) ?? []
  assert.equal((await place.run(['tenant', 'create', 'clinic', '--name', 'A clinic'])).code, 0)
  const made = await place.run(['user', 'create', 'clinician', '--name', 'Clinician', '--json'])
  const { password, totpSecret } = z
    .looseObject({ password: z.string(), totpSecret: z.string() })
    .parse(JSON.parse(made.stdout.toString()))
  const issued = await place.run(['token', 'create', 'clinician', '--json'])
  programToken = z.looseObject({ token: z.string() }).parse(JSON.parse(issued.stdout.toString())).token
  const response = await fetch(`${api}/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ tenant: 'clinic', login: 'clinician', password, code: totpCode(totpSecret, new Date()) },
    }),
  })
  session = Session.parse(await response.json()).token
})
after(() => place[Symbol.asyncDispose]())

async function run(args: readonly string[], token = session) {
  const { code, stdout, stderr } = await place.run(args, { env: { AURICLE_TOKEN: token } })
  return { code, stdout: stdout.toString(), stderr }
}

const reason = ['--reason', 'The covering physician is not reachable']

test('it is opened, said with every command, listed, shown, and ended', async () => {
  const started = await run(['break-glass', 'start', ...reason])
  assert.equal(started.code, 0, started.stderr)
  assert.equal(started.stderr, '')
  const [, id = ''] = /^Emergency access (bgl_\w{26}) is open until 20.*\.\n/.exec(started.stdout) ?? []
  assert.notEqual(id, '')

  const line = /^auricle: your emergency access is open until 20\d\d-.*; what you open is reviewed\n$/
  const listed = await run(['ls'])
  assert.equal(listed.code, 0)
  assert.match(listed.stderr, line)
  assert.match(
    (await run(['play', 'rec_01jd3w8h9k6n2q4s5t7v8x9y0z'])).stderr,
    /^auricle: your emergency access/,
  )

  const again = await run(['break-glass', 'start', ...reason])
  assert.equal(again.code, 2)
  assert.match(again.stderr, new RegExp(`${id} is open already`))

  const [table, json, shown, judged] = await Promise.all([
    run(['break-glass', 'list']),
    run(['break-glass', 'list', '--state', 'open', '--json']),
    run(['break-glass', 'show', id]),
    run(['break-glass', 'review', id, '--verdict', 'justified', '--note', 'I was right']),
  ])
  assert.match(
    table.stdout,
    /^EMERGENCY ACCESS +PERSON +STARTED +ENDED +STATE +REVIEW DUE +VERDICT\nbgl_\w+ +clinician/,
  )
  assert.deepEqual(
    BreakGlassPage.parse(JSON.parse(json.stdout)).breakGlass.map(one => one.id),
    [id],
  )
  assert.match(shown.stdout, /\nReason: The covering physician is not reachable\n/)
  assert.equal(judged.code, 2)
  assert.match(judged.stderr, /Not allowed: no_role/)

  const ended = await run(['break-glass', 'end'])
  assert.equal(ended.stdout, `Emergency access ${id} is over\n`)
  const after = await run(['break-glass', 'end'])
  assert.match(after.stderr, /^auricle: No emergency access of yours is open\n$/)
  assert.equal((await run(['ls'])).stderr, '')
  const detail = await run(['break-glass', 'show', id, '--json'])
  assert.equal(BreakGlassDetail.parse(JSON.parse(detail.stdout)).state, 'unreviewed')
})

test('what cannot be is said in a sentence', async () => {
  const [short, program, id, limit] = await Promise.all([
    run(['break-glass', 'start', '--reason', 'short']),
    run(['break-glass', 'start', ...reason], programToken),
    run(['break-glass', 'show', 'nonsense']),
    run(['break-glass', 'list', '--limit', 'many']),
  ])
  for (const { code } of [short, program, id, limit]) assert.equal(code, 2)
  assert.match(short.stderr, /^auricle: --reason has 10 to 1000 characters, ten of them letters or digits\n$/)
  assert.match(program.stderr, /^auricle: Not allowed: needs_session\n$/)
  assert.match(id.stderr, /not an emergency access's id/)
  assert.match(limit.stderr, /--limit is a whole number/)
})
