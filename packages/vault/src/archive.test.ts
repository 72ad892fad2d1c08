import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createAudioTool, probeAudioTool } from '@auricle/audio'
import { decodeLeaf } from '@auricle/audit'
import type { ConnectorRow } from '@auricle/catalog'
import { type IntakeId, newHoldId, type RecordingId, type TenantId } from '@auricle/contract'
import { agreeRule } from '../../../test/agreed-rules.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { anEvent } from '../../../test/catalog-fixture.ts'
import { guardedKeys } from '../../../test/guarded-keys.ts'
import { everything } from '../../../test/holds.ts'
import {
  type Clinic,
  deliveryOf,
  gather,
  makeClinic,
  noticeOf,
  openTestVault,
  sample,
  shortWav,
  type TestVault,
} from '../../../test/vault.ts'
import { type ArchiveParts, archive } from './archive.ts'
import { attemptArchive } from './archive-attempt.ts'
import { intakePrefix, recordingKey } from './object-key.ts'
import { receive } from './receive.ts'
import { openStored } from './stored-object.ts'
import { operatorEvent } from './token.ts'
import { verifyTenant } from './verify.ts'

let vault: TestVault
let clinic: Clinic
let parts: ArchiveParts

before(async () => {
  assert.ok(await probeAudioTool(), 'these tests need ffmpeg')
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  const fetchAudio = () => Promise.reject(new Error('nothing is to be fetched here'))
  parts = { ...vault, audio: createAudioTool(), fetchAudio }
})
after(() => vault[Symbol.asyncDispose]())

interface Delivered {
  readonly tenantId: TenantId
  readonly intakeId: IntakeId
  readonly recordingId: RecordingId
}

async function deliver(
  audio: Buffer,
  sourceId: string,
  facts: Parameters<typeof noticeOf>[1] = {},
  { tenant, connector, connectorRow }: Clinic = clinic,
): Promise<Delivered> {
  await receive(vault, connector, deliveryOf(audio, noticeOf(sourceId, facts)), { request: 'r' })
  const intake = await vault.catalog.findIntakeBySource(
    tenant.id,
    connectorRow.id,
    connector.sourceKey(sourceId),
  )
  assert.ok(intake)
  return { tenantId: tenant.id, intakeId: intake.id, recordingId: intake.recordingId }
}

async function openingEvent(tenantId: TenantId) {
  const looked = await operatorEvent(tenantId, 'key.used', { type: 'tenant', id: tenantId })
  return vault.log.append(looked, {})
}

async function original({ tenantId, recordingId }: Delivered): Promise<Buffer> {
  const objects = await vault.catalog.listObjects(tenantId, recordingId)
  const object = objects.find(({ role }) => role === 'original')
  assert.ok(object)
  const event = await openingEvent(tenantId)
  using opened = await openStored({ ...vault, event }, tenantId, recordingId, 'original', object, {})
  return await gather(opened.read(null))
}

/** What became of it; how often its key was used for that is another question. */
async function actionsOf({ tenantId, recordingId }: Delivered): Promise<string[]> {
  const rows = await vault.catalog.listEvents(tenantId, { afterId: null, limit: 1000 })
  return rows
    .map(({ leaf }) => decodeLeaf(leaf))
    .filter(({ object }) => object?.id === recordingId)
    .map(({ action }) => action)
    .filter(action => action !== 'key.used')
}

async function find({ tenantId, recordingId }: Delivered) {
  const { columns } = await vault.secrets.get(tenantId)
  const row = await vault.catalog.findRecording(tenantId, recordingId, columns)
  assert.ok(row)
  return row
}

test('every sample becomes a recording that opens to the delivered bytes', async () => {
  const expected: readonly [string, string, number][] = [
    ['voicemail-pcm16.wav', 'wav/pcm_s16le', 30_300],
    ['voicemail-mulaw.wav', 'wav/pcm_mulaw', 30_300],
    ['voicemail-wav49.wav', 'wav/gsm_ms', 14_600],
    ['voicemail.gsm', 'gsm', 14_600],
    ['voicemail.mp3', 'mp3', 30_318],
    ['voicemail.ogg', 'ogg/opus', 30_300],
    ['call-two-channel.wav', 'wav/pcm_s16le', 25_000],
  ]
  for (const [name, codec, durationMs] of expected) {
    const audio = await sample(name)
    const delivered = await deliver(audio, name, { fileName: name, contentType: null })
    const outcome = await archive(parts, delivered.tenantId, delivered.intakeId, {})
    assert.deepEqual(outcome, { status: 'archived', audioState: 'ready', bytes: audio.length })
    const row = await find(delivered)
    assert.equal(row.codec, codec)
    assert.ok(Math.abs((row.durationMs ?? 0) - durationMs) < 150, `${name} lasts ${row.durationMs} ms`)
    assert.equal(row.channels, name.startsWith('call') ? 2 : 1)
    assert.equal(row.mailboxId, clinic.mailbox.id)
    assert.deepEqual(await original(delivered), audio)
    assert.deepEqual(await actionsOf(delivered), ['delivery.received', 'recording.archived'])
  }
  for await (const { key } of vault.objects.list(intakePrefix)) assert.fail(`${key} was left behind`)
})

test('retention counts from the later of start and receipt, and the store refuses to delete before', async () => {
  const delivered = await deliver(await sample('voicemail-short.wav'), 'kept')
  await archive(parts, delivered.tenantId, delivered.intakeId, {})
  const row = await find(delivered)
  assert.equal(row.retainUntil.getTime(), row.receivedAt.getTime() + 30 * 86_400_000)
  for (const role of ['original', 'playback', 'peaks'] as const) {
    const key = recordingKey(delivered.tenantId, delivered.recordingId, role)
    assert.deepEqual((await vault.objects.head(key))?.retainUntil, row.retainUntil)
    await assert.rejects(vault.objects.delete(key), { code: 'retained' })
  }
})

describe('with rules in force', () => {
  const keptFor = (years: number, more: object = {}) => {
    return { keep: { years }, dispose: 'review', lock: true, ...more } as const
  }
  const decisionOf = async ({ tenantId, recordingId }: Delivered) => {
    const row = await vault.catalog.findDecision(tenantId, recordingId)
    assert.ok(row)
    return row
  }
  const keptBy = ({ tenantId, recordingId }: Delivered) => {
    const heads = (['original', 'playback', 'peaks'] as const).map(async role => {
      const facts = await vault.objects.head(recordingKey(tenantId, recordingId, role))
      return [facts?.retainUntil, facts?.locked]
    })
    return Promise.all(heads)
  }
  const asked = async ({ tenantId, recordingId }: Delivered) => {
    const { rowCount } = await vault.database.superuserPool.query(
      'select from auricle.store_work where tenant_id = $1 and recording_id = $2',
      [tenantId, recordingId],
    )
    return rowCount
  }
  let ruled: Clinic
  before(async () => {
    ruled = await makeClinic(vault)
  })

  test('every object is kept by the decision, which is there with the recording and made again', async () => {
    const { id } = ruled.tenant
    const at = new Date('2026-01-01T00:00:00Z')
    const ruleId = await agreeRule(vault.catalog, id, { definition: keptFor(7), at })
    const delivered = await deliver(shortWav(1), 'ruled', {}, ruled)
    await archive(parts, delivered.tenantId, delivered.intakeId, {})
    const row = await find(delivered)
    const decision = await decisionOf(delivered)
    const year = row.receivedAt.getUTCFullYear() + 7
    assert.equal(decision.keepUntil.getUTCFullYear(), year)
    assert.equal(row.retainUntil.getTime(), row.receivedAt.getTime() + 30 * 86_400_000)
    assert.deepEqual([decision.governing, decision.locked], [{ ruleId, version: 1 }, true])
    assert.ok(decision.revision < 0)
    assert.deepEqual(await keptBy(delivered), Array(3).fill([decision.keepUntil, true]))
    assert.equal(await asked(delivered), 0)
  })

  test('what is known of mailbox and patient counts from the first', async () => {
    const { id } = ruled.tenant
    const at = new Date('2026-01-02T00:00:00Z')
    const minors = { majorityAge: 18, keep: { years: 1 } } as const
    const definition = keptFor(1, { minors, lock: false, appliesTo: { kinds: ['recording'] } })
    await agreeRule(vault.catalog, id, { definition, at })
    const { columns } = await vault.secrets.get(id)
    const patientId = await vault.catalog.ensurePatient(id, 'MRN-2020', columns)
    assert.ok(patientId)
    const birth = { tenantId: id, patientId, birthDate: '2020-02-29' }
    await vault.catalog.setBirthDate(birth, columns, anEvent(id))
    const notice = { kind: 'recording', patientReference: 'MRN-2020' } as const
    const delivered = await deliver(shortWav(1), 'a child', notice, ruled)
    await archive(parts, delivered.tenantId, delivered.intakeId, {})
    const decision = await decisionOf(delivered)
    assert.equal(decision.keepUntil.toISOString(), '2039-03-02T00:00:00.000Z')
    assert.deepEqual(await keptBy(delivered), Array(3).fill([decision.keepUntil, true]))
  })

  test('an attempt that finds objects of one that knew less has the store follow', async () => {
    const { id } = ruled.tenant
    const delivered = await deliver(shortWav(1), 'killed before the rule', {}, ruled)
    const catalog = failingAt(vault.catalog, ['commitArchive'], { left: 0 })
    await assert.rejects(archive({ ...parts, catalog }, delivered.tenantId, delivered.intakeId, {}))
    const [[before] = []] = await keptBy(delivered)
    const at = new Date('2026-01-03T00:00:00Z')
    await agreeRule(vault.catalog, id, { definition: keptFor(50), at })
    await archive(parts, delivered.tenantId, delivered.intakeId, {})
    const decision = await decisionOf(delivered)
    assert.ok(before instanceof Date && before < decision.keepUntil)
    assert.deepEqual(await keptBy(delivered), Array(3).fill([before, true]))
    assert.equal(await asked(delivered), 1)
  })

  test('a hold that asks for it covers it from the first, and the store is asked to hold it', async () => {
    const { id } = ruled.tenant
    const { columns } = await vault.secrets.get(id)
    const hold = {
      ...{ tenantId: id, id: newHoldId(), by: ruled.complianceOfficer.row.id, at: new Date() },
      ...{ matter: 'A matter', notice: null, recordings: [], custodians: [], clauses: [everything] },
    }
    await vault.catalog.placeHold(hold, columns, async () => anEvent(id))
    const delivered = await deliver(shortWav(1), 'held', {}, ruled)
    await archive(parts, delivered.tenantId, delivered.intakeId, {})
    assert.deepEqual((await find(delivered)).holdIds, [hold.id])
    assert.equal(await asked(delivered), 1)
  })
})

test('what no tool can decode is kept, marked and never dropped', async () => {
  const header = (await sample('voicemail-short.wav')).subarray(0, 44)
  const noise = Buffer.concat([(await sample('voicemail.ogg')).subarray(0, 100), Buffer.alloc(20_000, 0x55)])
  for (const [name, bytes, state] of [
    ['no-samples', header, 'undecodable'],
    ['noise', noise, 'undecodable'],
  ] as const) {
    const delivered = await deliver(bytes, name)
    const outcome = await archive(parts, delivered.tenantId, delivered.intakeId, {})
    assert.deepEqual(outcome, { status: 'archived', audioState: state, bytes: bytes.length })
    assert.deepEqual(await original(delivered), Buffer.from(bytes))
    assert.equal((await vault.catalog.listObjects(delivered.tenantId, delivered.recordingId)).length, 1)
  }
})

test('without an audio tool a recording is kept as delivered', async () => {
  const audio = await sample('voicemail-short.wav')
  const delivered = await deliver(audio, 'no-tool')
  const outcome = await archive({ ...parts, audio: null }, delivered.tenantId, delivered.intakeId, {})
  assert.equal(outcome.status === 'archived' && outcome.audioState, 'original-only')
  assert.deepEqual(await original(delivered), audio)
})

/** An adapter whose calls are counted, and one of which fails as if the process had died there. */
function failingAt<Adapter extends object>(
  adapter: Adapter,
  names: readonly (keyof Adapter)[],
  step: { left: number },
): Adapter {
  return new Proxy(adapter, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function' || !(names as readonly PropertyKey[]).includes(name)) return value
      return async (...parameters: unknown[]) => {
        if (step.left-- === 0) throw new Error('the process died here')
        const result: unknown = await Reflect.apply(value, target, parameters)
        if (step.left-- === 0) throw new Error('the process died here')
        return result
      }
    },
  })
}

test('killed before or after any step and run again, it ends in the same state', async () => {
  const audio = shortWav(1)
  let steps = 0
  for (let step = 0; ; step++) {
    const delivered = await deliver(audio, `step-${step}`)
    const left = { left: step }
    const objects = failingAt(vault.objects, ['put', 'head', 'delete'], left)
    const catalog = failingAt(vault.catalog, ['commitArchive', 'findIntake', 'findMailboxByAddress'], left)
    const log = failingAt(vault.log, ['append'], left)
    const died = await archive(
      { ...parts, objects, catalog, log },
      delivered.tenantId,
      delivered.intakeId,
      {},
    ).then(
      () => false,
      () => true,
    )
    await archive(parts, delivered.tenantId, delivered.intakeId, {})
    assert.deepEqual(await original(delivered), audio)
    assert.deepEqual(await actionsOf(delivered), ['delivery.received', 'recording.archived'])
    assert.equal((await vault.catalog.listObjects(delivered.tenantId, delivered.recordingId)).length, 3)
    assert.equal((await find(delivered)).durationMs, 1000)
    for await (const { key } of vault.objects.list(intakePrefix))
      assert.fail(`step ${step}: ${key} was left behind`)
    if (!died) break
    steps = step + 1
  }
  assert.ok(steps >= 20, `only ${steps} steps were tried`)
})

test('two at once make one recording', async () => {
  const delivered = await deliver(await sample('voicemail-short.wav'), 'twice')
  const { tenantId, intakeId } = delivered
  await Promise.all([archive(parts, tenantId, intakeId, {}), archive(parts, tenantId, intakeId, {})])
  assert.deepEqual(await actionsOf(delivered), ['delivery.received', 'recording.archived'])
})

test('what was damaged on its way is read again, and what stays damaged is put in quarantine', async () => {
  const delivered = await deliver(await sample('voicemail-short.wav'), 'damaged')
  const intake = await vault.catalog.findIntake(delivered.tenantId, delivered.intakeId)
  assert.ok(intake?.objectKey)
  const { objectKey } = intake
  let isDamaged = true
  const flipping: typeof vault.objects = {
    ...vault.objects,
    async *read(key, range, options) {
      for await (const piece of vault.objects.read(key, range, options)) {
        const copy = Buffer.from(piece)
        if (isDamaged && key === objectKey && (range === null || range.start > 2000))
          copy[5] = (copy[5] ?? 0) ^ 1
        yield copy
      }
    },
  }
  const attempt = () =>
    attemptArchive(
      { ...parts, catalog: vault.catalog, objects: flipping },
      delivered.tenantId,
      delivered.intakeId,
      {},
    )
  for (let count = 1; count < 5; count++) {
    const { status } = await attempt()
    assert.equal(status, 'retry')
  }
  const outcome = await attempt()
  assert.equal(outcome.status, 'quarantined')
  assert.equal(outcome.status === 'quarantined' && outcome.errorCode, 'not_authentic')
  assert.ok(await vault.objects.head(objectKey))
  assert.deepEqual(await actionsOf(delivered), ['delivery.received', 'recording.quarantined'])
  assert.equal(await vault.catalog.releaseQuarantine(delivered.tenantId, delivered.intakeId), true)
  isDamaged = false
  assert.equal((await attempt()).status, 'archived')
  assert.ok(await find(delivered))
})

test('the key is used for an event that says so, once an attempt, and not at all where it cannot be written', async () => {
  const delivered = await deliver(shortWav(1), 'used')
  const { tenantId, intakeId, recordingId } = delivered
  const used: string[] = []
  const counting = guardedKeys(vault.keyService, async ({ eventId }) => {
    used.push(eventId)
  })
  const log = { append: () => Promise.reject(new Error('the disk is full')) }
  await assert.rejects(archive({ ...parts, keys: counting, log }, tenantId, intakeId, {}), /the disk is full/)
  assert.deepEqual(used, [])
  await archive({ ...parts, keys: counting }, tenantId, intakeId, {})
  const events = await auditEvents(vault, tenantId)
  const event = events.find(({ action, object }) => action === 'key.used' && object?.id === recordingId)
  assert.deepEqual([event?.actor.id, event?.reasons], ['worker', ['archive']])
  assert.deepEqual(used, [event?.id])
})

test('a failure that may pass is tried again later, and given up in the end', async () => {
  const delivered = await deliver(await sample('voicemail-short.wav'), 'failing')
  const { tenantId, intakeId } = delivered
  const objects = {
    ...vault.objects,
    put: () =>
      Promise.reject(
        Object.assign(new Error('full'), { name: 'ObjectError', code: 'unavailable', transient: true }),
      ),
  }
  const failing = { ...parts, catalog: vault.catalog, objects, random: () => 0 }
  let last = 0
  for (let attempt = 1; attempt < 12; attempt++) {
    const outcome = await attemptArchive(failing, tenantId, intakeId, {})
    assert.equal(outcome.status, 'retry')
    const intake = await vault.catalog.findIntake(tenantId, intakeId)
    assert.equal(intake?.attempts, attempt)
    assert.equal(intake?.lastErrorCode, 'unavailable')
    const wait = (intake?.nextAttemptAt.getTime() ?? 0) - Date.now()
    assert.ok(wait > last * 0.9, 'it waits longer each time')
    last = Math.min(wait, 3_600_000)
  }
  assert.equal((await attemptArchive(failing, tenantId, intakeId, {})).status, 'quarantined')
})

test('audio by URL is fetched, checked and kept; what is no audio is quarantined', async () => {
  const wav = await sample('voicemail-short.wav')
  const { tenant, connector, connectorRow } = clinic
  const bodies: Readonly<Record<string, Buffer>> = {
    'https://pbx.example.org/good.wav': wav,
    'https://pbx.example.org/page.wav': Buffer.from('<html>sign in</html>'),
  }
  const fetchAudio: ArchiveParts['fetchAudio'] = async ({ url, allowedHosts, maxBytes }) => {
    assert.deepEqual(allowedHosts, connectorRow.allowedHosts satisfies ConnectorRow['allowedHosts'])
    assert.equal(maxBytes, connectorRow.maxBytes)
    const body = bodies[url]
    assert.ok(body)
    return {
      audio: (async function* () {
        for (let at = 0; at < body.length; at += 700) yield body.subarray(at, at + 700)
      })(),
    }
  }
  for (const [audioUrl, status] of [
    ['https://pbx.example.org/good.wav', 'archived'],
    ['https://pbx.example.org/page.wav', 'quarantined'],
  ] as const) {
    const notice = noticeOf(audioUrl, { audioUrl })
    await receive(vault, connector, { type: 'remote', notice }, { request: 'r' })
    const intake = await vault.catalog.findIntakeBySource(
      tenant.id,
      connectorRow.id,
      connector.sourceKey(audioUrl),
    )
    assert.ok(intake)
    const outcome = await attemptArchive(
      { ...parts, catalog: vault.catalog, fetchAudio },
      tenant.id,
      intake.id,
      {},
    )
    assert.equal(outcome.status, status)
    if (status === 'archived') {
      const delivered = { tenantId: tenant.id, intakeId: intake.id, recordingId: intake.recordingId }
      assert.deepEqual(await original(delivered), wav)
    }
  }
})

test('everything archived here verifies, and a flipped byte on the way is found', async () => {
  const { tenant } = clinic
  const states = { good: 0, bad: 0, stray: 0 }
  for await (const { type } of verifyTenant(vault, tenant.id, {})) states[type]++
  assert.equal(states.bad, 0)
  assert.ok(states.good > 30)
  const flipping: typeof vault.objects = {
    ...vault.objects,
    async *read(key, range, options) {
      for await (const piece of vault.objects.read(key, range, options)) {
        const copy = Buffer.from(piece)
        copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 0x80
        yield copy
      }
    },
  }
  for await (const finding of verifyTenant({ ...vault, objects: flipping }, tenant.id, {})) {
    if (finding.type !== 'stray') assert.equal(finding.type, 'bad')
  }
})
