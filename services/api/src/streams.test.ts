// Ends a right through one process while another one plays: the stream is cut, and never looks whole.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { RecordingId } from '@auricle/contract'
import { archiveAudio } from '../../../test/archived.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { openRaw, requestHead } from '../../../test/raw-http.ts'
import { type Clinic, makeClinic, openTestVault, shortWav, type TestVault } from '../../../test/vault.ts'

/** The promise is this; the services of this test look more often, so that nobody waits for it. */
const limitMs = 60_000
const recheckMs = 100
/** More than sockets between two processes of one machine hold back. */
const wav = shortWav(20 * 60)

let vault: TestVault
let clinic: Clinic
let recording: RecordingId
let playing: Front
let elsewhere: Front

before(async () => {
  vault = await openTestVault()
  playing = await openFront(vault, { streams: { recheckMs } })
  elsewhere = await openFront(vault)
})
after(async () => {
  await playing[Symbol.asyncDispose]()
  await elsewhere[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})
beforeEach(async () => {
  clinic = await makeClinic(vault)
  recording = await archiveAudio(vault, clinic, wav, { sourceId: 'long' }, { audio: null })
})

/** Takes a little now and then, as a player does that has enough for a while. */
async function playSlowly(token: string, query = '', headers: Readonly<Record<string, string>> = {}) {
  const raw = await openRaw(playing.port)
  raw.socket.pause()
  let isOver = false
  let isHurried = false
  const closed = once(raw.socket, 'close').then(() => {
    isOver = true
  })
  const path = `/v1/recordings/${recording}/audio${query}`
  await raw.send(requestHead('GET', path, { Authorization: `Bearer ${token}`, ...headers }))
  let received = 0
  let head = ''
  const taking = (async () => {
    while (!isOver) {
      const mostBytes = isHurried ? Infinity : 16_384
      const piece: Buffer | null = raw.socket.read(Math.min(raw.socket.readableLength, mostBytes) || 1)
      if (piece !== null) {
        received += piece.length
        if (head.length < 1024) head += piece.toString('latin1')
      }
      await delay(20)
    }
  })()
  return {
    raw,
    closed,
    taking,
    head: () => head,
    received: () => received,
    /** Takes all that is still to come. */
    hurry() {
      isHurried = true
    },
    async begun() {
      while (received < 100_000) await delay(20)
    },
  }
}

const cutEvents = async () =>
  (await auditEvents(vault, clinic.tenant.id)).filter(({ action }) => action === 'recording.cut')

type Slow = Awaited<ReturnType<typeof playSlowly>>

async function assertCut(slow: Slow, reason: string): Promise<void> {
  const until = Date.now() + limitMs
  let events = await cutEvents()
  while (events.length === 0 && Date.now() < until) {
    await delay(20)
    events = await cutEvents()
  }
  slow.hurry()
  await slow.closed
  await slow.taking
  assert.match(slow.head(), /^HTTP\/1\.1 20[06] /)
  const length = Number(/^content-length: (\d+)/im.exec(slow.head())?.[1])
  assert.ok(length > 1_000_000 && slow.received() < length)
  assert.deepEqual(
    events.map(({ reasons, object, outcome }) => [reasons[0], object?.id, outcome]),
    [[reason, recording, 'denied']],
  )
}

const query = (text: string, ...values: unknown[]) => vault.database.superuserPool.query(text, values)

test('somebody is disabled while they listen', async () => {
  const { token } = await playing.sessionOf(clinic.clinician)
  const slow = await playSlowly(token)
  await slow.begun()
  await query('update auricle.app_user set disabled_at = now() where id = $1', clinic.clinician.row.id)
  await assertCut(slow, 'disabled')
})

test('somebody signs out everywhere, on another process', async () => {
  const { token } = await playing.sessionOf(clinic.clinician)
  const slow = await playSlowly(token, '', { Range: 'bytes=1000-' })
  await slow.begun()
  const own = { authorization: `Bearer ${(await elsewhere.sessionOf(clinic.clinician)).token}` }
  const ended = await fetch(`${elsewhere.url}/v1/me/sessions`, { method: 'DELETE', headers: own })
  assert.equal(ended.status, 204)
  await assertCut(slow, 'revoked')
})

test('a program exports, and its token is taken away', async () => {
  const token = await playing.tokenOf(clinic.clinician)
  const slow = await playSlowly(token, '?download=true&role=original')
  await slow.begun()
  await query(
    "update auricle.token set revoked_at = now() where user_id = $1 and purpose = 'personal'",
    clinic.clinician.row.id,
  )
  await assertCut(slow, 'revoked')
})

test('ranges that wait here for a client who does not take them are cut as well', async () => {
  const { token } = await playing.sessionOf(clinic.clinician)
  using raw = await openRaw(playing.port)
  raw.socket.pause()
  const closed = once(raw.socket, 'close')
  const [ranges, rangeBytes] = [40, 500_000]
  for (let range = 0; range < ranges; range++) {
    const headers = { Authorization: `Bearer ${token}`, Range: `bytes=${range}-${range + rangeBytes - 1}` }
    await raw.send(requestHead('GET', `/v1/recordings/${recording}/audio`, headers))
  }
  const played = async () =>
    (await auditEvents(vault, clinic.tenant.id)).some(({ action }) => action === 'recording.played')
  while (!(await played())) await delay(20)
  await query('update auricle.app_user set disabled_at = now() where id = $1', clinic.clinician.row.id)
  const until = Date.now() + limitMs
  while ((await cutEvents()).length === 0 && Date.now() < until) await delay(20)
  raw.socket.resume()
  await closed
  assert.ok(raw.rest().length < ranges * rangeBytes)
  assert.deepEqual((await cutEvents())[0]?.reasons, ['disabled'])
})

test('whoever may go on hears it to its end', async () => {
  const { token } = await playing.sessionOf(clinic.clinician)
  const response = await fetch(`${playing.url}/v1/recordings/${recording}/audio`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const pieces: Uint8Array[] = []
  for await (const piece of response.body ?? []) {
    pieces.push(piece)
    if (pieces.length % 50 === 0) await delay(20)
  }
  assert.deepEqual(Buffer.concat(pieces), wav)
  assert.deepEqual(await cutEvents(), [])
})

test('a cut is no failure of ours', () => {
  assert.ok(!playing.log.text().includes('"level":"error"'))
})
