// Every answer that a PBX can get for a delivery, over real connections, with what it leaves behind.
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createCatalog, createPool } from '@auricle/catalog'
import { Problem, type ProblemName, problems, Receipt } from '@auricle/contract'
import { createStandardDelivery, signStandard } from '@auricle/pbx'
import { auditEvents } from '../../../test/audit-log.ts'
import { addPbx, type Door, openDoor } from '../../../test/door.ts'
import { aStamper } from '../../../test/event-writer.ts'
import type { DeliveryPoint } from '../../../test/harness/clinic.ts'
import { type Answer, inPieces, send } from '../../../test/harness/http-client.ts'
import {
  type Clinic,
  gather,
  makeClinic,
  openTestVault,
  sample,
  type TestVault,
} from '../../../test/vault.ts'

const timeoutMs = 20_000

let vault: TestVault
let clinic: Clinic
let door: Door
let upload: DeliveryPoint
let standard: DeliveryPoint
let small: DeliveryPoint
let wav: Buffer

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  ;[upload, standard, small] = [
    await addPbx(vault, clinic, 'upload'),
    await addPbx(vault, clinic, 'standard'),
    await addPbx(vault, clinic, 'upload', { maxBytes: 20_000 }),
  ]
  door = await openDoor(vault)
  wav = await sample('voicemail-short.wav')
})
after(async () => {
  await door[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

type Headers = Readonly<Record<string, string>>

function put(
  point: Pick<DeliveryPoint, 'id' | 'secret'>,
  name: string,
  audio: Uint8Array,
  headers: Headers = {},
  url = door.url,
): Promise<Answer> {
  return send({
    method: 'PUT',
    url: `${url}/v1/ingest/${point.id}/${name}`,
    headers: {
      authorization: `Bearer ${point.secret}`,
      'content-type': 'audio/wav',
      ...('transfer-encoding' in headers ? {} : { 'content-length': String(audio.length) }),
      ...headers,
    },
    body: inPieces(audio),
    timeoutMs,
  })
}

async function post(
  data: Record<string, unknown>,
  change: { readonly secret?: string; readonly timestamp?: Date; readonly audio?: Uint8Array } = {},
): Promise<Answer> {
  const { secret = standard.secret, timestamp = new Date(), audio = wav } = change
  const { headers, body } = await createStandardDelivery({
    metadata: { type: 'voicemail.received', data: { id: randomUUID(), ...data } },
    audio,
    contentType: 'audio/wav',
    fileName: 'message.wav',
    secret,
    timestamp,
  })
  return send({ method: 'POST', url: `${door.url}/v1/ingest/${standard.id}`, headers, body, timeoutMs })
}

function postJson(json: string, headers: Headers = {}): Promise<Answer> {
  const body = Buffer.from(json)
  return send({
    method: 'POST',
    url: `${door.url}/v1/ingest/${standard.id}`,
    headers: {
      'content-type': 'application/json',
      'content-length': String(body.length),
      ...signStandard({ id: randomUUID(), timestamp: new Date(), secret: standard.secret, body }),
      ...headers,
    },
    body: inPieces(body),
    timeoutMs,
  })
}

function assertProblem(answer: Answer, name: ProblemName): void {
  const text = answer.body.toString()
  assert.equal(answer.status, problems[name].status, text)
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
  const problem = Problem.parse(JSON.parse(text))
  assert.equal(problem.type, problems[name].type)
  assert.equal(problem.title, problems[name].title)
  assert.match(problem.instance ?? '', /^[0-9a-f-]{36}$/)
  assert.equal(answer.headers['x-powered-by'], undefined)
}

const receiptOf = ({ status, body }: Answer) => {
  assert.equal(status, 200, body.toString())
  return Receipt.parse(JSON.parse(body.toString()))
}

async function leftovers(): Promise<number> {
  let count = 0
  for await (const _ of vault.objects.list('intake/')) count++
  return count
}

const intakesOf = () => vault.catalog.listIntakes(clinic.tenant.id, 'received', 10_000)

/** Does something that must be refused, and asserts that neither an object nor a row is left of it. */
async function leavesNothing(refused: () => Promise<void>): Promise<void> {
  const before = [await leftovers(), (await intakesOf()).length]
  await refused()
  assert.deepEqual([await leftovers(), (await intakesOf()).length], before)
}

test('200, and the same again for the same delivery', async () => {
  const first = await put(upload, 'first.wav', wav)
  receiptOf(first)
  assert.match(String(first.headers['content-type']), /^application\/json/)
  const again = await put(upload, 'first.wav', wav)
  assert.deepEqual(again.body, first.body)
  const chunked = await put(upload, 'first.wav', wav, { 'transfer-encoding': 'chunked' })
  assert.deepEqual(chunked.body, first.body)

  const id = randomUUID()
  const signed = await post({ id })
  receiptOf(signed)
  assert.deepEqual((await post({ id })).body, signed.body)
})

test('200 for a recording that is to be fetched, and the same again', async () => {
  const body = JSON.stringify({
    type: 'recording.completed',
    data: { id: randomUUID(), audio_url: 'https://pbx.example.org/1.wav' },
  })
  const first = await postJson(body)
  receiptOf(first)
  assert.deepEqual((await postJson(body)).body, first.body)
})

test('one delivery sent by many at once is one recording with one answer', async () => {
  const before = (await intakesOf()).length
  const answers = await Promise.all(Array.from({ length: 8 }, () => put(upload, 'at-once.wav', wav)))
  const [first] = answers
  for (const answer of answers) assert.deepEqual(receiptOf(answer), first && receiptOf(first))
  assert.equal((await intakesOf()).length, before + 1)
})

test('the token may be the password of Basic, and the name may be in any script', async () => {
  const basic = Buffer.from(`pbx:${upload.secret}`).toString('base64')
  receiptOf(await put(upload, 'basic.wav', wav, { authorization: `Basic ${basic}` }))
  const name = encodeURIComponent('Voicemail für 東京/2001 ..wav')
  const first = receiptOf(await put(upload, name, wav))
  assert.deepEqual(receiptOf(await put(upload, name, wav)), first)
})

test('401 for a wrong token or signature, whatever the body', async () => {
  await leavesNothing(async () => {
    for (const authorization of [`Bearer ${small.secret}`, 'Bearer', 'Bearer a b', 'Digest x', '']) {
      const answer = await put(upload, 'unknown.wav', wav, { authorization })
      assertProblem(answer, 'badSignature')
      assert.match(String(answer.headers['www-authenticate']), /^Bearer/)
    }
    assertProblem(
      await post({}, { secret: `whsec_${Buffer.alloc(32, 1).toString('base64')}` }),
      'badSignature',
    )
    assertProblem(await postJson('{"broken', { 'webhook-signature': 'v1,AAAA' }), 'badSignature')
  })
})

test('400 for a stale timestamp, what is malformed, and what is empty', async () => {
  await leavesNothing(async () => {
    const minutes = (count: number) => new Date(Date.now() + count * 60_000)
    assertProblem(await post({}, { timestamp: minutes(-6) }), 'staleTimestamp')
    assertProblem(await post({}, { timestamp: minutes(6) }), 'staleTimestamp')
    assertProblem(await postJson('{"broken'), 'malformed')
    assertProblem(await postJson('{"__proto__":{"type":"voicemail.received"}}'), 'malformed')
    assertProblem(await put(upload, 'odd.wav', wav, { 'x-auricle-kind': 'letter' }), 'malformed')
    assertProblem(await put(upload, 'odd.wav', wav, { 'content-encoding': 'gzip' }), 'malformed')
    assertProblem(await put(upload, 'empty.wav', Buffer.alloc(0)), 'emptyBody')
    const chunked = { 'transfer-encoding': 'chunked' }
    assertProblem(await put(upload, 'empty.wav', Buffer.alloc(0), chunked), 'emptyBody')
    assertProblem(await post({}, { audio: Buffer.alloc(0) }), 'emptyBody')
  })
})

test('404 for a connector that is not there, never was, or is of another form', async () => {
  const unknown = `${upload.id.slice(0, -1)}${upload.id.endsWith('0') ? '1' : '0'}`
  for (const id of [unknown, 'con_x', 'nothing', '%F0%9F%8E%A7', 'CON_01JD3W8H9K6N2Q4S5T7V8X9Y0Z']) {
    const answer = await send({
      method: 'PUT',
      url: `${door.url}/v1/ingest/${id}/a.wav`,
      headers: { authorization: `Bearer ${upload.secret}`, 'content-length': String(wav.length) },
      body: inPieces(wav),
      timeoutMs,
    })
    assertProblem(answer, 'unknownConnector')
  }
})

test('405 names what is allowed', async () => {
  const ask = (method: 'GET' | 'PATCH' | 'DELETE' | 'PUT' | 'POST', path: string) =>
    send({ method, url: `${door.url}/v1/ingest/${path}`, headers: {}, body: null, timeoutMs })
  for (const method of ['GET', 'PATCH', 'DELETE', 'PUT'] as const) {
    const answer = await ask(method, upload.id)
    assertProblem(answer, 'methodNotAllowed')
    assert.equal(answer.headers['allow'], 'POST')
  }
  const answer = await ask('POST', `${upload.id}/name`)
  assertProblem(answer, 'methodNotAllowed')
  assert.equal(answer.headers['allow'], 'PUT')
})

test('409 for other content under the same source id; the first stays', async () => {
  const first = receiptOf(await put(upload, 'taken.wav', wav))
  const other = Buffer.from(wav)
  other.writeUInt8(other.readUInt8(other.length - 1) ^ 1, other.length - 1)
  await leavesNothing(async () => assertProblem(await put(upload, 'taken.wav', other), 'sourceIdConflict'))
  assert.deepEqual(receiptOf(await put(upload, 'taken.wav', wav)), first)
})

test('413 by the declared length, and by counting where none is declared', async () => {
  await leavesNothing(async () => {
    assertProblem(await put(small, 'large.wav', wav), 'tooLarge')
    assertProblem(await put(small, 'large.wav', wav, { 'transfer-encoding': 'chunked' }), 'tooLarge')
  })
})

test('415 for what is not audio, whatever it says of itself', async () => {
  const zip = Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(4000, 7)])
  // The test file of virus scanners, in two halves so that none finds it here.
  const scannersFind = `X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-${'ANTIVIRUS-TEST-FILE!$H+H*'}`
  const program = Buffer.concat([
    Buffer.from('MZ'),
    Buffer.alloc(58),
    Buffer.from([64, 0, 0, 0]),
    Buffer.from('PE\0\0'),
  ])
  const bodies = [
    '<!doctype html><title>Sign in</title>',
    '{"error":"not found"}',
    zip,
    Buffer.alloc(5000),
    scannersFind,
    program,
  ]
  await leavesNothing(async () => {
    for (const body of bodies) assertProblem(await put(upload, 'what.wav', Buffer.from(body)), 'notAudio')
    assertProblem(await post({}, { audio: zip }), 'notAudio')
  })
})

test('422 for audio that is not what its metadata declares', async () => {
  const sha256 = createHash('sha256').update(wav).digest('hex')
  receiptOf(await put(upload, 'declared.wav', wav, { 'x-auricle-sha256': sha256 }))
  await leavesNothing(async () => {
    assertProblem(await post({ size: wav.length + 1 }), 'contentMismatch')
  })
  const rows = (await intakesOf()).length
  const wrong = await put(upload, 'other-hash.wav', wav, { 'x-auricle-sha256': 'a'.repeat(64) })
  assertProblem(wrong, 'contentMismatch')
  assertProblem(await post({ sha256: 'b'.repeat(64) }), 'contentMismatch')
  assert.equal((await intakesOf()).length, rows)
})

test('503 while the database is away, with a word of when to try again', async () => {
  const pool = createPool({ ...vault.database.app, port: 1, host: '127.0.0.1' })
  await using away = await openDoor(vault, { catalog: createCatalog({ pool, stamper: aStamper() }) })
  const answer = await put(upload, 'away.wav', wav, {}, away.url)
  assertProblem(answer, 'unavailable')
  assert.equal(answer.headers['retry-after'], '5')

  const ready = await send({ method: 'GET', url: `${away.url}/readyz`, headers: {}, body: null, timeoutMs })
  assert.equal(ready.status, 503)
  assert.equal(JSON.parse(ready.body.toString()).missing[0].name, 'database')
  const live = await send({ method: 'GET', url: `${away.url}/healthz`, headers: {}, body: null, timeoutMs })
  assert.equal(live.status, 200)
  await pool.end()
})

test('503 where the database goes away in the middle, and the retry is taken', async () => {
  const commitIntake = () =>
    Promise.reject(Object.assign(new Error('no connection'), { name: 'CatalogError', transient: true }))
  await using failing = await openDoor(vault, { catalog: { ...bound(vault.catalog), commitIntake } })
  assertProblem(await put(upload, 'retried.wav', wav, {}, failing.url), 'unavailable')
  receiptOf(await put(upload, 'retried.wav', wav))
})

/** The catalog as an object of functions, whatever it is made of. */
function bound(catalog: TestVault['catalog']): TestVault['catalog'] {
  return new Proxy(catalog, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

test('health, readiness and metrics', async () => {
  const ask = (path: string) =>
    send({ method: 'GET', url: `${door.url}${path}`, headers: {}, body: null, timeoutMs })
  assert.deepEqual(JSON.parse((await ask('/healthz')).body.toString()), { status: 'live' })
  assert.deepEqual(JSON.parse((await ask('/readyz')).body.toString()), { status: 'ready' })
  const metrics = (await ask('/metrics')).body.toString()
  assert.match(metrics, /auricle_deliveries_total\{connector_kind="upload",outcome="received"\} [1-9]/)
  assert.match(metrics, /auricle_deliveries_total\{connector_kind="upload",outcome="source-id-conflict"\} 1/)
  assert.match(metrics, /auricle_audio_bytes_total\{direction="in"\} [1-9]/)
  for (const secret of [upload.secret, upload.id, clinic.tenant.id]) assert.ok(!metrics.includes(secret))
})

test('refusals of a known connector are in its audit log, up to a bound', async () => {
  const flooded = await addPbx(vault, clinic, 'upload')
  const attempts = 60
  for (let sent = 0; sent < attempts; sent += 10) {
    await Promise.all(
      Array.from({ length: 10 }, () => put(flooded, 'x.wav', wav, { authorization: 'Bearer wrong' })),
    )
  }
  const events = await auditEvents(vault, clinic.tenant.id)
  const refusals = events.filter(
    ({ action, actor }) => action === 'delivery.refused' && actor.id === flooded.id,
  )
  assert.ok(refusals.length >= 30 && refusals.length < attempts, `${refusals.length} refusals logged`)
  for (const { outcome, reasons } of refusals)
    assert.deepEqual([outcome, reasons], ['denied', ['bad-signature']])
})

test('what a 200 promised is there, byte for byte', async () => {
  const audio = await sample('voicemail.ogg')
  const { recording } = receiptOf(await put(upload, 'kept.ogg', audio, { 'content-type': 'audio/ogg' }))
  const intake = (await intakesOf()).find(({ recordingId }) => recordingId === recording)
  assert.equal(intake?.audioBytes, audio.length)
  const sealed = await gather(vault.objects.read(intake?.objectKey ?? '', null))
  assert.equal(sealed.indexOf(audio.subarray(0, 64)), -1)
})
