// What a sender sees on its socket: answers before and after a body, bodies that break off or stand still, and paths
// and headers that nobody sends by accident.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { newConnectorId, Problem, type ProblemName, problems, Receipt } from '@auricle/contract'
import { auditEvents } from '../../../test/audit-log.ts'
import { addPbx, type Door, openDoor } from '../../../test/door.ts'
import type { DeliveryPoint } from '../../../test/harness/clinic.ts'
import { chunk, openRaw, type RawAnswer, requestHead } from '../../../test/raw-http.ts'
import { type Clinic, makeClinic, openTestVault, sample, type TestVault } from '../../../test/vault.ts'

let vault: TestVault
let clinic: Clinic
let door: Door
let upload: DeliveryPoint
let impatient: DeliveryPoint
let small: DeliveryPoint
let wav: Buffer

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  upload = await addPbx(vault, clinic, 'upload')
  impatient = await addPbx(vault, clinic, 'upload', { idleTimeoutMs: 300 })
  small = await addPbx(vault, clinic, 'upload', { maxBytes: 10_000 })
  door = await openDoor(vault)
  wav = await sample('voicemail-short.wav')
})
after(async () => {
  await door[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

type Headers = Readonly<Record<string, string>>

function putHead(name: string, headers: Headers, { id, secret }: DeliveryPoint = upload): string {
  const path = `/v1/ingest/${id}/${name}`
  return requestHead('PUT', path, {
    Authorization: `Bearer ${secret}`,
    'Content-Type': 'audio/wav',
    ...headers,
  })
}

const lengthOf = (bytes: Uint8Array) => ({ 'Content-Length': String(bytes.length) })

function assertProblem({ status, headers, body, complete }: RawAnswer, name: ProblemName): void {
  assert.equal(status, problems[name].status, body.toString())
  assert.ok(complete)
  assert.match(headers['content-type'] ?? '', /^application\/problem\+json/)
  assert.equal(Problem.parse(JSON.parse(body.toString())).type, problems[name].type)
}

function receiptOf({ status, body }: RawAnswer): Receipt {
  assert.equal(status, 200, body.toString())
  return Receipt.parse(JSON.parse(body.toString()))
}

async function stored(): Promise<number> {
  let count = 0
  for await (const _ of vault.objects.list('intake/')) count++
  return count
}

const intakes = async () => (await vault.catalog.listIntakes(clinic.tenant.id, 'received', 10_000)).length

/** Waits until the service has logged one more delivery, and gives its outcome. */
async function nextOutcome(from: number): Promise<string> {
  for (;;) {
    const line = door.log.lines.slice(from).find(text => text.includes('"msg":"Delivery"'))
    if (line !== undefined) return JSON.parse(line).outcome
    await delay(5)
  }
}

test('a body that breaks off leaves nothing, and the delivery can be made again', async () => {
  const before = [await stored(), await intakes()]
  const breaks = [
    { headers: lengthOf(wav), pieces: [wav.subarray(0, 5_000)] },
    { headers: { 'Content-Length': String(wav.length + 1) }, pieces: [wav] },
    { headers: { 'Transfer-Encoding': 'chunked' }, pieces: [chunk(wav.subarray(0, 5_000))] },
    { headers: { 'Transfer-Encoding': 'chunked' }, pieces: [chunk(wav).subarray(0, 5_000)] },
  ]
  for (const { headers, pieces } of breaks) {
    for (const leave of ['reset', 'end'] as const) {
      const from = door.log.lines.length
      using connection = await openRaw(door.port)
      await connection.send(putHead('broken.wav', headers), ...pieces)
      if (leave === 'reset') {
        await delay(20)
        connection.socket.resetAndDestroy()
      } else connection.socket.end()
      assert.equal(await nextOutcome(from), 'truncated-body')
    }
  }
  assert.deepEqual([await stored(), await intakes()], before)

  using connection = await openRaw(door.port)
  await connection.send(putHead('broken.wav', lengthOf(wav)), wav)
  receiptOf(await connection.answer())
})

test('a body of broken chunks is refused', async () => {
  const before = [await stored(), await intakes()]
  using connection = await openRaw(door.port)
  await connection.send(
    putHead('chunks.wav', { 'Transfer-Encoding': 'chunked' }),
    chunk(wav),
    'zz\r\nnonsense',
  )
  const { status } = await connection.answer()
  assert.equal(status, 400)
  await connection.closed()
  assert.deepEqual([await stored(), await intakes()], before)
})

test('408 for a body that stands still, and the connection can be told', async () => {
  const before = [await stored(), await intakes()]
  using connection = await openRaw(door.port)
  await connection.send(putHead('slow.wav', lengthOf(wav), impatient), wav.subarray(0, 3_000))
  assertProblem(await connection.answer(), 'idleTimeout')
  assert.deepEqual([await stored(), await intakes()], before)
})

test('a slow body is taken as long as it moves', async () => {
  using connection = await openRaw(door.port)
  await connection.send(putHead('steady.wav', lengthOf(wav), impatient))
  const step = Math.ceil(wav.length / 6)
  for (let at = 0; at < wav.length; at += step) {
    await connection.send(wav.subarray(at, at + step))
    await delay(100)
  }
  receiptOf(await connection.answer())
})

test('a refusal can be read by a sender that has not sent its whole body, and by one that sends on', async () => {
  const large = Buffer.alloc(2_000_000, 1)
  const refusals: readonly [ProblemName, DeliveryPoint, Headers][] = [
    ['badSignature', { ...upload, secret: 'wrong' }, lengthOf(large)],
    ['tooLarge', small, lengthOf(large)],
    ['tooLarge', small, { 'Transfer-Encoding': 'chunked' }],
    ['malformed', upload, { ...lengthOf(large), 'X-Auricle-Kind': 'letter' }],
    ['unknownConnector', { ...upload, id: newConnectorId() }, lengthOf(large)],
  ]
  for (const [name, point, headers] of refusals) {
    const isChunked = 'Transfer-Encoding' in headers
    const body = isChunked ? Buffer.concat([chunk(large), chunk()]) : large
    using waits = await openRaw(door.port)
    await waits.send(putHead('refused.wav', headers, point), body.subarray(0, 100_000))
    assertProblem(await waits.answer(), name)

    using sendsOn = await openRaw(door.port)
    await sendsOn.send(putHead('refused.wav', headers, point), body)
    assertProblem(await sendsOn.answer(), name)
    // The body was drained: the connection is as good as new.
    await sendsOn.send(putHead(`after-${name}.wav`, lengthOf(wav)), wav)
    receiptOf(await sendsOn.answer())
  }
})

test('a refused body without end is cut off, after its answer', async () => {
  using connection = await openRaw(door.port)
  await connection.send(
    putHead('endless.wav', { 'Transfer-Encoding': 'chunked' }, { ...upload, secret: 'wrong' }),
  )
  assertProblem(await connection.answer(), 'badSignature')
  const piece = chunk(Buffer.alloc(1_000_000))
  let pieces = 0
  while (!connection.socket.destroyed && pieces < 100) {
    await connection.send(piece)
    pieces++
    await delay(1)
  }
  assert.ok(pieces < 100, 'the service took a hundred megabytes that it had refused')
})

test('Expect: 100-continue is told to go on, or at once why not', async () => {
  using connection = await openRaw(door.port)
  const expect = { Expect: '100-continue' }
  await connection.send(putHead('expected.wav', { ...lengthOf(wav), ...expect }))
  assert.equal((await connection.answer()).status, 100)
  await connection.send(wav)
  receiptOf(await connection.answer())

  for (const [name, point] of [
    ['badSignature', { ...upload, secret: 'wrong' }],
    ['tooLarge', small],
  ] as const) {
    using refused = await openRaw(door.port)
    await refused.send(putHead('expected.wav', { ...lengthOf(wav), ...expect }, point))
    assertProblem(await refused.answer(), name)
  }
})

test('requests sent one behind the other are answered in order', async () => {
  using connection = await openRaw(door.port)
  const other = await sample('voicemail.ogg')
  await connection.send(
    Buffer.concat([
      Buffer.from(putHead('one.wav', lengthOf(wav))),
      wav,
      Buffer.from(requestHead('GET', '/healthz', {})),
      Buffer.from(putHead('two.ogg', lengthOf(other))),
      other,
      Buffer.from(putHead('one.wav', lengthOf(wav))),
      wav,
    ]),
  )
  const first = receiptOf(await connection.answer())
  assert.deepEqual(JSON.parse((await connection.answer()).body.toString()), { status: 'live' })
  const second = receiptOf(await connection.answer())
  assert.notEqual(second.recording, first.recording)
  assert.deepEqual(receiptOf(await connection.answer()), first)
})

test('two lengths, a length beside chunks and a bare line feed are refused before anything is read', async () => {
  const ambiguous = [
    `PUT /v1/ingest/${upload.id}/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    `PUT /v1/ingest/${upload.id}/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `PUT /v1/ingest/${upload.id}/a HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello`,
    `PUT /v1/ingest/${upload.id}/a HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nhello`,
    `PUT /v1/ingest/${upload.id}/a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello`,
  ]
  for (const text of ambiguous) {
    using connection = await openRaw(door.port)
    await connection.send(text)
    assert.equal((await connection.answer()).status, 400)
    await connection.closed()
  }
})

test('a header that comes twice is not taken for either', async () => {
  using connection = await openRaw(door.port)
  const head = putHead('twice.wav', lengthOf(wav))
  await connection.send(head.replace('\r\n\r\n', '\r\nAuthorization: Bearer other\r\n\r\n'), wav)
  assertProblem(await connection.answer(), 'badSignature')
})

test('headers larger than any PBX sends are refused', async () => {
  using connection = await openRaw(door.port)
  await connection.send(putHead('big.wav', { 'X-Padding': 'x'.repeat(20_000), ...lengthOf(wav) }))
  assert.equal((await connection.answer()).status, 431)
})

test('paths that are no path of ours get a problem, and never a page or a stack', async () => {
  const { id } = upload
  const paths: readonly [string, string, ProblemName][] = [
    ['GET', '/', 'notFound'],
    ['GET', '/v1/ingest', 'notFound'],
    ['POST', `/v1/INGEST/${id}`, 'notFound'],
    ['PUT', `/v1/ingest/${id}/a/b`, 'notFound'],
    ['PUT', `/v1/ingest/${id}/../../../etc/passwd`, 'notFound'],
    ['PUT', `/v1/ingest/..%2f..%2fetc%2fpasswd/a`, 'unknownConnector'],
    ['PUT', `/v1/ingest/${id}%00/a`, 'unknownConnector'],
    ['PUT', `/v1/ingest/%zz/secret-name`, 'malformed'],
    ['PUT', `/v1/ingest/${id}/%e0%a4%a`, 'malformed'],
    ['PUT', `/v1/ingest/${id}/${'n'.repeat(513)}`, 'malformed'],
    ['PUT', `/v1/ingest/${id}/${'%F0%9F%8E%A7'.repeat(513)}`, 'malformed'],
    ['GET', `//evil.example.org/v1/ingest/${id}`, 'notFound'],
    ['OPTIONS', '*', 'notFound'],
  ]
  for (const [method, path, name] of paths) {
    using connection = await openRaw(door.port)
    const headers = {
      Authorization: `Bearer ${upload.secret}`,
      'Content-Type': 'audio/wav',
      ...lengthOf(wav),
    }
    await connection.send(requestHead(method, path, headers), wav)
    const answer = await connection.answer()
    assertProblem(answer, name)
    assert.doesNotMatch(answer.body.toString(), /secret-name|at .*\.ts|node_modules|<html/)
  }
  assert.doesNotMatch(door.log.text(), /secret-name/)
})

test('names that mean something to a file system are names like any other', async () => {
  const names = [
    '..%2F..%2Fescape.wav',
    '%2Fetc%2Fpasswd',
    'a%5Cb',
    'con.wav%20',
    '%E2%80%AEgpj.wav',
    'x'.repeat(512),
  ]
  const recordings = new Set<string>()
  for (const name of names) {
    using connection = await openRaw(door.port)
    await connection.send(putHead(name, lengthOf(wav)), wav)
    recordings.add(receiptOf(await connection.answer()).recording)
  }
  assert.equal(recordings.size, names.length)
  for await (const { key } of vault.objects.list('')) assert.match(key, /^[a-z]+\/[a-z0-9_/]+$/)
})

test('neither answers nor logs nor the audit log know what a delivery says', async () => {
  const markers = [
    '+15550199',
    'Nkt%20Marker',
    'PATIENT-7734',
    'mrk-source',
    upload.secret,
    'wrong-token-marker',
  ]
  const facts = {
    'X-Auricle-From': '%2B15550199',
    'X-Auricle-From-Name': 'Nkt%20Marker',
    'X-Auricle-Patient-Reference': 'PATIENT-7734',
  }
  const from = door.log.lines.length
  const answers: string[] = []
  const exchange = async (head: string, body: Uint8Array) => {
    using connection = await openRaw(door.port)
    await connection.send(head, body)
    const { headers, body: answer } = await connection.answer()
    answers.push(JSON.stringify(headers), answer.toString())
  }
  const altered = Buffer.from(wav).fill(3, wav.length - 9)
  const name = 'mrk-source-PATIENT-7734.wav'
  await exchange(putHead(name, { ...lengthOf(wav), ...facts }), wav)
  await exchange(putHead(name, { ...lengthOf(altered), ...facts }), altered)
  await exchange(
    putHead(name, { ...lengthOf(wav), ...facts }, { ...upload, secret: 'wrong-token-marker' }),
    wav,
  )
  await exchange(putHead('mrk-source-2', { ...lengthOf(wav), ...facts }), Buffer.alloc(wav.length, 65))
  await exchange(putHead('mrk-source-3', { ...lengthOf(wav), 'X-Auricle-Direction': 'PATIENT-7734' }), wav)
  await exchange(putHead('mrk-source-4', { ...lengthOf(wav), 'X-Auricle-Started-At': '+15550199' }), wav)
  await exchange(requestHead('PUT', '/v1/ingest/PATIENT-7734/mrk-source', lengthOf(wav)), wav)
  await exchange(requestHead('PUT', '/v1/ingest/%zzPATIENT-7734/mrk-source', lengthOf(wav)), wav)

  const audit = JSON.stringify(await auditEvents(vault, clinic.tenant.id))
  const log = door.log.lines.slice(from).join('')
  assert.equal(answers.length, 16)
  assert.ok(log.includes('"outcome":"source-id-conflict"'))
  for (const text of [...answers, log, audit]) {
    for (const marker of [...markers, 'Nkt Marker']) assert.ok(!text.includes(marker), `${marker} in ${text}`)
  }
})

test('a service that stops ends the delivery under way and takes no other', async () => {
  await using stopping = await openDoor(vault)
  using running = await openRaw(stopping.port)
  using idle = await openRaw(stopping.port)
  await running.send(putHead('last.wav', lengthOf(wav)), wav.subarray(0, 5_000))
  await delay(50)
  stopping.stop.abort(new DOMException('SIGTERM', 'AbortError'))
  const disposed = stopping[Symbol.asyncDispose]()
  await idle.closed()
  await assert.rejects(openRaw(stopping.port), { code: 'ECONNREFUSED' })
  await running.send(wav.subarray(5_000))
  const answer = await running.answer()
  receiptOf(answer)
  assert.equal(answer.headers['connection'], 'close')
  await disposed
})

test('a delivery that does not end in the time of a stop is cut off and leaves nothing', async () => {
  const before = [await stored(), await intakes()]
  const config = { ingest: { host: '127.0.0.1', port: 0, publicUrl: null }, shutdownGraceMs: 200 }
  const stopping = await openDoor(vault, { config })
  using running = await openRaw(stopping.port)
  await running.send(putHead('too-late.wav', lengthOf(wav)), wav.subarray(0, 5_000))
  await delay(50)
  const closed = running.closed()
  await stopping[Symbol.asyncDispose]()
  await closed
  assert.deepEqual([await stored(), await intakes()], before)
})

test('large deliveries, slow and fast, are held in memory by the piece', async () => {
  const bytes = 50_000_000
  const piece = Buffer.alloc(500_000, 7)
  const header = wav.subarray(0, 44)
  let inFlight = 0
  let inFlightMost = 0
  const objects = {
    put: (...[key, source, options]: Parameters<TestVault['objects']['put']>) => {
      async function* counted() {
        for await (const part of source) {
          inFlight += part.length
          inFlightMost = Math.max(inFlightMost, inFlight)
          yield part
          inFlight -= part.length
        }
      }
      return vault.objects.put(key, counted(), options)
    },
  }
  await using large = await openDoor(vault, { objects })
  const deliver = async (name: string, pauseMs: number) => {
    using connection = await openRaw(large.port)
    await connection.send(putHead(name, { 'Content-Length': String(bytes) }), header)
    for (let sent = header.length; sent < bytes; sent += piece.length) {
      await connection.send(piece.subarray(0, Math.min(piece.length, bytes - sent)))
      if (pauseMs > 0) await delay(pauseMs)
    }
    return receiptOf(await connection.answer())
  }
  const [fast, slow] = await Promise.all([deliver('fast.wav', 0), deliver('slow.wav', 10)])
  assert.notEqual(fast.recording, slow.recording)
  assert.ok(inFlightMost < 4_000_000, `${inFlightMost} bytes on their way to the store at once`)
})

test('nothing of all this was an error that nobody caught', async () => {
  await once(process, 'nothing', { signal: AbortSignal.timeout(10) }).catch(() => undefined)
  assert.doesNotMatch(door.log.text(), /"level":"error"/)
})
