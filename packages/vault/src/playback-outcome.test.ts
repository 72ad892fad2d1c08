// What of a playback was sent, in the log once it is over: for each way in which that can be.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { AuditEvent } from '@auricle/audit'
import type { ByteRange, RecordingId } from '@auricle/contract'
import { auditEvents } from '../../../test/audit-log.ts'
import {
  type Clinic,
  deliveryOf,
  giveToken,
  makeClinic,
  noticeOf,
  openTestVault,
  sample,
  type TestVault,
} from '../../../test/vault.ts'
import { archive } from './archive.ts'
import { createPlayer, type Playback, type PlayParts, type PlayRequest } from './play.ts'
import { receive } from './receive.ts'

const patienceMs = 20_000
const hourMs = 60 * 60_000

let vault: TestVault
let clinic: Clinic
let wav: Buffer
let recordingId: RecordingId
let parts: PlayParts
let failures: unknown[]

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  wav = await sample('voicemail-pcm16.wav')
  const { tenant, connector, connectorRow } = clinic
  const notice = noticeOf('one', { patientReference: 'MRN-1' })
  recordingId = (await receive(vault, connector, deliveryOf(wav, notice), { request: 'r' })).receipt.recording
  const key = connector.sourceKey('one')
  const intake = await vault.catalog.findIntakeBySource(tenant.id, connectorRow.id, key)
  const fetchAudio = () => Promise.reject(new Error('nothing is to be fetched here'))
  await archive({ ...vault, audio: null, fetchAudio }, tenant.id, intake?.id ?? assert.fail(), {})
  await vault.database.superuserPool.query('update auricle.recording set duration_ms = 30300')
})
after(() => vault[Symbol.asyncDispose]())

beforeEach(() => {
  failures = []
  parts = { ...vault, streams: { idleMs: hourMs }, onStreamFailure: error => failures.push(error) }
})

async function ask(facts: Partial<PlayRequest> = {}): Promise<PlayRequest> {
  const { tenantId, id: userId } = clinic.clinician.row
  const bearer = { tenantId, userId, tokenId: await giveToken(vault, clinic.clinician), secretHash: null }
  const origin = { request: 'r', ip: '192.0.2.7', userAgent: 'test' }
  return {
    bearer,
    recordingId,
    role: 'original',
    purpose: 'play',
    purposeOfUse: 'treatment',
    ...origin,
    ...facts,
  }
}

/** As whoever answers a request does. */
async function send(playback: Playback, range: ByteRange | null): Promise<void> {
  using stream = playback.follow()
  let at = range?.start ?? 0
  for await (const piece of playback.read(range)) {
    stream.sent({ start: at, end: at + piece.length })
    at += piece.length
  }
}

async function outcomesOf({ receipt }: Playback): Promise<readonly AuditEvent[]> {
  const events = await auditEvents(vault, clinic.tenant.id)
  return events.filter(({ detail }) => detail?.kind === 'served' && detail.intent === receipt.event.eventId)
}

async function outcomeOf(playback: Playback): Promise<AuditEvent> {
  const until = performance.now() + patienceMs
  for (;;) {
    const [only, ...others] = await outcomesOf(playback)
    assert.equal(others.length, 0)
    if (only !== undefined) return only
    assert.ok(performance.now() < until, 'there is no event of what was sent')
    await delay(10)
  }
}

test('ranges in any order, one of them twice: merged, with the time of their sound, when the service stops', async () => {
  const player = createPlayer(parts)
  const playback = await player.open(await ask())
  for (const [start, end] of [
    [100, 200],
    [0, 100],
    [150, 260],
    [150, 260],
    [1000, 1001],
  ] as const)
    await send(playback, { start, end })
  assert.deepEqual(await outcomesOf(playback), [])
  await player[Symbol.asyncDispose]()
  const event = await outcomeOf(playback)
  const events = await auditEvents(vault, clinic.tenant.id)
  const intent = events.find(({ id }) => id === playback.receipt.event.eventId)
  assert.ok(intent)
  assert.deepEqual(event.detail, {
    kind: 'served',
    intent: intent.id,
    bytes: 261,
    ranges: [
      [0, 259],
      [1000, 1000],
    ],
    milliseconds: Math.round((30_300 * 261) / wav.length),
    complete: false,
  })
  assert.deepEqual([event.action, event.outcome, event.reasons], ['recording.served', 'allowed', ['stopped']])
  const { actor, object, purpose, patients, request } = intent
  assert.equal(patients?.length, 1)
  const said = { actor: event.actor, object: event.object, purpose: event.purpose, patients: event.patients }
  assert.deepEqual({ ...said, request: event.request }, { actor, object, purpose, patients, request })
  assert.deepEqual(failures, [])
})

test('all of it is complete and lasts as long as the recording; nothing of it is nothing', async () => {
  const player = createPlayer(parts)
  const whole = await player.open(await ask())
  await send(whole, null)
  const none = await player.open(await ask())
  await player[Symbol.asyncDispose]()
  const { detail } = await outcomeOf(whole)
  const everything = {
    bytes: wav.length,
    ranges: [[0, wav.length - 1]],
    milliseconds: 30_300,
    complete: true,
  }
  assert.deepEqual(detail, { kind: 'served', intent: whole.receipt.event.eventId, ...everything })
  const nothing = { bytes: 0, ranges: [], milliseconds: 0, complete: false }
  assert.deepEqual((await outcomeOf(none)).detail, {
    kind: 'served',
    intent: none.receipt.event.eventId,
    ...nothing,
  })
})

test('idle, it is over, and what is asked of it then is another playback; an open answer keeps it from that', async () => {
  await using player = createPlayer({ ...parts, streams: { idleMs: 50 } })
  const request = await ask()
  const first = await player.open(request)
  {
    using stream = first.follow()
    stream.sent({ start: 0, end: 10 })
    await delay(200)
    assert.deepEqual(await outcomesOf(first), [])
    assert.equal((await player.open(request)).receipt.event, first.receipt.event)
  }
  assert.deepEqual((await outcomeOf(first)).reasons, ['idle'])
  const second = await player.open(request)
  assert.notEqual(second.receipt.event.eventId, first.receipt.event.eventId)
  assert.deepEqual((await outcomeOf(second)).reasons, ['idle'])
})

test('cut, it tells what had been sent by then', async () => {
  let isRevoked = false
  const decide: PlayParts['decide'] = (...asked) =>
    isRevoked ? { allowed: false, reasons: ['revoked'] } : vault.decide(...asked)
  await using player = createPlayer({ ...parts, decide })
  const playback = await player.open(await ask())
  using stream = playback.follow()
  stream.sent({ start: 0, end: 4096 })
  isRevoked = true
  await player.recheck()
  assert.equal(stream.signal.aborted, true)
  stream[Symbol.dispose]()
  const event = await outcomeOf(playback)
  assert.deepEqual(event.reasons, ['cut'])
  assert.ok(event.detail?.kind === 'served' && event.detail.bytes === 4096)
})

test('its time over while an answer is under way, it is over with that answer', async () => {
  let clock = new Date()
  await using player = createPlayer({ ...parts, now: () => clock })
  const request = await ask()
  const first = await player.open(request)
  const stream = first.follow()
  stream.sent({ start: 0, end: 10 })
  clock = new Date(clock.getTime() + 6 * 60_000)
  await player.open(request)
  stream.sent({ start: 10, end: 20 })
  assert.deepEqual(await outcomesOf(first), [])
  stream[Symbol.dispose]()
  stream[Symbol.dispose]()
  const event = await outcomeOf(first)
  assert.deepEqual(event.reasons, ['ran_out'])
  assert.ok(event.detail?.kind === 'served' && event.detail.bytes === 20)
})

test('of one that opened nothing the log says that too, and not that all of it may have been heard', async () => {
  await using player = createPlayer({
    ...parts,
    objects: {
      read: () => {
        throw Object.assign(new Error('gone'), { name: 'ObjectError', code: 'unavailable' })
      },
    },
  })
  await assert.rejects(player.open(await ask()), { code: 'unavailable' })
  await player[Symbol.asyncDispose]()
  const event = (await auditEvents(vault, clinic.tenant.id)).at(-1)
  assert.deepEqual([event?.action, event?.outcome], ['recording.served', 'failed'])
  assert.deepEqual(event?.reasons, ['failed', 'unavailable'])
  assert.ok(event?.detail?.kind === 'served' && event.detail.bytes === 0 && !event.detail.complete)
})

test('a log that is away for a while gets it when it is back, and the failures are told', async () => {
  let isAway = false
  const log: PlayParts['log'] = {
    append: (...given) =>
      isAway ? Promise.reject(new Error('the disk is full')) : vault.log.append(...given),
  }
  const player = createPlayer({ ...parts, log })
  const playback = await player.open(await ask())
  await send(playback, { start: 5, end: 15 })
  isAway = true
  const stopping = player[Symbol.asyncDispose]()
  while (failures.length === 0) await delay(5)
  assert.deepEqual(await outcomesOf(playback), [])
  isAway = false
  await stopping
  const event = await outcomeOf(playback)
  assert.ok(event.detail?.kind === 'served' && event.detail.bytes === 10)
})
