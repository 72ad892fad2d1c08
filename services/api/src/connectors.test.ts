// Connectors over HTTP, with the service that takes their deliveries beside: who may, what is shown once, and which
// secret holds when.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { ConnectorId, newConnectorId, newMailboxId, Receipt } from '@auricle/contract'
import type { KeyService } from '@auricle/keys'
import { createStandardDelivery } from '@auricle/pbx'
import type { z } from 'zod'
import { ask, problemOf } from '../../../test/ask.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Door, openDoor } from '../../../test/door.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { inPieces, send } from '../../../test/harness/http-client.ts'
import {
  type Clinic,
  makeClinic,
  openTestVault,
  type Person,
  sample,
  type TestVault,
} from '../../../test/vault.ts'
import { schemas } from './routes/connectors.ts'

const hourMs = 60 * 60_000
const timeoutMs = 20_000

let vault: TestVault
let clinic: Clinic
let other: Clinic
let front: Front
let wav: Buffer

/** As the API has them: it may seal secrets of connectors, and open none. */
function withoutOpening(keys: KeyService): KeyService {
  const key: KeyService['key'] = named => {
    const handle = keys.key(named)
    if (named.purpose !== 'connectors') return handle
    return Object.assign(Object.create(handle), {
      wrap: handle.wrap.bind(handle),
      unwrap: () => Promise.reject(new Error('the API may open no secret of a connector')),
    })
  }
  return Object.assign(Object.create(keys), { key, ensure: keys.ensure.bind(keys) })
}

/** As the door has them: it opens secrets of connectors and nothing else. */
function ofTheDoor(keys: KeyService): KeyService {
  const key: KeyService['key'] = named => {
    const handle = keys.key(named)
    if (named.purpose === 'connectors') return handle
    return Object.assign(Object.create(handle), {
      wrap: handle.wrap.bind(handle),
      unwrap: () => Promise.reject(new Error('the door may open nothing but secrets of connectors')),
    })
  }
  return Object.assign(Object.create(keys), { key })
}

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  other = await makeClinic(vault)
  front = await openFront(vault, { keys: withoutOpening(vault.keyService) })
  wav = await sample('voicemail-short.wav')
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const sessionOf = async (person: Person) => (await front.sessionOf(person)).token

type Secret = z.infer<typeof schemas.ConnectorSecret>

async function make(kind: 'upload' | 'standard' = 'upload'): Promise<Secret> {
  const token = await sessionOf(clinic.administrator)
  const asked = { kind, name: 'Front desk', defaultMailbox: clinic.mailbox.id }
  const made = await ask(front.url, token, ['POST', '/v1/connectors'], asked)
  assert.equal(made.status, 201, JSON.stringify(made.body))
  return schemas.ConnectorSecret.parse(made.body)
}

async function rotate(id: string, body?: unknown) {
  const token = await sessionOf(clinic.administrator)
  return ask(front.url, token, ['POST', `/v1/connectors/${id}/secrets`], body)
}

async function rotated(id: string, body?: unknown): Promise<Secret> {
  const answer = await rotate(id, body)
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return schemas.ConnectorSecret.parse(answer.body)
}

async function show(id: string) {
  const token = await sessionOf(clinic.administrator)
  const { body } = await ask(front.url, token, ['GET', `/v1/connectors/${id}`])
  return schemas.Connector.parse(body)
}

/** The status of a delivery by `PUT`, and the recording it became. */
async function deliver(door: Door, id: string, secret: string, name = `${randomUUID()}.wav`) {
  const { status, body } = await send({
    method: 'PUT',
    url: `${door.url}/v1/ingest/${id}/${name}`,
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'audio/wav' },
    body: inPieces(wav),
    timeoutMs,
  })
  return { status, recording: status === 200 ? Receipt.parse(JSON.parse(body.toString())).recording : null }
}

/** A door whose clock a test moves. */
async function openTimedDoor() {
  let now = Date.now()
  const door = await openDoor(vault, { keys: ofTheDoor(vault.keyService), now: () => new Date(now) })
  return Object.assign(door, {
    set(time: number) {
      now = time
    },
  })
}

test('an administrator makes a connector, and its secret is in that one answer alone', async () => {
  const { connector, address, secret } = await make()
  assert.equal(address, `https://pbx.vault.example/v1/ingest/${connector.id}`)
  assert.equal(connector.previousUntil, null)
  await using door = await openTimedDoor()
  assert.equal((await deliver(door, connector.id, secret)).status, 200)
  assert.equal((await deliver(door, connector.id, 'wrong')).status, 401)

  const token = await sessionOf(clinic.administrator)
  const list = await ask(front.url, token, ['GET', '/v1/connectors'])
  const { connectors } = schemas.ConnectorList.parse(list.body)
  assert.ok(connectors.some(({ id }) => id === connector.id))
  assert.deepEqual(await show(connector.id), connector)
  assert.ok(!JSON.stringify(list.body).includes(secret))
  assert.ok(!front.log.text().includes(secret))

  const events = await auditEvents(vault, clinic.tenant.id)
  const created = events.filter(({ action, object }) => {
    return action === 'connector.created' && object?.id === connector.id
  })
  assert.deepEqual(
    created.map(({ outcome, actor }) => [outcome, actor.id]),
    [['allowed', clinic.administrator.row.id]],
  )
})

test('nobody else makes, changes or sees one, and whoever manages shows a second factor first', async () => {
  const { connector } = await make()
  const calls = [
    ['GET', '/v1/connectors'],
    ['GET', `/v1/connectors/${connector.id}`],
    ['POST', '/v1/connectors', { kind: 'upload', name: 'Mine' }],
    ['POST', `/v1/connectors/${connector.id}/secrets`, {}],
    ['DELETE', `/v1/connectors/${connector.id}/secrets/previous`],
    ['DELETE', `/v1/connectors/${connector.id}`],
  ] as const
  const clinician = await sessionOf(clinic.clinician)
  const stale = await front.sessionOf(clinic.administrator, { verifiedAt: new Date(Date.now() - hourMs) })
  const foreign = await sessionOf(other.administrator)
  for (const [method, path, body] of calls) {
    assert.equal(problemOf(await ask(front.url, clinician, [method, path], body)), 'denied', path)
    if (method !== 'GET')
      assert.equal(problemOf(await ask(front.url, stale.token, [method, path], body)), 'stepUpRequired', path)
    if (path.includes(connector.id)) {
      assert.equal(problemOf(await ask(front.url, foreign, [method, path], body)), 'notFound', path)
      const absent = path.replace(connector.id, newConnectorId())
      assert.equal(problemOf(await ask(front.url, foreign, [method, absent], body)), 'notFound', path)
    }
  }
  assert.deepEqual(await show(connector.id), connector)
})

test('what a request may not ask for is refused', async () => {
  const token = await sessionOf(clinic.administrator)
  const good = { kind: 'upload', name: 'PBX' }
  const malformed = [
    { ...good, kind: 'fax' },
    { ...good, name: '' },
    { ...good, name: 'two\nlines' },
    { ...good, maxBytes: 0 },
    { ...good, idleTimeoutMs: 1 },
    { ...good, secret: 'my own' },
    ...[
      'http://pbx.example.org',
      'https://pbx.example.org/path',
      'https://u:p@pbx.example.org',
      '10.0.0.1',
    ].map(origin => ({ ...good, allowedHosts: [origin] })),
    { ...good, allowedHosts: [{ origin: 'https://10.0.0.5', privateCidr: '10.0.0.0/8' }] },
  ]
  for (const body of malformed) {
    const told = await ask(front.url, token, ['POST', '/v1/connectors'], body)
    assert.equal(problemOf(told), 'malformed', JSON.stringify(body))
  }
  for (const mailbox of [newMailboxId(), other.mailbox.id]) {
    const told = await ask(front.url, token, ['POST', '/v1/connectors'], { ...good, defaultMailbox: mailbox })
    assert.equal(problemOf(told), 'notFound')
  }
  const { connector } = await make()
  for (const body of [{ overlapHours: -1 }, { overlapHours: 169 }, { overlapHours: 0.5 }, { forever: true }])
    assert.equal(problemOf(await rotate(connector.id, body)), 'malformed', JSON.stringify(body))
})

test('both secrets hold while they overlap, and not a moment longer, also where the connector is kept', async () => {
  const { connector, secret: old } = await make()
  await using before = await openTimedDoor()
  const first = await deliver(before, connector.id, old, 'same.wav')
  const { connector: changed, secret } = await rotated(connector.id, { overlapHours: 1 })
  assert.notEqual(secret, old)
  const until = Date.parse(changed.previousUntil ?? '')
  assert.ok(Math.abs(until - Date.now() - hourMs) < 60_000)

  await using door = await openTimedDoor()
  assert.equal((await deliver(door, connector.id, secret)).status, 200)
  assert.equal((await deliver(door, connector.id, old)).status, 200)
  // Duplicates are recognised as before: the key they are known by is not a secret of the PBX.
  assert.equal((await deliver(door, connector.id, secret, 'same.wav')).recording, first.recording)

  // It is read a second before the end, and kept: the time counts, not when it was read.
  door.set(until - 1_000)
  assert.equal((await deliver(door, connector.id, old)).status, 200)
  door.set(until - 1)
  assert.equal((await deliver(door, connector.id, old)).status, 200)
  door.set(until)
  assert.equal((await deliver(door, connector.id, old)).status, 401)
  assert.equal((await deliver(door, connector.id, secret)).status, 200)
  await using fresh = await openTimedDoor()
  fresh.set(until)
  assert.equal((await deliver(fresh, connector.id, old)).status, 401)
  assert.equal((await deliver(fresh, connector.id, secret)).status, 200)
})

test('the use of the old secret is counted, told once a minute, and shown', async () => {
  const { connector, secret: old } = await make()
  const { secret } = await rotated(connector.id)
  await using door = await openTimedDoor()
  const told = () => door.log.lines.filter(line => line.includes('Old secret still used'))
  await deliver(door, connector.id, secret)
  assert.equal(told().length, 0)
  assert.equal((await show(connector.id)).previousLastUsedAt, null)

  const start = Date.now()
  door.set(start)
  for (let i = 0; i < 3; i++) await deliver(door, connector.id, old)
  assert.equal(told().length, 1)
  assert.ok(told()[0]?.includes(connector.id))
  assert.equal((await show(connector.id)).previousLastUsedAt, new Date(start).toISOString())
  door.set(start + 60_000)
  await deliver(door, connector.id, old)
  assert.equal(told().length, 2)
  assert.equal((await show(connector.id)).previousLastUsedAt, new Date(start + 60_000).toISOString())
  assert.ok(!door.log.text().includes(old) && !door.log.text().includes(secret))

  const metrics = await (await fetch(`${door.url}/metrics`)).text()
  assert.match(
    metrics,
    /auricle_connector_secret_uses_total\{connector_kind="upload",secret="previous"\} 4\n/,
  )
  assert.match(metrics, /auricle_connector_secret_uses_total\{connector_kind="upload",secret="current"\} 1\n/)
})

test('a signature by the old secret counts by when its body ends', async () => {
  const { connector, secret: old } = await make('standard')
  const { connector: changed } = await rotated(connector.id, { overlapHours: 1 })
  const until = Date.parse(changed.previousUntil ?? '')
  await using door = await openTimedDoor()
  const post = async (endsAt: number) => {
    door.set(until - 1_000)
    const { headers, body } = await createStandardDelivery({
      metadata: { type: 'voicemail.received', data: { id: randomUUID() } },
      audio: wav,
      contentType: 'audio/wav',
      fileName: 'message.wav',
      secret: old,
      timestamp: new Date(until),
    })
    async function* slow() {
      let isFirst = true
      for await (const piece of body) {
        yield piece
        // The service has read the head and waits for the rest by now: its answer to headers would have come.
        if (isFirst) await fetch(`${door.url}/healthz`)
        isFirst = false
        door.set(endsAt)
      }
    }
    const url = `${door.url}/v1/ingest/${connector.id}`
    return (await send({ method: 'POST', url, headers, body: slow(), timeoutMs })).status
  }
  assert.equal(await post(until - 1), 200)
  assert.equal(await post(until), 401)
})

test('of many changes at once one is made, and its secret holds beside the one before', async () => {
  for (const body of [{}, { endOverlap: true }, { overlapHours: 0 }]) {
    const { connector, secret: old } = await make()
    const answers = await Promise.all(Array.from({ length: 6 }, () => rotate(connector.id, body)))
    const won = answers.filter(({ status }) => status === 201)
    // One after another is no clash where none overlaps or the overlap may end: then each takes the place of the last.
    const lost = answers.filter(({ status }) => status !== 201)
    assert.ok(won.length >= 1)
    if (!('endOverlap' in body) && !('overlapHours' in body)) assert.equal(won.length, 1)
    assert.ok(lost.every(told => problemOf(told) === 'conflict'))
    await using door = await openTimedDoor()
    const secrets = won.map(told => schemas.ConnectorSecret.parse(told.body).secret)
    const holds = await Promise.all(
      [old, ...secrets].map(async secret => (await deliver(door, connector.id, secret)).status === 200),
    )
    const overlaps = !('overlapHours' in body)
    assert.equal(holds.filter(Boolean).length, overlaps ? 2 : 1)
    assert.equal(holds.slice(1).filter(Boolean).length >= 1, true)
    const events = await auditEvents(vault, clinic.tenant.id)
    const logged = events.filter(({ action, object }) => {
      return action === 'connector.rotated' && object?.id === connector.id
    })
    assert.equal(logged.length, won.length)
  }
})

test('an overlap is not cut short by accident, and ends when it is told to', async () => {
  const { connector, secret: first } = await make()
  const { secret: second } = await rotated(connector.id)
  assert.equal(problemOf(await rotate(connector.id)), 'conflict')
  assert.equal(problemOf(await rotate(connector.id, { overlapHours: 0 })), 'conflict')
  const { secret: third } = await rotated(connector.id, { endOverlap: true, overlapHours: 168 })
  await using door = await openTimedDoor()
  const statuses = async (at: Door) => {
    const all = [first, second, third].map(secret => deliver(at, connector.id, secret))
    return (await Promise.all(all)).map(({ status }) => status)
  }
  assert.deepEqual(await statuses(door), [401, 200, 200])

  const end = async () => {
    const token = await sessionOf(clinic.administrator)
    return ask(front.url, token, ['DELETE', `/v1/connectors/${connector.id}/secrets/previous`])
  }
  assert.equal((await end()).status, 204)
  assert.equal(problemOf(await end()), 'conflict')
  assert.equal((await show(connector.id)).previousUntil, null)
  // What a process keeps of a connector is half a minute old at most.
  door.set(Date.now() + 31_000)
  assert.deepEqual(await statuses(door), [401, 401, 200])
})

test('a disabled connector delivers nothing, changes no more, and stays on record', async () => {
  const { connector, secret } = await make()
  const { secret: newer } = await rotated(connector.id)
  await using door = await openTimedDoor()
  assert.equal((await deliver(door, connector.id, secret)).status, 200)
  const disable = async () => {
    const token = await sessionOf(clinic.administrator)
    return ask(front.url, token, ['DELETE', `/v1/connectors/${connector.id}`])
  }
  assert.equal((await disable()).status, 204)
  assert.equal(problemOf(await disable()), 'conflict')
  assert.equal(problemOf(await rotate(connector.id, { endOverlap: true })), 'conflict')
  door.set(Date.now() + 31_000)
  for (const one of [secret, newer]) assert.equal((await deliver(door, connector.id, one)).status, 404)
  const shown = await show(connector.id)
  assert.ok(shown.disabledAt !== null)
  assert.equal(shown.previousUntil, null)
  assert.equal(ConnectorId.parse(shown.id), connector.id)
})
