// A destruction that dies at any of its steps, and is run again: it ends as if it had not.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { RecordingId } from '@auricle/contract'
import { auditEvents } from '../../../../test/audit-log.ts'
import { type EndOfLife, openEndOfLife } from '../../../../test/disposition-vault.ts'
import { stepping } from '../../../../test/dying.ts'
import { recordingFolder } from '../object-key.ts'
import { destroyReady } from './destroy-ready.ts'

const killed = fileURLToPath(new URL('../../../../test/killed-destroyer.ts', import.meta.url))

let end: EndOfLife

before(async () => {
  end = await openEndOfLife()
})
after(() => end[Symbol.asyncDispose]())

async function ready(): Promise<RecordingId> {
  const recordingId = await end.archive()
  await end.propose()
  end.pass(8)
  return recordingId
}

async function assertEnded(recordingId: RecordingId, what: string): Promise<void> {
  for (const store of [end.primary, end.recovery]) {
    for await (const { key } of store.list(recordingFolder(end.tenantId, recordingId)))
      assert.fail(`${what}: ${key} is left`)
  }
  const { rows } = await end.vault.database.superuserPool.query(
    `select r.source_id, r.destroyed_at is not null as destroyed, i.state, d.state as disposition,
       (select count(*)::int from auricle.destroyed_object o where o.recording_id = r.id) as objects
     from auricle.recording r
     join auricle.disposition_item i on i.recording_id = r.id
     join auricle.disposition d on d.id = i.disposition_id
     where r.id = $1`,
    [recordingId],
  )
  const ended = { source_id: null, destroyed: true, state: 'destroyed', disposition: 'done', objects: 6 }
  assert.deepEqual(rows, [ended], what)
  const events = (await auditEvents(end.vault, end.tenantId)).filter(
    ({ object }) => object?.id === recordingId,
  )
  for (const action of ['recording.destroying', 'recording.disposed'])
    assert.equal(events.filter(event => event.action === action).length, 1, `${what}: ${action}`)
  const certificate = await end.vault.catalog.findCertificate(end.tenantId, recordingId)
  assert.equal(certificate?.claims.objects.length, 6, what)
}

class Died extends Error {}

test('whichever step it dies at, the next run ends it', async () => {
  let dieAt = 0
  for (let died = true; died; ) {
    dieAt++
    const recordingId = await ready()
    let steps = 0
    // Dead is dead: no later step is taken either.
    const step = () => {
      steps++
      if (steps >= dieAt) throw new Died()
    }
    await destroyReady(stepping(end.parts, step), {}).catch(() => undefined)
    died = steps >= dieAt
    end.pass(0.1)
    await destroyReady(end.parts, {})
    await assertEnded(recordingId, `died at step ${dieAt}`)
  }
  assert.ok(dieAt > 40, `only ${dieAt} steps were tried`)
})

async function runAndKill(dieAt: number): Promise<{ readonly signal: string | null; readonly said: string }> {
  const { vault, clock } = end
  const asked = { settings: vault.database.app, folder: vault.folder, now: clock.now, dieAt }
  const child = spawn(process.execPath, [killed], {
    env: { ...process.env, KILLED_DESTROYER: JSON.stringify(asked) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [, signal] = await once(child, 'close')
  return { signal, said }
}

test('a process that is killed in the middle leaves what the next one ends', async () => {
  const recordingId = await ready()
  // Each goes a little further than the one before: what that one did is done.
  for (const dieAt of [8, 14, 17, 20]) {
    assert.equal((await runAndKill(dieAt)).signal, 'SIGKILL', `at step ${dieAt}`)
    end.pass(0.1)
  }
  const { signal, said } = await runAndKill(0)
  assert.equal(signal, null)
  assert.equal(JSON.parse(said).destroyed, 1)
  await assertEnded(recordingId, 'killed')
})
