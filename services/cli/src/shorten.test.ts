// `auricle retention shorten` as the operator meets it.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { RetentionExplanation } from '@auricle/contract'
import { createFolderStore } from '@auricle/objects'
import { type CommandFolder, openCommandFolder } from '../../../test/command.ts'
import { apiOf, signInAt } from '../../../test/command-session.ts'
import { shortWav } from '../../../test/vault.ts'

let place: CommandFolder
let api = ''

before(async () => {
  place = await openCommandFolder()
  api = await apiOf(place.start(['start']))
})
after(() => place[Symbol.asyncDispose]())

async function said(code: number, args: readonly string[], token = ''): Promise<string> {
  const ran = await place.run(args, token === '' ? {} : { env: { AURICLE_TOKEN: token } })
  assert.equal(ran.code, code, `${args.join(' ')}: ${ran.stdout.toString()}${ran.stderr}`)
  return code === 2 ? ran.stderr : ran.stdout.toString()
}

const shorten = (...options: readonly string[]) => said(0, ['retention', 'shorten', ...options])
const dayMs = 86_400_000

test('what a store keeps for longer is counted, then kept for no longer; what has no end is left', async () => {
  await said(0, ['tenant', 'create', 'clinic', '--name', 'A clinic'])
  await said(0, ['mailbox', 'create', '2001', '--name', 'Front desk'])
  const made = await said(0, [
    'connector',
    'create',
    'upload',
    '--name',
    'PBX',
    '--mailbox',
    '2001',
    '--json',
  ])
  const { id: connector } = JSON.parse(made)
  const file = join(place.folder, 'one.wav')
  await writeFile(file, shortWav(1))
  await said(0, ['ingest', file, '--connector', connector])
  const objects = createFolderStore({ folder: join(place.dataFolder, 'objects'), retentionMode: 'Unlocked' })
  while (JSON.parse(await said(0, ['intake', 'list', '--state', 'received', '--json'])).length > 0)
    await delay(100)
  const keys: string[] = []
  for await (const { key } of objects.list('recordings/')) keys.push(key)
  assert.ok(keys.length > 0)
  const far = new Date(Date.now() + 4000 * dayMs)
  for (const key of keys) await objects.retain(key, far, { lock: false })
  assert.equal(
    await shorten(),
    'No store keeps anything for longer than is decided, that may be shortened\n\nLooked at 0 recordings\n',
  )

  const officer = await signInAt(place, api, { login: 'officer', role: 'compliance_officer' })
  const definition = join(place.folder, 'rule.json')
  await writeFile(definition, JSON.stringify({ keep: { years: 7 }, dispose: 'review' }))
  await said(0, ['retention', 'rules', 'propose', 'Adults', '--file', definition], officer)
  const rationale = ['--rationale', 'of a test']
  await said(0, ['retention', 'record-set', 'decide', 'out', '--mailbox', '2001', ...rationale], officer)
  const id = keys[0]?.split('/')[3] ?? ''
  const explained = async () =>
    RetentionExplanation.parse(JSON.parse(await said(0, ['retention', 'explain', id, '--json'], officer)))
  while ((await explained()).state !== 'kept') await delay(200)
  // The catalog was told by whoever followed the rule that the store keeps it for longer still.
  while ((await shorten('--dry-run', '--json')) === '[]\n') await delay(200)

  const table = new RegExp(
    `^TENANT +RECORDINGS +OBJECTS +SEALED +SHORTENED +FAILED\\nclinic +1 +${keys.length} +[\\d.]+ \\w+ +0 +0\\n\\nLooked at 1 recording, and changed nothing\\n$`,
  )
  assert.match(await shorten('--dry-run'), table)
  assert.deepEqual((await objects.head(keys[0] ?? ''))?.retainUntil, far)
  assert.match(
    await shorten('--tenant', 'clinic'),
    new RegExp(`clinic +1 +${keys.length} .* ${keys.length} +0\\n`),
  )
  for (const key of keys) {
    const until = (await objects.head(key))?.retainUntil?.getTime() ?? 0
    assert.ok(until < Date.now() + 8 * 366 * dayMs, new Date(until).toISOString())
    assert.ok(until > Date.now() + 7 * 365 * dayMs - dayMs, new Date(until).toISOString())
  }
  assert.deepEqual(JSON.parse(await shorten('--json')), [])
  assert.match(await said(2, ['retention', 'shorten', '--tenant', 'nobody']), /no tenant "nobody"/)
})
