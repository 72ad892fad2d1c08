import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { decodeLeaf, decodePrivate } from '@auricle/audit'
import type { RecordingId } from '@auricle/contract'
import { guardedKeys } from '../../../test/guarded-keys.ts'
import {
  type Clinic,
  deliveryOf,
  gather,
  giveToken,
  makeClinic,
  noticeOf,
  openTestVault,
  type Person,
  sample,
  type TestVault,
} from '../../../test/vault.ts'
import { archive } from './archive.ts'
import { openPrivate } from './audit-record.ts'
import { createPlayer, type Player, type PlayParts, type PlayRequest } from './play.ts'
import { receive } from './receive.ts'

let vault: TestVault
let clinic: Clinic
let wav: Buffer
let recordingId: RecordingId
/** What happened, in order: `event` durable, key `unwrap`ped. */
let order: string[]
let parts: PlayParts
let clock: Date

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  wav = await sample('voicemail-short.wav')
  const { receipt } = await receive(vault, clinic.connector, deliveryOf(wav, noticeOf('one')), {
    request: 'r',
  })
  recordingId = receipt.recording
  const { tenant, connector, connectorRow } = clinic
  const intake = await vault.catalog.findIntakeBySource(
    tenant.id,
    connectorRow.id,
    connector.sourceKey('one'),
  )
  assert.ok(intake)
  const fetchAudio = () => Promise.reject(new Error('nothing is to be fetched here'))
  await archive({ ...vault, audio: null, fetchAudio }, tenant.id, intake.id, {})
  await vault.secrets.get(tenant.id)
})
after(() => vault[Symbol.asyncDispose]())

beforeEach(() => {
  order = []
  clock = new Date()
  const service: TestVault['keyService'] = {
    ...vault.keyService,
    key(name) {
      const handle = vault.keyService.key(name)
      return {
        ...handle,
        unwrap: (...parameters) => {
          order.push('unwrap')
          return handle.unwrap(...parameters)
        },
      }
    },
  }
  const log: PlayParts['log'] = {
    async append(record, options) {
      const event = await vault.log.append(record, options)
      // What was sent is told afterwards, whenever that is.
      if (record.event.action !== 'recording.served') order.push('event')
      return event
    },
  }
  parts = { ...vault, keys: guardedKeys(service), log, now: () => clock }
})

async function requestBy(person: Person, facts: Partial<PlayRequest> = {}): Promise<PlayRequest> {
  const { tenantId, id: userId } = person.row
  const bearer = { tenantId, userId, tokenId: await giveToken(vault, person), secretHash: null }
  return {
    bearer,
    recordingId,
    role: 'original',
    purpose: 'play',
    purposeOfUse: null,
    request: 'r',
    ip: '192.0.2.7',
    userAgent: 'test',
    ...facts,
  }
}

async function lastEvent() {
  const rows = await vault.catalog.listEvents(clinic.tenant.id, { afterId: null, limit: 1000 })
  const row = rows.at(-1)
  assert.ok(row)
  return { row, event: decodeLeaf(row.leaf) }
}

const playWith = (player: Player, request: PlayRequest) => player.open(request)

test('the owner hears the delivered bytes, after the event is durable and the key unwrapped, in that order', async () => {
  await using player = createPlayer(parts)
  const playback = await playWith(player, await requestBy(clinic.clinician))
  assert.deepEqual(order, ['event', 'unwrap'])
  assert.deepEqual(await gather(playback.read(null)), wav)
  assert.deepEqual(await gather(playback.read({ start: 1000, end: 2000 })), wav.subarray(1000, 2000))
  const { row, event } = await lastEvent()
  assert.equal(event.id, playback.receipt.event.eventId)
  assert.equal(event.action, 'recording.played')
  assert.equal(event.outcome, 'allowed')
  const { privateParts } = await vault.secrets.get(clinic.tenant.id)
  assert.ok(row.sealedPrivate)
  assert.deepEqual(decodePrivate(openPrivate(privateParts, row.id, row.sealedPrivate)).part, {
    ip: '192.0.2.7',
    userAgent: 'test',
  })
  assert.throws(() =>
    openPrivate(
      privateParts,
      playback.receipt.event.eventId.replace(/.$/, last => (last === 'x' ? 'y' : 'x')) as typeof row.id,
      row.sealedPrivate ?? row.leaf,
    ),
  )
})

test('nobody else does; each refusal is logged and no key is unwrapped', async () => {
  await using player = createPlayer(parts)
  for (const person of [clinic.stranger, clinic.administrator]) {
    await assert.rejects(playWith(player, await requestBy(person)), { name: 'VaultError', code: 'denied' })
    const { event } = await lastEvent()
    assert.equal(event.outcome, 'denied')
    assert.equal(event.actor.id, person.row.id)
  }
  assert.deepEqual(order, ['event', 'event'])
})

test('a recording of another tenant is not there', async () => {
  await using player = createPlayer(parts)
  const elsewhere = await makeClinic(vault)
  await assert.rejects(playWith(player, await requestBy(elsewhere.clinician)), { code: 'not_found' })
  assert.deepEqual(order, ['event'])
  // Told to the tenant of the one who asked, and to nobody else.
  const rows = await vault.catalog.listEvents(elsewhere.tenant.id, { afterId: null, limit: 1000 })
  const { outcome, reasons, object } = decodeLeaf(rows.at(-1)?.leaf ?? Buffer.alloc(0))
  assert.deepEqual([outcome, reasons, object?.type], ['denied', ['not_found'], 'recording'])
})

test('where the log cannot be written, no key is unwrapped and nothing is played', async () => {
  const log = { append: () => Promise.reject(new Error('the disk is full')) }
  await using player = createPlayer({ ...parts, log })
  await assert.rejects(playWith(player, await requestBy(clinic.clinician)), /the disk is full/)
  assert.deepEqual(order, [])
})

test('seeks of one playback share its event; another address, purpose or hour has its own', async () => {
  await using player = createPlayer(parts)
  const request = await requestBy(clinic.clinician)
  for (let seek = 0; seek < 5; seek++) await playWith(player, request)
  assert.deepEqual(order, ['event', 'unwrap'])
  await playWith(player, { ...request, ip: '192.0.2.8' })
  await playWith(player, { ...request, purpose: 'export' })
  assert.equal((await lastEvent()).event.action, 'recording.exported')
  clock = new Date(clock.getTime() + 5 * 60_000)
  await playWith(player, request)
  // The export is at the address of the first playback, whose key was at hand.
  const alone = ['event', 'unwrap']
  assert.deepEqual(order, [...alone, ...alone, 'event', ...alone])
})

test('a token that ends, ends a playback under way', async () => {
  await using player = createPlayer(parts)
  const request = await requestBy(clinic.clinician)
  await playWith(player, request)
  const event = await vault.catalog.listEvents(clinic.tenant.id, { afterId: null, limit: 1 })
  assert.ok(event[0])
  const { auditRecord } = await import('./audit-record.ts')
  const actor = { type: 'system', name: 'operator' } as const
  const record = await auditRecord(
    {
      tenantId: clinic.tenant.id,
      action: 'token.revoked',
      outcome: 'allowed',
      actor,
      object: null,
      request: null,
    },
    null,
  )
  assert.equal(await vault.catalog.revokeToken(clinic.tenant.id, request.bearer.tokenId, record), true)
  await assert.rejects(playWith(player, request), { code: 'unauthenticated' })
})

test('a reader outlives the playback it belongs to, and none begins after it', async () => {
  const player = createPlayer(parts)
  const playback = await playWith(player, await requestBy(clinic.clinician))
  const reading = playback.read(null)[Symbol.asyncIterator]()
  const first = await reading.next()
  await player[Symbol.asyncDispose]()
  const rest: Uint8Array[] = [first.value as Uint8Array]
  for (let next = await reading.next(); next.done !== true; next = await reading.next()) rest.push(next.value)
  assert.deepEqual(Buffer.concat(rest), wav)
  await assert.rejects(gather(playback.read(null)), TypeError)
})

test('an object other than the archived one is refused', async () => {
  const request = await requestBy(clinic.clinician)
  const catalog: PlayParts['catalog'] = {
    ...parts.catalog,
    async findPlayFacts(query, options) {
      const facts = await vault.catalog.findPlayFacts(query, options)
      return facts?.object
        ? { ...facts, object: { ...facts.object, fingerprint: new Uint8Array(32) } }
        : facts
    },
  }
  await using player = createPlayer({ ...parts, catalog })
  await assert.rejects(playWith(player, request), { code: 'damaged' })
})

test('what has no rendition is played as delivered', async () => {
  await using player = createPlayer(parts)
  const playback = await playWith(player, await requestBy(clinic.clinician, { role: 'playback' }))
  assert.equal(playback.contentType, 'audio/wav')
  assert.equal(playback.sizeBytes, wav.length)
  await assert.rejects(
    playWith(player, await requestBy(clinic.clinician, { role: 'peaks', purpose: 'show' })),
    { code: 'not_found' },
  )
})

test('what is read ahead of the decision is what is played, and goes nowhere where the answer is no', async () => {
  await using player = createPlayer(parts)
  const range = { start: 5_000, end: 70_000 }
  const reads: string[] = []
  const objects: PlayParts['objects'] = {
    read(key, wanted, options) {
      reads.push(key)
      return vault.objects.read(key, wanted, options)
    },
  }
  await using watched = createPlayer({ ...parts, objects })
  const request = await requestBy(clinic.clinician, { range: () => range })
  for (const each of [player, watched]) {
    for (let seek = 0; seek < 3; seek++) {
      const playback = await playWith(each, request)
      assert.deepEqual(await gather(playback.read(range)), wav.subarray(range.start, range.end))
      assert.deepEqual(await gather(playback.read({ start: 1, end: 9 })), wav.subarray(1, 9))
    }
  }
  reads.length = 0
  const { auditRecord } = await import('./audit-record.ts')
  const actor = { type: 'system', name: 'operator' } as const
  const tenantId = clinic.tenant.id
  const ended = {
    tenantId,
    action: 'token.revoked',
    outcome: 'allowed',
    actor,
    object: null,
    request: null,
  } as const
  await vault.catalog.revokeToken(tenantId, request.bearer.tokenId, await auditRecord(ended, null))
  await assert.rejects(playWith(watched, request), { code: 'unauthenticated' })
  assert.equal(reads.length, 1, 'it was read ahead')
})
