// What of a recording went out over HTTP, in the log: every byte that a client has is named, however its connection ended.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { RecordingId } from '@auricle/contract'
import fc from 'fast-check'
import { archiveAudio } from '../../../test/archived.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { openRaw, requestHead } from '../../../test/raw-http.ts'
import {
  type Clinic,
  makeClinic,
  openTestVault,
  sample,
  shortWav,
  type TestVault,
} from '../../../test/vault.ts'

const wav = shortWav(5 * 60)

let vault: TestVault
let clinic: Clinic
let recording: RecordingId
/** Has a rendition and peaks. */
let rendered: RecordingId

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  recording = await archiveAudio(vault, clinic, wav, { sourceId: 'large' }, { audio: null })
  rendered = await archiveAudio(vault, clinic, await sample('voicemail-short.wav'), { sourceId: 'short' })
})
after(() => vault[Symbol.asyncDispose]())

type AuditEvent = Awaited<ReturnType<typeof auditEvents>>[number]
type Outcome = AuditEvent & { readonly detail: Extract<AuditEvent['detail'], { kind: 'served' }> }

/** Lets `work` make requests of a service, stops it, and gives the outcomes that the log has then. */
async function outcomesAfter(work: (front: Front) => Promise<unknown>): Promise<readonly Outcome[]> {
  const earlier = new Set((await auditEvents(vault, clinic.tenant.id)).map(({ id }) => id))
  {
    await using front = await openFront(vault)
    await work(front)
  }
  const added = (await auditEvents(vault, clinic.tenant.id)).filter(({ id }) => !earlier.has(id))
  const outcomes = added.filter((event): event is Outcome => event.detail?.kind === 'served')
  const actions = ['recording.played', 'recording.exported', 'recording.shown']
  const intents = added.filter(({ action, outcome }) => actions.includes(action) && outcome === 'allowed')
  // Each beginning has one end.
  assert.deepEqual(outcomes.map(({ detail }) => detail.intent).sort(), intents.map(({ id }) => id).sort())
  return outcomes
}

const ask = async (front: Front, token: string, path: string, headers: object = {}, method = 'GET') => {
  const answer = await fetch(`${front.url}/v1/recordings/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
  })
  return { status: answer.status, bytes: (await answer.arrayBuffer()).byteLength }
}

test('ranges that were asked for are those that are told, whatever else was asked', async () => {
  const ranges = fc.array(fc.tuple(fc.nat(wav.length - 1), fc.nat(200_000)), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(ranges, async asked => {
      const [outcome, ...others] = await outcomesAfter(async front => {
        const token = await front.tokenOf(clinic.clinician)
        const path = `${recording}/audio?role=original`
        await ask(front, token, path, {}, 'HEAD')
        for (const [start, length] of asked)
          assert.equal(
            (await ask(front, token, path, { range: `bytes=${start}-${start + length}` })).status,
            206,
          )
        const beyond = await ask(front, token, path, { range: `bytes=${wav.length}-` })
        const known = await ask(front, token, path, { 'if-none-match': '*' })
        assert.deepEqual([beyond.status, known.status], [416, 304])
      })
      assert.equal(others.length, 0)
      const sent = new Uint8Array(wav.length)
      for (const [start, length] of asked) sent.fill(1, start, start + length + 1)
      const told = new Uint8Array(wav.length)
      for (const [first, last] of outcome?.detail.ranges ?? []) told.fill(1, first, last + 1)
      assert.ok(Buffer.from(sent).equals(told))
      assert.equal(
        outcome?.detail.bytes,
        sent.reduce((sum, byte) => sum + byte, 0),
      )
    }),
    { numRuns: 6 },
  )
})

test('a whole download is complete; a waveform has no duration', async () => {
  const outcomes = await outcomesAfter(async front => {
    const token = await front.tokenOf(clinic.clinician)
    await ask(front, token, `${rendered}/audio?download=true`)
    await ask(front, token, `${rendered}/peaks`)
  })
  assert.equal(outcomes.length, 2)
  assert.ok(outcomes.every(({ detail }) => detail.complete))
  const { columns } = await vault.secrets.get(clinic.tenant.id)
  const row = await vault.catalog.findRecording(clinic.tenant.id, rendered, columns)
  assert.deepEqual(
    outcomes.map(({ detail }) => detail.milliseconds),
    [row?.durationMs, null],
  )
})

test('a client that goes away has no byte that is not told', async () => {
  for (const how of ['reset', 'end'] as const) {
    let received = 0
    const [outcome] = await outcomesAfter(async front => {
      const token = await front.tokenOf(clinic.clinician)
      using raw = await openRaw(front.port)
      raw.socket.pause()
      const path = `/v1/recordings/${recording}/audio?role=original`
      await raw.send(requestHead('GET', path, { Authorization: `Bearer ${token}` }))
      raw.socket.resume()
      while (raw.rest().length < 500_000) await delay(1)
      received = raw.rest().length - (raw.rest().indexOf('\r\n\r\n') + 4)
      if (how === 'reset') raw.socket.resetAndDestroy()
      else raw.socket.destroy()
    })
    assert.ok(outcome !== undefined && !outcome.detail.complete)
    assert.equal(outcome.detail.ranges.length, 1)
    const [first, last] = outcome.detail.ranges[0] ?? []
    assert.ok(first === 0 && last !== undefined && last + 1 >= received, `${last} of ${received}`)
  }
})

test('a stop in the middle of an answer loses nothing of what was sent by then', async () => {
  let received = 0
  const [outcome] = await outcomesAfter(async front => {
    const token = await front.tokenOf(clinic.clinician)
    const raw = await openRaw(front.port)
    const path = `/v1/recordings/${recording}/audio?role=original`
    await raw.send(requestHead('GET', path, { Authorization: `Bearer ${token}` }))
    while (raw.rest().length < 200_000) await delay(1)
    raw.socket.pause()
    received = raw.rest().length - (raw.rest().indexOf('\r\n\r\n') + 4)
    // It holds up the stop until that cuts it.
    front.stop.abort()
  })
  const [, last] = outcome?.detail.ranges[0] ?? []
  assert.ok(last !== undefined && last + 1 >= received)
})
