// Certificates at the keyboard: a recording that is gone in a database that runs, and what is printed, written and checked.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { newRecordingId } from '@auricle/contract'
import { z } from 'zod'
import { type CommandFolder, openCommandFolder } from '../../../test/command.ts'
import { makeCertificate } from '../../../test/verifier/certificate-fixture.ts'

let place: CommandFolder
let token = ''

before(async () => {
  place = await openCommandFolder()
  const service = place.start(['start'])
  await service.said('Ctrl-C stops it')
  assert.equal((await place.run(['tenant', 'create', 'clinic', '--name', 'A clinic'])).code, 0)
  const made = ['user', 'create', 'officer', '--name', 'Officer', '--role', 'compliance_officer']
  assert.equal((await place.run(made)).code, 0)
  const issued = await place.run(['token', 'create', 'officer', '--scope', 'reports.read', '--json'])
  token = z.looseObject({ token: z.string() }).parse(JSON.parse(issued.stdout.toString())).token
})
after(() => place[Symbol.asyncDispose]())

async function run(args: readonly string[]) {
  const { code, stdout, stderr } = await place.run(args, { env: { AURICLE_TOKEN: token } })
  return { code, stdout: stdout.toString(), stderr }
}

test('nothing is listed before anything was destroyed, and keys come with the first certificate', async () => {
  assert.deepEqual(await run(['certificate', 'list']), {
    ...{ code: 0, stdout: 'Nothing was destroyed\n', stderr: '' },
  })
  const id = newRecordingId()
  const none = await run(['certificate', 'show', id])
  assert.deepEqual([none.code, none.stderr], [2, 'auricle: There is no certificate of this recording\n'])
  const wrong = await run(['certificate', 'export', 'rec_1', '--out', join(place.folder, 'x')])
  assert.deepEqual([wrong.code, wrong.stderr], [2, `auricle: "rec_1" is not a recording's id\n`])
  const early = await run(['certificate', 'list', '--from', 'yesterday'])
  assert.match(early.stderr, /--from is a time in UTC/)
  assert.deepEqual(JSON.parse((await run(['certificate', 'keys'])).stdout), { keys: [] })
  const file = join(place.folder, 'keys.jwks')
  assert.equal((await run(['certificate', 'keys', '--out', file])).code, 0)
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), { keys: [] })
  assert.notEqual((await run(['certificate', 'keys', '--out', file])).code, 0)
})

test('one is checked without the vault', async () => {
  const made = makeCertificate(4, { algorithm: 'ES256' })
  const other = makeCertificate(5, { algorithm: 'ES256' })
  const file = async (name: string, text: string) => {
    await writeFile(join(place.folder, name), text)
    return join(place.folder, name)
  }
  const good = await file('good.jws', made.jws)
  const bad = await file('bad.jws', `${made.jws.slice(0, -3)}AAA`)
  const trusted = ['--jwks', await file('jwks', made.jwks), '--policy', await file('policy', made.policy)]
  const held = await run(['certificate', 'verify', good, ...trusted])
  assert.equal(held.code, 0, held.stderr)
  assert.match(held.stdout, /^OK: the recording was destroyed as the certificate says\.\n/)
  const { code, stdout } = await run(['certificate', 'verify', bad, ...trusted, '--json'])
  assert.equal(code, 1)
  assert.deepEqual(JSON.parse(stdout).findings, [{ class: 'tampered', code: 'bad_signature' }])
  const stranger = ['--jwks', await file('others', other.jwks), '--policy', trusted[3] ?? '']
  assert.equal((await run(['certificate', 'verify', good, ...stranger])).code, 2)
  const unusable = ['--jwks', good, '--policy', trusted[3] ?? '']
  assert.match((await run(['certificate', 'verify', good, ...unusable])).stderr, /The keys cannot be used/)
})
