// Two API processes over one database: what ends a right in one cuts the stream that the other sends, within a minute.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { RecordingId } from '@auricle/contract'
import { z } from 'zod'
import { archiveAudio } from '../../../test/archived.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { openRaw, requestHead } from '../../../test/raw-http.ts'
import { type Clinic, makeClinic, openTestVault, shortWav, type TestVault } from '../../../test/vault.ts'

const limitMs = 60_000
const pollMs = 50
const main = fileURLToPath(new URL('main.ts', import.meta.url))
/** More than sockets between two processes of one machine hold back. */
const wav = shortWav(20 * 60)

interface Api extends AsyncDisposable {
  readonly port: number
}

let vault: TestVault
/** Signs the tokens that the processes take: they share its keyring. */
let front: Front
let playing: Api
let elsewhere: Api
let clinic: Clinic
let recording: RecordingId

before(async () => {
  vault = await openTestVault()
  front = await openFront(vault)
  playing = await startProcess()
  elsewhere = await startProcess()
})
after(async () => {
  for (const part of [playing, elsewhere, front, vault]) await part[Symbol.asyncDispose]()
})
beforeEach(async () => {
  clinic = await makeClinic(vault)
  recording = await archiveAudio(vault, clinic, wav, { sourceId: 'long' }, { audio: null })
})

const Listening = z.looseObject({ msg: z.literal('Listening'), port: z.int() })

/** As `npm start` would for production: settings from the environment, the log on standard error. */
async function startProcess(): Promise<Api> {
  const { host, port, database, user, password } = vault.database.app
  const part = encodeURIComponent
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: vault.folder,
      DATABASE_URL: `postgres://${part(user)}:${part(password)}@localhost:${port}/${part(database)}?host=${part(host)}`,
      AURICLE_DATA: vault.folder,
      AURICLE_OBJECTS: join(vault.folder, 'objects'),
      AURICLE_KEYS: join(vault.folder, 'keyring.json'),
      AURICLE_API_PORT: '0',
      AURICLE_LOG_FORMAT: 'json',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let text = ''
  child.stderr.on('data', (piece: Buffer) => {
    text += piece.toString()
  })
  const exited = once(child, 'exit')
  const portOf = () => {
    for (const line of text.split('\n').filter(each => each.includes('"Listening"'))) {
      return Listening.parse(JSON.parse(line)).port
    }
    return null
  }
  while (portOf() === null) {
    if (child.exitCode !== null) throw new Error(`it does not start:\n${text}`)
    await delay(pollMs)
  }
  return {
    port: portOf() ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** Begins to play at one process, ends the right at whichever, and sees what becomes of the stream. */
async function assertCut(token: string, end: () => Promise<unknown>, reason: string): Promise<void> {
  using raw = await openRaw(playing.port)
  raw.socket.pause()
  const closed = once(raw.socket, 'close')
  await raw.send(
    requestHead('GET', `/v1/recordings/${recording}/audio`, { Authorization: `Bearer ${token}` }),
  )
  while (raw.socket.readableLength === 0) await delay(pollMs)
  await end()
  const cuts = async () =>
    (await auditEvents(vault, clinic.tenant.id)).filter(({ action }) => action === 'recording.cut')
  const until = Date.now() + limitMs
  while ((await cuts()).length === 0 && Date.now() < until) await delay(pollMs)
  const [event] = await cuts()
  assert.deepEqual([event?.reasons, event?.object?.id], [[reason], recording])
  raw.socket.resume()
  await closed
  assert.match(raw.rest().toString('latin1', 0, 100), /^HTTP\/1\.1 200 /)
  assert.ok(raw.rest().length < wav.length)
}

test('somebody is disabled', async () => {
  const { token } = await front.sessionOf(clinic.clinician)
  const disable = 'update auricle.app_user set disabled_at = now() where id = $1'
  await assertCut(
    token,
    () => vault.database.superuserPool.query(disable, [clinic.clinician.row.id]),
    'disabled',
  )
})

test('somebody signs out everywhere through the other process', async () => {
  const { token } = await front.sessionOf(clinic.clinician)
  const own = await front.sessionOf(clinic.clinician)
  const signOut = async () => {
    const ended = await fetch(`http://127.0.0.1:${elsewhere.port}/v1/me/sessions`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${own.token}` },
    })
    assert.equal(ended.status, 204)
  }
  await assertCut(token, signOut, 'revoked')
})
