// Hearing a recording over HTTP: ranges, tags and headers, and that no byte leaves before its event, or unverified.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem, problems, type RecordingId } from '@auricle/contract'
import { createEventLog } from '@auricle/vault'
import fc from 'fast-check'
import { archiveAudio } from '../../../test/archived.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { openRaw, requestHead } from '../../../test/raw-http.ts'
import { type Clinic, makeClinic, openTestVault, sample, type TestVault } from '../../../test/vault.ts'

let vault: TestVault
let clinic: Clinic
let front: Front
let token: string
/** A WAV of many segments, archived without a rendition. */
let large: Buffer
let recording: RecordingId
/** Has a rendition and peaks. */
let rendered: RecordingId

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  const head = (await sample('voicemail-short.wav')).subarray(0, 44)
  large = Buffer.concat([head, randomBytes(3_000_001)])
  recording = await archiveAudio(vault, clinic, large, { sourceId: 'large' }, { audio: null })
  rendered = await archiveAudio(vault, clinic, await sample('voicemail-short.wav'), { sourceId: 'short' })
  front = await openFront(vault)
  token = await front.tokenOf(clinic.clinician)
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

type Headers = Readonly<Record<string, string>>
const original = '?role=original'

function ask(headers: Headers = {}, { method = 'GET', of = recording, query = original, at = front } = {}) {
  return fetch(`${at.url}/v1/recordings/${of}/audio${query}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
  })
}

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer())

async function assertWhole(response: Response): Promise<void> {
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-length'), String(large.length))
  assert.ok((await bytesOf(response)).equals(large))
}

async function assertPart(response: Response, start: number, end: number): Promise<void> {
  assert.equal(response.status, 206)
  assert.equal(response.headers.get('content-range'), `bytes ${start}-${end - 1}/${large.length}`)
  assert.equal(response.headers.get('content-length'), String(end - start))
  assert.ok((await bytesOf(response)).equals(large.subarray(start, end)))
}

async function plays() {
  const events = await auditEvents(vault, clinic.tenant.id)
  return events.filter(({ action }) => action === 'recording.played' || action === 'recording.exported')
}

test('the original is byte for byte what was delivered, with headers that no browser misreads', async () => {
  const response = await ask()
  assert.equal(response.headers.get('content-type'), 'audio/wav')
  assert.equal(response.headers.get('accept-ranges'), 'bytes')
  assert.match(response.headers.get('etag') ?? '', /^"[\w-]{43}"$/)
  assert.equal(response.headers.get('cache-control'), 'private, no-store')
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
  assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'.*sandbox/)
  assert.equal(response.headers.get('content-disposition'), `inline; filename="${recording}.wav"`)
  await assertWhole(response)
})

test('the rendition is another file; without one the original is played', async () => {
  const rendition = await ask({}, { of: rendered, query: '' })
  assert.match(rendition.headers.get('content-type') ?? '', /^audio\//)
  assert.ok(!(await bytesOf(rendition)).equals(await sample('voicemail-short.wav')))
  await assertWhole(await ask({}, { query: '' }))
})

test('a download is an attachment, and an export in the log', async () => {
  const before = await plays()
  const response = await ask({}, { query: '?role=original&download=true' })
  assert.equal(response.headers.get('content-disposition'), `attachment; filename="${recording}.wav"`)
  await assertWhole(response)
  const added = (await plays()).slice(before.length)
  assert.deepEqual(
    added.map(({ action }) => action),
    ['recording.exported'],
  )
})

test('HEAD says everything and sends nothing', async () => {
  const whole = await ask({}, { method: 'HEAD' })
  assert.equal(whole.status, 200)
  assert.equal(whole.headers.get('content-length'), String(large.length))
  assert.equal((await bytesOf(whole)).length, 0)
  // RFC 9110 section 14.2: ranges are of GET alone.
  assert.equal((await ask({ range: 'bytes=0-9' }, { method: 'HEAD' })).status, 200)
})

test('ranges: from a start, to an end, a suffix, and what is none', async () => {
  const size = large.length
  await assertPart(await ask({ range: 'bytes=0-0' }), 0, 1)
  await assertPart(await ask({ range: 'bytes=44-' }), 44, size)
  await assertPart(await ask({ range: 'bytes=-100' }), size - 100, size)
  await assertPart(await ask({ range: `bytes=-${size + 1}` }), 0, size)
  await assertPart(await ask({ range: `bytes=${size - 1}-${size + 1000}` }), size - 1, size)
  for (const range of ['bytes=0-1,5-9', 'bytes=9-1', 'bytes=x-y', 'lines=0-1', 'bytes', '']) {
    await assertWhole(await ask({ range }))
  }
})

test('416 for a range outside, with the length that there is', async () => {
  for (const range of [`bytes=${large.length}-`, 'bytes=-0', `bytes=${'9'.repeat(30)}-`]) {
    const response = await ask({ range })
    assert.equal(response.status, 416)
    assert.equal(response.headers.get('content-range'), `bytes */${large.length}`)
    assert.equal(response.headers.get('content-disposition'), null)
    const problem = Problem.parse(await response.json())
    assert.equal(problem.type, problems.rangeNotSatisfiable.type)
    assert.equal(problem.instance, response.headers.get('x-request-id'))
  }
})

test('any range is the same slice of what was delivered', async () => {
  const anyRange = fc.tuple(fc.nat(large.length - 1), fc.nat(400_000))
  await fc.assert(
    fc.asyncProperty(anyRange, async ([start, length]) => {
      await assertPart(
        await ask({ range: `bytes=${start}-${start + length}` }),
        start,
        Math.min(start + length + 1, large.length),
      )
    }),
    { numRuns: 60 },
  )
})

test('tags: not modified, and ranges of what is still the same', async () => {
  const etag = (await ask({}, { method: 'HEAD' })).headers.get('etag') ?? ''
  for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const response = await ask({ 'if-none-match': tags, range: `bytes=${large.length}-` })
    assert.equal(response.status, 304)
    assert.equal(response.headers.get('etag'), etag)
    assert.equal((await bytesOf(response)).length, 0)
  }
  await assertWhole(await ask({ 'if-none-match': '"other"' }))
  await assertPart(await ask({ 'if-range': etag, range: 'bytes=0-9' }), 0, 10)
  for (const tag of ['"other"', `W/${etag}`, 'Sun, 22 Nov 2026 00:00:00 GMT']) {
    await assertWhole(await ask({ 'if-range': tag, range: 'bytes=0-9' }))
  }
})

test('a playback with all its seeks is one event, also when they come at once', async () => {
  const fresh = await front.tokenOf(clinic.clinician)
  const headers = { authorization: `Bearer ${fresh}` }
  const before = await plays()
  const seek = (start: number, more: Headers = {}) =>
    ask({ ...headers, range: `bytes=${start}-${start + 99}`, ...more }).then(bytesOf)
  await Promise.all(Array.from({ length: 8 }, (_, index) => seek(index * 1000)))
  for (let start = 0; start < 10; start++) await seek(start * 50_000)
  const events = async () => (await plays()).slice(before.length)
  assert.equal((await events()).length, 1)
  await seek(0, { 'x-forwarded-for': '192.0.2.7' })
  assert.equal((await events()).length, 2)
  await bytesOf(await ask(headers, { query: '?role=original&download=true' }))
  assert.deepEqual(
    (await events()).map(({ action, object }) => [action, object?.id]),
    [
      ['recording.played', recording],
      ['recording.played', recording],
      ['recording.exported', recording],
    ],
  )
})

test('where the event cannot be made durable, nothing is sent and no key is unwrapped', async () => {
  let unwraps = 0
  const keys: TestVault['keyService'] = {
    ...vault.keyService,
    ensure: (...asked) => vault.keyService.ensure(...asked),
    key: purpose => {
      const key = vault.keyService.key(purpose)
      return {
        ...key,
        wrap: (...asked) => key.wrap(...asked),
        unwrap: (...asked) => {
          if (purpose.purpose === 'recordings') unwraps++
          return key.unwrap(...asked)
        },
      }
    },
  }
  const failure = Object.assign(new Error('no connection'), { name: 'CatalogError', code: 'unavailable' })
  const catalog = { ...vault.catalog, appendStamped: () => Promise.reject(failure) }
  await using log = createEventLog({ catalog, writer: vault.writer, store: null })
  await using failing = await openFront(vault, { log, keys })
  // The tenant's secrets are unwrapped once, on the way to the event.
  await (await ask({}, { at: failing })).arrayBuffer()
  unwraps = 0
  for (const query of [original, '', '?download=true']) {
    const response = await ask({}, { at: failing, query })
    assert.equal(response.status, 503)
    assert.equal(response.headers.get('retry-after'), '2')
    assert.match(response.headers.get('content-type') ?? '', /problem\+json/)
    for (const name of ['etag', 'content-range', 'accept-ranges', 'content-disposition']) {
      assert.equal(response.headers.get(name), null)
    }
    const body = await bytesOf(response)
    assert.equal(Problem.parse(JSON.parse(body.toString())).type, problems.logUnavailable.type)
  }
  const peaks = await fetch(`${failing.url}/v1/recordings/${rendered}/peaks`, {
    headers: { authorization: `Bearer ${token}` },
  })
  assert.equal(peaks.status, 503)
  await peaks.arrayBuffer()
  assert.equal(unwraps, 0)
})

test('what was altered in the store is never sent: the connection is cut before it', async () => {
  const altered = (at: number): Pick<TestVault['objects'], 'read'> => ({
    async *read(key, range, options) {
      let position = range?.start ?? 0
      for await (const piece of vault.objects.read(key, range, options)) {
        const copy = Buffer.from(piece)
        if (position <= at && at < position + copy.length) {
          copy.writeUInt8(copy.readUInt8(at - position) ^ 1, at - position)
        }
        position += copy.length
        yield copy
      }
    },
  })
  const atByte = 2_000_000
  await using damaged = await openFront(vault, { objects: altered(atByte) })
  using connection = await openRaw(damaged.port)
  const path = `/v1/recordings/${recording}/audio${original}`
  await connection.send(requestHead('GET', path, { Authorization: `Bearer ${token}` }))
  const { status, body, complete } = await connection.answer()
  assert.equal(status, 200)
  assert.equal(complete, false)
  assert.ok(body.length > 0 && body.length <= atByte)
  assert.ok(body.equals(large.subarray(0, body.length)))
  assert.match(damaged.log.text(), /"msg":"A request failed"/)

  // In the first piece: an answer that says so, and no header of the audio.
  await using atOnce = await openFront(vault, { objects: altered(5_000) })
  const response = await ask({ range: 'bytes=10-20' }, { at: atOnce })
  assert.equal(response.status, 500)
  assert.equal(response.headers.get('content-range'), null)
  assert.equal(response.headers.get('etag'), null)
  assert.equal(Problem.parse(await response.json()).type, problems.internal.type)
})

test('an object that is gone from the store is a failure of ours and says nothing of where it was', async () => {
  const gone = Object.assign(new Error('/var/lib/auricle/objects/secret-path'), { code: 'not_found' })
  const objects: Pick<TestVault['objects'], 'read'> = {
    read: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(gone) }) }),
  }
  await using empty = await openFront(vault, { objects })
  const response = await ask({}, { at: empty })
  assert.equal(response.status, 500)
  assert.ok(!(await response.text()).includes('secret-path'))
  assert.ok(!empty.log.text().includes('secret-path'))
})

test('clients that go away in the middle leave no open file and no failure', async () => {
  const files = async () => (await readdir('/proc/self/fd')).length
  const from = front.log.lines.length
  const path = `/v1/recordings/${recording}/audio${original}`
  const leave = async (how: 'reset' | 'end') => {
    using connection = await openRaw(front.port)
    connection.socket.pause()
    await connection.send(requestHead('GET', path, { Authorization: `Bearer ${token}` }))
    await delay(30)
    if (how === 'reset') connection.socket.resetAndDestroy()
    else connection.socket.destroy()
  }
  await leave('reset')
  await delay(50)
  const before = await files()
  for (let round = 0; round < 5; round++) await Promise.all([leave('reset'), leave('end')])
  for (let waited = 0; (await files()) > before && waited < 100; waited++) await delay(20)
  assert.ok((await files()) <= before)
  assert.doesNotMatch(front.log.lines.slice(from).join(''), /"level":"(?:error|warn)"/)
  await assertWhole(await ask())
})

test('a slow listener gets everything', async () => {
  using connection = await openRaw(front.port)
  const path = `/v1/recordings/${recording}/audio${original}`
  await connection.send(requestHead('GET', path, { Authorization: `Bearer ${token}` }))
  for (let pause = 0; pause < 5; pause++) {
    connection.socket.pause()
    await delay(10)
    connection.socket.resume()
    await delay(1)
  }
  const { body, complete } = await connection.answer()
  assert.ok(complete && body.equals(large))
})

test('nothing of all this was a failure of ours', () => {
  assert.doesNotMatch(front.log.text(), /"level":"error"/)
})
