import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Busboy } from '@fastify/busboy'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import type { Delivery, DeliveryRequest } from './connector.ts'
import { PbxError, type PbxErrorCode } from './error.ts'
import { standard } from './standard.ts'
import { createStandardDelivery, signStandard } from './standard-delivery.ts'
import type { StandardEvent } from './standard-metadata.ts'

const now = new Date('2026-05-04T10:00:00Z')
const { secrets, shown: secret } = standard.newSecrets()
const event: StandardEvent = {
  type: 'voicemail.received',
  timestamp: '2026-05-04T09:59:58+02:00',
  data: {
    id: 'vm-1',
    mailbox: '2001',
    direction: 'inbound',
    from: '+15550100',
    from_name: 'caller',
    started_at: '2026-05-04T11:30:00+02:00',
    sha256: 'AB'.repeat(32),
  },
}
const remoteEvent = { ...event, data: { ...event.data, audio_url: 'https://pbx.example.org/a.wav' } }

async function* chunks(bytes: Uint8Array, size = 65_536) {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size)
}

function request(headers: Record<string, string>, body: AsyncIterable<Uint8Array>): DeliveryRequest {
  return { method: 'POST', name: null, headers, query: {}, body }
}

const json = (value: unknown, headers: Record<string, string> = {}) => {
  const body = typeof value === 'string' ? Buffer.from(value) : Buffer.from(JSON.stringify(value))
  const signed = signStandard({ id: 'msg_1', timestamp: now, secret, body })
  return request({ 'content-type': 'application/json; charset=utf-8', ...signed, ...headers }, chunks(body))
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(Uint8Array.from(piece))
  return Buffer.concat(pieces)
}

/** A multipart request whose whole body is at hand. */
async function multipart(audio: Uint8Array, metadata: StandardEvent = event) {
  const made = await createStandardDelivery({
    metadata,
    audio,
    contentType: 'audio/wav',
    fileName: 'C:\\spool\\msg "1".wav',
    secret,
    timestamp: now,
  })
  return { headers: { ...made.headers }, body: await collect(made.body), contentLength: made.contentLength }
}

/** Signs any multipart body, however it was made. */
function signedForm(boundary: string, body: Buffer): DeliveryRequest {
  const signed = signStandard({ id: 'msg_2', timestamp: now, secret, body })
  return request({ 'content-type': `multipart/form-data; boundary=${boundary}`, ...signed }, chunks(body, 10))
}

const open = (from: DeliveryRequest, using = secrets) => standard.open(from, using, { now })

async function openAudio(from: DeliveryRequest): Promise<Extract<Delivery, { type: 'audio' }>> {
  const delivery = await open(from)
  assert.equal(delivery.type, 'audio')
  return delivery
}

const refusedAs = (code: PbxErrorCode) => (error: unknown) => {
  assert.ok(error instanceof PbxError, String(error))
  assert.equal(error.code, code)
  return true
}

/** A body that must not be asked for. */
// biome-ignore lint/correctness/useYield: it is never to get that far
async function* untouched(): AsyncGenerator<Uint8Array> {
  assert.fail('the body was read')
}

describe('standard: signatures', () => {
  it('agrees with the published vector', () => {
    const body = '{"type":"recording.completed","data":{"id":"rec_1"}}'
    const signed = signStandard({
      id: 'msg_1',
      timestamp: new Date(1_700_000_000_000),
      secret: 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX',
      body,
    })
    assert.deepEqual(signed, {
      'webhook-id': 'msg_1',
      'webhook-timestamp': '1700000000',
      'webhook-signature': 'v1,J6qZ5qKzP0E0URPXeSYFgy61WZsA1NxUhwIORXEApiE=',
    })
  })

  it('takes any of several signatures by any of several secrets', async () => {
    const other = standard.newSecrets().secrets.secrets[0] ?? ''
    const body = Buffer.from(JSON.stringify(remoteEvent))
    const sign = (by: string) =>
      signStandard({ id: 'msg_1', timestamp: now, secret: by, body })['webhook-signature']
    const list = `v1a,AAAA v2,x ${sign(other)} v1,short ${sign(secret)}`
    await open(json(remoteEvent, { 'webhook-signature': list }))
    await open(json(remoteEvent), { secrets: [other, secret] })
    await assert.rejects(open(json(remoteEvent), { secrets: [other] }), refusedAs('bad_signature'))
  })

  it('takes the secret from before a change if it holds when the body has ended, and says which one it was', async () => {
    const { secrets: newer } = standard.newSecrets()
    const made = await multipart(Buffer.alloc(100_000, 1))
    const deliver = async (holdsAtEnd: boolean, previous = secrets, current = newer) => {
      let holds = !holdsAtEnd
      async function* body() {
        yield* chunks(made.body)
        holds = holdsAtEnd
      }
      const options = { now, previous: { secrets: previous, holds: () => holds } }
      const delivery = await standard.open(request(made.headers, body()), current, options)
      assert.equal(delivery.provenBy?.(), null)
      if (delivery.type !== 'audio') return assert.fail()
      await collect(delivery.audio)
      return delivery.provenBy?.()
    }
    assert.equal(await deliver(true), 'previous')
    await assert.rejects(deliver(false), refusedAs('bad_signature'))
    await assert.rejects(deliver(true, standard.newSecrets().secrets), refusedAs('bad_signature'))
    assert.equal(await deliver(false, newer, secrets), 'current')
  })

  it('agrees with the reference library, as sender and as receiver', async () => {
    const body = JSON.stringify({ ...remoteEvent, data: { ...remoteEvent.data, from_name: 'Zoë' } })
    const reference = new Webhook(secret)
    const current = new Date()
    const headers = {
      'content-type': 'application/json',
      'webhook-id': 'msg_7',
      'webhook-timestamp': String(Math.floor(current.getTime() / 1000)),
      'webhook-signature': reference.sign('msg_7', current, body),
    }
    const delivery = await standard.open(request(headers, chunks(Buffer.from(body))), secrets, {
      now: current,
    })
    assert.equal(delivery.type === 'remote' && delivery.notice.fromName, 'Zoë')
    reference.verify(body, signStandard({ id: 'msg_8', timestamp: current, secret, body }))
  })

  it('refuses on headers alone, before the body is read', async () => {
    const { headers } = json(remoteEvent)
    const cases: [PbxErrorCode, Record<string, string | undefined>][] = [
      ['bad_signature', { 'webhook-id': undefined }],
      ['bad_signature', { 'webhook-timestamp': undefined }],
      ['bad_signature', { 'webhook-signature': undefined }],
      ['bad_signature', { 'webhook-signature': '' }],
      ['bad_signature', { 'webhook-signature': 'v1,AAAA' }],
      ['bad_signature', { 'webhook-signature': `v2,${'A'.repeat(43)}=` }],
      ['bad_signature', { 'webhook-signature': `v1,${'A'.repeat(43)}= `.repeat(60) }],
      ['malformed', { 'webhook-id': 'a.b' }],
      ['malformed', { 'webhook-id': '' }],
      ['malformed', { 'webhook-id': 'x'.repeat(257) }],
      ['malformed', { 'webhook-timestamp': '1e9' }],
      ['malformed', { 'webhook-timestamp': '-1' }],
      ['stale_timestamp', { 'webhook-timestamp': String(now.getTime() / 1000 - 301) }],
      ['stale_timestamp', { 'webhook-timestamp': String(now.getTime() / 1000 + 301) }],
      ['malformed', { 'content-type': 'text/plain' }],
      ['malformed', { 'content-type': undefined }],
      ['malformed', { 'content-type': 'multipart/form-data' }],
      ['malformed', { 'content-encoding': 'gzip' }],
    ]
    for (const [code, changed] of cases) {
      const changedRequest = { ...request({}, untouched()), headers: { ...headers, ...changed } }
      await assert.rejects(open(changedRequest), refusedAs(code), JSON.stringify(changed))
    }
    await assert.rejects(
      open({ ...request({ ...headers } as Record<string, string>, untouched()), method: 'PUT' }),
      refusedAs('malformed'),
    )
  })

  it('takes a timestamp at the edge of the tolerance', async () => {
    for (const seconds of [-300, 300]) {
      const delivery = await standard.open(json(remoteEvent), secrets, {
        now: new Date(now.getTime() + seconds * 1000),
      })
      assert.equal(delivery.type, 'remote')
    }
  })

  it('refuses secrets that are too short, too long or no base64', () => {
    const whsec = (bytes: number) => `whsec_${Buffer.alloc(bytes, 1).toString('base64')}`
    for (const bytes of [24, 25, 26, 32, 63, 64]) standard.parseSecrets({ secrets: [whsec(bytes)] })
    for (const bytes of [0, 16, 23, 65, 66, 67])
      assert.throws(() => standard.parseSecrets({ secrets: [whsec(bytes)] }))
    assert.throws(() => standard.parseSecrets({ secrets: ['whsec_!!!'] }))
    assert.throws(() => standard.parseSecrets({ secrets: [] }))
    assert.throws(() => standard.parseSecrets({}))
    assert.notEqual(standard.newSecrets().shown, secret)
  })
})

describe('standard: JSON', () => {
  it('becomes a notice', async () => {
    const delivery = await open(json(remoteEvent))
    assert.equal(delivery.type, 'remote')
    assert.deepEqual(delivery.type === 'remote' && delivery.notice, {
      sourceId: 'vm-1',
      kind: 'voicemail',
      mailbox: '2001',
      direction: 'inbound',
      from: '+15550100',
      fromName: 'caller',
      to: null,
      patientReference: null,
      note: null,
      startedAt: '2026-05-04T09:30:00.000Z',
      contentType: null,
      fileName: null,
      declaredBytes: null,
      declaredSha256: 'ab'.repeat(32),
      audioUrl: 'https://pbx.example.org/a.wav',
    })
  })

  it('lets senders add fields, but not change the meaning of ours', async () => {
    await open(json({ ...remoteEvent, extra: 1, data: { ...remoteEvent.data, call_id: 'c', extra: {} } }))
    const data = remoteEvent.data
    const cases: unknown[] = [
      '',
      'null',
      '[]',
      '{"type":',
      { ...remoteEvent, type: 'ping' },
      event,
      { ...remoteEvent, data: { ...data, id: '' } },
      { ...remoteEvent, data: { ...data, id: 'a\nb' } },
      { ...remoteEvent, data: { ...data, id: 7 } },
      { ...remoteEvent, data: { ...data, from: 'x'.repeat(257) } },
      { ...remoteEvent, data: { ...data, from_name: '\u0000' } },
      { ...remoteEvent, data: { ...data, kind: 'fax' } },
      { ...remoteEvent, data: { ...data, size: -1 } },
      { ...remoteEvent, data: { ...data, size: 1.5 } },
      { ...remoteEvent, data: { ...data, sha256: 'zz' } },
      { ...remoteEvent, data: { ...data, started_at: 'yesterday' } },
      { ...remoteEvent, data: { ...data, audio_url: 'file:///etc/passwd' } },
      { ...remoteEvent, data: { ...data, audio_url: `https://x.example/${'a'.repeat(2048)}` } },
    ]
    for (const value of cases) {
      const code = value === '' ? 'empty_body' : 'malformed'
      await assert.rejects(open(json(value)), refusedAs(code), JSON.stringify(value).slice(0, 80))
    }
  })

  it('refuses text that is not UTF-8', async () => {
    const body = Buffer.from(JSON.stringify(remoteEvent).replace('caller', 'call\xe9'), 'latin1')
    const signed = signStandard({ id: 'msg_1', timestamp: now, secret, body })
    await assert.rejects(
      open(request({ 'content-type': 'application/json', ...signed }, chunks(body))),
      refusedAs('malformed'),
    )
  })

  it('names the field at fault and never its value', async () => {
    const telling = { ...remoteEvent, data: { ...remoteEvent.data, from: `+1555-secret-${'x'.repeat(300)}` } }
    await assert.rejects(open(json(telling)), error => {
      assert.ok(error instanceof PbxError)
      assert.match(error.message, /data\.from/)
      assert.doesNotMatch(error.message, /secret/)
      return true
    })
  })

  it('refuses a body beyond 256 KiB without reading on', async () => {
    let pulled = 0
    async function* endless() {
      for (;;) {
        pulled += 1
        yield Buffer.alloc(64 * 1024, ' ')
      }
    }
    const { headers } = json(remoteEvent)
    await assert.rejects(open({ ...request({}, endless()), headers }), refusedAs('too_large'))
    assert.equal(pulled, 5)
  })

  it('refuses any changed bit as a bad signature', async () => {
    const body = Buffer.from(JSON.stringify(remoteEvent))
    const { headers } = json(remoteEvent)
    for (let bit = 0; bit < body.length * 8; bit += 7) {
      const changed = Buffer.from(body)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      await assert.rejects(open({ ...request({}, chunks(changed)), headers }), refusedAs('bad_signature'))
    }
  })
})

describe('standard: multipart', () => {
  it('hands out the audio byte for byte and then the notice, however the body is cut', async () => {
    const audio = randomBytes(20_000)
    const { headers, body, contentLength } = await multipart(audio)
    assert.equal(body.length, contentLength)
    for (const size of [1, 2, 3, 7, 64, 1000, 65_536]) {
      const delivery = await openAudio(request(headers, chunks(body, size)))
      assert.equal(delivery.sourceId, null)
      assert.throws(() => delivery.notice(), TypeError)
      assert.ok((await collect(delivery.audio)).equals(audio))
      const notice = delivery.notice()
      assert.equal(notice.sourceId, 'vm-1')
      assert.equal(notice.audioUrl, null)
      assert.equal(notice.contentType, 'audio/wav')
      assert.equal(notice.fileName, 'C:_spool_msg %221%22.wav')
    }
  })

  it('takes what fetch sends, in either order, with parts that it does not know', async () => {
    const audio = randomBytes(3000)
    const metadata = new Blob([JSON.stringify(event)], { type: 'application/json' })
    const fields: [string, Blob | string][] = [
      ['audio', new Blob([audio], { type: 'audio/x-wav' })],
      ['submit', 'or_die'],
      ['metadata', metadata],
    ]
    for (const order of [fields, fields.toReversed()]) {
      const form = new FormData()
      for (const [name, value] of order) {
        if (typeof value === 'string') form.append(name, value)
        else form.append(name, value, 'vm.wav')
      }
      const made = new Response(form)
      const body = Buffer.from(await made.arrayBuffer())
      const boundary = made.headers.get('content-type')?.split('boundary=')[1] ?? ''
      const delivery = await openAudio(signedForm(boundary, body))
      assert.ok((await collect(delivery.audio)).equals(audio))
      assert.equal(delivery.notice().fileName, 'vm.wav')
      assert.equal(delivery.notice().contentType, 'audio/x-wav')
    }
  })

  it('reads the same parts as an independent parser', async () => {
    const audio = randomBytes(5000)
    const { headers, body } = await multipart(audio)
    const parsed = await new Promise<Record<string, Buffer>>((resolve, reject) => {
      const found: Record<string, Buffer> = {}
      const busboy = new Busboy({ headers: { 'content-type': headers['content-type'] ?? '' } })
      busboy.on('file', (name, file) => {
        const pieces: Buffer[] = []
        file.on('data', (piece: Buffer) => pieces.push(piece))
        file.on('end', () => {
          found[name] = Buffer.concat(pieces)
        })
      })
      busboy.on('field', (name, value) => {
        found[name] = Buffer.from(value)
      })
      busboy.on('error', reject)
      busboy.on('finish', () => resolve(found))
      busboy.end(body)
    })
    assert.ok(parsed['audio']?.equals(audio))
    assert.deepEqual(JSON.parse(String(parsed['metadata'])), event)
  })

  it('never ends normally when a bit of the body is changed', async () => {
    const { headers, body } = await multipart(randomBytes(200))
    for (let bit = 0; bit < body.length * 8; bit += 1) {
      const changed = Buffer.from(body)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const delivery = await openAudio(request(headers, chunks(changed, 100)))
      await assert.rejects(collect(delivery.audio), refusedAs('bad_signature'), `bit ${bit}`)
      assert.throws(() => delivery.notice(), TypeError)
    }
  })

  it('never ends normally when bytes are cut, added, moved or repeated', async () => {
    const { headers, body } = await multipart(randomBytes(100))
    await fc.assert(
      fc.asyncProperty(
        fc.nat(body.length - 1),
        fc.nat(body.length - 1),
        fc.uint8Array({ maxLength: 30 }),
        async (a, b, extra) => {
          const [start, end] = a < b ? [a, b] : [b, a]
          const changed = Buffer.concat([body.subarray(0, start), extra, body.subarray(end)])
          fc.pre(!changed.equals(body))
          const delivery = await openAudio(request(headers, chunks(changed, 50)))
          await assert.rejects(collect(delivery.audio), refusedAs('bad_signature'))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('says what is wrong with a form that is signed', async () => {
    const form = (...parts: [string, string][]) =>
      Buffer.from(
        `${parts
          .map(([name, text]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`)
          .join('')}--b--\r\n`,
      )
    const metadata: [string, string] = ['metadata', JSON.stringify(event)]
    const cases: [PbxErrorCode, Buffer][] = [
      ['malformed', form(metadata)],
      ['malformed', form(['audio', 'x'])],
      ['empty_body', form(metadata, ['audio', ''])],
      ['malformed', form(metadata, ['audio', 'x'], ['audio', 'y'])],
      ['malformed', form(metadata, metadata, ['audio', 'x'])],
      ['malformed', form(['metadata', '{'], ['audio', 'x'])],
      ['malformed', form(['metadata', JSON.stringify(remoteEvent)], ['audio', 'x'])],
      ['malformed', form(metadata, ['audio', 'x'], ['other', 'x'.repeat(70_000)])],
      ['malformed', form(['metadata', ' '.repeat(300_000)], ['audio', 'x'])],
      [
        'malformed',
        form(...Array.from({ length: 17 }, (): [string, string] => ['other', '']), metadata, ['audio', 'x']),
      ],
      ['malformed', Buffer.from('')],
      ['malformed', form(metadata, ['audio', 'x']).subarray(0, -6)],
    ]
    for (const [index, [code, body]] of cases.entries()) {
      const delivery = await openAudio(signedForm('b', body))
      await assert.rejects(collect(delivery.audio), refusedAs(code), `case ${index}`)
    }
  })

  it('takes a nested multipart body for what it is: bytes', async () => {
    const inner = '--c\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{}\r\n--c--'
    const body = Buffer.from(
      `--b\r\nContent-Disposition: form-data; name="audio"\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n${inner}\r\n` +
        `--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n${JSON.stringify(event)}\r\n--b--`,
    )
    const delivery = await openAudio(signedForm('b', body))
    assert.equal(String(await collect(delivery.audio)), inner)
  })

  it('reads no further than it is asked to, and lets go of the body when it is left', async () => {
    const { headers, body } = await multipart(randomBytes(1_000_000))
    let pulled = 0
    let stopped = false
    async function* counted() {
      try {
        for await (const chunk of chunks(body, 1000)) {
          pulled += 1
          yield chunk
        }
      } finally {
        stopped = true
      }
    }
    const delivery = await openAudio(request(headers, counted()))
    await nextTurn()
    assert.equal(pulled, 0)
    let taken = 0
    for await (const _ of delivery.audio) {
      taken += 1
      assert.ok(pulled <= taken + 2)
      if (taken === 10) break
    }
    assert.ok(stopped)
    assert.throws(() => delivery.notice(), TypeError)
  })

  it('passes on what the body throws, also where it looks like an error of ours', async () => {
    const { headers, body } = await multipart(randomBytes(5000))
    for (const cause of [
      new RangeError('cut off'),
      new PbxError('malformed', 'x'),
      new PbxError('too_large', 'x'),
    ]) {
      async function* broken() {
        yield body.subarray(0, 2000)
        throw cause
      }
      const delivery = await openAudio(request(headers, broken()))
      await assert.rejects(collect(delivery.audio), error => error === cause)
    }
  })

  it('stops at an abort', async () => {
    const { headers, body } = await multipart(randomBytes(50_000))
    const controller = new AbortController()
    const delivery = await standard.open(request(headers, chunks(body, 1000)), secrets, {
      now,
      signal: controller.signal,
    })
    assert.equal(delivery.type, 'audio')
    const reading = (async () => {
      if (delivery.type !== 'audio') return
      for await (const _ of delivery.audio) controller.abort(new Error('enough'))
    })()
    await assert.rejects(reading, /enough/)
  })

  it('streams an HMAC that node:crypto makes of the whole', async () => {
    const { headers, body } = await multipart(randomBytes(70_000))
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    const mac = createHmac('sha256', key)
      .update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`)
      .update(body)
      .digest('base64')
    assert.equal(headers['webhook-signature'], `v1,${mac}`)
  })
})

describe('createStandardDelivery', () => {
  it('reads a source twice and refuses one that changed in between', async () => {
    let reads = 0
    const audio = () => {
      reads += 1
      return chunks(Buffer.alloc(100 * reads))
    }
    const made = await createStandardDelivery({
      metadata: event,
      audio,
      contentType: 'audio/wav',
      fileName: 'a',
      secret,
    })
    await assert.rejects(collect(made.body), RangeError)
    await assert.rejects(
      createStandardDelivery({ metadata: event, audio, contentType: 'a\r\nb', fileName: 'a', secret }),
      RangeError,
    )
  })
})
