// `auricle retention drift` as the operator meets it.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createFolderStore } from '@auricle/objects'
import { type CommandFolder, openCommandFolder } from '../../../test/command.ts'
import { shortWav } from '../../../test/vault.ts'

let place: CommandFolder

before(async () => {
  place = await openCommandFolder()
  await place.start(['start']).said('Ctrl')
})
after(() => place[Symbol.asyncDispose]())

async function said(code: number, ...args: readonly string[]): Promise<string> {
  const ran = await place.run(args)
  assert.equal(ran.code, code, `${args.join(' ')}: ${ran.stdout.toString()}${ran.stderr}`)
  return code === 2 ? ran.stderr : ran.stdout.toString()
}

test('what differs is told, mended where it is asked for, and then is no more', async () => {
  await said(0, 'tenant', 'create', 'clinic', '--name', 'A clinic')
  await said(0, 'mailbox', 'create', '2001', '--name', 'Front desk')
  const made = await said(0, 'connector', 'create', 'upload', '--name', 'PBX', '--mailbox', '2001', '--json')
  const { id: connector } = JSON.parse(made)
  const file = join(place.folder, 'one.wav')
  await writeFile(file, shortWav(1))
  await said(0, 'ingest', file, '--connector', connector)
  const objects = createFolderStore({ folder: join(place.dataFolder, 'objects') })
  while (JSON.parse(await said(0, 'intake', 'list', '--state', 'received', '--json')).length > 0)
    await delay(100)
  const keys: string[] = []
  for await (const { key } of objects.list('recordings/')) keys.push(key)
  assert.match(
    await said(0, 'retention', 'drift'),
    /The stores keep what they should\n\nLooked at \d objects?, mended 0/,
  )
  await objects.setHold(keys[0] ?? '', true)
  assert.match(await said(1, 'retention', 'drift', '--mend', 'false'), /held_for_nothing +1/)
  assert.equal((await objects.head(keys[0] ?? ''))?.held, true)
  assert.match(await said(0, 'retention', 'drift', '--tenant', 'clinic'), /held_for_nothing +1\n\n.*mended 1/)
  assert.equal((await objects.head(keys[0] ?? ''))?.held, false)
  const rows = JSON.parse(await said(0, 'retention', 'drift', '--json'))
  assert.deepEqual(rows, [])
  assert.match(await said(2, 'retention', 'drift', '--mend', 'perhaps'), /true or false/)
  assert.match(await said(2, 'retention', 'drift', '--tenant', 'nobody'), /no tenant "nobody"/)
})
